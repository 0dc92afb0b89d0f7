//! Keys that tokens are signed with, sealed before they come here.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::jose::Algorithm;

/// A sealed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    pub algorithm: Algorithm,
    /// 1 for the first of its algorithm, one more with each rotation.
    pub number: i64,
    pub sealed: Vec<u8>,
    pub created_at: Millis,
    /// Until then it is published and does not sign, so that everybody knows it in time.
    pub signs_from: Millis,
}

impl SigningKey {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("signing_keys", "algorithm");
        Ok(Self {
            algorithm: row.word("algorithm", Algorithm::from_word)?,
            number: row.int("number")?,
            sealed: row.bytes("sealed")?,
            created_at: row.time("created_at")?,
            signs_from: row.time("signs_from")?,
        })
    }
}

impl Read {
    /// Every key that is kept, by algorithm and then by age.
    pub async fn list_signing_keys(&self) -> Result<Vec<SigningKey>> {
        let sql = "SELECT * FROM signing_keys ORDER BY algorithm, number";
        self.rows(sql, vec![]).await?.iter().map(SigningKey::from_row).collect()
    }
}

impl Tx {
    /// Keeps a key. False if another node was faster and made this one.
    pub async fn insert_signing_key(&mut self, key: &SigningKey) -> Result<bool> {
        let sql = "INSERT INTO signing_keys (algorithm, number, sealed, created_at, signs_from) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (algorithm, number) DO NOTHING";
        let values = vec![
            key.algorithm.word().into(),
            key.number.into(),
            key.sealed.as_slice().into(),
            key.created_at.into(),
            key.signs_from.into(),
        ];
        self.change_one(sql, values).await
    }

    /// Forgets a key: nothing that it signed is believed any more.
    pub async fn delete_signing_key(&mut self, algorithm: Algorithm, number: i64) -> Result<bool> {
        let sql = "DELETE FROM signing_keys WHERE algorithm = $1 AND number = $2";
        self.change_one(sql, vec![algorithm.word().into(), number.into()]).await
    }
}
