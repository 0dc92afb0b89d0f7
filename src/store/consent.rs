//! What people let apps know, and the terms that they agreed to.

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// What a person lets an app know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub user_id: String,
    pub app_uid: String,
    /// In words, such as `email`.
    pub shares: Vec<String>,
    /// The only sign-in that it is good in, if there is one.
    pub session_id: Option<String>,
    pub given_at: Millis,
    pub expires_at: Millis,
}

/// Terms in one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub file: String,
    pub version: String,
}

impl Consent {
    /// Whether it covers all of `shares`, in this sign-in and at this moment.
    #[must_use]
    pub fn covers(&self, shares: &[&str], session_id: &str, now: Millis) -> bool {
        now < self.expires_at
            && self.session_id.as_deref().is_none_or(|only| only == session_id)
            && shares.iter().all(|share| self.shares.iter().any(|known| known == share))
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("consents", "user_id");
        Ok(Self {
            user_id: row.text("user_id")?,
            app_uid: row.text("app_uid")?,
            shares: row.json("shares")?,
            session_id: row.opt_text("session_id")?,
            given_at: row.time("given_at")?,
            expires_at: row.time("expires_at")?,
        })
    }
}

impl Read {
    pub async fn find_consent(&self, user_id: &str, app_uid: &str) -> Result<Option<Consent>> {
        let sql = "SELECT * FROM consents WHERE user_id = $1 AND app_uid = $2";
        let row = self.one(sql, vec![user_id.into(), app_uid.into()]).await?;
        row.as_ref().map(Consent::from_row).transpose()
    }

    /// What a person lets apps know, the newest first.
    pub async fn list_consents_of(&self, user_id: &str, now: Millis) -> Result<Vec<Consent>> {
        let sql = "SELECT * FROM consents WHERE user_id = $1 AND expires_at > $2 \
            ORDER BY given_at DESC, app_uid";
        let rows = self.rows(sql, vec![user_id.into(), now.into()]).await?;
        rows.iter().map(Consent::from_row).collect()
    }

    /// The terms that a person agreed to.
    pub async fn list_agreements_of(&self, user_id: &str) -> Result<Vec<Terms>> {
        let sql = "SELECT terms, version FROM agreements WHERE user_id = $1";
        let terms = |row: &Row| {
            let row = row.of("agreements", "terms");
            Ok(Terms { file: row.text("terms")?, version: row.text("version")? })
        };
        self.rows(sql, vec![user_id.into()]).await?.iter().map(terms).collect()
    }
}

impl Tx {
    /// Keeps a consent in place of the one before.
    pub async fn put_consent(&mut self, consent: &Consent) -> Result<()> {
        let sql = "INSERT INTO consents \
            (user_id, app_uid, shares, session_id, given_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, app_uid) DO UPDATE SET \
            shares = excluded.shares, session_id = excluded.session_id, \
            given_at = excluded.given_at, expires_at = excluded.expires_at";
        let values = vec![
            (&consent.user_id).into(),
            (&consent.app_uid).into(),
            Value::json(&consent.shares)?,
            consent.session_id.as_ref().into(),
            consent.given_at.into(),
            consent.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Takes a consent back. False if there was none.
    pub async fn delete_consent(&mut self, user_id: &str, app_uid: &str) -> Result<bool> {
        let sql = "DELETE FROM consents WHERE user_id = $1 AND app_uid = $2";
        self.change_one(sql, vec![user_id.into(), app_uid.into()]).await
    }

    pub async fn put_agreement(&mut self, user_id: &str, terms: &Terms, now: Millis) -> Result<()> {
        let sql = "INSERT INTO agreements (user_id, terms, version, agreed_at) \
            VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, terms, version) DO NOTHING";
        let values =
            vec![user_id.into(), (&terms.file).into(), (&terms.version).into(), now.into()];
        self.change(sql, values).await.map(|_| ())
    }

    /// Deletes consents that ran out.
    pub async fn purge_consents(&mut self, now: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM consents WHERE (user_id, app_uid) IN \
            (SELECT user_id, app_uid FROM consents WHERE expires_at < $1 LIMIT $2)";
        self.change(sql, vec![now.into(), limit.into()]).await
    }
}
