//! Whether the running configuration is the one in the files.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// The state of the configuration, as `status`, `/healthz/config` and the metrics tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    pub state: SyncState,
    /// When this state was reached.
    pub since: Millis,
    /// What stands in the way: first lines of diagnostics, or reasons for holding back.
    pub problems: Vec<String>,
    /// What to do about it, if there is something.
    pub remedy: Option<&'static str>,
    /// What works less than it should, such as a Traefik file that could not be written.
    pub degraded: Vec<String>,
    /// What the files say and only a restart takes up. Everything else of them is in force.
    pub restart: Vec<AwaitsRestart>,
}

/// A setting of the process that the files changed since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitsRestart {
    /// The node in `server`.
    pub setting: String,
    /// What this process runs with.
    pub running: String,
    /// What the files say now.
    pub declared: String,
}

impl std::fmt::Display for AwaitsRestart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { setting, running, declared } = self;
        write!(
            f,
            "server {setting}: this server runs with {running}, the files say {declared}; a restart takes it up"
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// What stands in the files is in force.
    InSync,
    /// The files have errors or failing tests; the last good generation is in force.
    Rejected,
    /// The files wait for a confirmation.
    Held,
}

impl SyncState {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Rejected => "rejected",
            Self::Held => "held",
        }
    }
}

impl Health {
    #[must_use]
    pub fn in_sync(since: Millis) -> Self {
        Self {
            state: SyncState::InSync,
            since,
            problems: Vec::new(),
            remedy: None,
            degraded: Vec::new(),
            restart: Vec::new(),
        }
    }

    #[must_use]
    pub fn is_well(&self) -> bool {
        self.state == SyncState::InSync && self.degraded.is_empty()
    }
}
