//! The pass over the text. Every step consumes at least one character.

use super::{Kind, Token, is_newline, is_space, is_word};

/// All tokens of a text, in order; white space is left out.
#[must_use]
pub fn scan(text: &str) -> Vec<Token> {
    let start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let mut scanner = Scanner { text, at: start, tokens: Vec::new() };
    while let Some(c) = scanner.peek() {
        if is_space(c) {
            scanner.at += c.len_utf8();
        } else {
            scanner.token(c);
        }
    }
    scanner.tokens
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn token(&mut self, c: char) {
        let rest = self.rest();
        let (kind, len, closed) = match c {
            '{' => (Kind::Open, 1, true),
            '}' => (Kind::Close, 1, true),
            '(' => (Kind::OpenParen, 1, true),
            ')' => (Kind::CloseParen, 1, true),
            '[' => (Kind::OpenBracket, 1, true),
            ']' => (Kind::CloseBracket, 1, true),
            '=' => (Kind::Equals, 1, true),
            ';' => (Kind::Semicolon, 1, true),
            '"' => quoted(rest),
            '#' => self.hash(rest),
            '/' => slash(rest),
            '\\' => backslash(rest),
            '\'' | '`' => enclosed(rest, c, Kind::SingleQuoted).unwrap_or_else(|| word(rest)),
            '“' | '„' | '”' => smart(rest).unwrap_or_else(|| word(rest)),
            c if is_newline(c) => (Kind::Newline, newline_len(rest), true),
            c if is_word(c) => word(rest),
            c => (Kind::Other, c.len_utf8(), true),
        };
        let start = self.at;
        self.at += len.max(1);
        self.tokens.push(Token { kind, start, end: self.at, closed });
    }

    /// A raw string, a keyword, a comment from another language, or a lost `#`.
    fn hash(&self, rest: &str) -> (Kind, usize, bool) {
        let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
        let after = rest.get(hashes..).unwrap_or("");
        if after.starts_with('"') {
            return raw(rest, hashes);
        }
        let word: usize = after.chars().take_while(|c| is_word(*c)).map(char::len_utf8).sum();
        let keyword = after.get(..word).unwrap_or("");
        if hashes == 1 && matches!(keyword, "true" | "false" | "null" | "inf" | "-inf" | "nan") {
            return (Kind::Keyword, 1 + word, true);
        }
        let alone = after.chars().next().is_none_or(|c| is_space(c) || is_newline(c));
        let stuck = self.tokens.last().is_some_and(|last| last.end == self.at && last.is_value());
        if self.begins_line() || (alone && !stuck) {
            return (Kind::HashComment, line_len(rest), true);
        }
        (Kind::Hash, hashes + word, true)
    }

    fn begins_line(&self) -> bool {
        self.tokens.last().is_none_or(|last| matches!(last.kind, Kind::Newline))
    }
}

fn word(rest: &str) -> (Kind, usize, bool) {
    let mut kind = Kind::Word;
    let mut at = 0;
    while let Some(c) = rest.get(at..).and_then(|tail| tail.chars().next()) {
        let tail = rest.get(at..).unwrap_or("");
        if let Some(len) = variable_len(tail) {
            kind = Kind::Variable;
            at += len;
        } else if tail.starts_with("//") && is_scheme(rest.get(..at).unwrap_or("")) {
            return (Kind::Url, at + url_len(tail), true);
        } else if starts_path(tail) {
            return (Kind::Path, at + run_len(tail), true);
        } else if is_word(c) {
            at += c.len_utf8();
        } else {
            break;
        }
    }
    (kind, at, true)
}

/// `${name}` at the beginning of `tail`.
fn variable_len(tail: &str) -> Option<usize> {
    let inner = tail.strip_prefix("${")?;
    let name = inner.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')?;
    (name > 0 && inner.get(name..)?.starts_with('}')).then_some(name + 3)
}

/// `https:` and the like, at the end of what was read so far.
fn is_scheme(before: &str) -> bool {
    before.strip_suffix(':').is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

fn url_len(tail: &str) -> usize {
    let mut run = tail.split(|c| is_space(c) || is_newline(c) || c == '"').next().unwrap_or("");
    if run == "//" {
        return run.len();
    }
    let open = run.matches('{').count();
    let mut close = run.matches('}').count();
    while let Some(last) = run.chars().last() {
        match last {
            ';' | ',' | '{' => {}
            '}' if close > open => close -= 1,
            _ => break,
        }
        run = run.get(..run.len() - 1).unwrap_or("");
    }
    run.len()
}

/// A slash that begins neither a comment nor a slashdash.
fn starts_path(tail: &str) -> bool {
    tail.strip_prefix('/').is_some_and(|after| !after.starts_with(['/', '*', '-']))
}

fn run_len(tail: &str) -> usize {
    let mut at = 0;
    while let Some(c) = tail.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(len) = tail.get(at..).and_then(variable_len) {
            at += len;
        } else if c == '/' || is_word(c) {
            at += c.len_utf8();
        } else {
            break;
        }
    }
    at
}

fn slash(rest: &str) -> (Kind, usize, bool) {
    if rest.starts_with("//") {
        (Kind::LineComment, line_len(rest), true)
    } else if rest.starts_with("/-") {
        (Kind::Slashdash, 2, true)
    } else if rest.starts_with("/*") {
        let (len, closed) = comment_len(rest);
        (Kind::BlockComment, len, closed)
    } else {
        (Kind::Path, run_len(rest), true)
    }
}

/// Block comments nest.
fn comment_len(rest: &str) -> (usize, bool) {
    let bytes = rest.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return (at, true);
                }
            }
            _ => at += 1,
        }
    }
    (rest.len(), false)
}

fn quoted(rest: &str) -> (Kind, usize, bool) {
    if rest.starts_with("\"\"\"") {
        let inner = rest.get(3..).unwrap_or("");
        return match end_of_multi(inner) {
            Some(end) => (Kind::Multi, end + 6, true),
            None => (Kind::Multi, rest.len(), false),
        };
    }
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (Kind::Quoted, at + 1, true),
            '\\' => {
                let after = rest.get(at + 1..).unwrap_or("");
                let blank = after.find(|c| !is_space(c) && !is_newline(c)).unwrap_or(after.len());
                let skip = after.get(..blank).unwrap_or("").chars().count().max(1);
                chars.nth(skip - 1);
            }
            c if is_newline(c) => return (Kind::Quoted, at, false),
            _ => {}
        }
    }
    (Kind::Quoted, rest.len(), false)
}

fn end_of_multi(inner: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' if inner.get(at..).is_some_and(|tail| tail.starts_with("\"\"\"")) => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

fn raw(rest: &str, hashes: usize) -> (Kind, usize, bool) {
    let fence = rest.get(..hashes).unwrap_or("");
    let body = rest.get(hashes..).unwrap_or("");
    let multi = body.strip_prefix("\"\"\"").is_some_and(|inner| inner.starts_with(is_newline));
    let (quotes, limit) = if multi { ("\"\"\"", rest.len()) } else { ("\"", line_len(rest)) };
    let begin = hashes + quotes.len();
    let close = format!("{quotes}{fence}");
    match rest.get(begin..limit).and_then(|inner| inner.find(&close)) {
        Some(end) => (Kind::Raw, begin + end + close.len(), true),
        None => (Kind::Raw, limit.max(begin), false),
    }
}

fn backslash(rest: &str) -> (Kind, usize, bool) {
    let mut at = 1;
    loop {
        let tail = rest.get(at..).unwrap_or("");
        match tail.chars().next() {
            Some(c) if is_space(c) => at += c.len_utf8(),
            Some('/') if tail.starts_with("/*") => match comment_len(tail) {
                (len, true) => at += len,
                _ => return (Kind::Other, 1, true),
            },
            Some('/') if tail.starts_with("//") => at += line_len(tail),
            Some(c) if is_newline(c) => return (Kind::Continue, at + newline_len(tail), true),
            None => return (Kind::Continue, at, true),
            Some(_) => return (Kind::Other, 1, true),
        }
    }
}

fn enclosed(rest: &str, quote: char, kind: Kind) -> Option<(Kind, usize, bool)> {
    let inner = rest.get(quote.len_utf8()..)?;
    let end = inner.find(|c| c == quote || is_newline(c) || c == '"')?;
    let closed = inner.get(end..)?.starts_with(quote);
    closed.then_some((kind, end + 2 * quote.len_utf8(), true))
}

fn smart(rest: &str) -> Option<(Kind, usize, bool)> {
    let open = rest.chars().next()?.len_utf8();
    let inner = rest.get(open..)?;
    let end = inner.find(|c| matches!(c, '“' | '”' | '"') || is_newline(c))?;
    let close = inner.get(end..)?.chars().next().filter(|c| !is_newline(*c))?;
    Some((Kind::SmartQuoted, open + end + close.len_utf8(), true))
}

/// Up to the line break, which is not part of it.
fn line_len(rest: &str) -> usize {
    rest.find(is_newline).unwrap_or(rest.len())
}

fn newline_len(rest: &str) -> usize {
    if rest.starts_with("\r\n") {
        return 2;
    }
    rest.chars().next().map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        scan(text).into_iter().map(|token| (token.kind, token.text(text))).collect()
    }

    #[test]
    fn the_pieces_of_a_node_are_named() {
        assert_eq!(
            kinds("app \"a\\\"b\" to=#\"c\"# { x #true } // end"),
            vec![
                (Kind::Word, "app"),
                (Kind::Quoted, "\"a\\\"b\""),
                (Kind::Word, "to"),
                (Kind::Equals, "="),
                (Kind::Raw, "#\"c\"#"),
                (Kind::Open, "{"),
                (Kind::Word, "x"),
                (Kind::Keyword, "#true"),
                (Kind::Close, "}"),
                (Kind::LineComment, "// end"),
            ]
        );
    }

    #[test]
    fn what_people_write_and_kdl_does_not_have_is_one_piece() {
        assert_eq!(
            kinds("a https://x.${d}/y to=http://z; b ${d} fd00::/8 /admin/* 'it is' “so” { # no"),
            vec![
                (Kind::Word, "a"),
                (Kind::Url, "https://x.${d}/y"),
                (Kind::Word, "to"),
                (Kind::Equals, "="),
                (Kind::Url, "http://z"),
                (Kind::Semicolon, ";"),
                (Kind::Word, "b"),
                (Kind::Variable, "${d}"),
                (Kind::Path, "fd00::/8"),
                (Kind::Path, "/admin/*"),
                (Kind::SingleQuoted, "'it is'"),
                (Kind::SmartQuoted, "“so”"),
                (Kind::Open, "{"),
                (Kind::HashComment, "# no"),
            ]
        );
    }

    #[test]
    fn strings_and_comments_that_never_end_are_marked() {
        assert!(scan("a \"b\nc").iter().any(|t| t.kind == Kind::Quoted && !t.closed));
        assert!(scan("a \"\"\"\nb\nc").iter().any(|t| t.kind == Kind::Multi && !t.closed));
        assert!(scan("a /* /* */").iter().any(|t| t.kind == Kind::BlockComment && !t.closed));
        assert!(scan("a /* /* */ */").iter().all(|t| t.closed));
    }
}
