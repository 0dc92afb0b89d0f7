//! Accounts at other providers by which people sign in (`security.md` R14).

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// An account elsewhere, and whose it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Who vouches; `subject` is unique within it.
    pub issuer: String,
    pub subject: String,
    pub user_id: String,
    /// The name of the source, as it was last used.
    pub source: String,
    /// What its person calls it, such as `octocat`.
    pub shown_as: String,
    /// The groups that the source gave at the last sign-in.
    pub groups: Vec<String>,
    /// The account's own proof made it. Else an address told whose it is, which is not enough for
    /// console roles.
    pub proven: bool,
    pub created_at: Millis,
    pub used_at: Millis,
}

/// What a source said at a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct NewConnection<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    pub user_id: &'a str,
    pub source: &'a str,
    pub shown_as: &'a str,
    pub groups: &'a [String],
    pub proven: bool,
}

impl Connection {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("connections", "subject");
        Ok(Self {
            issuer: row.text("issuer")?,
            subject: row.text("subject")?,
            user_id: row.text("user_id")?,
            source: row.text("source")?,
            shown_as: row.text("shown_as")?,
            groups: row.json("given")?,
            proven: row.truth("proven")?,
            created_at: row.time("created_at")?,
            used_at: row.time("used_at")?,
        })
    }
}

impl Read {
    pub async fn find_connection(&self, issuer: &str, subject: &str) -> Result<Option<Connection>> {
        let sql = "SELECT * FROM connections WHERE issuer = $1 AND subject = $2";
        let row = self.one(sql, vec![issuer.into(), subject.into()]).await?;
        row.as_ref().map(Connection::from_row).transpose()
    }

    pub async fn list_connections(&self) -> Result<Vec<Connection>> {
        let sql = "SELECT * FROM connections ORDER BY user_id, created_at, subject";
        self.rows(sql, vec![]).await?.iter().map(Connection::from_row).collect()
    }

    pub async fn list_connections_of(&self, user_id: &str) -> Result<Vec<Connection>> {
        let sql = "SELECT * FROM connections WHERE user_id = $1 ORDER BY created_at, subject";
        self.rows(sql, vec![user_id.into()]).await?.iter().map(Connection::from_row).collect()
    }
}

impl Tx {
    /// Connects an account elsewhere, or takes down what its provider says now. What was proven stays
    /// so. False if it is somebody else's.
    pub async fn put_connection(&mut self, new: NewConnection<'_>, now: Millis) -> Result<bool> {
        let sql = "INSERT INTO connections \
            (issuer, subject, user_id, source, shown_as, given, proven, created_at, used_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
            ON CONFLICT (issuer, subject) DO UPDATE SET source = excluded.source, \
            shown_as = excluded.shown_as, given = excluded.given, used_at = excluded.used_at, \
            proven = CASE WHEN excluded.proven THEN TRUE ELSE connections.proven END \
            WHERE connections.user_id = excluded.user_id";
        let values = vec![
            new.issuer.into(),
            new.subject.into(),
            new.user_id.into(),
            new.source.into(),
            new.shown_as.into(),
            Value::json(&new.groups)?,
            new.proven.into(),
            now.into(),
        ];
        self.change_one(sql, values).await
    }

    /// Forgets an account elsewhere, if it is this person's.
    pub async fn delete_connection(
        &mut self,
        user_id: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<bool> {
        let sql = "DELETE FROM connections WHERE user_id = $1 AND issuer = $2 AND subject = $3";
        self.change_one(sql, vec![user_id.into(), issuer.into(), subject.into()]).await
    }
}
