//! The keys that tokens are signed with: in memory, in step with the store.
//!
//! Each algorithm has a row of keys. The newest whose time has come signs; a newer one is published
//! before its time, and an older one for as long as what it signed may be good.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::clock::{Clock, Millis};
use crate::ids::Rng;
use crate::jose::{Algorithm, Compact, PublicKey, SigningFault, SigningKey};
use crate::secret::{MasterKey, SealError};
use crate::store::{self, Store, StoreError};

/// How long a key signs, where nothing is said.
pub const SIGNS_FOR: Duration = Duration::from_secs(90 * 86_400);
/// How long before it signs a key is published: applications look once a day.
pub const AHEAD: Duration = Duration::from_secs(2 * 86_400);
/// How long a key is published after it has signed: longer than any token lives.
const AFTER: Duration = Duration::from_secs(7 * 86_400);

/// All keys that this process knows.
pub struct SigningKeys {
    store: Store,
    key: Arc<MasterKey>,
    clock: Clock,
    rng: Rng,
    known: ArcSwap<Vec<Arc<Kept>>>,
    /// One makes keys at a time.
    making: Mutex<()>,
}

/// A key with its place in the row of its algorithm.
#[derive(Debug)]
pub struct Kept {
    pub key: SigningKey,
    public: PublicKey,
    pub number: i64,
    pub created_at: Millis,
    pub signs_from: Millis,
}

/// What a key is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Published, and signs from then.
    Next,
    Signing,
    /// Published until what it signed is worth nothing.
    Retired,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fault(#[from] SigningFault),
    #[error("a signing key cannot be opened: {0}")]
    Sealed(#[from] SealError),
    #[error("a key could not be kept: another node makes keys all the time")]
    Overtaken,
}

impl SigningKeys {
    #[must_use]
    pub fn new(store: Store, key: Arc<MasterKey>, clock: Clock, rng: Rng) -> Self {
        Self { store, key, clock, rng, known: ArcSwap::default(), making: Mutex::default() }
    }

    /// Reads what the store keeps.
    ///
    /// # Errors
    /// If it cannot be asked, or a key was sealed with another master key.
    pub async fn follow(&self) -> Result<(), SigningError> {
        let rows = self.store.read().await?.list_signing_keys().await?;
        let before = self.known.load_full();
        let mut known = Vec::with_capacity(rows.len());
        for row in rows {
            let same = |kept: &&Arc<Kept>| {
                (kept.key.algorithm(), kept.number) == (row.algorithm, row.number)
                    && (kept.created_at, kept.signs_from) == (row.created_at, row.signs_from)
            };
            match before.iter().find(same) {
                Some(kept) => known.push(Arc::clone(kept)),
                None => known.push(Arc::new(self.open(&row)?)),
            }
        }
        self.known.store(Arc::new(known));
        Ok(())
    }

    fn open(&self, row: &store::SigningKey) -> Result<Kept, SigningError> {
        let private = self.key.open(&row.sealed, &binding(row.algorithm, row.number))?;
        let key = SigningKey::read(row.algorithm, &private)?;
        let public =
            PublicKey::read(key.jwk(), row.algorithm).map_err(|_| SigningFault::NotRead)?;
        let (number, created_at, signs_from) = (row.number, row.created_at, row.signs_from);
        Ok(Kept { key, public, number, created_at, signs_from })
    }

    /// The key that signs by an algorithm now; it is made if there is none.
    ///
    /// # Errors
    /// If it cannot be made or kept.
    pub async fn signer(&self, algorithm: Algorithm) -> Result<Arc<Kept>, SigningError> {
        if let Some(kept) = self.signing(algorithm) {
            return Ok(kept);
        }
        let _alone = self.making.lock().await;
        for _ in 0..3 {
            self.follow().await?;
            if let Some(kept) = self.signing(algorithm) {
                return Ok(kept);
            }
            self.make(algorithm, self.clock.now()).await?;
        }
        self.signing(algorithm).ok_or(SigningError::Overtaken)
    }

    fn signing(&self, algorithm: Algorithm) -> Option<Arc<Kept>> {
        let now = self.clock.now();
        let known = self.known.load();
        let row = known.iter().filter(|kept| kept.key.algorithm() == algorithm);
        row.filter(|kept| kept.signs_from <= now).max_by_key(|kept| kept.number).cloned()
    }

    /// Puts a new key behind the last of its algorithm, and says whether it was this call's.
    async fn make(&self, algorithm: Algorithm, signs_from: Millis) -> Result<bool, SigningError> {
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let (_, private) = made.map_err(|_| SigningFault::NotMade)??;
        let rows = self.store.read().await?.list_signing_keys().await?;
        let last = rows.iter().filter(|row| row.algorithm == algorithm).map(|row| row.number).max();
        let number = last.unwrap_or(0).saturating_add(1);
        let sealed = self.key.seal(&private, &binding(algorithm, number), &self.rng)?;
        let created_at = self.clock.now();
        let row = store::SigningKey { algorithm, number, sealed, created_at, signs_from };
        let mut tx = self.store.begin().await?;
        let kept = tx.insert_signing_key(&row).await?;
        tx.commit().await?;
        self.follow().await?;
        Ok(kept)
    }

    /// Makes a key that takes over from the one that signs, at once or when everybody had time to
    /// learn of it.
    ///
    /// # Errors
    /// If it cannot be made or kept.
    pub async fn rotate(
        &self,
        algorithm: Algorithm,
        signs_from: Millis,
    ) -> Result<bool, SigningError> {
        let _alone = self.making.lock().await;
        self.make(algorithm, signs_from).await
    }

    /// Does what is due: makes successors in time, and forgets what signed nothing that is good. The
    /// algorithms that somebody signs by have a key afterwards. Gives what was made and forgotten.
    ///
    /// # Errors
    /// If a key cannot be made or kept.
    pub async fn tend(
        &self,
        wanted: &[Algorithm],
        signs_for: Duration,
    ) -> Result<Vec<Tended>, SigningError> {
        self.follow().await?;
        let mut tended = Vec::new();
        for algorithm in wanted {
            let kept = self.signer(*algorithm).await?;
            let now = self.clock.now();
            let due = kept.signs_from.plus(signs_for);
            if now.plus(AHEAD) >= due && !self.has_successor(&kept) {
                let signs_from = due.max(now.plus(AHEAD));
                if self.rotate(*algorithm, signs_from).await? {
                    tended.push(Tended::Made(*algorithm, signs_from));
                }
            }
        }
        let now = self.clock.now();
        let over: Vec<_> =
            self.known.load().iter().filter(|k| self.is_over(k, now)).cloned().collect();
        for kept in over {
            self.forget(&kept).await?;
            tended.push(Tended::Forgotten(kept.key.algorithm(), kept.key.id().to_owned()));
        }
        Ok(tended)
    }

    /// Forgets a key at once: nothing that it signed is believed any more.
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn forget(&self, kept: &Kept) -> Result<(), SigningError> {
        let mut tx = self.store.begin().await?;
        tx.delete_signing_key(kept.key.algorithm(), kept.number).await?;
        tx.commit().await?;
        self.follow().await
    }

    fn has_successor(&self, kept: &Kept) -> bool {
        self.successor(kept).is_some()
    }

    fn successor(&self, kept: &Kept) -> Option<Arc<Kept>> {
        let known = self.known.load();
        let later = known.iter().filter(|other| other.key.algorithm() == kept.key.algorithm());
        later.filter(|other| other.number > kept.number).min_by_key(|other| other.number).cloned()
    }

    fn is_over(&self, kept: &Kept, now: Millis) -> bool {
        self.successor(kept).is_some_and(|next| next.signs_from.plus(AFTER) <= now)
    }

    /// Every key and what it is doing, by algorithm and then by age.
    #[must_use]
    pub fn list(&self) -> Vec<(Arc<Kept>, Stage)> {
        let now = self.clock.now();
        let stage = |kept: &Kept| match self.successor(kept) {
            _ if kept.signs_from > now => Stage::Next,
            Some(next) if next.signs_from <= now => Stage::Retired,
            _ => Stage::Signing,
        };
        let known = self.known.load_full();
        known.iter().map(|kept| (Arc::clone(kept), stage(kept))).collect()
    }

    /// The public halves, for everybody (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let now = self.clock.now();
        let known = self.known.load();
        let keys = known.iter().filter(|kept| !self.is_over(kept, now));
        json!({ "keys": keys.map(|kept| kept.key.jwk().clone()).collect::<Vec<_>>() })
    }

    /// Whether a token is one that we signed, by the key that it names.
    #[must_use]
    pub fn signed(&self, token: &Compact<'_>) -> bool {
        let now = self.clock.now();
        let Some(id) = token.header_text("kid") else { return false };
        let known = self.known.load();
        let named = known.iter().find(|kept| kept.key.id() == id);
        named.is_some_and(|kept| !self.is_over(kept, now) && kept.public.signed(token))
    }
}

/// What was done in passing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tended {
    /// A key that signs from then.
    Made(Algorithm, Millis),
    /// A key that signed nothing that is good, by name.
    Forgotten(Algorithm, String),
}

/// What a sealed key is bound to.
fn binding(algorithm: Algorithm, number: i64) -> String {
    format!("signing-key/{}/{number}", algorithm.word())
}
