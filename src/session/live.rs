//! One sign-in, and one app session under it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::account::{Account, Profile};
use crate::access::person::Proofs;
use crate::clock::Millis;
use crate::store::{self, PassedFlows, Proven};

/// A sign-in on Doorward's own host.
#[derive(Debug)]
pub struct SignIn {
    pub id: String,
    pub account: Arc<Account>,
    pub created_at: Millis,
    pub proven: Proven,
    /// The factors among them, as rules ask for them.
    pub proofs: Proofs,
    pub flows: PassedFlows,
    expires_at: Millis,
    idle: Duration,
    seen_at: AtomicI64,
    ended: AtomicBool,
}

impl SignIn {
    pub(super) fn new(row: store::Session, account: Arc<Account>) -> Self {
        Self {
            id: row.id,
            account,
            created_at: row.created_at,
            proofs: row.proofs.factors.iter().map(|(factor, at)| (*factor, *at)).collect(),
            proven: row.proofs,
            flows: row.flows,
            expires_at: row.expires_at,
            idle: row.idle,
            seen_at: AtomicI64::new(row.seen_at.0),
            ended: AtomicBool::new(row.ended_at.is_some()),
        }
    }

    #[must_use]
    pub fn is_live(&self, now: Millis) -> bool {
        let seen = Millis(self.seen_at.load(Ordering::Relaxed));
        !self.ended.load(Ordering::Acquire) && now < self.expires_at && now < seen.plus(self.idle)
    }

    #[must_use]
    pub fn expires_at(&self) -> Millis {
        self.expires_at
    }

    /// The last time that its person showed who they are, by whatever.
    #[must_use]
    pub fn last_proof(&self) -> Option<Millis> {
        self.proven.factors.values().copied().chain(self.proven.first).max()
    }

    /// The end of a session that a browser keeps when it closes.
    #[must_use]
    pub fn stays_until(&self) -> Option<Millis> {
        let whole = self.expires_at.since(self.created_at);
        (self.idle >= whole).then_some(self.expires_at)
    }

    /// Whether it came by the flow of this name, not too long ago.
    #[must_use]
    pub fn passed(&self, flow: &str, now: Millis) -> bool {
        self.flows.get(flow).is_some_and(|until| now < *until)
    }

    /// Moves the moment it was last seen, and says whether that is worth writing down.
    pub(super) fn touch(&self, now: Millis, every: Duration) -> bool {
        let seen = self.seen_at.load(Ordering::Relaxed);
        if now.since(Millis(seen)) < every {
            return false;
        }
        let moved = Ordering::Relaxed;
        self.seen_at.compare_exchange(seen, now.0, moved, moved).is_ok()
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// What a sign-in is at one application's host.
#[derive(Debug)]
pub struct AppSession {
    pub id: String,
    pub app_uid: String,
    /// The host of the cookie, or the domain of a domain cookie.
    pub host: String,
    pub sign_in: Arc<SignIn>,
    created_at: Millis,
    seen_at: AtomicI64,
    /// The headers that the last answer bore, for as long as nothing about them changed.
    pub remembered: ArcSwapOption<Remembered>,
}

/// Identity headers and what they were made from.
#[derive(Debug)]
pub struct Remembered {
    pub epoch: u64,
    /// Where the address lies in the runtime of that epoch.
    pub address: usize,
    /// Kept alive, so that no other can come to lie in its place.
    pub profile: Arc<Profile>,
    pub headers: http::HeaderMap,
}

impl AppSession {
    pub(super) fn new(row: store::AppSession, sign_in: Arc<SignIn>) -> Self {
        Self {
            id: row.id,
            app_uid: row.app_uid,
            host: row.host,
            sign_in,
            created_at: row.created_at,
            seen_at: AtomicI64::new(row.seen_at.0),
            remembered: ArcSwapOption::empty(),
        }
    }

    /// Whether it may still be used where an app keeps people for so long and no longer.
    #[must_use]
    pub fn is_within(&self, idle: Duration, absolute: Duration, now: Millis) -> bool {
        let seen = Millis(self.seen_at.load(Ordering::Relaxed));
        now < seen.plus(idle) && now < self.created_at.plus(absolute)
    }

    /// Moves the moment it was last seen, and says whether that is worth writing down.
    pub(super) fn touch(&self, now: Millis, every: Duration) -> bool {
        let seen = self.seen_at.load(Ordering::Relaxed);
        if now.since(Millis(seen)) < every {
            return false;
        }
        let moved = Ordering::Relaxed;
        self.seen_at.compare_exchange(seen, now.0, moved, moved).is_ok()
    }

    #[must_use]
    pub fn is_live(&self, now: Millis) -> bool {
        self.sign_in.is_live(now)
    }
}
