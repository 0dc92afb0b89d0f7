//! From files to a blueprint: every step in its order, each adding its complaints.

use super::Blueprint;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::read::{self, Limits, ReadError, Reading, Root};
use super::settings::Server;
use super::source::{FileId, SourceFile, Sources};
use super::tree::Node;
use super::understand::understand;
use super::validate::{Kinds, Mode};
use super::{expand, syntax};
use std::path::PathBuf;

/// What a set of files came to.
#[derive(Debug)]
pub struct Loaded {
    pub sources: Sources,
    /// Where each file lies, if it was read from a disk.
    pub paths: Vec<PathBuf>,
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
    understand_read(read::read(roots), mode)
}

/// Understands files that were read just now.
#[must_use]
pub fn understand_read(reading: Reading, mode: Mode) -> Loaded {
    let incomplete = Mode { incomplete: mode.incomplete || !reading.problems.is_empty(), ..mode };
    let Reading { sources, limits, problems, watched, paths } = reading;
    let loaded = understand_sources(sources, &limits, incomplete);
    Loaded { problems, watched, paths, ..loaded }
}

/// The KDL parser recurses, and so do we: a second fence behind the guard.
const STACK: usize = 64 * 1024 * 1024;

/// Understands files that were read before, such as those of a stored generation.
///
/// It does so on a thread with room for deep text: what the guard lets through never brings the
/// process down.
#[must_use]
pub fn understand_sources(sources: Sources, limits: &Limits, mode: Mode) -> Loaded {
    std::thread::scope(|scope| {
        let spare = sources.clone();
        let thread = std::thread::Builder::new().name("blueprints".to_owned()).stack_size(STACK);
        let work = thread.spawn_scoped(scope, move || understand_here(sources, limits, mode));
        work.ok().and_then(|work| work.join().ok()).unwrap_or_else(|| gave_up(spare))
    })
}

/// What is said if the thread could not be had or came to grief.
fn gave_up(sources: Sources) -> Loaded {
    let text = "the files could not be read to the end: this is a fault of Doorward";
    let place = super::source::Span::default();
    let complaint =
        Diagnostic::error("blueprint::not-understood", text).at(place, "somewhere in these files");
    Loaded {
        sources,
        paths: Vec::new(),
        blueprint: None,
        server: Server::default(),
        diagnostics: vec![complaint],
        problems: Vec::new(),
        watched: Vec::new(),
        nodes: 0,
    }
}

fn understand_here(sources: Sources, limits: &Limits, mode: Mode) -> Loaded {
    let Parsed { nodes, mut found } = parse(&sources);
    let unparsed = found.names_withheld();
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
        paths: Vec::new(),
        problems: Vec::new(),
        watched: Vec::new(),
        nodes: count(&nodes),
    }
}

/// What the files came to before anything is known of their meaning.
#[derive(Default)]
struct Parsed {
    nodes: Vec<Node>,
    found: Diagnostics,
}

/// Fewer files than this are not worth a second thread.
const FEW: usize = 32;

/// Parses all files, in their order. Parsing is most of the work, so many files share the cores.
fn parse(sources: &Sources) -> Parsed {
    let numbered: Vec<(usize, &SourceFile)> = sources.files.iter().enumerate().collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if numbered.len() < FEW || cores == 1 {
        return parse_some(&numbered);
    }
    let shares: Vec<_> = numbered.chunks(numbered.len().div_ceil(cores)).collect();
    let mut all = Parsed::default();
    std::thread::scope(|scope| {
        let work = |share| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            (share, thread.spawn_scoped(scope, move || parse_some(share)))
        };
        let running: Vec<_> = shares.into_iter().map(work).collect();
        for (share, thread) in running {
            let parsed = thread.ok().and_then(|thread| thread.join().ok());
            let parsed = parsed.unwrap_or_else(|| parse_some(share));
            all.nodes.extend(parsed.nodes);
            all.found.absorb(parsed.found);
        }
    });
    all
}

fn parse_some(files: &[(usize, &SourceFile)]) -> Parsed {
    let mut parsed = Parsed::default();
    for (at, file) in files {
        let id = FileId(u32::try_from(*at).unwrap_or(u32::MAX));
        let nodes = syntax::parse_named(id, file, &mut parsed.found);
        parsed.nodes.extend(nodes.unwrap_or_default());
    }
    parsed
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(&node.kids)).sum()
}
