//! Brackets of all kinds, apart from whether braces come in pairs.

use super::mistakes::Finder;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::tokens::{Kind, Token};

/// Something that follows a block on its line.
pub(super) fn after_block(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let before = finder.tokens.get(..index).unwrap_or_default();
    let before = before.iter().rev().find(|token| !token.is(Kind::BlockComment));
    let closes = before.is_some_and(|before| before.is(Kind::Close));
    let begins = token.is_value() || matches!(token.kind, Kind::Open | Kind::OpenParen);
    let comma = token.is(Kind::Word) && token.text(finder.text).starts_with(',');
    if !closes || !begins || comma {
        return;
    }
    let span = finder.span_of(token);
    let block = token.is(Kind::Open);
    let complaint = if block {
        finder.edits.replace(token.start..token.start, "; x ");
        Diagnostic::error("kdl::after-block", "a node has one block")
            .at(span, "this is a second one")
    } else {
        finder.edits.replace(token.start..token.start, "; ");
        Diagnostic::error("kdl::after-block", "a new node begins on a new line")
            .at(span, "put it on its own line, or a `;` before it")
    };
    finder.refuse(complaint);
    finder.at_start = !block;
}

/// `{` where a node should begin.
pub(super) fn nameless(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    if !finder.at_start || finder.before(index).is_some_and(|before| before.is(Kind::Close)) {
        return;
    }
    let before = finder.tokens.get(..index).unwrap_or_default();
    let last = before.iter().rev().find(|token| !token.is(Kind::Newline) && !token.is_blank());
    let span = finder.span_of(token);
    let complaint = match last {
        Some(last) if last.is_value() => {
            finder.edits.replace(last.end..token.start, " ");
            let line = finder.text.get(..last.end).unwrap_or("").lines().last().unwrap_or("");
            Diagnostic::error("kdl::brace-alone", "the `{` must stand on the line of its node")
                .at(span, "KDL ended the node at the line break")
                .help(format!("write {} {{", line.trim()))
        }
        Some(last) if last.is(Kind::Semicolon) => {
            finder.edits.blank(last.start..last.end);
            let span = finder.span_of(last);
            Diagnostic::error("kdl::brace-alone", "the `;` ends the node before its block")
                .at(span, "delete it")
                .fix(span, "")
        }
        _ => {
            finder.edits.replace(token.start..token.start, "x ");
            Diagnostic::error("kdl::brace-alone", "this block has no name")
                .at(span, "a block belongs to a node: name { … }")
        }
    };
    finder.refuse(complaint);
}

/// `[a, b]`.
pub(super) fn bracket(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    finder.edits.blank(token.start..token.end);
    if finder.bracket_end == Some(index) {
        finder.bracket_end = None;
        return;
    }
    if finder.bracket_end.is_some() {
        return;
    }
    let end = list_end(finder, index);
    finder.bracket_end = end;
    let last = end.and_then(|end| finder.tokens.get(end)).unwrap_or(token);
    let span = finder.span(token.start..last.end);
    let inner = finder.text.get(token.end..last.start).unwrap_or("").replace(',', " ");
    let inner = inner.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = match inner.as_str() {
        "" => "separate values with spaces, after the name".to_owned(),
        _ => format!("write the values one after the other: {inner}"),
    };
    finder.refuse(
        Diagnostic::error("kdl::brackets", "KDL has no lists in brackets")
            .at(span, "delete the brackets")
            .help(help),
    );
}

/// The `]` that belongs to the `[`.
fn list_end(finder: &Finder, index: usize) -> Option<usize> {
    if !finder.tokens.get(index)?.is(Kind::OpenBracket) {
        return None;
    }
    let mut depth = 0usize;
    for (at, token) in finder.tokens.iter().enumerate().skip(index) {
        match token.kind {
            Kind::OpenBracket => depth += 1,
            Kind::CloseBracket => depth -= 1,
            Kind::Open | Kind::Close => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// A line break inside `[ ]` does not end the node.
pub(super) fn newline_in_list(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    if finder.bracket_end.is_some() {
        finder.edits.replace(token.start..token.end, " ");
    }
}

/// `name(…)`, and an annotation that nothing follows.
pub(super) fn paren(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    if token.is(Kind::CloseParen) {
        return nothing_annotated(finder, index, token);
    }
    let Some(name) = finder.before(index) else { return };
    if !name.is(Kind::Word) || !finder.sticks(index) {
        return;
    }
    let end = call_end(finder, index);
    let name = name.text(finder.text);
    let span = finder.span_of(token);
    for paren in [Some(token), end].into_iter().flatten() {
        finder.edits.blank(paren.start..paren.end);
    }
    finder.refuse(
        Diagnostic::error("kdl::parenthesis", format!("`{name}` is not followed by parentheses"))
            .at(span, "separate the name and its values with spaces")
            .help(format!(
                "write {name} …; parentheses stand before a value, as in (file)\"/path\""
            )),
    );
}

/// The `)` of a call, on the same line.
fn call_end<'a>(finder: &Finder<'a>, index: usize) -> Option<&'a Token> {
    let after = finder.tokens.get(index..)?.iter();
    after.take_while(|token| !token.is_border()).find(|token| token.is(Kind::CloseParen))
}

fn nothing_annotated(finder: &mut Finder, index: usize, token: &Token) {
    let open = index.checked_sub(2).and_then(|open| finder.tokens.get(open));
    let name = finder.before(index).filter(|name| name.is_value());
    let (Some(open), Some(name)) = (open.filter(|open| open.is(Kind::OpenParen)), name) else {
        return;
    };
    let called = index.checked_sub(3).and_then(|at| finder.tokens.get(at));
    if called.is_some_and(|called| called.is(Kind::Word) && called.end == open.start) {
        return;
    }
    let ends = finder.after(index).is_none_or(|after| after.is_border() || after.is_blank());
    if !ends {
        return;
    }
    let name = name.text(finder.text);
    let span = finder.span(open.start..token.end);
    finder.edits.blank(open.start..token.end);
    finder.refuse(
        Diagnostic::error("kdl::missing-value", format!("nothing follows `({name})`"))
            .at(span, "a value must follow")
            .help(format!("write ({name})\"…\"")),
    );
}
