//! What devices without a keyboard asked for (RFC 8628).

use std::time::Duration;

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// What a device asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    pub digest: TokenDigest,
    /// The digest of what a person types.
    pub user_code: TokenDigest,
    pub app_uid: String,
    pub scopes: Vec<String>,
    /// Where the device asked from.
    pub address: String,
    pub created_at: Millis,
    pub expires_at: Millis,
    /// When it last asked whether somebody agreed.
    pub asked_at: Millis,
    /// How long it has to wait before it asks again.
    pub wait: Duration,
    /// What somebody agreed to.
    pub grant_id: Option<String>,
    pub refused_at: Option<Millis>,
    pub used_at: Option<Millis>,
}

impl DeviceCode {
    /// Whether somebody may still agree or refuse.
    #[must_use]
    pub fn is_open(&self, now: Millis) -> bool {
        self.grant_id.is_none() && self.refused_at.is_none() && now < self.expires_at
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("device_codes", "app_uid");
        let wait = u64::try_from(row.int("wait_ms")?).map_err(|_| row.corrupt("wait_ms"))?;
        Ok(Self {
            digest: row.digest("digest")?,
            user_code: row.digest("user_code")?,
            app_uid: row.text("app_uid")?,
            scopes: row.json("scopes")?,
            address: row.text("address")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            asked_at: row.time("asked_at")?,
            wait: Duration::from_millis(wait),
            grant_id: row.opt_text("grant_id")?,
            refused_at: row.opt_time("refused_at")?,
            used_at: row.opt_time("used_at")?,
        })
    }
}

impl Read {
    pub async fn find_device_code(&self, digest: &TokenDigest) -> Result<Option<DeviceCode>> {
        let sql = "SELECT * FROM device_codes WHERE digest = $1";
        let row = self.one(sql, vec![digest.into()]).await?;
        row.as_ref().map(DeviceCode::from_row).transpose()
    }

    /// By what a person types.
    pub async fn find_typed_code(&self, user_code: &TokenDigest) -> Result<Option<DeviceCode>> {
        let sql = "SELECT * FROM device_codes WHERE user_code = $1";
        let row = self.one(sql, vec![user_code.into()]).await?;
        row.as_ref().map(DeviceCode::from_row).transpose()
    }

    /// How many codes an address was given that nobody has answered yet.
    pub async fn count_device_codes(&self, address: &str, now: Millis) -> Result<i64> {
        let sql = "SELECT COUNT(*) AS count FROM device_codes \
            WHERE address = $1 AND expires_at > $2 AND grant_id IS NULL AND refused_at IS NULL";
        let row = self.one(sql, vec![address.into(), now.into()]).await?;
        row.map_or(Ok(0), |row| row.of("device_codes", "app_uid").int("count"))
    }
}

impl Tx {
    /// Keeps what a device asked for. False if its code is another's at the moment.
    pub async fn insert_device_code(&mut self, code: &DeviceCode) -> Result<bool> {
        let sql = "INSERT INTO device_codes \
            (digest, user_code, app_uid, scopes, address, created_at, expires_at, asked_at, wait_ms) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (user_code) DO NOTHING";
        let wait = i64::try_from(code.wait.as_millis()).unwrap_or(i64::MAX);
        let values = vec![
            (&code.digest).into(),
            (&code.user_code).into(),
            (&code.app_uid).into(),
            Value::json(&code.scopes)?,
            (&code.address).into(),
            code.created_at.into(),
            code.expires_at.into(),
            code.asked_at.into(),
            wait.into(),
        ];
        self.change_one(sql, values).await
    }

    /// The device asked, and has to wait so long before it asks again.
    pub async fn note_device_asked(
        &mut self,
        digest: &TokenDigest,
        wait: Duration,
        now: Millis,
    ) -> Result<()> {
        let sql = "UPDATE device_codes SET asked_at = $2, wait_ms = $3 WHERE digest = $1";
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.change(sql, vec![digest.into(), now.into(), wait.into()]).await.map(|_| ())
    }

    /// Somebody agreed. False if it is over, or somebody answered before.
    pub async fn approve_device_code(
        &mut self,
        digest: &TokenDigest,
        grant_id: &str,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE device_codes SET grant_id = $2 WHERE digest = $1 \
            AND grant_id IS NULL AND refused_at IS NULL AND expires_at > $3";
        self.change_one(sql, vec![digest.into(), grant_id.into(), now.into()]).await
    }

    /// Somebody refused. False as for [`Tx::approve_device_code`].
    pub async fn refuse_device_code(&mut self, digest: &TokenDigest, now: Millis) -> Result<bool> {
        let sql = "UPDATE device_codes SET refused_at = $2 WHERE digest = $1 \
            AND grant_id IS NULL AND refused_at IS NULL AND expires_at > $2";
        self.change_one(sql, vec![digest.into(), now.into()]).await
    }

    /// Uses up what somebody agreed to. False if it was used before, or is over.
    pub async fn consume_device_code(&mut self, digest: &TokenDigest, now: Millis) -> Result<bool> {
        let sql = "UPDATE device_codes SET used_at = $2 WHERE digest = $1 \
            AND grant_id IS NOT NULL AND used_at IS NULL AND expires_at > $2";
        self.change_one(sql, vec![digest.into(), now.into()]).await
    }
}
