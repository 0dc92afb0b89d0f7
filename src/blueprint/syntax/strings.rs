//! Quotes, escapes, the indentation of texts over several lines, and comments without an end.

use super::mistakes::Finder;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::tokens::{Kind, Token, is_newline, is_space};

pub(super) fn string(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    if is_old_raw(finder, index) {
        return;
    }
    match (token.kind, token.closed) {
        (Kind::Quoted, false) => open_string(finder, token),
        (Kind::Raw, false) if !token.text(finder.text).contains(is_newline) => {
            open_raw(finder, token);
        }
        (_, false) => open_text(finder, token),
        (Kind::Quoted, true) => escapes(finder, token),
        (Kind::Multi, true) if shape(finder, token) => escapes(finder, token),
        (Kind::Multi, true) => {}
        _ if token.text(finder.text).contains(is_newline) => {
            shape(finder, token);
        }
        _ => {}
    }
}

/// Two values without a space between them.
pub(super) fn missing_space(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let Some(before) = finder.before(index).filter(|_| finder.sticks(index)) else { return };
    let both = token.is_value() && before.is_value() && before.closed;
    if !both || !(token.is_string() || before.is_string()) {
        return;
    }
    if token.is(Kind::Word) && token.text(finder.text).starts_with([',', ':']) {
        return;
    }
    if old_raw(finder, index) {
        return;
    }
    finder.edits.replace(token.start..token.start, " ");
    let span = finder.span(before.start..token.end);
    let apart = format!("{} {}", before.text(finder.text), token.text(finder.text));
    finder.refuse(
        Diagnostic::error("kdl::missing-space", "two values stand without a space between them")
            .at(span, "put a space between them, or escape the quote: \\\"")
            .fix(span, apart),
    );
}

fn is_old_raw(finder: &Finder, index: usize) -> bool {
    finder.sticks(index)
        && finder.before(index).is_some_and(|r| r.is(Kind::Word) && r.text(finder.text) == "r")
}

/// `r"…"` was a raw string in KDL version 1.
fn old_raw(finder: &mut Finder, index: usize) -> bool {
    let Some(token) = finder.tokens.get(index).filter(|token| token.is_string()) else {
        return false;
    };
    let Some(r) = finder.before(index).filter(|_| is_old_raw(finder, index)) else { return false };
    let span = finder.span(r.start..token.end);
    let text = token.text(finder.text);
    let raw = if token.is(Kind::Raw) { text.to_owned() } else { format!("#{text}#") };
    finder.edits.replace(r.start..token.end, "\"\"");
    finder.refuse(
        Diagnostic::error("kdl::old-raw-string", "raw strings begin with `#`, without `r`")
            .at(span, "this is how KDL version 1 wrote it")
            .help(format!("write {raw}"))
            .fix(span, raw),
    );
    true
}

/// A quoted string that runs into the end of its line.
fn open_string(finder: &mut Finder, token: &Token) {
    let text = token.text(finder.text);
    let kept = text.trim_end_matches(|c| is_space(c) || matches!(c, '{' | '}' | ';'));
    let end = token.start + kept.len().max(1);
    finder.edits.replace(end..end, "\"");
    let span = finder.span(token.start..token.start + 1);
    let place = finder.span(end..end);
    finder.refuse(
        Diagnostic::error("kdl::open-string", "this string is never closed")
            .at(span, "opened here; the line ends before the closing quote")
            .help(
                "close it with \"; a text over several lines is written between \"\"\" and \"\"\"",
            )
            .fix(place, "\""),
    );
}

fn open_raw(finder: &mut Finder, token: &Token) {
    let text = token.text(finder.text);
    let hashes: String = text.chars().take_while(|c| *c == '#').collect();
    let kept = text.trim_end_matches(|c| is_space(c) || matches!(c, '{' | '}' | ';'));
    let end = token.start + kept.len().max(hashes.len() + 1);
    let close = format!("\"{hashes}");
    finder.edits.replace(end..end, close.clone());
    let span = finder.span(token.start..token.start + hashes.len() + 1);
    finder.refuse(
        Diagnostic::error("kdl::open-string", "this raw string is never closed")
            .at(span, "opened here; the line ends before its end")
            .help(format!("a string that begins with {hashes}\" ends with {close}")),
    );
}

/// A text over several lines that runs to the end of the file.
fn open_text(finder: &mut Finder, token: &Token) {
    finder.torn = true;
    let text = token.text(finder.text);
    let hashes: String = text.chars().take_while(|c| *c == '#').collect();
    let span = finder.span(token.start..token.start + hashes.len() + 3);
    finder.refuse(
        Diagnostic::error("kdl::open-string", "this text is never closed")
            .at(span, "opened here, and the file ends before its end")
            .help(format!("close it with \"\"\"{hashes} on a line of its own")),
    );
}

pub(super) fn open_comment(finder: &mut Finder, token: &Token) {
    finder.torn = true;
    let span = finder.span(token.start..token.start + 2);
    finder.refuse(
        Diagnostic::error("kdl::open-comment", "this comment is never closed")
            .at(span, "opened here, and the file ends before its end")
            .help("close it with */; comments nest, so each /* needs its own */"),
    );
}

/// The first bad escape of a string is told, all of them are mended.
fn escapes(finder: &mut Finder, token: &Token) {
    let text = token.text(finder.text);
    let mut first = None;
    let mut skip = 0;
    for (at, _) in text.match_indices('\\') {
        if at < skip {
            continue;
        }
        let after = text.get(at + 1..).unwrap_or("");
        match escape_len(after) {
            Some(len) => skip = at + 1 + len,
            None => {
                let place = token.start + at;
                finder.edits.replace(place..place, "\\");
                first.get_or_insert(place);
            }
        }
    }
    let Some(place) = first else { return };
    let c = finder.text.get(place + 1..).and_then(|tail| tail.chars().next()).unwrap_or(' ');
    let span = finder.span(place..place + 1 + c.len_utf8());
    let help = match c {
        'u' => "write \\u{e4} with one to six hexadecimal digits".to_owned(),
        '\'' | '/' => format!("write {c} alone"),
        _ => format!("write \\\\{c}, or a raw string, where a backslash is itself: #\"…\"#"),
    };
    finder.refuse(
        Diagnostic::error("kdl::escape", format!("`\\{c}` is not an escape"))
            .at(span, "a backslash begins one of \\n \\t \\r \\s \\b \\f \\\" \\\\ \\u{…}")
            .help(help),
    );
}

/// The length of what may follow a backslash.
fn escape_len(after: &str) -> Option<usize> {
    let c = after.chars().next()?;
    if is_space(c) || is_newline(c) {
        return Some(
            after.len() - after.trim_start_matches(|c| is_space(c) || is_newline(c)).len(),
        );
    }
    if matches!(c, '"' | '\\' | 'b' | 'f' | 'n' | 'r' | 't' | 's') {
        return Some(1);
    }
    let (digits, _) = after.strip_prefix("u{")?.split_once('}')?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let right = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    (right && char::from_u32(number).is_some()).then_some(digits.len() + 3)
}

/// The lines of a text must begin as its last line does.
fn shape(finder: &mut Finder, token: &Token) -> bool {
    let text = token.text(finder.text);
    let hashes = text.bytes().take_while(|byte| *byte == b'#').count();
    let body = text.get(hashes + 3..text.len() - hashes - 3).unwrap_or("");
    let begin = token.start + hashes + 3;
    let complaint = if !body.starts_with(is_newline) {
        let span = finder.span(begin - 3..begin);
        Some(
            Diagnostic::error("kdl::text-shape", "the text after \"\"\" begins on the next line")
                .at(span, "break the line here")
                .help("on one line a string stands in single \" quotes"),
        )
    } else {
        ragged(finder, body, begin)
    };
    match complaint {
        Some(complaint) => {
            finder.edits.replace(token.start..token.end, "\"\"");
            finder.refuse(complaint);
            false
        }
        None => true,
    }
}

fn ragged(finder: &Finder, body: &str, begin: usize) -> Option<Diagnostic> {
    let margin = body.rsplit(is_newline).next().unwrap_or("");
    if body.contains('\\') {
        return None;
    }
    if let Some(at) = margin.find(|c| !is_space(c)) {
        let start = begin + body.len() - margin.len() + at;
        let span = finder.span(start..begin + body.len());
        return Some(
            Diagnostic::error("kdl::text-shape", "the closing \"\"\" stands on a line of its own")
                .at(span, "break the line after this"),
        );
    }
    let mut start = begin;
    for line in body.split(is_newline) {
        let text = line.trim_start_matches(is_space);
        if !text.is_empty() && !line.starts_with(margin) && start > begin {
            let first = text.chars().next().map_or(0, char::len_utf8);
            let at = start + line.len() - text.len();
            let span = finder.span(at..at + first);
            return Some(
                Diagnostic::error("kdl::text-shape", "this line is indented less than its \"\"\"")
                    .at(span, "begin it with the same spaces or tabs as the closing \"\"\"")
                    .help("the indentation of the closing \"\"\" is taken off every line"),
            );
        }
        start += line.len();
        start += finder.text.get(start..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
    }
    None
}
