//! Second factors and passkeys, sealed before they come here.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::model::factor::Factor as Class;

/// One factor of one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Factor {
    pub id: String,
    pub user_id: String,
    /// Any but recovery codes, which are rows of their own.
    pub kind: Class,
    /// As the person calls it.
    pub name: String,
    /// The id of a passkey, base64url.
    pub credential: Option<String>,
    pub sealed: Vec<u8>,
    /// The last time step or signature count that was used.
    pub counter: i64,
    pub created_at: Millis,
    pub used_at: Option<Millis>,
}

impl std::fmt::Debug for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Factor({} {} of {})", self.kind.word(), self.id, self.user_id)
    }
}

impl Factor {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("factors", "id");
        Ok(Self {
            id: row.text("id")?,
            user_id: row.text("user_id")?,
            kind: row.word("kind", Class::from_word)?,
            name: row.text("name")?,
            credential: row.opt_text("credential")?,
            sealed: row.bytes("sealed")?,
            counter: row.int("counter")?,
            created_at: row.time("created_at")?,
            used_at: row.opt_time("used_at")?,
        })
    }
}

impl Read {
    /// A person's factors, the oldest first.
    pub async fn list_factors_of(&self, user_id: &str) -> Result<Vec<Factor>> {
        let sql = "SELECT * FROM factors WHERE user_id = $1 ORDER BY created_at, id";
        self.rows(sql, vec![user_id.into()]).await?.iter().map(Factor::from_row).collect()
    }

    /// The passkey of a credential id.
    pub async fn find_passkey(&self, credential: &str) -> Result<Option<Factor>> {
        let sql = "SELECT * FROM factors WHERE credential = $1";
        let row = self.one(sql, vec![credential.into()]).await?;
        row.as_ref().map(Factor::from_row).transpose()
    }
}

impl Tx {
    /// Keeps a new factor. False if the account is disabled, or the passkey is somebody's already.
    /// Until the commit nobody else changes the factors of this account.
    pub async fn insert_factor(&mut self, factor: &Factor) -> Result<bool> {
        let sql = "INSERT INTO factors \
            (id, user_id, kind, name, credential, sealed, counter, created_at) \
            SELECT $1, id, $3, $4, CAST($5 AS TEXT), $6, CAST($7 AS BIGINT), \
            CAST($8 AS BIGINT) FROM users WHERE id = $2 AND NOT disabled \
            ON CONFLICT (credential) WHERE credential IS NOT NULL DO NOTHING";
        let values = vec![
            (&factor.id).into(),
            (&factor.user_id).into(),
            factor.kind.word().into(),
            (&factor.name).into(),
            factor.credential.as_ref().into(),
            factor.sealed.as_slice().into(),
            factor.counter.into(),
            factor.created_at.into(),
        ];
        self.change_one(sql, values).await
    }

    /// Counts a use of a factor. False if `counter` was used already, or the factor is gone.
    pub async fn use_factor(&mut self, id: &str, counter: i64, now: Millis) -> Result<bool> {
        let sql = "UPDATE factors SET counter = $2, used_at = $3 WHERE id = $1 AND counter < $2";
        self.change_one(sql, vec![id.into(), counter.into(), now.into()]).await
    }

    /// Counts a use of a passkey that keeps no count of its own.
    pub async fn use_countless_factor(&mut self, id: &str, now: Millis) -> Result<bool> {
        let sql = "UPDATE factors SET used_at = $2 WHERE id = $1 AND counter = 0";
        self.change_one(sql, vec![id.into(), now.into()]).await
    }

    /// Calls a person's factor something else.
    pub async fn rename_factor(&mut self, user_id: &str, id: &str, name: &str) -> Result<bool> {
        let sql = "UPDATE factors SET name = $3 WHERE user_id = $1 AND id = $2";
        self.change_one(sql, vec![user_id.into(), id.into(), name.into()]).await
    }

    /// Takes a person's factor away.
    pub async fn delete_factor(&mut self, user_id: &str, id: &str) -> Result<Option<Factor>> {
        let sql = "DELETE FROM factors WHERE user_id = $1 AND id = $2 RETURNING *";
        let row = self.one(sql, vec![user_id.into(), id.into()]).await?;
        row.as_ref().map(Factor::from_row).transpose()
    }
}
