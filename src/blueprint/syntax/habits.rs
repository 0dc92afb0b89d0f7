//! What comes from the habit of other languages: values without quotes or with other quotes, and
//! `#` as the beginning of a comment.

use super::mistakes::Finder;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::tokens::{Kind, Token};

/// A value that must stand in straight double quotes. KDL accepts each and reads something else.
pub(super) fn unquoted(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let inner = inner(finder, token);
    let quoted = format!("\"{}\"", inner.replace('\\', "\\\\"));
    let span = finder.span_of(token);
    let scheme = inner.split("//").next().unwrap_or("").to_owned();
    let (code, message, label) = match token.kind {
        Kind::Url => (
            "kdl::bare-url",
            "a URL must be quoted",
            format!("KDL reads this as `{scheme}` followed by a comment"),
        ),
        Kind::Variable => (
            "kdl::bare-variable",
            "a variable stands inside a quoted string",
            "KDL reads this as a word and a block".to_owned(),
        ),
        Kind::SingleQuoted => {
            ("kdl::quotes", "strings stand in double quotes", "KDL reads words here".to_owned())
        }
        _ => (
            "kdl::quotes",
            "strings stand in straight quotes",
            "KDL reads words with curly quotes in them".to_owned(),
        ),
    };
    finder.edits.replace(token.start..token.end, quoted.clone());
    finder.complain(
        Diagnostic::error(code, message)
            .at(span, label)
            .help(format!("write {quoted}"))
            .fix(span, quoted),
    );
}

fn inner<'a>(finder: &Finder<'a>, token: &Token) -> &'a str {
    let text = token.text(finder.text);
    match token.kind {
        Kind::SingleQuoted | Kind::SmartQuoted => {
            let mut chars = text.chars();
            chars.next();
            chars.next_back();
            chars.as_str()
        }
        _ => text,
    }
}

/// `#` to the end of a line. Several such lines in a row are one mistake.
pub(super) fn hash_comment(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    finder.edits.blank(token.start..token.end);
    finder.refused = true;
    let above = index.checked_sub(2).and_then(|above| finder.tokens.get(above));
    let row = finder.before(index).is_some_and(|before| before.is(Kind::Newline));
    if row && above.is_some_and(|above| above.is(Kind::HashComment)) {
        return;
    }
    let hashes = token.text(finder.text).bytes().take_while(|byte| *byte == b'#').count();
    let span = finder.span(token.start..token.start + 1);
    let marks = finder.span(token.start..token.start + hashes);
    finder.refuse(
        Diagnostic::error("kdl::hash-comment", "`#` does not start a comment in KDL")
            .at(span, "use // for comments")
            .fix(marks, "//"),
    );
}

/// `#` before a word that is no keyword, or in the middle of a word.
pub(super) fn hash(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let text = token.text(finder.text);
    let lower = text.to_lowercase();
    let span = finder.span_of(token);
    if matches!(lower.as_str(), "#true" | "#false" | "#null") {
        finder.edits.replace(token.start..token.end, lower.clone());
        finder.refuse(
            Diagnostic::error("kdl::bare-keyword", format!("`{text}` is not a KDL value"))
                .at(span, format!("write {lower}"))
                .help("keywords are written in small letters")
                .fix(span, lower),
        );
        return;
    }
    let start = match finder.before(index) {
        Some(before) if finder.sticks(index) && before.is(Kind::Word) => before.start,
        _ => token.start,
    };
    let whole = finder.text.get(start..token.end).unwrap_or("");
    let span = finder.span(start..token.end);
    let quoted = format!("\"{whole}\"");
    finder.edits.replace(start..token.end, quoted.clone());
    finder.refuse(
        Diagnostic::error("kdl::bare-hash", "a value with `#` in it must be quoted")
            .at(span, "`#` begins a keyword or a raw string")
            .help(format!("write {quoted}"))
            .fix(span, quoted),
    );
}

/// A backslash that ends no line, or several of them.
pub(super) fn backslash(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    finder.edits.replace(token.start..token.end, " ");
    finder.refused = true;
    let sticks = |at: usize| finder.sticks(at) && finder.before(at).is_some_and(Token::is_word);
    let start = if sticks(index) { finder.before(index) } else { None };
    let end = finder.after(index).filter(|_| finder.sticks(index + 1)).filter(|t| t.is_word());
    let again = index.checked_sub(2).and_then(|at| finder.tokens.get(at));
    if again.is_some_and(|again| again.is(Kind::Other) && finder.sticks(index)) {
        return;
    }
    let from = start.map_or(token.start, |start| start.start);
    let to = end.map_or(token.end, |end| end.end);
    let word = finder.text.get(from..to).unwrap_or("").replace('\\', "\\\\");
    let complaint = Diagnostic::error("kdl::backslash", "a backslash ends a line or is quoted");
    let span = finder.span_of(token);
    finder.refuse(match (start, end) {
        (None, None) => complaint.at(span, "nothing may follow it on this line"),
        _ => complaint.at(span, "needs quotes").help(format!("write \"{word}\"")),
    });
}
