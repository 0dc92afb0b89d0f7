//! Recovery codes: keyed digests, each good once.

use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

impl Read {
    /// How many of a person's codes are left.
    pub async fn count_recovery_codes_of(&self, user_id: &str) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS count FROM recovery_codes \
            WHERE user_id = $1 AND used_at IS NULL";
        let row = self.get(sql, vec![user_id.into()]).await?;
        row.of("recovery_codes", "user_id").count("count")
    }
}

impl Tx {
    /// Replaces all codes of a person.
    pub async fn put_recovery_codes(
        &mut self,
        user_id: &str,
        digests: &[TokenDigest],
        now: Millis,
    ) -> Result<()> {
        self.delete_recovery_codes_of(user_id).await?;
        for digest in digests {
            let sql = "INSERT INTO recovery_codes (user_id, digest, created_at) \
                VALUES ($1, $2, $3)";
            self.change(sql, vec![user_id.into(), digest.into(), now.into()]).await?;
        }
        Ok(())
    }

    /// Uses a code up. False if there is no such one left.
    pub async fn use_recovery_code(
        &mut self,
        user_id: &str,
        digest: &TokenDigest,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE recovery_codes SET used_at = $3 \
            WHERE user_id = $1 AND digest = $2 AND used_at IS NULL";
        self.change_one(sql, vec![user_id.into(), digest.into(), now.into()]).await
    }

    pub async fn delete_recovery_codes_of(&mut self, user_id: &str) -> Result<u64> {
        let sql = "DELETE FROM recovery_codes WHERE user_id = $1";
        self.change(sql, vec![user_id.into()]).await
    }
}
