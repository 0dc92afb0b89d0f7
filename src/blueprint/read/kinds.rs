//! Which kinds of nodes may stand in which file (`security.md R5`).

use std::sync::Arc;

use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::FileId;
use crate::blueprint::tree::Node;

/// The kinds that each file may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// By the number of the file; `None` for all kinds.
    pub by_file: Vec<Option<Arc<[String]>>>,
}

impl Limits {
    /// Complains of top-level nodes that their file may not hold, or that a row in such a file
    /// makes. To be called with the nodes before and after expansion: `use` and `each` always
    /// pass, what they make does not.
    pub fn check(&self, nodes: &[Node], out: &mut Diagnostics) {
        for node in nodes.iter().filter(|node| !node.is("use") && !node.is("each")) {
            if let Some(complaint) = self.complaint(node) {
                out.push(complaint);
            }
        }
    }

    fn complaint(&self, node: &Node) -> Option<Diagnostic> {
        let kind = &node.name.text;
        let mut places = vec![node.name.span];
        let mut origin = node.origin.as_deref();
        while let Some(expansion) = origin {
            places.push(expansion.used_at);
            origin = expansion.outer.as_deref();
        }
        let (span, kinds) = places.into_iter().find_map(|span| {
            let kinds = self.of(span.file)?;
            (!kinds.contains(kind)).then_some((span, kinds))
        })?;
        let message = format!("`{kind}` may not be declared in this file");
        let complaint = Diagnostic::error("blueprint::kind-not-allowed", message)
            .at(span, format!("its directory may hold only: {}", kinds.join(", ")))
            .help("move it to another directory, or widen --blueprints on the host");
        Some(if span == node.name.span {
            complaint
        } else {
            complaint.at(node.name.span, "made here")
        })
    }

    fn of(&self, file: FileId) -> Option<&[String]> {
        self.by_file.get(file.0 as usize)?.as_deref()
    }
}
