//! Who may read the state: the directory, the key that seals secrets, the database.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::app::places::Places;
use crate::blueprint::Blueprint;
use crate::store::StateUrl;

const TOPIC: &str = "state";

/// The modes of what is there.
#[derive(Debug, Default)]
pub struct Facts {
    pub directory: PathBuf,
    pub directory_mode: Option<u32>,
    pub key: PathBuf,
    pub key_mode: Option<u32>,
    /// The key is declared: the file beside the state is only a stand-in.
    pub key_declared: bool,
    /// A SQLite file, if that is what the state is.
    pub database: Option<PathBuf>,
    pub database_mode: Option<u32>,
}

/// Gathers the facts.
pub fn look(places: &Places, blueprint: Option<&Blueprint>) -> Facts {
    let key = places.directory.join("master.key");
    let database = match &places.state {
        StateUrl::Sqlite(path) => Some(path.clone()),
        StateUrl::Postgres(_) => None,
    };
    Facts {
        directory_mode: mode(&places.directory),
        directory: places.directory.clone(),
        key_mode: mode(&key),
        key,
        key_declared: blueprint.is_some_and(|blueprint| blueprint.server.master_key.is_some()),
        database_mode: database.as_deref().and_then(mode),
        database,
    }
}

/// Says what the facts mean.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(mode) = facts.directory_mode {
        found.extend(directory(&facts.directory, mode));
    }
    if let Some(mode) = facts.key_mode.filter(|mode| mode & 0o077 != 0) {
        let path = facts.key.display();
        found.push(
            Finding::error(TOPIC, format!("{path} can be read by others (mode {mode:04o})"))
                .why("it opens every sealed secret; the server refuses to start with it")
                .change(format!("chmod 600 {path}")),
        );
    }
    if let Some((path, mode)) = facts.database.as_ref().zip(facts.database_mode) {
        found.extend(database(facts, path, mode));
    }
    if found.is_empty() {
        let path = facts.directory.display();
        found.push(match facts.directory_mode {
            Some(_) => Finding::ok(TOPIC, format!("{path} is the owner's alone")),
            None => {
                Finding::ok(TOPIC, format!("{path} is not there yet; the first start makes it"))
            }
        });
    }
    found
}

fn directory(path: &Path, mode: u32) -> Option<Finding> {
    let path = path.display();
    if mode & 0o022 != 0 {
        let finding =
            Finding::error(TOPIC, format!("others may write into {path} (mode {mode:04o})"))
                .why("whoever can put a file there can replace the key and the state");
        return Some(finding.change(format!("chmod 700 {path}")));
    }
    (mode & 0o055 != 0).then(|| {
        Finding::warning(TOPIC, format!("others may look into {path} (mode {mode:04o})"))
            .change(format!("chmod 700 {path}"))
    })
}

fn database(facts: &Facts, path: &Path, mode: u32) -> Option<Finding> {
    if facts.key_mode.is_none() && !facts.key_declared {
        let key = facts.key.display();
        return Some(
            Finding::error(TOPIC, format!("{key} is missing beside {}", path.display()))
                .why("the state was made with a key; without it sealed secrets are lost")
                .change(format!("put {key} back from your backup")),
        );
    }
    // A directory that nobody else can enter keeps the file as well.
    let enterable = facts.directory_mode.is_some_and(|mode| mode & 0o011 != 0);
    (enterable && mode & 0o077 != 0).then(|| {
        let path = path.display();
        Finding::warning(TOPIC, format!("{path} can be read by others (mode {mode:04o})"))
            .why("it holds names and addresses of everybody who signs in")
            .change(format!("chmod 600 {path}"))
    })
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|about| about.permissions().mode() & 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;

    fn private() -> Facts {
        Facts {
            directory: "/s".into(),
            directory_mode: Some(0o700),
            key: "/s/master.key".into(),
            key_mode: Some(0o600),
            key_declared: false,
            database: Some("/s/doorward.db".into()),
            database_mode: Some(0o644),
        }
    }

    fn only(facts: &Facts) -> (Level, Option<String>) {
        let found = judge(facts);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].level, found[0].change.clone())
    }

    #[test]
    fn what_the_owner_alone_can_reach_is_fine() {
        assert_eq!(only(&private()).0, Level::Ok);
        assert_eq!(only(&Facts::default()).0, Level::Ok, "nothing is there yet");
    }

    #[test]
    fn a_key_for_everybody_is_an_error() {
        let facts = Facts { key_mode: Some(0o644), ..private() };
        assert_eq!(only(&facts), (Level::Error, Some("chmod 600 /s/master.key".into())));
    }

    #[test]
    fn a_state_without_its_key_is_an_error_unless_the_key_is_declared() {
        let facts = Facts { key_mode: None, ..private() };
        assert_eq!(only(&facts).0, Level::Error);
        assert_eq!(only(&Facts { key_declared: true, ..facts }).0, Level::Ok);
    }

    #[test]
    fn an_open_directory_is_noticed_and_a_writable_one_is_worse() {
        let open = Facts { directory_mode: Some(0o755), database_mode: Some(0o600), ..private() };
        assert_eq!(only(&open), (Level::Warning, Some("chmod 700 /s".into())));
        let writable = Facts { directory_mode: Some(0o777), ..open };
        assert_eq!(only(&writable).0, Level::Error);
    }
}
