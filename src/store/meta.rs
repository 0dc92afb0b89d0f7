//! Facts about the store itself.

use super::db::{Read, Tx};
use super::error::Result;

const KEY_FINGERPRINT: &str = "master-key";

/// Set once an administrator could sign in, and never taken back.
const HAD_ADMINISTRATOR: &str = "first-password-set";

/// How a master key compares with the one that the store was sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCheck {
    /// The store knew no key; it knows this one from now on.
    FirstUse,
    Fits,
    Differs,
}

impl Read {
    pub async fn find_meta(&self, key: &str) -> Result<Option<String>> {
        let row = self.one("SELECT key, value FROM meta WHERE key = $1", vec![key.into()]).await?;
        row.map(|row| row.of("meta", "key").text("value")).transpose()
    }

    /// Whether an administrator ever had a password here, even if that account is gone since.
    pub async fn had_administrator(&self) -> Result<bool> {
        Ok(self.find_meta(HAD_ADMINISTRATOR).await?.is_some())
    }
}

impl Tx {
    pub async fn put_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) \
            ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.change(sql, vec![key.into(), value.into()]).await.map(|_| ())
    }

    /// Notes that an administrator has a password, for good (`security.md` R17).
    pub async fn note_administrator(&mut self) -> Result<()> {
        self.put_meta(HAD_ADMINISTRATOR, "1").await
    }

    pub async fn delete_meta(&mut self, key: &str) -> Result<bool> {
        self.change_one("DELETE FROM meta WHERE key = $1", vec![key.into()]).await
    }

    /// Compares a key's fingerprint with the store's; the first one is remembered.
    pub async fn check_key(&mut self, fingerprint: &str) -> Result<KeyCheck> {
        let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        if self.change_one(sql, vec![KEY_FINGERPRINT.into(), fingerprint.into()]).await? {
            return Ok(KeyCheck::FirstUse);
        }
        let known = self.find_meta(KEY_FINGERPRINT).await?;
        Ok(if known.as_deref() == Some(fingerprint) { KeyCheck::Fits } else { KeyCheck::Differs })
    }
}
