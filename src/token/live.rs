//! One token that is worth something, with its person.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::clock::Millis;
use crate::model::scope::Scope;
use crate::session::Account;
use crate::session::live::Remembered;
use crate::store::{self, TokenKind};

/// Stands for a token that was never used.
const NEVER: i64 = i64::MIN;

/// A token as requests meet it.
#[derive(Debug)]
pub struct Live {
    pub id: String,
    pub kind: TokenKind,
    pub name: String,
    pub account: Arc<Account>,
    apps: Vec<String>,
    scopes: Vec<Scope>,
    expires_at: Option<Millis>,
    used_at: AtomicI64,
    ended: AtomicBool,
    /// The headers that the last answer bore, for as long as nothing about them changed.
    pub remembered: ArcSwapOption<Remembered>,
}

/// What a use of a token is worth noting as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    First,
    Later,
    /// Not long after the last one.
    Repeated,
}

impl Live {
    pub(super) fn new(row: store::Token, account: Arc<Account>) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name,
            account,
            apps: row.apps,
            scopes: row.scopes,
            expires_at: row.expires_at,
            used_at: AtomicI64::new(row.used_at.map_or(NEVER, |at| at.0)),
            ended: AtomicBool::new(row.revoked_at.is_some()),
            remembered: ArcSwapOption::empty(),
        }
    }

    #[must_use]
    pub fn is_live(&self, now: Millis) -> bool {
        !self.ended.load(Ordering::Acquire) && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it names this app.
    #[must_use]
    pub fn opens(&self, app_uid: &str) -> bool {
        self.apps.iter().any(|uid| uid == app_uid)
    }

    /// Whether it may do this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    pub(super) fn touch(&self, now: Millis, every: Duration) -> Use {
        let used = self.used_at.load(Ordering::Relaxed);
        if used != NEVER && now.since(Millis(used)) < every {
            return Use::Repeated;
        }
        let moved = Ordering::Relaxed;
        match self.used_at.compare_exchange(used, now.0, moved, moved) {
            Ok(NEVER) => Use::First,
            Ok(_) => Use::Later,
            Err(_) => Use::Repeated,
        }
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}
