use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::masked::mask;
use crate::blueprint::render::{Format, Style, render};
use crate::blueprint::source::{Sources, Span};
use crate::blueprint::tree::{Scalar, Spelling, Value};

mod habits;
mod hostile;
mod refused;
mod tree;

const FILE: FileId = FileId(0);

fn parsed(text: &str) -> (Option<Vec<Node>>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let nodes = parse(FILE, text, &mut out);
    (nodes, out.sorted())
}

/// What `check` prints of one file.
fn shown(name: &str, text: &str) -> String {
    let (_, list) = parsed(text);
    let text = render(&list, &Sources::single(name, text), &Style::default());
    text.trim_end().to_owned()
}

/// The code, the marked text, the words under it and the help of every complaint.
fn found(text: &str) -> Vec<(&'static str, &str, String, String)> {
    let (_, list) = parsed(text);
    let each = |each: Diagnostic| {
        let marked = text.get(each.span().range()).unwrap();
        let label = each.labels.first().map(|label| label.text.clone()).unwrap_or_default();
        (each.code, marked, label, each.help.unwrap_or_default())
    };
    list.into_iter().map(each).collect()
}

fn one(text: &str) -> (&'static str, &str, String, String) {
    let all = found(text);
    assert_eq!(all.len(), 1, "{text:?}: {all:?}");
    all.into_iter().next().unwrap()
}
