//! Deletes what has had its time, in small transactions so that nobody waits long.

use std::time::Duration;

use super::error::Result;
use super::{Object, Store};
use crate::clock::Millis;

/// How long things are kept once they are over.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub tombstones: Duration,
    pub events: Duration,
    /// Ended sessions and tokens, retired secrets and idle counters.
    pub ended: Duration,
    /// Browsers that nobody signed in with: as long as a cookie may live.
    pub browsers: Duration,
    /// Used or expired tickets and links. Flows that ran out are worth nothing at once.
    pub expired: Duration,
    /// Mail that was given up.
    pub given_up: Duration,
    /// Generations, besides the one in force.
    pub generations: i64,
    /// Rows deleted at most in one transaction.
    pub batch: i64,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self {
            tombstones: days(30),
            events: days(365),
            ended: days(30),
            browsers: days(400),
            expired: days(1),
            given_up: days(7),
            generations: 50,
            batch: 500,
        }
    }
}

/// What one clean-up deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Purged for good; each is worth an event.
    pub objects: Vec<Object>,
    pub sessions: u64,
    pub app_sessions: u64,
    pub tokens: u64,
    pub tickets: u64,
    pub flow_states: u64,
    pub links: u64,
    pub secrets: u64,
    pub generations: u64,
    pub events: u64,
    pub attempts: u64,
    pub reputation: u64,
    pub once: u64,
    pub invitations: u64,
    /// Mail that was given up.
    pub mail: u64,
    pub browsers: u64,
    pub consents: u64,
    pub grants: u64,
    /// Codes and tokens of apps.
    pub issued: u64,
}

impl Store {
    /// Deletes one batch of each kind; what is left goes next time.
    ///
    /// # Errors
    /// If the store fails; what was deleted before stays deleted.
    pub async fn clean_up(&self, keep: &Retention, now: Millis) -> Result<Cleaned> {
        let mut cleaned = Cleaned::default();
        self.clean_up_sessions(keep, now, &mut cleaned).await?;
        self.clean_up_expired(keep, now, &mut cleaned).await?;
        self.clean_up_history(keep, now, &mut cleaned).await?;
        Ok(cleaned)
    }

    async fn clean_up_sessions(
        &self,
        keep: &Retention,
        now: Millis,
        cleaned: &mut Cleaned,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        cleaned.app_sessions = tx.purge_app_sessions(now.minus(keep.ended), keep.batch).await?;
        cleaned.sessions = tx.purge_sessions(now.minus(keep.ended), keep.batch).await?;
        cleaned.browsers = tx.purge_browsers(now.minus(keep.browsers), keep.batch).await?;
        cleaned.tokens = tx.purge_tokens(now.minus(keep.ended), keep.batch).await?;
        cleaned.grants = tx.purge_grants(now.minus(keep.ended), keep.batch).await?;
        tx.commit().await
    }

    async fn clean_up_expired(
        &self,
        keep: &Retention,
        now: Millis,
        cleaned: &mut Cleaned,
    ) -> Result<()> {
        let before = now.minus(keep.expired);
        let mut tx = self.begin().await?;
        cleaned.tickets = tx.purge_tickets(before, keep.batch).await?;
        cleaned.flow_states = tx.purge_flow_states(now, keep.batch).await?;
        cleaned.links = tx.purge_links(before, keep.batch).await?;
        cleaned.invitations = tx.purge_invitations(now.minus(keep.ended), keep.batch).await?;
        cleaned.issued = tx.purge_issued(before, keep.batch).await?;
        cleaned.once = tx.purge_once(now, keep.batch).await?;
        cleaned.consents = tx.purge_consents(now, keep.batch).await?;
        cleaned.mail = tx.purge_given_up(now.minus(keep.given_up), keep.batch).await?;
        cleaned.attempts = tx.purge_attempts(now.minus(keep.ended), keep.batch).await?;
        cleaned.reputation = tx.purge_reputation(now, keep.batch).await?;
        tx.commit().await
    }

    async fn clean_up_history(
        &self,
        keep: &Retention,
        now: Millis,
        cleaned: &mut Cleaned,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        cleaned.objects = tx.purge_tombstones(now.minus(keep.tombstones), keep.batch).await?;
        cleaned.secrets = tx.purge_secrets(now.minus(keep.ended), keep.batch).await?;
        cleaned.generations = tx.purge_generations(keep.generations, keep.batch).await?;
        cleaned.events = tx.purge_events(now.minus(keep.events), keep.batch).await?;
        tx.commit().await
    }
}
