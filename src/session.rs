//! Sessions and their people in memory, in step with the store.
//!
//! A known session is answered from here without a query. The store has the last word: what is not
//! known here is looked up there, and every ending is written there first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::{Clock, Millis};
use crate::ids::Rng;
use crate::secret::{MasterKey, TokenDigest};
use crate::store::{self, NewAppSession, NewSession, Proven, Store, StoreError, Tx};

pub use account::{Account, Profile, Standing, is_enabled};
pub use live::{AppSession, SignIn};
use shards::Shards;

mod account;
mod everybody;
pub mod live;
pub(crate) mod shards;

/// How long a session goes on being recorded as seen at the same moment.
const SEEN_EVERY: Duration = Duration::from_secs(30);

/// All sessions that this process knows.
pub struct Sessions {
    store: Store,
    key: Arc<MasterKey>,
    clock: Clock,
    rng: Rng,
    accounts: RwLock<HashMap<String, Arc<Account>>>,
    /// How often accounts were read again: what was looked up before is not kept after.
    refreshes: AtomicU64,
    sign_ins: Shards<SignIn>,
    app_sessions: Shards<AppSession>,
    seen: Mutex<HashMap<String, Millis>>,
    /// The same for app sessions, of apps that limit how long somebody stays.
    seen_in_apps: Mutex<HashMap<String, Millis>>,
    /// When the store last answered.
    contact: AtomicI64,
    /// How long known sessions are served without the store.
    bound: Duration,
}

/// A new sign-in.
#[derive(Clone, Debug)]
pub struct Begin<'a> {
    pub user_id: &'a str,
    /// The flow that it came by.
    pub flow: &'a str,
    /// What was proven on the way.
    pub proven: Proven,
    /// The sign-in of this browser that it takes the place of.
    pub before: Option<&'a SignIn>,
    pub idle: Duration,
    pub absolute: Duration,
    pub address: &'a str,
    pub agent: &'a str,
}

/// Why a session could not be looked up or changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Randomness(#[from] crate::ids::NoRandomness),
    #[error("the account of the session is gone")]
    NoAccount,
}

impl Sessions {
    #[must_use]
    pub fn new(store: Store, key: Arc<MasterKey>, clock: Clock, rng: Rng, bound: Duration) -> Self {
        let contact = AtomicI64::new(clock.now().0);
        Self {
            store,
            key,
            clock,
            rng,
            accounts: RwLock::default(),
            refreshes: AtomicU64::new(0),
            sign_ins: Shards::default(),
            app_sessions: Shards::default(),
            seen: Mutex::default(),
            seen_in_apps: Mutex::default(),
            contact,
            bound,
        }
    }

    /// The digest under which a token is known.
    #[must_use]
    pub fn digest(&self, token: &str) -> TokenDigest {
        self.key.digest(token.as_bytes())
    }

    /// Whether what is known may still be answered from: the store was there not long ago.
    #[must_use]
    pub fn in_contact(&self) -> bool {
        let last = Millis(self.contact.load(Ordering::Relaxed));
        self.clock.now().since(last) <= self.bound
    }

    /// Asks the store for a sign of life and remembers it.
    ///
    /// # Errors
    /// If it gives none.
    pub async fn keep_contact(&self) -> Result<(), StoreError> {
        self.store.ping().await?;
        self.contact.store(self.clock.now().0, Ordering::Relaxed);
        Ok(())
    }

    /// The live sign-in of a token.
    ///
    /// # Errors
    /// If it is not known here and the store cannot be asked.
    pub async fn find_sign_in(&self, token: &str) -> Result<Option<Arc<SignIn>>, SessionError> {
        let digest = self.digest(token);
        let known = match self.sign_ins.get(&digest) {
            Some(known) => Some(known),
            None => {
                let row = self.store.read().await?.find_session(&digest, self.clock.now()).await?;
                match row {
                    Some(row) => Some(self.remember_sign_in(row).await?),
                    None => None,
                }
            }
        };
        Ok(known.filter(|sign_in| sign_in.is_live(self.clock.now())))
    }

    /// The app session of a digest, if it is known here and lives; never asks the store.
    #[must_use]
    pub fn known_app_session(&self, digest: &TokenDigest, now: Millis) -> Option<Arc<AppSession>> {
        self.app_sessions.get(digest).filter(|session| session.is_live(now))
    }

    /// The live app session of a digest.
    ///
    /// # Errors
    /// If it is not known here and the store cannot be asked.
    pub async fn find_app_session(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<Arc<AppSession>>, SessionError> {
        let now = self.clock.now();
        if let Some(known) = self.app_sessions.get(digest) {
            return Ok(Some(known).filter(|session| session.is_live(now)));
        }
        let found = self.store.read().await?.find_app_session(digest, now).await?;
        let Some((row, parent)) = found else { return Ok(None) };
        let parent = match self.sign_ins.get(&parent.digest) {
            Some(known) => known,
            None => self.remember_sign_in(parent).await?,
        };
        let session = Arc::new(AppSession::new(row, parent));
        let session = self.app_sessions.keep(*digest, session);
        Ok(Some(session).filter(|session| session.is_live(now)))
    }

    /// Begins a session in place of the one before and gives the token for the browser's cookie.
    /// Flows that the same person went through with the one before go on counting.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn begin(&self, tx: &mut Tx, begin: Begin<'_>) -> Result<String, SessionError> {
        let now = self.clock.now();
        let ends = now.plus(begin.absolute);
        let same = begin.before.filter(|before| before.account.id() == begin.user_id);
        let mut flows = same.map(|before| before.flows.clone()).unwrap_or_default();
        flows.retain(|_, until| now < *until);
        flows.insert(begin.flow.to_owned(), ends);
        let before = same.map(|before| before.proven.clone()).unwrap_or_default();
        let token = self.rng.token()?;
        let digest = self.digest(&token);
        let id = self.rng.id("ses", now)?;
        let session = NewSession {
            id: &id,
            digest: &digest,
            user_id: begin.user_id,
            expires_at: ends,
            idle: begin.idle,
            address: begin.address,
            agent: begin.agent,
            flows: &flows,
            proofs: &before.with(begin.proven),
        };
        if let Some(before) = begin.before {
            tx.end_session(&before.id, now).await?;
        }
        tx.insert_session(session, now).await?;
        Ok(token)
    }

    /// Adds what was proven to a sign-in, which gets a new token: the old one is worth nothing.
    /// `None` if it has ended. What is known of it here has to be forgotten after the commit.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn confirm(
        &self,
        tx: &mut Tx,
        sign_in: &SignIn,
        proven: Proven,
    ) -> Result<Option<String>, SessionError> {
        let token = self.rng.token()?;
        let now_known = sign_in.proven.clone().with(proven);
        let stands = tx.rotate_session(&sign_in.id, &self.digest(&token)).await?
            && tx.put_proofs(&sign_in.id, &now_known).await?;
        Ok(stands.then_some(token))
    }

    /// Takes a sign-in to an app: a token of its own for the cookie on the app's host.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn enter_app(
        &self,
        session_id: &str,
        app_uid: &str,
        host: &str,
    ) -> Result<Option<String>, SessionError> {
        let now = self.clock.now();
        let token = self.rng.token()?;
        let digest = self.digest(&token);
        let id = self.rng.id("aps", now)?;
        let mut tx = self.store.begin().await?;
        let session = NewAppSession { id: &id, digest: &digest, session_id, app_uid, host };
        let entered = tx.insert_app_session(session, now).await?;
        tx.commit().await?;
        Ok(entered.then_some(token))
    }

    /// Ends a sign-in and every app session under it.
    ///
    /// # Errors
    /// If the store cannot be told; then it goes on.
    pub async fn end(&self, sign_in: &SignIn) -> Result<(), SessionError> {
        let mut tx = self.store.begin().await?;
        tx.end_session(&sign_in.id, self.clock.now()).await?;
        tx.commit().await?;
        sign_in.end();
        Ok(())
    }

    /// Ends all sessions of a person but the one to keep.
    ///
    /// # Errors
    /// If the store cannot be told; then they go on.
    pub async fn end_others(&self, user_id: &str, keep: &str) -> Result<(), SessionError> {
        let mut tx = self.store.begin().await?;
        let ended = tx.end_sessions_except(user_id, keep, self.clock.now()).await?;
        tx.commit().await?;
        self.forget(&ended);
        Ok(())
    }

    /// Drops sessions that ended elsewhere: in a reconcile or on another node.
    pub fn forget(&self, ids: &[String]) {
        if !ids.is_empty() {
            self.sign_ins.each(|sign_in| {
                if ids.contains(&sign_in.id) {
                    sign_in.end();
                }
            });
        }
    }

    /// Drops what another process has ended since `since`: a node beside this one, or a command.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn follow_endings(&self, since: Millis) -> Result<(), StoreError> {
        let ended = self.store.read().await?.list_sessions_ended_since(since).await?;
        self.forget(&ended);
        let ended = self.store.read().await?.list_app_sessions_ended_since(since).await?;
        self.forget_app_sessions(&ended);
        Ok(())
    }

    /// Reads accounts again that a command or another node has changed.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn follow_accounts(&self, since: Millis) -> Result<(), StoreError> {
        let changed = self.store.read().await?.list_accounts_changed_since(since).await?;
        for user_id in changed {
            match self.refresh_account(&user_id).await {
                Ok(()) | Err(SessionError::NoAccount | SessionError::Randomness(_)) => {}
                Err(SessionError::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Drops app sessions that ended elsewhere, as those of a removed app.
    pub fn forget_app_sessions(&self, ids: &[String]) {
        if !ids.is_empty() {
            self.app_sessions.retain(|session| !ids.contains(&session.id));
        }
    }

    /// Notes that a session is in use; written to the store in batches.
    pub fn touch(&self, sign_in: &SignIn, now: Millis) {
        if sign_in.touch(now, SEEN_EVERY) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(sign_in.id.clone(), now);
        }
    }

    /// Notes that an app is in use by somebody whom it keeps for so long and no longer.
    pub fn touch_in_app(&self, session: &AppSession, now: Millis) {
        if session.touch(now, SEEN_EVERY) {
            let mut seen = self.seen_in_apps.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(session.id.clone(), now);
        }
    }

    /// Writes down which sessions were seen, and drops those that are over.
    ///
    /// # Errors
    /// If the store cannot be told; the next call tries again.
    pub async fn flush(&self) -> Result<(), SessionError> {
        let now = self.clock.now();
        self.sign_ins.retain(|sign_in| sign_in.is_live(now));
        self.app_sessions.retain(|session| session.is_live(now));
        let (seen, in_apps) = (noted(&self.seen), noted(&self.seen_in_apps));
        if seen.is_empty() && in_apps.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        tx.touch_sessions(&seen).await?;
        tx.touch_app_sessions(&in_apps).await?;
        tx.commit().await?;
        strike(&self.seen, &seen);
        strike(&self.seen_in_apps, &in_apps);
        Ok(())
    }

    /// Reads every known account again: after a reconcile, or a change to people.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn refresh_accounts(&self) -> Result<(), SessionError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        let known: Vec<Arc<Account>> = {
            let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
            accounts.values().cloned().collect()
        };
        for account in known {
            match self.read_profile(account.id()).await {
                Ok(profile) => account.replace(profile),
                Err(SessionError::NoAccount) => account.close(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads one account again; one that is gone is closed.
    ///
    /// # Errors
    /// If the store cannot be asked or has no such account.
    pub async fn refresh_account(&self, user_id: &str) -> Result<(), SessionError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        let profile = self.read_profile(user_id).await;
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let known = accounts.get(user_id);
        match (profile, known) {
            (Ok(profile), Some(account)) => account.replace(profile),
            (Ok(_), None) => {}
            (Err(SessionError::NoAccount), known) => {
                known.into_iter().for_each(|account| account.close());
                return Err(SessionError::NoAccount);
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }

    /// How many sign-ins and app sessions are held in memory.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.sign_ins.len(), self.app_sessions.len())
    }

    async fn remember_sign_in(&self, row: store::Session) -> Result<Arc<SignIn>, SessionError> {
        let account = self.account(&row.user_id).await?;
        let digest = row.digest;
        let sign_in = Arc::new(SignIn::new(row, account));
        Ok(self.sign_ins.keep(digest, sign_in))
    }

    /// The account of a user, one for all sessions.
    ///
    /// # Errors
    /// If the store cannot be asked or has no such account.
    pub async fn account(&self, user_id: &str) -> Result<Arc<Account>, SessionError> {
        loop {
            let known = {
                let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
                accounts.get(user_id).cloned()
            };
            if let Some(account) = known {
                return Ok(account);
            }
            let refreshes = self.refreshes.load(Ordering::SeqCst);
            let profile = self.read_profile(user_id).await?;
            let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
            if self.refreshes.load(Ordering::SeqCst) == refreshes {
                let account = accounts.entry(user_id.to_owned());
                return Ok(Arc::clone(account.or_insert_with(|| Arc::new(Account::new(profile)))));
            }
        }
    }

    async fn read_profile(&self, user_id: &str) -> Result<Profile, SessionError> {
        let read = self.store.read().await?;
        let user = read.find_user(user_id).await?.ok_or(SessionError::NoAccount)?;
        let memberships = read.list_memberships_of(user_id).await?;
        let connections = read.list_connections_of(user_id).await?;
        Ok(Profile::new(user, memberships, connections))
    }
}

/// What was noted and is not written down yet.
fn noted(seen: &Mutex<HashMap<String, Millis>>) -> Vec<(String, Millis)> {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.iter().map(|(id, at)| (id.clone(), *at)).collect()
}

/// Strikes out what was written down, unless it was seen again meanwhile.
fn strike(seen: &Mutex<HashMap<String, Millis>>, written: &[(String, Millis)]) {
    let mut left = seen.lock().unwrap_or_else(PoisonError::into_inner);
    left.retain(|id, at| !written.iter().any(|(done, when)| done == id && when == at));
}
