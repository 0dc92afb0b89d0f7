//! One walk over the expanded tree beside the schema table. Collects every complaint about
//! words and values; what objects mean to each other is checked elsewhere.

mod address;
mod entries;
mod expression;
mod kids;
mod secret;
mod value;
mod word;

pub use value::{fault, text_of};
pub(in crate::blueprint) use word::minutes_of;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::object::Kind;
use super::schema::{ROOT, Spec};
use super::source::{Sources, Span};
use super::tree::{Node, Origin};

/// How strictly a set of files is read, and what is already known of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// A development server on loopback: literal secrets are warnings.
    pub dev: bool,
    /// A file did not parse: any name may be missing, so unknown ones are not reported.
    pub incomplete: bool,
    /// An expansion failed: names of these kinds may be missing.
    pub missing: Kinds,
    /// `--allow-raw-routers` was given on the host.
    pub allow_raw_routers: bool,
}

impl Mode {
    /// Whether an object of this kind may be declared in what could not be read.
    #[must_use]
    pub fn may_lack(self, kind: Kind) -> bool {
        self.incomplete || self.missing.holds(kind)
    }

    /// Whether everything could be read.
    #[must_use]
    pub fn is_whole(self) -> bool {
        !self.incomplete && self.missing == Kinds::default()
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// The kinds that the templates among these nodes declare: what a failed expansion may lack.
    #[must_use]
    pub fn of_templates(nodes: &[Node]) -> Self {
        let bodies = nodes.iter().filter(|node| node.is("template")).flat_map(|node| &node.kids);
        bodies.filter_map(|node| Kind::from_word(&node.name.text)).fold(Self::default(), Self::with)
    }

    fn with(self, kind: Kind) -> Self {
        Self(self.0 | Self::bit(kind))
    }

    #[must_use]
    pub fn holds(self, kind: Kind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    fn bit(kind: Kind) -> u16 {
        let at = Kind::ALL.iter().position(|each| *each == kind).unwrap_or(0);
        1 << at
    }
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
        diagnostic = diagnostic.at_expansion(template, *used_at);
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
