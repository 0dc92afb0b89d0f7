//! Noticing that files changed: the kernel's word as a hint, and a look every two seconds, because
//! links move without a word and some file systems say nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
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
            tracing::warn!(%error, "the kernel does not tell of changed files: they are looked at every two seconds");
        });
        Self { watcher: watcher.ok(), watched: BTreeSet::new(), hints }
    }

    /// Watches exactly these directories from now on.
    pub fn follow(&mut self, directories: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted: BTreeSet<PathBuf> = directories.iter().cloned().collect();
        for gone in self.watched.difference(&wanted) {
            let _ = watcher.unwatch(gone);
        }
        let mut following: BTreeSet<PathBuf> =
            self.watched.intersection(&wanted).cloned().collect();
        for new in wanted.difference(&self.watched) {
            if watcher.watch(new, RecursiveMode::NonRecursive).is_ok() {
                following.insert(new.clone());
            }
        }
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

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}
