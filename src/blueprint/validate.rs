//! One walk over the expanded tree beside the schema table. Collects every complaint about
//! words and values; what objects mean to each other is checked elsewhere.

mod address;
mod entries;
mod expression;
mod kids;
mod secret;
mod value;
mod word;

pub use value::text_of;
pub(in crate::blueprint) use word::minutes_of;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::schema::{ROOT, Spec};
use super::source::{Sources, Span};
use super::tree::{Node, Origin};

/// How strictly a set of files is read, and what is already known of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// A development server on loopback: literal secrets are warnings.
    pub dev: bool,
    /// A file did not parse or expand: names may be missing, so unknown ones are not reported.
    pub incomplete: bool,
    /// `--allow-raw-routers` was given on the host.
    pub allow_raw_routers: bool,
}

/// Complains about everything in `nodes` that the table does not allow.
pub fn validate(nodes: &[Node], sources: &Sources, mode: Mode, out: &mut Diagnostics) {
    Walk { sources, mode, out }.kids(None, nodes, &ROOT);
}

/// Complains about one node as if it stood where `spec` may stand.
pub fn validate_node(
    node: &Node,
    spec: &'static Spec,
    sources: &Sources,
    mode: Mode,
    out: &mut Diagnostics,
) {
    Walk { sources, mode, out }.node(node, spec);
}

/// Adds where an expanded node was asked for.
#[must_use]
pub fn with_origin(diagnostic: Diagnostic, node: &Node) -> Diagnostic {
    let mut diagnostic = diagnostic;
    let mut origin = node.origin.as_deref();
    while let Some(Origin { template, used_at, outer }) = origin {
        diagnostic = diagnostic.at(*used_at, format!("in this expansion of template `{template}`"));
        origin = outer.as_deref();
    }
    diagnostic
}

struct Walk<'a> {
    sources: &'a Sources,
    mode: Mode,
    out: &'a mut Diagnostics,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, spec: &'static Spec) {
        self.entries(node, spec);
        self.kids(Some(node), &node.kids, spec);
    }

    fn report(&mut self, node: &Node, diagnostic: Diagnostic) {
        self.out.push(with_origin(diagnostic, node));
    }
}

/// Names in backticks, with commas.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// The place for what is missing from a node: its name and first value.
fn head(node: &Node) -> Span {
    node.head()
}

#[cfg(test)]
mod tests;
