//! `let name value`: constants that hold everywhere.

use std::collections::HashMap;

use super::variables::{is_name, parts};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;
use crate::blueprint::tree::{Node, Spelling, Value};

/// All constants by name.
#[derive(Default)]
pub(super) struct Constants {
    by_name: HashMap<String, Constant>,
}

pub(super) struct Constant {
    pub name: Span,
    pub value: Value,
}

impl Constants {
    pub fn collect(nodes: &[Node], out: &mut Diagnostics) -> Self {
        let mut constants = Self::default();
        for node in nodes.iter().filter(|node| node.is("let")) {
            match node.args.as_slice() {
                [name, value] if node.props.is_empty() && node.kids.is_empty() => {
                    constants.add(name, value, out);
                }
                _ => out.push(
                    Diagnostic::error("blueprint::bad-let", "`let` wants a name and a value")
                        .at(node.line, "one name and one value belong here")
                        .help("for example: let domain \"example.com\""),
                ),
            }
        }
        constants
    }

    fn add(&mut self, name: &Value, value: &Value, out: &mut Diagnostics) {
        let Some(text) = name.text().filter(|text| is_name(text)) else {
            out.push(
                Diagnostic::error("blueprint::bad-let", "this is no name for a constant")
                    .at(name.span, "names hold letters, digits, `-` and `_`"),
            );
            return;
        };
        if let Some(complaint) = unfit(value) {
            out.push(complaint);
        }
        if let Some(first) = self.by_name.get(text) {
            out.push(declared_twice("constant", text, name.span, first.name));
            return;
        }
        let constant = Constant { name: name.span, value: value.clone() };
        self.by_name.insert(text.to_owned(), constant);
    }

    pub fn find(&self, name: &str) -> Option<&Value> {
        self.by_name.get(name).map(|constant| &constant.value)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Span)> {
        self.by_name.iter().map(|(name, constant)| (name.as_str(), constant.name))
    }
}

/// Constants are literal: they refer to nothing, neither to each other nor to a secret.
fn unfit(value: &Value) -> Option<Diagnostic> {
    if let Some(tag) = &value.tag {
        return Some(
            Diagnostic::error("blueprint::bad-let", "a constant cannot refer to a secret")
                .at(tag.span, "write the reference where the secret is used"),
        );
    }
    let text = value.text().filter(|_| value.spelling == Spelling::Quoted)?;
    parts(text).next()?;
    Some(
        Diagnostic::error("blueprint::bad-let", "the value of a constant is literal")
            .at(value.span, "nothing is replaced in it")
            .help("write the value out, or use both constants where they are needed"),
    )
}

/// The complaint about a name that stands for two things.
pub(super) fn declared_twice(kind: &str, name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error("blueprint::declared-twice", format!("{kind} `{name}` is declared twice"))
        .at(second, "second declaration")
        .at(first, "first declared here")
        .help("delete one of the two, or give it another name")
}
