//! The files of a blueprint: every `*.kdl` and `*.json` below each root.
//!
//! Whatever is read lies beneath its root, in the Nix store or in a directory given on the host,
//! after following links (`security.md R4`). The list of places to watch is complete even if
//! reading fails, so that mending a file is noticed. This knows no KDL.

mod kinds;
mod links;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::kinds::Limits;
use super::source::{SourceFile, Sources};

/// Below this directory nothing can be changed by anybody.
pub const NIX_STORE: &str = "/nix/store";

/// A directory of blueprints, or a single file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Root {
    pub path: PathBuf,
    /// The only kinds of top-level nodes that may stand in it; `None` for all.
    pub kinds: Option<Vec<String>>,
    /// Directories outside of the root that links may lead to.
    pub allow: Vec<PathBuf>,
}

/// The kinds that a root is limited to.
type Kinds = Option<Arc<[String]>>;

/// What was found below the roots.
#[derive(Debug, Default)]
pub struct Reading {
    pub sources: Sources,
    /// Where each file of the sources lies, as its root was given.
    pub paths: Vec<PathBuf>,
    /// What may stand in which file.
    pub limits: Limits,
    /// Directories in which a change may change the blueprint.
    pub watched: Vec<PathBuf>,
    /// Without any of these, the sources are complete.
    pub problems: Vec<ReadError>,
}

/// Why a file or root could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{} does not exist", .path.display())]
    Missing { path: PathBuf },
    #[error("{} cannot be read: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("no .kdl file lies below {}", .path.display())]
    Empty { path: PathBuf },
    #[error(
        "{} leads to {}, which is outside of its root; allow that directory on the command line, \
         or put a copy of the file into the root",
        .path.display(), .target.display()
    )]
    Escapes { path: PathBuf, target: PathBuf },
    #[error("{} leads back to a directory above it", .path.display())]
    Circle { path: PathBuf },
    #[error("{} is not text in UTF-8: byte {at} is wrong", .path.display())]
    NotText { path: PathBuf, at: usize },
    #[error("{} is larger than {} bytes", .path.display(), super::guard::MAX_FILE)]
    TooLarge { path: PathBuf },
    #[error("more than {limit} files lie below {}", .path.display())]
    TooMany { path: PathBuf, limit: usize },
    #[error("{} lies too deep below its root", .path.display())]
    TooDeep { path: PathBuf },
}

impl Root {
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// `apps/` or `apps/=app,template`, as `--blueprints` takes it.
    #[must_use]
    pub fn from_argument(argument: &str) -> Self {
        match argument.rsplit_once('=') {
            Some((path, kinds)) if !kinds.contains('/') && !path.is_empty() => {
                let kinds = kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty());
                let kinds = Some(kinds.map(str::to_owned).collect());
                Self { kinds, ..Self::new(path) }
            }
            _ => Self::new(argument),
        }
    }
}

/// Reads all roots. The same files give the same reading, whatever the order of the roots.
#[must_use]
pub fn read(roots: &[Root]) -> Reading {
    let mut files: BTreeMap<String, (PathBuf, Arc<str>, Kinds)> = BTreeMap::new();
    let mut watched = BTreeSet::new();
    let mut problems = Vec::new();
    for root in roots {
        let prefix = prefix(root, roots);
        let kinds: Kinds = root.kinds.as_ref().map(|kinds| kinds.as_slice().into());
        let found = walk::walk(root, &mut watched, &mut problems);
        for (name, text) in found {
            let path = match root.path.is_file() {
                true => root.path.clone(),
                false => root.path.join(&name),
            };
            let name = match &prefix {
                Some(prefix) => format!("{prefix}/{name}"),
                None => name,
            };
            files.insert(name, (path, text, kinds.clone()));
        }
    }
    let mut reading =
        Reading { watched: watched.into_iter().collect(), problems, ..Reading::default() };
    for (name, (path, text, kinds)) in files {
        reading.paths.push(path);
        reading.sources.files.push(SourceFile { name, text });
        reading.limits.by_file.push(kinds);
    }
    reading
}

/// What stands before the names of the files of a root, if there are several roots.
fn prefix(root: &Root, roots: &[Root]) -> Option<String> {
    if roots.len() < 2 || root.path.is_file() {
        return (roots.len() > 1).then(|| parent_name(&root.path)).flatten();
    }
    let name = last_name(&root.path);
    let same = roots.iter().filter(|other| last_name(&other.path) == name).count();
    if same > 1 {
        return Some(root.path.display().to_string().trim_end_matches('/').to_owned());
    }
    Some(name)
}

fn parent_name(path: &Path) -> Option<String> {
    let parent = path.parent()?.display().to_string();
    (!parent.is_empty()).then_some(parent)
}

fn last_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.display().to_string())
}

#[cfg(test)]
mod tests;
