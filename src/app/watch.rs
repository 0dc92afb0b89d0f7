//! Noticing that files changed: the kernel's word as a hint, and a look every two seconds, because
//! links move without a word and some file systems say nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// How long nothing must happen before the files are read.
const QUIET: Duration = Duration::from_millis(40);
/// How long it may go on at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the files are looked at without a hint.
const EVERY: Duration = Duration::from_secs(2);

/// Watches directories for changes.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// What could not be watched, as the log was told.
    unwatched: BTreeSet<PathBuf>,
    hints: mpsc::Receiver<()>,
}

impl Watch {
    /// Begins to watch. Without help from the kernel the look every two seconds remains.
    #[must_use]
    pub fn new() -> Self {
        let (sender, hints) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // A full channel holds a hint already.
                let _ = sender.try_send(());
            }
        });
        let watcher = watcher.inspect_err(|error| {
            tracing::warn!(
                %error,
                "the kernel does not tell of changed files: they are looked at every two seconds. Raise fs.inotify.max_user_instances \
                 for edits that are in force at once"
            );
        });
        let (watched, unwatched) = (BTreeSet::new(), BTreeSet::new());
        Self { watcher: watcher.ok(), watched, unwatched, hints }
    }

    /// Watches exactly these directories from now on.
    pub fn follow(&mut self, directories: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted: BTreeSet<PathBuf> = directories.iter().cloned().collect();
        for gone in self.watched.difference(&wanted) {
            // A directory that is gone ended its watch itself.
            let _ = watcher.unwatch(gone);
        }
        let mut following: BTreeSet<PathBuf> =
            self.watched.intersection(&wanted).cloned().collect();
        for new in wanted.difference(&self.watched) {
            match watcher.watch(new, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    following.insert(new.clone());
                }
                Err(error) => complain(new, &error, &mut self.unwatched),
            }
        }
        self.unwatched.retain(|path| wanted.contains(path) && !following.contains(path));
        self.watched = following;
    }

    /// Waits until something may have changed, and then until it is quiet.
    pub async fn changed(&mut self) {
        let hinted = tokio::time::timeout(EVERY, self.hints.recv()).await;
        if !matches!(hinted, Ok(Some(()))) {
            return;
        }
        let patience = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < patience {
            match tokio::time::timeout(QUIET, self.hints.recv()).await {
                Ok(Some(())) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Says once that a directory is looked at every two seconds alone, and how to change that.
fn complain(path: &Path, error: &notify::Error, told: &mut BTreeSet<PathBuf>) {
    let Some(remedy) = remedy(&error.kind) else { return };
    if told.insert(path.to_owned()) {
        tracing::warn!(
            path = %path.display(),
            %error,
            "the kernel does not tell of changes in this directory: it is looked at every two seconds. {remedy}"
        );
    }
}

/// What helps; nothing is to be said of a directory that is not there, which reading it tells.
fn remedy(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => None,
        ErrorKind::MaxFilesWatch => {
            Some("Raise fs.inotify.max_user_watches for edits that are in force at once")
        }
        ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        _ => Some("See that the server may read the directory, and that it lies on a local disk"),
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_cannot_be_watched_is_told_with_a_remedy_unless_it_is_gone() {
        let said = remedy(&ErrorKind::MaxFilesWatch);
        assert!(said.is_some_and(|text| text.contains("max_user_watches")));
        let io = |kind: io::ErrorKind| remedy(&ErrorKind::Io(kind.into()));
        assert!(io(io::ErrorKind::PermissionDenied).is_some_and(|text| text.contains("read")));
        assert_eq!(io(io::ErrorKind::NotFound), None);
        assert_eq!(remedy(&ErrorKind::PathNotFound), None);
    }

    #[test]
    fn a_directory_that_comes_is_followed() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("late");
        let mut watch = Watch::new();
        watch.follow(std::slice::from_ref(&path));
        assert!(watch.watched.is_empty() && watch.unwatched.is_empty());
        std::fs::create_dir(&path).expect("a directory");
        watch.follow(std::slice::from_ref(&path));
        assert!(watch.watched.contains(&path), "{:?}", watch.unwatched);
    }
}
