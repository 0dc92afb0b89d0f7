//! One-time links, such as the one to set a first password. Looking at one consumes nothing.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// A one-time link for one person and purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub digest: TokenDigest,
    pub user_id: String,
    pub purpose: String,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub used_at: Option<Millis>,
}

impl Link {
    /// Whether it may still be used.
    #[must_use]
    pub fn is_usable(&self, now: Millis) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("links", "digest");
        Ok(Self {
            digest: row.digest("digest")?,
            user_id: row.text("user_id")?,
            purpose: row.text("purpose")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            used_at: row.opt_time("used_at")?,
        })
    }
}

impl Read {
    /// Everybody who has a usable link.
    pub async fn list_users_with_links(&self, now: Millis) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT user_id FROM links WHERE used_at IS NULL AND expires_at > $1";
        let rows = self.rows(sql, vec![now.into()]).await?;
        rows.iter().map(|row| row.of("links", "user_id").text("user_id")).collect()
    }

    /// A link, usable or not, without using it.
    pub async fn find_link(&self, digest: &TokenDigest, purpose: &str) -> Result<Option<Link>> {
        let sql = "SELECT * FROM links WHERE digest = $1 AND purpose = $2";
        let row = self.one(sql, vec![digest.into(), purpose.into()]).await?;
        row.as_ref().map(Link::from_row).transpose()
    }

    /// The usable link of a person; its text cannot be had again, only replaced.
    pub async fn find_link_of(
        &self,
        user_id: &str,
        purpose: &str,
        now: Millis,
    ) -> Result<Option<Link>> {
        let sql = "SELECT * FROM links WHERE user_id = $1 AND purpose = $2 \
            AND used_at IS NULL AND expires_at > $3";
        let row = self.one(sql, vec![user_id.into(), purpose.into(), now.into()]).await?;
        row.as_ref().map(Link::from_row).transpose()
    }
}

impl Tx {
    /// Makes `link` the only usable one of its person and purpose.
    pub async fn replace_link(&mut self, link: &Link) -> Result<()> {
        let sql = "INSERT INTO links (digest, user_id, purpose, created_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (user_id, purpose) WHERE used_at IS NULL \
            DO UPDATE SET digest = excluded.digest, created_at = excluded.created_at, \
            expires_at = excluded.expires_at";
        let values = vec![
            (&link.digest).into(),
            (&link.user_id).into(),
            (&link.purpose).into(),
            link.created_at.into(),
            link.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Uses a link up. `None` if it is unknown, used, expired or for another purpose.
    pub async fn consume_link(
        &mut self,
        digest: &TokenDigest,
        purpose: &str,
        now: Millis,
    ) -> Result<Option<Link>> {
        let sql = "UPDATE links SET used_at = $3 WHERE digest = $1 AND purpose = $2 \
            AND used_at IS NULL AND expires_at > $3 RETURNING *";
        let row = self.one(sql, vec![digest.into(), purpose.into(), now.into()]).await?;
        row.as_ref().map(Link::from_row).transpose()
    }

    pub async fn purge_links(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM links WHERE digest IN \
            (SELECT digest FROM links WHERE expires_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
