//! Browsers that people signed in with, and the factors that were proven there.

use std::collections::BTreeMap;

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::model::factor::Factor;
use crate::secret::TokenDigest;

/// Factors, each with the time of its last proof.
pub type ProofTimes = BTreeMap<Factor, Millis>;

/// A browser as one person uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    pub digest: TokenDigest,
    pub user_id: String,
    /// What it remembers, if the person let it.
    pub proofs: ProofTimes,
    pub created_at: Millis,
    pub seen_at: Millis,
    pub address: String,
    pub agent: String,
}

impl Browser {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("browsers", "user_id");
        Ok(Self {
            digest: row.digest("digest")?,
            user_id: row.text("user_id")?,
            proofs: row.json("proofs")?,
            created_at: row.time("created_at")?,
            seen_at: row.time("seen_at")?,
            address: row.text("address")?,
            agent: row.text("agent")?,
        })
    }
}

impl Read {
    /// A browser as this person uses it.
    pub async fn find_browser(
        &self,
        digest: &TokenDigest,
        user_id: &str,
    ) -> Result<Option<Browser>> {
        let sql = "SELECT * FROM browsers WHERE digest = $1 AND user_id = $2";
        let row = self.one(sql, vec![digest.into(), user_id.into()]).await?;
        row.as_ref().map(Browser::from_row).transpose()
    }

    /// Every browser of a person, the last one used first.
    pub async fn list_browsers_of(&self, user_id: &str) -> Result<Vec<Browser>> {
        let sql = "SELECT * FROM browsers WHERE user_id = $1 ORDER BY seen_at DESC, digest";
        self.rows(sql, vec![user_id.into()]).await?.iter().map(Browser::from_row).collect()
    }
}

impl Tx {
    /// Notes that a person signed in with a browser, and what it remembers from now on.
    pub async fn put_browser(&mut self, browser: &Browser) -> Result<()> {
        let sql = "INSERT INTO browsers \
            (digest, user_id, proofs, created_at, seen_at, address, agent) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest, user_id) DO UPDATE SET \
            proofs = excluded.proofs, seen_at = excluded.seen_at, address = excluded.address, \
            agent = excluded.agent";
        let values = vec![
            (&browser.digest).into(),
            (&browser.user_id).into(),
            Value::json(&browser.proofs)?,
            browser.created_at.into(),
            browser.seen_at.into(),
            (&browser.address).into(),
            (&browser.agent).into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// No browser of a person remembers a proof any longer (`security.md` R9).
    pub async fn forget_proofs_of(&mut self, user_id: &str) -> Result<u64> {
        let sql = "UPDATE browsers SET proofs = '{}' WHERE user_id = $1";
        self.change(sql, vec![user_id.into()]).await
    }

    /// Deletes browsers last seen before `before`.
    pub async fn purge_browsers(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM browsers WHERE (digest, user_id) IN \
            (SELECT digest, user_id FROM browsers WHERE seen_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
