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
            finder.refused = true;
            if last.is_some_and(|last| last.is(Kind::Open)) && !finder.named_block {
                return;
            }
            finder.named_block = false;
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

/// Parentheses hold one word and stand before a value; everything else is told and undone.
pub(super) fn paren(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    if token.is(Kind::CloseParen) {
        let open = index.checked_sub(2);
        if open.is_none_or(|open| !is_annotation(finder, open)) {
            finder.edits.blank(token.start..token.end);
            lost(finder, index, token);
        }
        return;
    }
    let called = finder.before(index).filter(|name| name.is_value() && finder.sticks(index));
    if let Some(name) = called {
        finder.edits.replace(token.start..token.end, " ");
        call(finder, index, name.text(finder.text));
    } else if !is_annotation(finder, index) {
        finder.edits.blank(token.start..token.end);
        lost(finder, index, token);
    } else {
        annotated(finder, index, token);
    }
}

/// Whether `( word )` begins here and does not stick to a name before it.
fn is_annotation(finder: &Finder, open: usize) -> bool {
    let is = |at: usize, kind: Kind| finder.tokens.get(at).is_some_and(|token| token.is(kind));
    let stuck = finder.before(open).is_some_and(|name| name.is_value()) && finder.sticks(open);
    let word = finder.tokens.get(open + 1).is_some_and(Token::is_value);
    is(open, Kind::OpenParen) && word && is(open + 2, Kind::CloseParen) && !stuck
}

/// `name(…)`.
fn call(finder: &mut Finder, index: usize, name: &str) {
    let Some(token) = finder.tokens.get(index) else { return };
    let span = finder.span_of(token);
    finder.in_call = true;
    finder.refuse(
        Diagnostic::error("kdl::parenthesis", format!("`{name}` is not followed by parentheses"))
            .at(span, "separate the name and its values with spaces")
            .help(format!(
                "write {name} …; parentheses stand before a value, as in (file)\"/path\""
            )),
    );
}

/// A parenthesis without the other one, or around more than one word.
fn lost(finder: &mut Finder, index: usize, token: &Token) {
    if std::mem::replace(&mut finder.in_call, token.is(Kind::OpenParen)) {
        return;
    }
    let span = finder.span_of(token);
    let first = finder.before(index).is_none_or(|before| before.kind != token.kind);
    finder.refused = true;
    if first {
        finder.refuse(
            Diagnostic::error("kdl::parenthesis", "parentheses hold one word before a value")
                .at(span, "this one does not")
                .help("for example (credential)smtp-password"),
        );
    }
}

/// An annotation must stand right before a value.
fn annotated(finder: &mut Finder, index: usize, open: &Token) {
    let (Some(name), Some(close)) = (finder.after(index), finder.tokens.get(index + 2)) else {
        return;
    };
    let value = finder.tokens.get(index + 3).is_some_and(Token::is_value);
    let key = finder.tokens.get(index + 4).is_some_and(|equals| equals.is(Kind::Equals));
    if value && (!key || finder.at_start) {
        return;
    }
    let name = name.text(finder.text);
    let span = finder.span(open.start..close.end);
    finder.edits.blank(open.start..close.end);
    let complaint = if value {
        Diagnostic::error("kdl::annotated-name", format!("`({name})` stands before a name"))
            .at(span, "move it behind the `=`")
    } else {
        Diagnostic::error("kdl::missing-value", format!("nothing follows `({name})`"))
            .at(span, "a value must follow")
            .help(format!("write ({name})\"…\""))
    };
    finder.refuse(complaint);
}
