//! What may be used once.

use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

impl Read {
    /// Whether something was used up.
    pub async fn is_used(&self, digest: &TokenDigest) -> Result<bool> {
        let sql = "SELECT digest FROM once WHERE digest = $1";
        Ok(self.one(sql, vec![digest.into()]).await?.is_some())
    }
}

impl Tx {
    /// Uses something up that means nothing after `expires_at`. False if it was used before.
    pub async fn use_once(&mut self, digest: &TokenDigest, expires_at: Millis) -> Result<bool> {
        let sql = "INSERT INTO once (digest, expires_at) VALUES ($1, $2) \
            ON CONFLICT (digest) DO NOTHING";
        self.change_one(sql, vec![digest.into(), expires_at.into()]).await
    }

    /// Deletes what has run out.
    pub async fn purge_once(&mut self, now: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM once WHERE digest IN \
            (SELECT digest FROM once WHERE expires_at < $1 LIMIT $2)";
        self.change(sql, vec![now.into(), limit.into()]).await
    }
}
