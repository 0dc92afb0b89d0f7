//! From files to a blueprint: every step in its order, each adding its complaints.

use super::Blueprint;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::settings::Server;
use super::read::{self, Limits, ReadError, Root};
use super::source::{FileId, Sources};
use super::tree::Node;
use super::understand::understand;
use super::validate::{Kinds, Mode};
use super::{expand, syntax};
use std::path::PathBuf;

/// What a set of files came to.
#[derive(Debug)]
pub struct Loaded {
    pub sources: Sources,
    /// There is a blueprint only without errors.
    pub blueprint: Option<Blueprint>,
    /// Where the process stands, as far as it can be read: a server with broken files goes on
    /// there with the last good ones.
    pub server: Server,
    /// By file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Files and roots that could not be read.
    pub problems: Vec<ReadError>,
    /// Directories in which a change may change the blueprint.
    pub watched: Vec<PathBuf>,
    pub nodes: usize,
}

/// Reads and understands all files below the roots.
#[must_use]
pub fn load(roots: &[Root], mode: Mode) -> Loaded {
    let reading = read::read(roots);
    let incomplete = Mode { incomplete: mode.incomplete || !reading.problems.is_empty(), ..mode };
    let loaded = understand_sources(reading.sources, &reading.limits, incomplete);
    Loaded { problems: reading.problems, watched: reading.watched, ..loaded }
}

/// Understands files that were read before, such as those of a stored generation.
#[must_use]
pub fn understand_sources(sources: Sources, limits: &Limits, mode: Mode) -> Loaded {
    let mut found = Diagnostics::default();
    let mut nodes = Vec::new();
    let mut unparsed = false;
    for (at, file) in sources.files.iter().enumerate() {
        let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        match syntax::parse(id, &file.text, &mut found) {
            Some(parsed) => nodes.extend(parsed),
            None => unparsed = true,
        }
    }
    limits.check(&nodes, &mut found);
    let errors_before = found.count(super::diagnostic::Severity::Error);
    let templates = Kinds::of_templates(&nodes);
    let nodes = expand::expand(nodes, &mut found);
    limits.check(&nodes, &mut found);
    let unexpanded = found.count(super::diagnostic::Severity::Error) > errors_before;
    let missing = if unexpanded { templates } else { mode.missing };
    let mode = Mode { incomplete: mode.incomplete || unparsed, missing, ..mode };
    let blueprint = understand(&nodes, &sources, mode, &mut found);
    let server = nodes.iter().find(|node| node.is("server")).map(Server::from_node);
    Loaded {
        server: server.unwrap_or_default(),
        blueprint: blueprint.filter(|_| !found.has_errors()),
        diagnostics: found.sorted(),
        sources,
        problems: Vec::new(),
        watched: Vec::new(),
        nodes: count(&nodes),
    }
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(&node.kids)).sum()
}
