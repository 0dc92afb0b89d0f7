//! App passwords and API tokens: made, listed and revoked here and nowhere else, and known in memory
//! like sessions. The store has the last word.
//!
//! It knows no HTTP, grants nothing and counts no failures: who asks for an unknown one counts first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::MutexGuard;

use crate::clock::{Clock, Millis};
use crate::ids::{NoRandomness, Rng};
use crate::model::scope::Scope;
use crate::secret::{MasterKey, Secret, TokenDigest};
use crate::session::shards::Shards;
use crate::session::{SessionError, Sessions};
use crate::store::{self, Event, Store, StoreError, TokenKind, Tx};

pub use live::Live;
pub use text::{Look, look};
use worthless::Worthless;

mod live;
mod text;
mod worthless;

/// How long a token goes on being recorded as used at the same moment.
const USED_EVERY: Duration = Duration::from_secs(60);

/// Tokens of one person that are worth something at once.
pub const MOST_OF_ONE: u64 = 100;
pub const LONGEST_NAME: usize = 100;

/// How many unknown tokens are looked up at once.
const LANES: usize = 16;

/// All tokens that this process knows.
pub struct Tokens {
    store: Store,
    key: Arc<MasterKey>,
    clock: Clock,
    rng: Rng,
    known: Shards<Live>,
    worthless: Worthless,
    used: Mutex<HashMap<String, Millis>>,
    /// How often tokens were revoked: what was looked up before is looked up again after.
    revocations: RwLock<u64>,
    lanes: [tokio::sync::Mutex<()>; LANES],
}

/// A token to be made.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub user_id: &'a str,
    /// The account as events name it.
    pub username: &'a str,
    pub kind: TokenKind,
    pub name: &'a str,
    /// Uids of the apps that it shall open.
    pub apps: &'a [String],
    /// What else it may do here.
    pub scopes: &'a [Scope],
    pub expires_at: Option<Millis>,
    /// Who makes it, as events name them.
    pub by: &'a str,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error("a token names at least one app, or something else that it may do")]
    NoApp,
    #[error("an app password opens apps and does nothing else: make an API token")]
    ScopeOfPassword,
    #[error("the name of a token has 1 to {LONGEST_NAME} characters, on one line")]
    BadName,
    #[error("the moment at which it would expire has passed")]
    Expired,
    #[error("the account is disabled or gone")]
    NoAccount,
    #[error("there are {MOST_OF_ONE} tokens for this account: revoke one first")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// What is known of a digest without asking the store.
#[derive(Debug)]
pub enum Known {
    Live(Arc<Live>),
    Worthless,
    Unknown,
}

impl Tokens {
    #[must_use]
    pub fn new(store: Store, key: Arc<MasterKey>, clock: Clock, rng: Rng) -> Self {
        Self {
            store,
            key,
            clock,
            rng,
            known: Shards::default(),
            worthless: Worthless::default(),
            used: Mutex::default(),
            revocations: RwLock::new(0),
            lanes: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
        }
    }

    /// Makes a token and gives its text, which cannot be had again.
    ///
    /// # Errors
    /// If it may not be made, or cannot be stored.
    pub async fn create(&self, wanted: Wanted<'_>) -> Result<(Secret, store::Token), MakeError> {
        let now = self.clock.now();
        let name = checked(&wanted, now)?;
        let text = text::make(wanted.kind, &self.rng)?;
        let token = store::Token {
            id: self.rng.id("tok", now)?,
            digest: self.digest_of(&text),
            user_id: wanted.user_id.to_owned(),
            kind: wanted.kind,
            name: name.to_owned(),
            apps: wanted.apps.to_vec(),
            scopes: wanted.scopes.to_vec(),
            created_at: now,
            expires_at: wanted.expires_at,
            used_at: None,
            revoked_at: None,
        };
        let mut tx = self.store.begin().await?;
        if !tx.insert_token(&token).await? {
            return Err(MakeError::NoAccount);
        }
        if tx.count_live_tokens_of(wanted.user_id, now).await? > MOST_OF_ONE {
            return Err(MakeError::TooMany);
        }
        let about = (wanted.by, wanted.username);
        self.note(&mut tx, "token.created", about, &token).await?;
        tx.commit().await?;
        Ok((text, token))
    }

    /// A person's tokens, the newest first; expired ones are among them, revoked ones are not.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn list(&self, user_id: &str) -> Result<Vec<store::Token>, StoreError> {
        self.store.read().await?.list_tokens_of(user_id).await
    }

    /// Revokes a token at once; with `of`, only if it is that person's. `None` if there is none.
    ///
    /// # Errors
    /// If the store cannot be told; then it goes on.
    pub async fn revoke(
        &self,
        id: &str,
        of: Option<&str>,
        by: &str,
    ) -> Result<Option<store::Token>, MakeError> {
        let mut tx = self.store.begin().await?;
        let Some(token) = tx.revoke_token(id, of, self.clock.now()).await? else {
            return Ok(None);
        };
        let owner = tx.find_user(&token.user_id).await?.map(|user| user.username);
        self.note(&mut tx, "token.revoked", (by, owner.as_deref().unwrap_or("")), &token).await?;
        tx.commit().await?;
        self.forget(std::slice::from_ref(&token.id));
        Ok(Some(token))
    }

    async fn note(
        &self,
        tx: &mut Tx,
        kind: &str,
        (by, owner): (&str, &str),
        token: &store::Token,
    ) -> Result<(), MakeError> {
        let at = self.clock.now();
        let event = Event {
            id: self.rng.id("evt", at)?,
            at,
            kind: kind.to_owned(),
            actor: Some(by.to_owned()),
            subject: Some(owner.to_owned()),
            data: serde_json::json!({
                "token": token.id,
                "kind": token.kind.word(),
                "name": token.name,
                "apps": token.apps,
                "scopes": token.scopes,
            }),
        };
        Ok(tx.insert_event(&event).await?)
    }

    /// The digest under which a whole text is known.
    #[must_use]
    pub fn digest(&self, whole: &Secret) -> TokenDigest {
        self.key.digest(whole.reveal().as_bytes())
    }

    fn digest_of(&self, shown: &Secret) -> TokenDigest {
        match look(shown.reveal()) {
            Some(Look::Whole(_, whole)) => self.digest(&whole),
            _ => self.digest(shown),
        }
    }

    /// What is known of a digest here; never asks the store.
    #[must_use]
    pub fn known(&self, digest: &TokenDigest, now: Millis) -> Known {
        match self.known.get(digest) {
            Some(token) if token.is_live(now) => Known::Live(token),
            Some(_) => Known::Worthless,
            None if self.worthless.holds(digest) => Known::Worthless,
            None => Known::Unknown,
        }
    }

    /// Waits for the turn to look a digest up: those who come with the same one at once need only
    /// one query, and nobody brings more queries than there are lanes.
    pub async fn turn(&self, digest: &TokenDigest) -> Option<MutexGuard<'_, ()>> {
        let first = digest.0.first().copied().unwrap_or_default();
        Some(self.lanes.get(usize::from(first) % LANES)?.lock().await)
    }

    /// Looks a digest up. A worthless one is remembered as such.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn find(
        &self,
        sessions: &Sessions,
        digest: &TokenDigest,
    ) -> Result<Option<Arc<Live>>, SessionError> {
        let now = self.clock.now();
        loop {
            let before = *self.revocations.read().unwrap_or_else(PoisonError::into_inner);
            let row = self.store.read().await?.find_token(digest).await?;
            let Some(row) = row.filter(|row| row.is_live(now)) else {
                self.worthless.keep(*digest);
                return Ok(None);
            };
            let account = sessions.account(&row.user_id).await?;
            // Held until it is kept, so that no revocation can miss it.
            let revocations = self.revocations.read().unwrap_or_else(PoisonError::into_inner);
            if *revocations == before {
                let token = self.known.keep(*digest, Arc::new(Live::new(row, account)));
                return Ok(Some(token).filter(|token| token.is_live(now)));
            }
        }
    }

    /// Until when an address may have nothing looked up.
    #[must_use]
    pub fn closed_until(&self, address: &str, now: Millis) -> Option<Millis> {
        self.worthless.closed_until(address, now)
    }

    /// Remembers that an address has guessed too often.
    pub fn close(&self, address: String, until: Millis) {
        self.worthless.close(address, until, self.clock.now());
    }

    /// Notes that a token is in use, and says whether it is for the first time; written in batches.
    pub fn touch(&self, token: &Live, now: Millis) -> bool {
        let used = token.touch(now, USED_EVERY);
        if used != live::Use::Repeated {
            let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(token.id.clone(), now);
        }
        used == live::Use::First
    }

    /// Drops tokens that were revoked, here or elsewhere.
    pub fn forget(&self, ids: &[String]) {
        if !ids.is_empty() {
            let mut revocations = self.revocations.write().unwrap_or_else(PoisonError::into_inner);
            *revocations = revocations.wrapping_add(1);
            self.known.each(|token| {
                if ids.contains(&token.id) {
                    token.end();
                }
            });
        }
    }

    /// Drops what another process has revoked since `since`: a node beside this one, or a command.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn follow_revocations(&self, since: Millis) -> Result<(), StoreError> {
        let revoked = self.store.read().await?.list_tokens_revoked_since(since).await?;
        self.forget(&revoked);
        Ok(())
    }

    /// Writes down which tokens were used, and drops those that are over.
    ///
    /// # Errors
    /// If the store cannot be told; the next call tries again.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.known.retain(|token| token.is_live(now));
        let used: Vec<_> = {
            let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.iter().map(|(id, at)| (id.clone(), *at)).collect()
        };
        if used.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        tx.touch_tokens(&used).await?;
        tx.commit().await?;
        let mut left = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|id, at| !used.iter().any(|(done, when)| done == id && when == at));
        Ok(())
    }
}

/// The name to keep, if everything about a wanted token is right.
fn checked<'a>(wanted: &Wanted<'a>, now: Millis) -> Result<&'a str, MakeError> {
    let name = wanted.name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if !fits || name.chars().any(char::is_control) {
        return Err(MakeError::BadName);
    }
    if wanted.apps.is_empty() && wanted.scopes.is_empty() {
        return Err(MakeError::NoApp);
    }
    if wanted.kind == TokenKind::AppPassword && !wanted.scopes.is_empty() {
        return Err(MakeError::ScopeOfPassword);
    }
    if wanted.expires_at.is_some_and(|end| end <= now) {
        return Err(MakeError::Expired);
    }
    Ok(name)
}
