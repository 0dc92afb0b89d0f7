//! How accounts and addresses behaved of late, shared by all nodes (`security.md` 17).
//!
//! A row holds one moment: when everything will be forgiven. Each failure puts it off.

use std::time::Duration;

use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

impl Read {
    /// When the later of two keys will be forgiven everything, if there is anything to forgive.
    pub async fn find_clean_at(&self, one: &str, other: &str) -> Result<Option<Millis>> {
        let sql = "SELECT MAX(clean_at) AS clean_at FROM reputation WHERE key IN ($1, $2)";
        match self.one(sql, vec![one.into(), other.into()]).await? {
            Some(row) => row.of("reputation", "key").opt_time("clean_at"),
            None => Ok(None),
        }
    }
}

impl Tx {
    /// Puts forgiveness off by `each`, to `most` from now at the latest.
    pub async fn put_off_clean(
        &mut self,
        key: &str,
        now: Millis,
        each: Duration,
        most: Duration,
    ) -> Result<()> {
        let sql = "INSERT INTO reputation (key, clean_at) VALUES ($1, $2) \
            ON CONFLICT (key) DO UPDATE SET clean_at = CASE \
            WHEN reputation.clean_at < $3 THEN excluded.clean_at \
            WHEN reputation.clean_at > $4 THEN $5 \
            ELSE reputation.clean_at + $6 END";
        let latest = now.plus(most);
        let each_millis = i64::try_from(each.as_millis()).unwrap_or(i64::MAX);
        let values = vec![
            key.into(),
            now.plus(each).into(),
            now.into(),
            latest.minus(each).into(),
            latest.into(),
            each_millis.into(),
        ];
        self.change(sql, values).await.map(drop)
    }

    /// Takes one failure back that turned out to be none.
    pub async fn bring_clean_forward(&mut self, key: &str, each: Duration) -> Result<()> {
        let sql = "UPDATE reputation SET clean_at = clean_at - $2 WHERE key = $1";
        let each_millis = i64::try_from(each.as_millis()).unwrap_or(i64::MAX);
        self.change(sql, vec![key.into(), each_millis.into()]).await.map(drop)
    }

    /// Deletes those that have nothing left to be forgiven.
    pub async fn purge_reputation(&mut self, now: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM reputation WHERE key IN \
            (SELECT key FROM reputation WHERE clean_at < $1 LIMIT $2)";
        self.change(sql, vec![now.into(), limit.into()]).await
    }
}
