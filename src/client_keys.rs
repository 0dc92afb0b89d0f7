//! The public keys of clients, where they keep them themselves: asked for when they are needed, and kept
//! for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::clock::{Clock, Millis};
use crate::jose::{Compact, KeySet, KeySetFault};
use crate::outbound::{CallError, Outbound};
use crate::runtime::client::{Client, Keys};

/// How long keys are kept before they are asked for again.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How long they are good where nobody answers.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Nobody is asked more often, whatever key a token names.
const SELDOM: Duration = Duration::from_secs(30);

/// The keys that clients keep themselves, by their address. There are as many as files declare.
pub struct ClientKeys {
    clock: Clock,
    kept: Mutex<HashMap<String, Arc<Mutex<Kept>>>>,
}

#[derive(Debug, Default)]
struct Kept {
    keys: Option<(KeySet, Millis)>,
    asked_at: Option<Millis>,
    trouble: Option<KeysError>,
}

/// Why the keys of a client are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("no keys are declared for this client")]
    Undeclared,
    #[error("its keys could not be had from its jwks-uri: {0}")]
    Call(#[from] CallError),
    #[error("what its jwks-uri gave cannot be used: {0}")]
    Set(#[from] KeySetFault),
}

impl ClientKeys {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// The keys of a client that may have signed a token.
    ///
    /// # Errors
    /// If none are known.
    pub async fn of(
        &self,
        outbound: &Outbound,
        client: &Client,
        token: &Compact<'_>,
    ) -> Result<KeySet, KeysError> {
        let uri = match &client.keys {
            None => return Err(KeysError::Undeclared),
            Some(Keys::Declared(keys)) => return Ok(keys.clone()),
            Some(Keys::At(uri)) => uri,
        };
        let kept = Arc::clone(self.kept.lock().await.entry(uri.clone()).or_default());
        // One asks at a time; the others take what it finds.
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        if kept.is_due(token, now) {
            kept.asked_at = Some(now);
            kept.trouble = None;
            match ask(outbound, uri, &client.may_reach).await {
                Ok(keys) => kept.keys = Some((keys, now)),
                Err(trouble) => {
                    tracing::warn!(client = client.id, %trouble, "keys of a client could not be renewed");
                    kept.trouble = Some(trouble);
                }
            }
        }
        kept.usable(now)
    }
}

impl Kept {
    /// Whether it is time to ask: nothing is known, what is known is old, or it lacks the key.
    fn is_due(&self, token: &Compact<'_>, now: Millis) -> bool {
        if self.asked_at.is_some_and(|at| at <= now && now.since(at) < SELDOM) {
            return false;
        }
        self.keys.as_ref().is_none_or(|(keys, since)| {
            *since > now || now.since(*since) > FRESH || !keys.knows(token)
        })
    }

    fn usable(&self, now: Millis) -> Result<KeySet, KeysError> {
        match (&self.keys, &self.trouble) {
            (Some((keys, since)), _) if now.since(*since) <= STALE => Ok(keys.clone()),
            (_, Some(trouble)) => Err(trouble.clone()),
            _ => Err(KeysError::Undeclared),
        }
    }
}

async fn ask(outbound: &Outbound, uri: &str, may_reach: &[String]) -> Result<KeySet, KeysError> {
    Ok(KeySet::read(&outbound.get(uri, may_reach).await?)?)
}
