//! What a text must look like before the KDL parser may see it.
//!
//! The parser needs time exponential in nested `/-` and stack in nested blocks, nested comments
//! and lost `}`; this pass is linear. It also refuses what makes every later message useless:
//! merge conflicts and characters that nobody can see. It knows no grammar beyond brackets.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::source::{FileId, Span};
use super::tokens::{Kind, Token, is_forbidden};

/// The largest file that is read.
pub const MAX_FILE: usize = 1024 * 1024;
/// How deep blocks may nest.
pub const MAX_DEPTH: usize = 32;
/// How deep `/-` may nest.
pub const MAX_SLASHDASH: usize = 2;
/// The longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// How much commented-out text of the second level may be read again and again.
const MAX_COMMENTED: usize = 16 * 1024;

/// Whether a file of this size is read at all.
#[must_use]
pub fn admits_size(len: usize) -> bool {
    len <= MAX_FILE
}

/// What is wrong with a file that is too large.
#[must_use]
pub fn too_large(file: FileId, len: usize) -> Diagnostic {
    Diagnostic::error("kdl::too-large", format!("this file has {len} bytes"))
        .at(Span::new(file, 0, 0), format!("blueprint files hold at most {MAX_FILE} bytes"))
        .help("split it: all files below a root are one blueprint")
}

/// Whether the text may go to the parser; says why not.
pub fn admit(file: FileId, text: &str, tokens: &[Token], out: &mut Diagnostics) -> bool {
    if !admits_size(text.len()) {
        out.push(too_large(file, text.len()));
        return false;
    }
    let complaints = merge_conflicts(file, text, tokens)
        .into_iter()
        .chain(forbidden(file, text))
        .chain(long_line(file, text))
        .chain(too_deep(file, tokens))
        .collect::<Vec<_>>();
    let admitted = complaints.is_empty();
    out.extend(complaints);
    admitted
}

/// Whether blocks and `/-` stay within their limits.
#[must_use]
pub fn is_shallow(tokens: &[Token]) -> bool {
    too_deep(FileId(0), tokens).is_none()
}

/// One complaint for each conflict, whatever the number of its markers.
fn merge_conflicts(file: FileId, text: &str, tokens: &[Token]) -> Vec<Diagnostic> {
    let mut found: Vec<(Span, Option<Span>)> = Vec::new();
    for (start, line) in lines(text) {
        let span = Span::new(file, start, start + line.len());
        let marker = line.get(..7).unwrap_or("");
        let ends = line.get(7..).is_some_and(|after| after.is_empty() || after.starts_with(' '));
        if !ends || inside_string(tokens, start) {
            continue;
        }
        match (marker, found.last_mut()) {
            ("<<<<<<<", _) => found.push((span, None)),
            (">>>>>>>", Some((_, end @ None))) => *end = Some(span),
            (">>>>>>>", _) => found.push((span, Some(span))),
            ("=======" | "|||||||", Some((_, None))) => {}
            ("=======", _) => found.push((span, None)),
            _ => {}
        }
    }
    found.into_iter().map(|(start, end)| merge_conflict(start, end)).collect()
}

fn merge_conflict(start: Span, end: Option<Span>) -> Diagnostic {
    let complaint =
        Diagnostic::error("kdl::merge-marker", "this file holds an unresolved merge conflict")
            .at(start, "the conflict begins here")
            .help("keep one of the two sides and delete the lines with the markers");
    match end {
        Some(end) if end != start => complaint.at(end, "and ends here"),
        _ => complaint,
    }
}

fn inside_string(tokens: &[Token], at: usize) -> bool {
    let before = tokens.partition_point(|token| token.start < at);
    before.checked_sub(1).and_then(|last| tokens.get(last)).is_some_and(|token| {
        (token.is_string() || token.is(Kind::BlockComment)) && token.closed && token.end > at
    })
}

/// The first character that nobody can see, and how many follow.
fn forbidden(file: FileId, text: &str) -> Option<Diagnostic> {
    let skip = if text.starts_with('\u{FEFF}') { 1 } else { 0 };
    let mut found = text.char_indices().skip(skip).filter(|(_, c)| is_forbidden(*c));
    let (at, c) = found.next()?;
    let more = found.count();
    let span = Span::new(file, at, at + c.len_utf8());
    let name = u32::from(c);
    let help = match more {
        0 => "delete it; inside a string it can be written as an escape".to_owned(),
        _ => format!("delete it and the {more} others in this file; is this a text file in UTF-8?"),
    };
    Some(
        Diagnostic::error("kdl::control-character", "this file holds an invisible character")
            .at(span, format!("U+{name:04X}"))
            .help(help),
    )
}

fn long_line(file: FileId, text: &str) -> Option<Diagnostic> {
    let (start, line) = lines(text).find(|(_, line)| line.len() > MAX_LINE)?;
    Some(
        Diagnostic::error("kdl::too-large", format!("this line has {} bytes", line.len()))
            .at(Span::new(file, start, start), format!("a line holds at most {MAX_LINE} bytes"))
            .help("break the line"),
    )
}

/// The first block or `/-` that goes too deep.
fn too_deep(file: FileId, tokens: &[Token]) -> Option<Diagnostic> {
    let mut nesting = Nesting::default();
    tokens.iter().find_map(|token| {
        nesting.step(token);
        let span = Span::new(file, token.start, token.end);
        if nesting.blocks.len() > MAX_DEPTH {
            let text = format!("blocks nest at most {MAX_DEPTH} deep");
            return Some(deep("blocks nest too deeply", span, text));
        }
        if nesting.commented > MAX_SLASHDASH {
            let text = format!("`/-` nests at most {MAX_SLASHDASH} deep");
            return Some(deep("`/-` stands too deep inside other `/-`", span, text));
        }
        let text = "too much text is commented out here, twice over";
        (nesting.weight > MAX_COMMENTED)
            .then(|| deep("`/-` stands inside another `/-`", span, text.to_owned()))
    })
}

fn deep(message: &str, span: Span, label: String) -> Diagnostic {
    let help = if message.contains("/-") {
        "put the outer part into /* … */, or delete it"
    } else {
        "is a `}` missing further up?"
    };
    Diagnostic::error("kdl::too-deep", message).at(span, label).help(help)
}

/// Open blocks, and how many `/-` are in force at the present place.
struct Nesting {
    blocks: Vec<Block>,
    commented: usize,
    /// The `/-` in front of the present node.
    node: usize,
    /// `/-` was read, what it stands before was not.
    pending: bool,
    /// No part of a node was read yet.
    at_start: bool,
    weight: usize,
}

/// What to return to at the end of a block.
struct Block {
    node: usize,
    commented: usize,
}

impl Default for Nesting {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            commented: 0,
            node: 0,
            pending: false,
            at_start: true,
            weight: 0,
        }
    }
}

impl Nesting {
    fn step(&mut self, token: &Token) {
        match token.kind {
            Kind::Slashdash if self.pending => self.begin_node(),
            Kind::Slashdash => self.pending = true,
            Kind::Newline if self.pending => {}
            Kind::Newline | Kind::Semicolon => self.end_node(),
            Kind::Open => self.open(),
            Kind::Close => self.close(),
            Kind::Continue => {}
            _ if token.is_blank() => {}
            _ => {
                if self.pending && self.at_start {
                    self.begin_node();
                }
                self.pending = false;
                self.at_start = false;
            }
        }
        if self.commented > 1 {
            self.weight += token.end - token.start + 1;
        }
    }

    fn begin_node(&mut self) {
        self.node += 1;
        self.commented += 1;
    }

    fn end_node(&mut self) {
        self.commented = self.commented.saturating_sub(self.node);
        self.node = 0;
        self.pending = false;
        self.at_start = true;
    }

    fn open(&mut self) {
        self.blocks.push(Block { node: self.node, commented: self.commented });
        self.commented += usize::from(self.pending);
        self.node = 0;
        self.pending = false;
        self.at_start = true;
    }

    fn close(&mut self) {
        if let Some(block) = self.blocks.pop() {
            self.node = block.node;
            self.commented = block.commented;
        }
        self.pending = false;
        self.at_start = false;
    }
}

/// Every line with the place where it begins, without its line break.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::tokens::scan;

    fn codes(text: &str) -> Vec<(&'static str, std::ops::Range<usize>)> {
        let mut out = Diagnostics::default();
        admit(FileId(0), text, &scan(text), &mut out);
        out.iter().map(|each| (each.code, each.span().range())).collect()
    }

    #[test]
    fn an_ordinary_file_passes() {
        assert_eq!(codes("\u{FEFF}/- kdl-version 2\napp a \"A\" { /- b { /- c } }\n"), vec![]);
    }

    #[test]
    fn blocks_may_nest_to_the_limit_and_no_further() {
        assert_eq!(codes(&"a {".repeat(MAX_DEPTH)), vec![]);
        assert_eq!(codes(&"a {".repeat(MAX_DEPTH + 1)), vec![("kdl::too-deep", 98..99)]);
    }

    #[test]
    fn nested_slashdash_is_refused() {
        assert_eq!(codes("/- a {/- b {/- c {}}}"), vec![("kdl::too-deep", 15..16)]);
        assert_eq!(codes("/-\na {/-\nb {/-\nc {}}}").len(), 1);
        assert_eq!(codes("a /- {b /- {c /- {}}}").len(), 1);
        assert_eq!(codes("/- a {}\n/- b {}\n/- c {}\n/- d /-1 /-2 /-3 {}"), vec![]);
    }

    #[test]
    fn a_merge_conflict_is_one_complaint() {
        let text = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> theirs\n";
        assert_eq!(codes(text), vec![("kdl::merge-marker", 2..14)]);
        assert_eq!(codes(&format!("{text}{text}")).len(), 2);
    }

    #[test]
    fn a_marker_inside_a_string_is_text() {
        assert_eq!(codes("raw #\"\"\"\n<<<<<<< HEAD\n\"\"\"#"), vec![]);
    }

    #[test]
    fn invisible_characters_are_named() {
        assert_eq!(codes("a \"b\u{202E}c\""), vec![("kdl::control-character", 4..7)]);
        assert_eq!(codes("a \0"), vec![("kdl::control-character", 2..3)]);
    }

    #[test]
    fn size_and_length_of_lines_are_limited() {
        assert_eq!(codes(&"a\n".repeat(MAX_FILE)), vec![("kdl::too-large", 0..0)]);
        assert_eq!(codes(&"a ".repeat(MAX_LINE)), vec![("kdl::too-large", 0..0)]);
    }
}
