//! The set of files that waits for a confirmation, so that `status` can say why.

use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// A held set of blueprint files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub source_digest: String,
    pub reasons: serde_json::Value,
    pub at: Millis,
}

impl Read {
    pub async fn find_held(&self) -> Result<Option<Held>> {
        let Some(row) = self.one("SELECT * FROM held", vec![]).await? else { return Ok(None) };
        let row = row.of("held", "one");
        Ok(Some(Held {
            source_digest: row.text("source_digest")?,
            reasons: row.json("reasons")?,
            at: row.time("at")?,
        }))
    }
}

impl Tx {
    pub async fn put_held(&mut self, held: &Held) -> Result<()> {
        let sql = "INSERT INTO held (one, source_digest, reasons, at) VALUES (1, $1, $2, $3) \
            ON CONFLICT (one) DO UPDATE SET source_digest = excluded.source_digest, \
            reasons = excluded.reasons, at = excluded.at";
        let values =
            vec![(&held.source_digest).into(), Value::json(&held.reasons)?, held.at.into()];
        self.change(sql, values).await.map(|_| ())
    }

    /// False if nothing was held.
    pub async fn clear_held(&mut self) -> Result<bool> {
        self.change_one("DELETE FROM held", vec![]).await
    }
}
