//! Flows that every installation has, written in the language itself.

use std::sync::LazyLock;

use super::diagnostic::Diagnostics;
use super::flow::{Flow, Purpose};
use super::source::FileId;
use super::syntax;
use super::tree::{Node, Value};

/// Their text, for people to start from.
pub const TEXT: &str = include_str!("builtin.kdl");

/// The built-in flows.
#[must_use]
pub fn flows() -> Vec<Flow> {
    let nodes = syntax::parse(FileId(u32::MAX), TEXT, &mut Diagnostics::default());
    nodes.unwrap_or_default().iter().filter_map(Flow::from_node).collect()
}

/// Their names and purposes: the one list of what may be referred to without a declaration.
#[must_use]
pub fn purposes() -> &'static Vec<(String, Purpose)> {
    static PURPOSES: LazyLock<Vec<(String, Purpose)>> =
        LazyLock::new(|| flows().into_iter().map(|flow| (flow.slug.value, flow.purpose)).collect());
    &PURPOSES
}

/// The text of one of them, under a name that a person may declare.
#[must_use]
pub fn text(name: &str) -> Option<String> {
    let nodes = syntax::parse(FileId(0), TEXT, &mut Diagnostics::default())?;
    let named = |node: &&Node| node.args.first().and_then(Value::text) == Some(name);
    let text = TEXT.get(nodes.iter().find(named)?.span.range())?;
    let own = name.strip_prefix("builtin.").unwrap_or(name);
    Some(format!("{}\n", text.replacen(name, own, 1)))
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
        assert_eq!(
            names,
            [
                "builtin.authentication",
                "builtin.recovery",
                "builtin.enrollment",
                "builtin.step-up",
                "builtin.setup",
                "builtin.passkey",
                "builtin.recovery-codes",
                "builtin.email",
                "builtin.consent",
                "builtin.explicit-consent",
            ]
        );
    }
}
