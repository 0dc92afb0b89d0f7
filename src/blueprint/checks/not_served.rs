//! What this version reads and checks, and does not serve yet: one piece of advice per kind.

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;

/// A kind of thing, and the nodes that ask for it.
struct Unserved {
    what: &'static str,
    is: fn(&Node, &[&str]) -> bool,
}

const ALL: [Unserved; 2] = [
    Unserved { what: "SCIM", is: |node, path| path == ["app"] && node.is("scim") },
    Unserved { what: "backups", is: |node, path| path == ["settings"] && node.is("backup") },
];

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for kind in &ALL {
        let mut places = Vec::new();
        find(view.nodes, &mut Vec::new(), kind, &mut places);
        advise(kind.what, &places, out);
    }
}

fn advise(what: &str, places: &[Span], out: &mut Diagnostics) {
    let Some(first) = places.first() else { return };
    let label = match places.len() {
        1 => "here".to_owned(),
        2 => "here, and in one more place".to_owned(),
        count => format!("here, and in {} more places", count - 1),
    };
    let message = format!("{what}: checked, not served by this version yet");
    out.push(Diagnostic::advice("blueprint::not-served-yet", message).at(*first, label));
}

fn find<'a>(nodes: &'a [Node], path: &mut Vec<&'a str>, kind: &Unserved, places: &mut Vec<Span>) {
    for node in nodes {
        if (kind.is)(node, path) {
            places.push(node.name.span);
        }
        if path.is_empty() {
            path.push(&node.name.text);
            find(&node.kids, path, kind, places);
            path.pop();
        }
    }
}
