//! What the `kdl` crate says of mistakes that nobody foresaw, in plain words.
//!
//! Its parser goes on after a mistake and then complains of the consequences. So only its first
//! complaint counts; that line is emptied and the rest is read again.

use kdl::{KdlDiagnostic, KdlDocument, KdlError};

use super::edits::Changed;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::{FileId, Span};
use crate::blueprint::tokens::{Kind, Token, scan};

/// How often a file is read again, and up to which size.
const ROUNDS: usize = 6;
const SMALL: usize = 64 * 1024;

/// Reports the independent mistakes behind a failed parse.
pub(super) fn report(file: FileId, changed: &Changed, error: &KdlError, out: &mut Diagnostics) {
    let mut text = changed.text.clone();
    let mut next = first_complaint(error);
    let mut last_line = None;
    for _ in 0..ROUNDS {
        let Some(complaint) = next else { return };
        let tokens = scan(&text);
        let at = culprit(&complaint, &tokens);
        let line = line_of(&tokens, at.start);
        if last_line == Some(line.start) {
            return;
        }
        last_line = Some(line.start);
        let range = changed.origin(at);
        out.push(reworded(&complaint, Span::new(file, range.start, range.end)));
        if text.len() > SMALL {
            return;
        }
        text = without_line(&text, &tokens, line.start);
        next = KdlDocument::parse_v2(&text).err().as_ref().and_then(first_complaint);
    }
}

fn first_complaint(error: &KdlError) -> Option<KdlDiagnostic> {
    error.diagnostics.iter().min_by_key(|each| each.span.offset()).cloned()
}

/// The first token that the complaint is about.
fn culprit(complaint: &KdlDiagnostic, tokens: &[Token]) -> std::ops::Range<usize> {
    let start = complaint.span.offset();
    let after = tokens.partition_point(|token| token.end <= start);
    let token = tokens.get(after).or_else(|| tokens.last());
    let token = match token {
        Some(token) if token.is(Kind::Newline) => {
            after.checked_sub(1).and_then(|before| tokens.get(before)).or(Some(token))
        }
        other => other,
    };
    token.map_or(0..0, |token| token.start..token.end)
}

/// The first and last token of the line around a place, as a range of the text.
fn line_of(tokens: &[Token], at: usize) -> std::ops::Range<usize> {
    let index = tokens.partition_point(|token| token.start < at);
    let head = tokens.get(..index).unwrap_or_default();
    let first = head.iter().rposition(|token| token.is(Kind::Newline)).map_or(0, |at| at + 1);
    let line = tokens.get(first..).unwrap_or_default();
    let start = line.first().map_or(at, |token| token.start);
    let last = line.iter().take_while(|token| !token.is(Kind::Newline)).last();
    start..last.map_or(start, |token| token.end)
}

/// The text with one line emptied but for its braces, so that blocks stay as they are.
fn without_line(text: &str, tokens: &[Token], start: usize) -> String {
    let mut cleared = String::with_capacity(text.len());
    let mut at = 0;
    let first = tokens.partition_point(|token| token.start < start);
    let line = tokens.get(first..).unwrap_or_default();
    let mut named = false;
    for token in line.iter().take_while(|token| !token.is(Kind::Newline)) {
        cleared.push_str(text.get(at..token.start).unwrap_or(""));
        at = token.end;
        let len = token.end - token.start;
        match token.kind {
            Kind::Open | Kind::Close => {
                named = false;
                cleared.push_str(token.text(text));
            }
            _ if !named => {
                named = true;
                cleared.push('x');
                cleared.push_str(&" ".repeat(len - 1));
            }
            _ => cleared.push_str(&" ".repeat(len)),
        }
    }
    cleared.push_str(text.get(at..).unwrap_or(""));
    cleared
}

fn reworded(complaint: &KdlDiagnostic, span: Span) -> Diagnostic {
    let said = complaint.message.as_deref().unwrap_or("").to_lowercase();
    let has = |word: &str| said.contains(word);
    let (message, label, help) = if has("node name") || has("child block") {
        (
            "a node begins with a name",
            "this is no name",
            "a name is a bare word or a quoted string, such as: app grafana \"Grafana\"",
        )
    } else if has("annotation") || has("type name") {
        (
            "an annotation holds one word in parentheses",
            "this is no annotation",
            "parentheses stand before a value, as in (file)\"/run/secret\"",
        )
    } else if has("keyword") {
        (
            "`#` begins a keyword or a raw string",
            "this is neither",
            "keywords are #true, #false and #null; quote a value that begins with #",
        )
    } else if has("number") || has("float") || has("integer") || has("digit") || has("radix") {
        ("this starts like a number and is none", "not a number", "quote it if text is meant")
    } else if has("property value") {
        ("a property needs a value", "a value must follow `=`", "write name=value")
    } else if has("string") {
        (
            "this value cannot be read",
            "neither a word nor a string",
            "put it in quotes; words end at a space",
        )
    } else {
        (
            "this cannot stand here",
            "not expected here",
            "a node is: name value… property=value… { block }, and ends with its line",
        )
    };
    Diagnostic::error("kdl::syntax", message).at(span, label).help(help)
}
