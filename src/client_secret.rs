//! The secrets of clients and of the accounts that programs bind with, in memory, for as long as each is good.

use std::collections::HashMap;

use arc_swap::ArcSwap;

use crate::clock::Millis;
use crate::secret::Secret;

/// What a client's secret is compared with.
#[derive(Clone, Debug)]
pub enum Known {
    Value {
        secret: Secret,
        /// One that was replaced is good until then.
        until: Option<Millis>,
    },
    /// The hash of one that only the client knows.
    Verifier(Secret),
}

/// The secrets of all clients, by the uid of the app or the service account.
#[derive(Debug, Default)]
pub struct ClientSecrets(ArcSwap<HashMap<String, Vec<Known>>>);

impl ClientSecrets {
    /// Takes these in the place of all others.
    pub fn replace(&self, all: HashMap<String, Vec<Known>>) {
        self.0.store(std::sync::Arc::new(all));
    }

    /// What an app or a service account may prove itself by at this moment.
    #[must_use]
    pub fn of(&self, uid: &str, now: Millis) -> Vec<Known> {
        let all = self.0.load();
        let good = |known: &&Known| match known {
            Known::Value { until, .. } => until.is_none_or(|until| now < until),
            Known::Verifier(_) => true,
        };
        all.get(uid).into_iter().flatten().filter(good).cloned().collect()
    }
}
