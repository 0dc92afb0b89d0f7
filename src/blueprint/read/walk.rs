//! The walk below one root.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::links::parents_of_links;
use super::{NIX_STORE, ReadError, Root};
use crate::blueprint::guard::admits_size;

/// How many files and how deep.
const MAX_FILES: usize = 5_000;
const MAX_DEPTH: usize = 32;

/// Reads every file below a root: its name, relative to the root, and its text.
pub(super) fn walk(
    root: &Root,
    watched: &mut BTreeSet<PathBuf>,
    problems: &mut Vec<ReadError>,
) -> Vec<(String, Arc<str>)> {
    watched.extend(parents_of_links(&root.path));
    let real = match fs::canonicalize(&root.path) {
        Ok(real) => real,
        Err(reason) => {
            watched.extend(nearest_parent(&root.path));
            problems.push(unreadable(&root.path, reason));
            return Vec::new();
        }
    };
    let allowed = [real.clone(), PathBuf::from(NIX_STORE)].into_iter();
    let extra = root.allow.iter().filter_map(|path| fs::canonicalize(path).ok());
    let mut walk = Walk {
        root: &root.path,
        allowed: allowed.chain(extra).collect(),
        watched,
        problems,
        files: Vec::new(),
        full: false,
    };
    if real.is_file() {
        walk.watched.extend(root.path.parent().map(|parent| or_here(parent).to_path_buf()));
        let name = root.path.file_name().map(|name| name.to_string_lossy().into_owned());
        walk.file(&root.path, name.unwrap_or_default());
    } else {
        walk.directory(&root.path, "", &mut vec![real]);
        if walk.files.is_empty() && walk.problems.is_empty() {
            walk.problems.push(ReadError::Empty { path: root.path.clone() });
        }
    }
    walk.files
}

struct Walk<'a> {
    root: &'a Path,
    allowed: Vec<PathBuf>,
    watched: &'a mut BTreeSet<PathBuf>,
    problems: &'a mut Vec<ReadError>,
    files: Vec<(String, Arc<str>)>,
    full: bool,
}

impl Walk<'_> {
    /// `above` holds the real paths of this directory and of those around it.
    fn directory(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) {
        self.watched.insert(path.to_path_buf());
        self.watched.extend(above.last().cloned());
        if above.len() > MAX_DEPTH {
            self.problems.push(ReadError::TooDeep { path: path.to_path_buf() });
            return;
        }
        let mut entries = match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>)
        {
            Ok(entries) => entries,
            Err(reason) => {
                self.problems.push(unreadable(path, reason));
                return;
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let own = entry.file_name().to_string_lossy().into_owned();
            if own.starts_with(['.', '_']) || self.full {
                continue;
            }
            let name = if name.is_empty() { own } else { format!("{name}/{own}") };
            self.entry(&entry.path(), name, above);
        }
    }

    fn entry(&mut self, path: &Path, name: String, above: &mut Vec<PathBuf>) {
        let wanted = name.ends_with(".kdl") || name.ends_with(".json");
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.subdirectory(path, &name, above),
            Ok(meta) if meta.is_file() && wanted => self.file(path, name),
            Ok(_) => {}
            Err(reason) if wanted => {
                self.watched.extend(parents_of_links(path));
                self.problems.push(unreadable(path, reason));
            }
            Err(_) => {}
        }
    }

    fn subdirectory(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) {
        let Some(real) = self.resolve(path) else { return };
        if above.contains(&real) {
            self.problems.push(ReadError::Circle { path: path.to_path_buf() });
            return;
        }
        above.push(real);
        self.directory(path, name, above);
        above.pop();
    }

    fn file(&mut self, path: &Path, name: String) {
        if self.files.len() >= MAX_FILES {
            self.full = true;
            let root = self.root.to_path_buf();
            self.problems.push(ReadError::TooMany { path: root, limit: MAX_FILES });
            return;
        }
        let Some(real) = self.resolve(path) else { return };
        match text_of(path, &real) {
            Ok(text) => self.files.push((name, text)),
            Err(problem) => self.problems.push(problem),
        }
    }

    /// The real path, if it is one that may be read.
    fn resolve(&mut self, path: &Path) -> Option<PathBuf> {
        self.watched.extend(parents_of_links(path));
        match fs::canonicalize(path) {
            Ok(real) if self.allowed.iter().any(|allowed| real.starts_with(allowed)) => Some(real),
            Ok(target) => {
                self.problems.push(ReadError::Escapes { path: path.to_path_buf(), target });
                None
            }
            Err(reason) => {
                self.problems.push(unreadable(path, reason));
                None
            }
        }
    }
}

/// Reads the real path, so that a link changed in between leads nowhere else.
fn text_of(path: &Path, real: &Path) -> Result<Arc<str>, ReadError> {
    let len = fs::metadata(real).map_err(|reason| unreadable(path, reason))?.len();
    if !admits_size(usize::try_from(len).unwrap_or(usize::MAX)) {
        return Err(ReadError::TooLarge { path: path.to_path_buf() });
    }
    let bytes = fs::read(real).map_err(|reason| unreadable(path, reason))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(wrong) => {
            let at = wrong.utf8_error().valid_up_to();
            Err(ReadError::NotText { path: path.to_path_buf(), at })
        }
    }
}

fn unreadable(path: &Path, reason: io::Error) -> ReadError {
    let path = path.to_path_buf();
    match reason.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path },
        _ => ReadError::Unreadable { path, reason },
    }
}

/// The nearest directory above that exists: there the missing one would appear.
fn nearest_parent(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).map(or_here).find(|parent| parent.is_dir()).map(Path::to_path_buf)
}

/// The empty path is the current directory.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
