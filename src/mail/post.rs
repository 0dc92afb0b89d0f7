//! Into the outbox, and no more than is fit: the one place that decides how much mail a person can
//! be made to get.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::letter;
use super::message::{Kind, Message};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Millis};
use crate::ids::{NoRandomness, Rng};
use crate::runtime::Runtime;
use crate::secret::{MasterKey, SealError, Secret};
use crate::store::{NewOutgoing, Outgoing, StoreError, Tx, fold};

/// Messages that may wait at once, whoever asked for them.
const MOST_WAITING: i64 = 10_000;
const WINDOW: Duration = Duration::from_secs(3600);

/// Takes messages into the outbox and opens them again.
#[derive(Debug)]
pub struct Post {
    key: Arc<MasterKey>,
    clock: Clock,
    rng: Rng,
    bell: Notify,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    Yes,
    /// No file says how mail is sent.
    NotConfigured,
    /// The address is none that mail can be sent to.
    BadAddress,
    /// This recipient got as many of this kind within the hour as anybody may.
    TooMany,
    /// Too many messages wait.
    Full,
}

/// Why the outbox failed.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("the message in the outbox cannot be read by this version: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    pub address: &'a str,
    /// The language that they read, if it is known.
    pub language: Option<&'a str>,
}

/// A message as it lies in the outbox, before it is sealed.
#[derive(Serialize)]
struct Sealed<'a> {
    language: Option<&'a str>,
    message: &'a Message,
}

/// A message that was opened to be sent.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    pub language: Option<String>,
    pub message: Message,
}

impl Post {
    #[must_use]
    pub fn new(key: Arc<MasterKey>, clock: Clock, rng: Rng) -> Self {
        Self { key, clock, rng, bell: Notify::new() }
    }

    /// Queues a message within the caller's transaction; `ring` after its commit. To whoever asked
    /// for it, no answer may look different from another: it would tell who has an account.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn queue(
        &self,
        runtime: &Runtime,
        tx: &mut Tx,
        to: Addressee<'_>,
        message: &Message,
    ) -> Result<Queued, PostError> {
        if !super::is_configured(runtime) {
            return Ok(Queued::NotConfigured);
        }
        let Some(address) = letter::address(to.address) else { return Ok(Queued::BadAddress) };
        let (now, kind) = (self.clock.now(), message.kind());
        let count = tx.count_failure(&limit_key(kind, to.address), now, WINDOW).await?;
        if count.failures > hourly(kind) {
            return Ok(Queued::TooMany);
        }
        if tx.count_waiting(MOST_WAITING).await? >= MOST_WAITING.unsigned_abs() {
            return Ok(Queued::Full);
        }
        let (id, recipient) = (self.rng.id("mail", now)?, address.to_string());
        let text = Secret::new(serde_json::to_string(&Sealed { language: to.language, message })?);
        let sealed = self.key.seal(&text, &binding(&id, &recipient), &self.rng)?;
        let new = NewOutgoing {
            id: &id,
            recipient: &recipient,
            kind: kind.word(),
            sealed: &sealed,
            expires_at: now.plus(message.lives()),
        };
        tx.insert_outgoing(new, now).await?;
        Ok(Queued::Yes)
    }

    /// Opens a message that was claimed.
    ///
    /// # Errors
    /// If it was made with another key, for another address, or by another version.
    pub fn open(&self, outgoing: &Outgoing) -> Result<Opened, PostError> {
        let binding = binding(&outgoing.id, &outgoing.recipient);
        let text = self.key.open(&outgoing.sealed, &binding)?;
        Ok(serde_json::from_str(text.reveal())?)
    }

    /// Says that something was queued.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until something was queued.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
}

/// A message opens for its own recipient alone: whoever can write to the database cannot have
/// somebody's link sent elsewhere.
fn binding(id: &str, recipient: &str) -> String {
    format!("outbox/{id}/{recipient}")
}

fn limit_key(kind: Kind, to: &str) -> String {
    format!("mail:{}:{}", kind.word(), crate::secret::sha256_hex(fold(to).as_bytes()))
}

/// How many messages of a kind one recipient gets within an hour.
fn hourly(kind: Kind) -> u64 {
    match kind {
        Kind::Code | Kind::SignInLink => 10,
        Kind::RecoveryLink
        | Kind::VerifyAddress
        | Kind::AddressTaken
        | Kind::Invitation
        | Kind::Test => 5,
        // Nobody but the person themselves causes these; they are worth knowing.
        Kind::NewDevice
        | Kind::PasswordChanged
        | Kind::AddressChanged
        | Kind::FactorAdded
        | Kind::FactorRemoved
        | Kind::TokenMade => 20,
        Kind::Notice => 60,
        Kind::Locked => 3,
    }
}
