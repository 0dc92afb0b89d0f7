//! Flows that every installation has, written in the language itself.

use super::diagnostic::Diagnostics;
use super::flow::Flow;
use super::source::{FileId, Sources};
use super::syntax;

/// Their text, for people to start from.
pub const TEXT: &str = include_str!("builtin.kdl");

/// The built-in flows.
#[must_use]
pub fn flows() -> Vec<Flow> {
    let nodes = syntax::parse(FileId(u32::MAX), TEXT, &mut Diagnostics::default());
    nodes.unwrap_or_default().iter().filter_map(Flow::from_node).collect()
}

/// The text as a file, for places in messages.
#[must_use]
pub fn sources() -> Sources {
    Sources::single("builtin.kdl", TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_flows_are_in_the_language() {
        let mut found = Diagnostics::default();
        let nodes = syntax::parse(FileId(0), TEXT, &mut found).expect("readable");
        assert!(found.is_empty(), "{found:?}");
        let names: Vec<_> = flows().into_iter().map(|flow| flow.slug.value).collect();
        assert_eq!(names.len(), nodes.len());
        assert_eq!(names, ["builtin.authentication", "builtin.consent"]);
    }
}
