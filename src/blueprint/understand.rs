//! Expanded nodes to a `Blueprint`: the table, the names, the types, the checks between objects.

use std::collections::HashSet;

use super::Blueprint;
use super::checks::{self, View};
use super::decode::decode;
use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::names::{self, Names};
use super::source::{Sources, Span};
use super::tree::Node;
use super::validate::{Mode, validate};

/// Reads a whole set of files. Complaints go to `out`; there is a blueprint only without errors.
pub fn understand(
    nodes: &[Node],
    sources: &Sources,
    mode: Mode,
    out: &mut Diagnostics,
) -> Option<Blueprint> {
    let mut found = Diagnostics::default();
    validate(nodes, sources, mode, &mut found);
    let names = Names::gather(nodes);
    names::check(nodes, &names, sources, mode, &mut found);
    let broken = broken(nodes, &found);
    let blueprint = decode(nodes);
    if !mode.incomplete && !nodes.iter().any(|node| node.is("settings")) {
        found.push(no_settings(nodes));
    }
    if let Some(blueprint) = &blueprint {
        let view = View { blueprint, nodes, sources, names: &names, mode, broken };
        checks::check(&view, &mut found);
    }
    let mut told = once_each(found);
    if out.has_errors() || told.iter().any(|each| each.severity == Severity::Error) {
        // Advice is for files that are right; among errors it is noise.
        told.retain(|each| each.severity != Severity::Advice);
    }
    out.extend(told);
    blueprint.filter(|_| !out.has_errors() && mode.is_whole())
}

/// The top-level nodes that hold an error already: what they lack would be said twice.
fn broken(nodes: &[Node], found: &Diagnostics) -> HashSet<usize> {
    let errors: Vec<Span> = found
        .iter()
        .filter(|each| each.severity == Severity::Error)
        .map(Diagnostic::span)
        .collect();
    let holds = |node: &Node| {
        errors.iter().any(|span| {
            span.file == node.span.file
                && node.span.start <= span.start
                && span.end <= node.span.end
        })
    };
    let numbered = nodes.iter().enumerate();
    numbered.filter(|(_, node)| holds(node)).map(|(index, _)| index).collect()
}

fn no_settings(nodes: &[Node]) -> Diagnostic {
    let place = nodes.first().map(|node| node.name.span).unwrap_or_default();
    Diagnostic::error("blueprint::no-settings", "no file says where people sign in")
        .at(Span { end: place.start, ..place }, "`settings` is missing")
        .help("add\n    settings { external-host \"https://auth.example.com\" }")
}

/// A mistake in a template is told for its first expansion alone.
fn once_each(found: Diagnostics) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for each in found.sorted() {
        if seen.insert((each.code, each.span(), each.message.clone())) {
            all.push(each);
        }
    }
    all
}

#[cfg(test)]
mod tests;
