//! Counters of failed attempts, shared by all nodes (security.md 17).
//!
//! The caller makes the key from resolved account and address; this module does not read it.

use std::time::Duration;

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// How often something failed under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    pub key: String,
    pub failures: u64,
    /// The first failure of the present window.
    pub first_at: Millis,
    pub last_at: Millis,
    pub blocked_until: Option<Millis>,
    /// How often it was blocked, none of it longer than a day after the failure before.
    pub blocks: u32,
}

/// Without a failure for so long, earlier blocks are forgotten.
const QUIET: Duration = Duration::from_secs(24 * 60 * 60);

impl Attempts {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("attempts", "key");
        Ok(Self {
            key: row.text("key")?,
            failures: row.count("failures")?,
            first_at: row.time("first_at")?,
            last_at: row.time("last_at")?,
            blocked_until: row.opt_time("blocked_until")?,
            blocks: u32::try_from(row.count("blocks")?).unwrap_or(u32::MAX),
        })
    }
}

impl Read {
    pub async fn find_attempts(&self, key: &str) -> Result<Option<Attempts>> {
        let row = self.one("SELECT * FROM attempts WHERE key = $1", vec![key.into()]).await?;
        row.as_ref().map(Attempts::from_row).transpose()
    }
}

impl Tx {
    /// Counts one more failure; a window that began more than `window` ago starts anew.
    pub async fn count_failure(
        &mut self,
        key: &str,
        now: Millis,
        window: Duration,
    ) -> Result<Attempts> {
        let sql = "INSERT INTO attempts (key, failures, first_at, last_at) \
            VALUES ($1, 1, $2, $2) ON CONFLICT (key) DO UPDATE SET \
            failures = CASE WHEN attempts.first_at <= $3 THEN 1 ELSE attempts.failures + 1 END, \
            first_at = CASE WHEN attempts.first_at <= $3 THEN excluded.first_at \
            ELSE attempts.first_at END, \
            blocks = CASE WHEN attempts.last_at <= $4 THEN 0 ELSE attempts.blocks END, \
            last_at = excluded.last_at RETURNING *";
        let long_ago = now.minus(QUIET);
        let values = vec![key.into(), now.into(), now.minus(window).into(), long_ago.into()];
        Attempts::from_row(&self.get(sql, values).await?)
    }

    /// Blocks a key that has failures; a longer block stays.
    pub async fn block_attempts(&mut self, key: &str, until: Millis) -> Result<bool> {
        let sql = "UPDATE attempts SET blocked_until = $2, blocks = blocks + 1 \
            WHERE key = $1 AND (blocked_until IS NULL OR blocked_until < $2)";
        self.change_one(sql, vec![key.into(), until.into()]).await
    }

    /// Takes one failure back that turned out to be none, and the block that it may have led to.
    pub async fn take_back_failure(&mut self, key: &str) -> Result<bool> {
        let sql = "UPDATE attempts SET failures = failures - 1, \
            blocks = CASE WHEN blocked_until IS NULL THEN blocks ELSE blocks - 1 END, \
            blocked_until = NULL WHERE key = $1 AND failures > 0";
        self.change_one(sql, vec![key.into()]).await
    }

    /// Forgets the failures of a key, as after a success.
    pub async fn clear_attempts(&mut self, key: &str) -> Result<bool> {
        self.change_one("DELETE FROM attempts WHERE key = $1", vec![key.into()]).await
    }

    /// Deletes counters last used before `before` that block nobody then.
    pub async fn purge_attempts(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE last_at < $1 \
            AND (blocked_until IS NULL OR blocked_until < $1) ORDER BY last_at LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
