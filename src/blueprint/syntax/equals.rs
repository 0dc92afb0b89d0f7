//! The equals sign: only between the name of a property and its value.

use super::mistakes::Finder;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::tokens::{Kind, Token};

pub(super) fn equals(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let before = finder.before(index).filter(|before| before.is_value());
    let after = finder.after(index).filter(|after| !after.is_border() && !after.is_blank());
    match (before, after) {
        (None, _) => stray(finder, index, token),
        (Some(name), _) if names_node(finder, index) => after_name(finder, index, name, token),
        (Some(name), _) if follows_property(finder, index) => second_value(finder, name, token),
        (Some(name), _) if !may_name(finder, name) => no_name(finder, name, token),
        (Some(name), Some(after)) => between(finder, index, name, after),
        (Some(name), None) => no_value(finder, index, name, token),
    }
}

/// Whether the value before the sign is the name of a node.
fn names_node(finder: &Finder, index: usize) -> bool {
    let Some(first) = index.checked_sub(1) else { return false };
    let mut at = first;
    while let Some(before) = finder.before(at) {
        if before.is_blank() || before.is(Kind::Slashdash) {
            at -= 1;
        } else if let Some(slashdash) = slashdash_above(finder, at) {
            at = slashdash;
        } else {
            return before.is_border() && !before.is(Kind::Close);
        }
    }
    true
}

/// The `/-` that takes out what stands at `index`, on a line above it.
fn slashdash_above(finder: &Finder, index: usize) -> Option<usize> {
    let between = |token: &Token| token.is_blank() || token.is(Kind::Newline);
    let above = finder.tokens.get(..index)?.iter().rposition(|token| !between(token))?;
    finder.tokens.get(above).is_some_and(|token| token.is(Kind::Slashdash)).then_some(above)
}

fn stray(finder: &mut Finder, index: usize, token: &Token) {
    finder.edits.blank(token.start..token.end);
    if finder.before(index).is_some_and(|before| before.is(Kind::Equals)) {
        return;
    }
    let span = finder.span_of(token);
    finder.refuse(
        Diagnostic::error("kdl::stray-equals", "`=` has no name in front of it")
            .at(span, "a property is written name=value")
            .fix(span, ""),
    );
}

fn after_name(finder: &mut Finder, index: usize, name: &Token, token: &Token) {
    let name = name.text(finder.text);
    let value = finder.after(index).filter(|after| after.is_value());
    let value = value.map_or("…", |value| value.text(finder.text));
    let span = finder.span_of(token);
    finder.edits.replace(token.start..token.end, " ");
    finder.refuse(
        Diagnostic::error("kdl::equals-after-name", format!("`{name}` is a node and takes no `=`"))
            .at(span, "delete it")
            .help(format!("write {name} {value}"))
            .fix(span, " "),
    );
}

/// Whether the value before the sign belongs to another property.
fn follows_property(finder: &Finder, index: usize) -> bool {
    index.checked_sub(2).and_then(|at| finder.tokens.get(at)).is_some_and(|t| t.is(Kind::Equals))
}

fn second_value(finder: &mut Finder, value: &Token, token: &Token) {
    let value = value.text(finder.text);
    let span = finder.span_of(token);
    finder.edits.replace(token.start..token.end, " ");
    finder.refuse(
        Diagnostic::error("kdl::stray-equals", "a property has one value")
            .at(span, "a second `=`")
            .help(format!("put {value} in quotes, with what follows, if that is the value")),
    );
}

/// A property is named by a word or a string, not by a number or keyword.
fn may_name(finder: &Finder, name: &Token) -> bool {
    let number = name.text(finder.text).trim_start_matches(['+', '-', '.']);
    !name.is(Kind::Keyword) && !number.starts_with(|c: char| c.is_ascii_digit())
}

fn no_name(finder: &mut Finder, name: &Token, token: &Token) {
    let text = name.text(finder.text);
    let span = finder.span_of(name);
    finder.edits.replace(token.start..token.end, " ");
    finder.refuse(
        Diagnostic::error("kdl::bare-number", "this cannot name a property")
            .at(span, "a name is a word")
            .help(format!("write \"{text}\"=… if that is the name")),
    );
}

fn between(finder: &mut Finder, index: usize, name: &Token, after: &Token) {
    let Some(token) = finder.tokens.get(index) else { return };
    let arrow = after.is(Kind::Word) && after.text(finder.text).starts_with('>');
    if after.is(Kind::Equals) || (arrow && finder.sticks(index + 1)) {
        let span = finder.span(token.start..after.start + 1);
        finder.edits.blank(after.start..after.start + 1);
        finder.refuse(
            Diagnostic::error("kdl::stray-equals", "a property has one `=`")
                .at(span, "write =")
                .fix(span, "="),
        );
    } else if name.end < token.start || token.end < after.start {
        let gap = finder.span(name.end..after.start);
        let (name, after) = (name.text(finder.text), after.text(finder.text));
        let span = finder.span_of(token);
        finder.complain(
            Diagnostic::warning("kdl::spaces-around-equals", "`=` stands between spaces")
                .at(span, "KDL reads a property here, not two values")
                .help(format!("write {name}={after}"))
                .fix(gap, "="),
        );
    }
}

fn no_value(finder: &mut Finder, index: usize, name: &Token, token: &Token) {
    let name = name.text(finder.text);
    let span = finder.span_of(token);
    let block = finder.after(index).is_some_and(|after| after.is(Kind::Open));
    let complaint = if block {
        finder.edits.blank(token.start..token.end);
        Diagnostic::error("kdl::stray-equals", "a block follows without `=`").at(span, "delete it")
    } else {
        finder.edits.replace(token.end..token.end, "\"\"");
        Diagnostic::error("kdl::missing-value", format!("property `{name}` has no value"))
            .at(span, "a value must follow")
    };
    finder.refuse(complaint);
}
