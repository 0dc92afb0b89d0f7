//! What a reload came to, for people, for scripts and for the log.

use super::candidate::Rejected;
use crate::blueprint::render::Style;
use crate::clock::Millis;
use crate::flow::hashing::HashError;
use crate::reconcile::{self, Plan, Reason, apply};
use crate::runtime::health::SyncState;
use crate::session::SessionError;
use crate::store::StoreError;

/// What a reload came to.
#[derive(Debug)]
pub enum Verdict {
    /// The files are the ones in force.
    Unchanged,
    /// Comments, formatting or places changed, and nothing else.
    Refreshed,
    Applied {
        generation: i64,
        plan: Box<Plan>,
    },
    Rejected(Box<Rejected>),
    Held(Box<Plan>),
    /// Directories are missing, unreadable or empty: that never means an empty set.
    Vanished(Vec<String>),
    Failed(KeepError),
}

/// What went wrong that is not the files' fault.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Apply(#[from] apply::ApplyError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("the files could not be read to the end: this is a fault of Doorward")]
    Unread,
    #[error(
        "the stored files of generation {0} cannot be read by this version: see what `doorward check` says of the files, and apply them"
    )]
    Unreadable(i64),
}

impl From<Box<Rejected>> for Verdict {
    fn from(rejected: Box<Rejected>) -> Self {
        match rejected.vanished.is_empty() {
            true => Self::Rejected(rejected),
            false => Self::Vanished(rejected.vanished),
        }
    }
}

impl Verdict {
    /// The exit code of `reload --wait` and `apply`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unchanged | Self::Refreshed | Self::Applied { .. } => 0,
            Self::Rejected(_) | Self::Failed(_) => 1,
            Self::Held(_) | Self::Vanished(_) => 3,
        }
    }

    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Refreshed => "refreshed",
            Self::Applied { .. } => "applied",
            Self::Rejected(_) => "rejected",
            Self::Held(_) | Self::Vanished(_) => "held",
            Self::Failed(_) => "failed",
        }
    }

    /// What it says about the files, and what stands in their way.
    #[must_use]
    pub fn state(&self) -> (SyncState, Vec<String>) {
        match self {
            Self::Unchanged | Self::Refreshed | Self::Applied { .. } => {
                (SyncState::InSync, Vec::new())
            }
            Self::Rejected(rejected) => (SyncState::Rejected, rejected.lines()),
            Self::Held(plan) => (SyncState::Held, plan.held.iter().map(Reason::line).collect()),
            Self::Vanished(roots) => (SyncState::Held, roots.clone()),
            Self::Failed(error) => (SyncState::Rejected, vec![error.to_string()]),
        }
    }

    /// What to do about it, if there is something.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Unchanged | Self::Refreshed | Self::Applied { .. } => None,
            Self::Rejected(_) => {
                Some("The files were changed and are NOT in force. See: doorward plan")
            }
            Self::Held(_) => Some("The files wait for a confirmation. See: doorward plan"),
            Self::Vanished(_) => Some(BRING_BACK),
            Self::Failed(_) => {
                Some("It is tried again every two seconds. See the log of the server")
            }
        }
    }

    /// What to tell a person.
    #[must_use]
    pub fn text(&self, now: Millis, style: &Style) -> String {
        let colour = colour(style.colour);
        match self {
            Self::Unchanged => "nothing changed: the files are the ones in force\n".to_owned(),
            Self::Refreshed => "nothing to do: only places or comments changed\n".to_owned(),
            Self::Applied { generation, plan } => {
                format!(
                    "{}\ngeneration {generation} is in force\n",
                    reconcile::render::summary(plan)
                )
            }
            Self::Held(plan) => reconcile::render::render(plan, now, colour),
            Self::Rejected(rejected) => rejected.render(style),
            Self::Vanished(roots) => {
                let lines = roots.iter().map(|root| format!("held: {root}\n"));
                format!("{}{GOES_ON}. {BRING_BACK}\n", lines.collect::<String>())
            }
            Self::Failed(error) => format!("error: {error}\n"),
        }
    }
}

const GOES_ON: &str = "The last good configuration goes on serving";

const BRING_BACK: &str = "Put the directory back, with files that the server may read: that is noticed within two seconds. \
     Or start the server with another --blueprints";

/// Whether plans are printed in colour.
#[must_use]
pub fn colour(wanted: bool) -> reconcile::render::Colour {
    if wanted { reconcile::render::Colour::On } else { reconcile::render::Colour::Off }
}

/// Writes it to the log, with what stands in the way; `before` is what was told before.
pub fn log(verdict: &Verdict, problems: &[String], by: &str, before: SyncState) {
    match verdict {
        Verdict::Unchanged if before == SyncState::InSync => {}
        Verdict::Unchanged => tracing::info!(by, "the files are the ones in force again"),
        Verdict::Refreshed => tracing::info!(by, "the files changed in places and comments only"),
        Verdict::Applied { generation, plan } => {
            tracing::info!(
                generation,
                by,
                changes = plan.changes.len(),
                "{}",
                reconcile::render::summary(plan).trim()
            );
        }
        Verdict::Rejected(_) => {
            let first = problems.first().map_or("", String::as_str);
            tracing::error!(
                by,
                errors = problems.len(),
                first,
                "the files were changed and are NOT in force: the last good configuration goes on. `doorward plan` shows every error"
            );
            for problem in problems.iter().take(25) {
                tracing::error!("{problem}");
            }
        }
        Verdict::Vanished(roots) => {
            for root in roots {
                tracing::warn!(by, "{root}. {GOES_ON}. {BRING_BACK}");
            }
        }
        Verdict::Held(_) => {
            tracing::warn!(
                by,
                "the files were changed and wait for a confirmation: `doorward plan` shows what for"
            );
            for problem in problems {
                tracing::warn!("held: {problem}");
            }
        }
        Verdict::Failed(error) => {
            tracing::error!(by, %error, "the files could not be taken into force")
        }
    }
}
