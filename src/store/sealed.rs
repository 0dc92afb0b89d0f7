//! Generated secrets, sealed with the master key before they come here.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// A sealed secret of one field of one object.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub owner_uid: String,
    pub field: String,
    /// 1 for the first value, one more with each rotation.
    pub rotation: i64,
    pub sealed: Vec<u8>,
    pub created_at: Millis,
    pub retired_at: Option<Millis>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} {} #{})", self.owner_uid, self.field, self.rotation)
    }
}

impl Sealed {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("secrets", "owner_uid");
        Ok(Self {
            owner_uid: row.text("owner_uid")?,
            field: row.text("field")?,
            rotation: row.int("rotation")?,
            sealed: row.bytes("sealed")?,
            created_at: row.time("created_at")?,
            retired_at: row.opt_time("retired_at")?,
        })
    }
}

impl Read {
    /// The current secret of a field.
    pub async fn find_secret(&self, owner_uid: &str, field: &str) -> Result<Option<Sealed>> {
        let sql = "SELECT * FROM secrets \
            WHERE owner_uid = $1 AND field = $2 AND retired_at IS NULL";
        let row = self.one(sql, vec![owner_uid.into(), field.into()]).await?;
        row.as_ref().map(Sealed::from_row).transpose()
    }

    /// Every current secret.
    pub async fn list_secrets(&self) -> Result<Vec<Sealed>> {
        let sql = "SELECT * FROM secrets WHERE retired_at IS NULL ORDER BY owner_uid, field";
        self.rows(sql, vec![]).await?.iter().map(Sealed::from_row).collect()
    }

    /// Every secret that is kept, retired ones too.
    pub async fn list_secrets_ever(&self) -> Result<Vec<Sealed>> {
        let sql = "SELECT * FROM secrets ORDER BY owner_uid, field, rotation";
        self.rows(sql, vec![]).await?.iter().map(Sealed::from_row).collect()
    }

    /// The secrets of one object, retired ones too, the newest of each field first.
    pub async fn list_secrets_of(&self, owner_uid: &str) -> Result<Vec<Sealed>> {
        let sql = "SELECT * FROM secrets WHERE owner_uid = $1 ORDER BY field, rotation DESC";
        self.rows(sql, vec![owner_uid.into()]).await?.iter().map(Sealed::from_row).collect()
    }
}

impl Tx {
    /// Makes `sealed` the current secret of a field, retires the one before, tells its rotation.
    pub async fn put_secret(
        &mut self,
        owner_uid: &str,
        field: &str,
        sealed: &[u8],
        now: Millis,
    ) -> Result<Sealed> {
        let sql = "UPDATE secrets SET retired_at = $3 \
            WHERE owner_uid = $1 AND field = $2 AND retired_at IS NULL";
        self.change_one(sql, vec![owner_uid.into(), field.into(), now.into()]).await?;
        let sql = "SELECT owner_uid, MAX(rotation) AS rotation FROM secrets \
            WHERE owner_uid = $1 AND field = $2 GROUP BY owner_uid";
        let last = self.one(sql, vec![owner_uid.into(), field.into()]).await?;
        let last = last.map(|row| row.of("secrets", "owner_uid").int("rotation")).transpose()?;
        let secret = Sealed {
            owner_uid: owner_uid.to_owned(),
            field: field.to_owned(),
            rotation: last.unwrap_or(0).saturating_add(1),
            sealed: sealed.to_vec(),
            created_at: now,
            retired_at: None,
        };
        self.insert_secret(&secret).await?;
        Ok(secret)
    }

    /// Deletes secrets that were retired before `before`.
    pub async fn purge_secrets(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM secrets WHERE (owner_uid, field, rotation) IN \
            (SELECT owner_uid, field, rotation FROM secrets WHERE retired_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }

    async fn insert_secret(&mut self, secret: &Sealed) -> Result<()> {
        let sql = "INSERT INTO secrets (owner_uid, field, rotation, sealed, created_at) \
            VALUES ($1, $2, $3, $4, $5)";
        let values = vec![
            (&secret.owner_uid).into(),
            (&secret.field).into(),
            secret.rotation.into(),
            secret.sealed.as_slice().into(),
            secret.created_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }
}
