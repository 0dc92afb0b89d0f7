//! Hides secrets that somebody wrote into a blueprint from everything that shows its text.
//!
//! It works on tokens alone, so that it also holds in files that do not parse: what stands in
//! quotes after a word such as `secret`, `password`, `token` or `key` becomes stars of the same
//! length. It rather hides too much than too little. It knows no schema.

mod names;

use std::ops::Range;

use self::names::{is_object, is_reference, is_secret, keeps_bare};
use super::tokens::{Kind, Token, is_newline, scan};

/// The text with secrets starred out; every byte keeps its place.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    for range in secrets(text) {
        for byte in masked.get_mut(range).into_iter().flatten() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b'*';
            }
        }
    }
    String::from_utf8(masked).unwrap_or_else(|_| "*".repeat(text.len()))
}

/// Where the secrets of a text stand, without their quotes.
#[must_use]
pub fn secrets(text: &str) -> Vec<Range<usize>> {
    if looks_like_json(text) {
        return in_json(text);
    }
    let tokens = scan(text);
    let mut finder = Finder { text, tokens: &tokens, found: Vec::new(), node: Node::default() };
    for index in 0..tokens.len() {
        finder.step(index);
    }
    finder.found.sort_by_key(|range| (range.start, range.end));
    finder.found.dedup();
    finder.found
}

struct Finder<'a> {
    text: &'a str,
    tokens: &'a [Token],
    found: Vec<Range<usize>>,
    node: Node,
}

/// What was read of the present node.
#[derive(Default)]
struct Node {
    named: bool,
    secret: bool,
    /// Its arguments are names and titles.
    object: bool,
    /// A bare word after it may be the secret itself.
    bare: bool,
}

impl Finder<'_> {
    fn step(&mut self, index: usize) {
        let Some(token) = self.tokens.get(index) else { return };
        match token.kind {
            Kind::Newline if self.after_slashdash(index) => {}
            Kind::Newline | Kind::Semicolon | Kind::Open | Kind::Close => {
                self.node = Node::default();
            }
            Kind::LineComment | Kind::BlockComment | Kind::HashComment => self.comment(token),
            _ if !token.is_value() => {}
            _ if self.is_annotation(index) => {}
            _ if self.is_key(index) && self.node.named => {}
            _ if self.property(index).is_some() => self.property_value(index, token),
            _ if self.node.named => self.argument(index, token),
            _ => self.name(token),
        }
        self.credentials(token);
        if !token.closed {
            self.loose(line_start(self.text, token.start)..line_end(self.text, token.end));
        }
    }

    fn name(&mut self, token: &Token) {
        let name = token.text(self.text);
        let secret = is_secret(name);
        self.node = Node {
            named: true,
            secret,
            object: is_object(name),
            bare: secret && !keeps_bare(name),
        };
    }

    fn argument(&mut self, index: usize, token: &Token) {
        let text = token.text(self.text);
        if self.node.secret && !self.is_reference(index) {
            self.hide_value(token);
        }
        let marks = !token.is(Kind::Quoted) && !self.node.object && is_secret(text);
        if marks && !self.node.secret {
            self.node.secret = true;
            self.node.bare = false;
        }
    }

    fn property_value(&mut self, index: usize, token: &Token) {
        let key = self.property(index).unwrap_or("");
        if self.is_reference(index) || key == "deliver" {
            return;
        }
        if is_secret(key) {
            self.node.bare = true;
            self.hide_value(token);
        } else if self.node.secret && !self.node.object && token.is_string() {
            self.hide_string(token);
        }
    }

    fn hide_value(&mut self, token: &Token) {
        let text = token.text(self.text);
        if token.is_string() || matches!(token.kind, Kind::SingleQuoted | Kind::SmartQuoted) {
            self.hide_string(token);
        } else if self.node.bare && !matches!(text, "generated" | "none" | "required") {
            self.hide(token.start..token.end);
        }
    }

    /// What stands between the quotes, of whatever kind they are.
    fn hide_string(&mut self, token: &Token) {
        let text = token.text(self.text);
        let is_quote = |c: char| matches!(c, '#' | '"' | '\'' | '`' | '“' | '”' | '„');
        let inner = text.trim_start_matches(is_quote);
        let start = token.start + text.len() - inner.len();
        let inner = if token.closed { inner.trim_end_matches(is_quote) } else { inner };
        let end = start + inner.trim_end_matches(is_newline).len();
        self.hide(start..end);
    }

    fn hide(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.found.push(range);
        }
    }

    /// A comment may hold a node that somebody commented out.
    fn comment(&mut self, token: &Token) {
        self.loose(token.start..token.end);
    }

    /// Text without structure: whatever stands in quotes behind a telling word of the same line.
    fn loose(&mut self, range: Range<usize>) {
        let mut at = range.start;
        for line in self.text.get(range).unwrap_or("").split_inclusive(is_newline) {
            let mut secret = false;
            let mut start = 0;
            for (offset, c) in line.char_indices() {
                if !matches!(c, '"' | '\'' | '`' | '“' | '”') {
                    continue;
                }
                let piece = line.get(start..offset).unwrap_or("");
                if secret && !piece.trim().is_empty() {
                    self.hide(at + start..at + offset);
                }
                secret |= piece.split(|c: char| !is_name_char(c)).any(is_secret);
                start = offset + c.len_utf8();
            }
            if secret {
                let end = line.trim_end_matches(is_newline).len();
                self.hide(at + start..at + end.max(start));
            }
            at += line.len();
        }
    }

    /// The password in `scheme://user:password@host`.
    fn credentials(&mut self, token: &Token) {
        let text = token.text(self.text);
        for (at, _) in text.match_indices("://") {
            let rest = text.get(at + 3..).unwrap_or("");
            let end = rest.find(|c: char| matches!(c, '/' | '"' | ' ') || is_newline(c));
            let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or("");
            let Some((user, _)) = authority.rsplit_once('@') else { continue };
            if let Some((name, password)) = user.split_once(':') {
                let start = token.start + at + 3 + name.len() + 1;
                self.hide(start..start + password.len());
            }
        }
    }

    fn before(&self, index: usize) -> Option<&Token> {
        index.checked_sub(1).and_then(|before| self.tokens.get(before))
    }

    fn after_slashdash(&self, index: usize) -> bool {
        self.before(index).is_some_and(|before| before.is(Kind::Slashdash))
    }

    fn is_key(&self, index: usize) -> bool {
        self.tokens.get(index + 1).is_some_and(|next| next.is(Kind::Equals))
    }

    /// The name of the property whose value this is; `name: value` counts as well.
    fn property(&self, index: usize) -> Option<&str> {
        let mut at = index;
        while self.before(at).is_some_and(|b| matches!(b.kind, Kind::CloseParen | Kind::OpenParen))
            || (at < index && self.is_annotation(at))
        {
            at -= 1;
        }
        let before = self.before(at)?;
        if before.is(Kind::Equals) {
            return self.before(at - 1).map(|key| key.text(self.text));
        }
        let key = before.text(self.text);
        (before.is(Kind::Word) && key.len() > 1 && key.ends_with(':') && self.node.named)
            .then(|| key.trim_end_matches(':'))
    }

    fn is_annotation(&self, index: usize) -> bool {
        let next = self.tokens.get(index + 1).is_some_and(|next| next.is(Kind::CloseParen));
        next && self.before(index).is_some_and(|before| before.is(Kind::OpenParen))
    }

    /// `(file)`, `(env)` or `(credential)` stands before the value.
    fn is_reference(&self, index: usize) -> bool {
        let closes = self.before(index).is_some_and(|before| before.is(Kind::CloseParen));
        let word = index.checked_sub(2).and_then(|word| self.tokens.get(word));
        closes && word.is_some_and(|word| is_reference(word.text(self.text)))
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    text.strip_prefix(['[', '{'])
        .is_some_and(|rest| rest.trim_start().starts_with(['[', '{', '"', ']', '}']))
}

fn line_start(text: &str, from: usize) -> usize {
    text.get(..from).unwrap_or("").rfind(is_newline).unwrap_or(0)
}

fn line_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or("");
    from + rest.find(is_newline).unwrap_or(rest.len())
}

/// In the JSON form of the tree, everything in quotes after a telling string is hidden, up to the
/// end of the object around it.
fn in_json(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut secret_since: Option<usize> = None;
    let mut depth = 0usize;
    for token in scan(text) {
        match token.kind {
            Kind::Open | Kind::OpenBracket => depth += 1,
            Kind::Close | Kind::CloseBracket => {
                depth = depth.saturating_sub(1);
                secret_since = secret_since.filter(|since| depth >= *since);
            }
            Kind::Word if is_secret(token.text(text)) => secret_since = Some(depth),
            _ if token.is_string() => {
                let inner = token.start + 1..(token.end - usize::from(token.closed));
                let word = text.get(inner.clone()).unwrap_or("");
                if secret_since.is_some() && !is_json_key(word) {
                    found.push(inner.start..inner.end.max(inner.start));
                } else if is_secret(word) {
                    secret_since = Some(depth);
                }
            }
            _ => {}
        }
    }
    found
}

fn is_json_key(word: &str) -> bool {
    matches!(
        word,
        "node" | "args" | "props" | "children" | "tag" | "value" | "deliver" | "generated"
    )
}

#[cfg(test)]
mod tests;
