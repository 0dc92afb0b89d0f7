//! Mail on its way out. A message is queued in the transaction of what it tells of, claimed by one
//! node at a time, and gone once it was handed in.
//!
//! It knows neither the words of a message nor how often one may be sent.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// A message that a node has claimed. The number of attempts is its hold on it: whoever claims it
/// next counts one more, and the earlier node's answer changes nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub id: String,
    pub recipient: String,
    pub kind: String,
    pub sealed: Vec<u8>,
    pub created_at: Millis,
    pub expires_at: Millis,
    /// This one included.
    pub attempts: u64,
    pub last_error: Option<String>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({} {} #{})", self.id, self.kind, self.attempts)
    }
}

/// A message to be queued.
#[derive(Clone, Copy)]
pub struct NewOutgoing<'a> {
    pub id: &'a str,
    pub recipient: &'a str,
    pub kind: &'a str,
    pub sealed: &'a [u8],
    pub expires_at: Millis,
}

/// A message that will not be sent any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub id: String,
    pub recipient: String,
    pub kind: String,
}

/// What lies in the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// To be sent, failing ones included.
    pub waiting: u64,
    /// Tried without success, and to be tried again.
    pub failing: u64,
    /// Never to be sent.
    pub given_up: u64,
    /// Of the failure that is tried again soonest, else of the last one given up.
    pub last_error: Option<String>,
}

impl Outgoing {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("outbox", "id");
        Ok(Self {
            id: row.text("id")?,
            recipient: row.text("recipient")?,
            kind: row.text("kind")?,
            sealed: row.bytes("sealed")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            attempts: row.count("attempts")?,
            last_error: row.opt_text("last_error")?,
        })
    }

    fn hold(&self) -> i64 {
        i64::try_from(self.attempts).unwrap_or(i64::MAX)
    }
}

impl Given {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("outbox", "id");
        Ok(Self { id: row.text("id")?, recipient: row.text("recipient")?, kind: row.text("kind")? })
    }
}

impl Read {
    /// What lies in the outbox, in numbers.
    pub async fn count_outbox(&self) -> Result<Waiting> {
        let sql = "SELECT 'outbox' AS id, \
            COUNT(*) FILTER (WHERE given_up_at IS NULL) AS waiting, \
            COUNT(*) FILTER (WHERE given_up_at IS NULL AND last_error IS NOT NULL) AS failing, \
            COUNT(*) FILTER (WHERE given_up_at IS NOT NULL) AS given_up FROM outbox";
        let row = self.get(sql, vec![]).await?;
        let row = row.of("outbox", "id");
        let sql = "SELECT id, last_error FROM outbox WHERE last_error IS NOT NULL \
            ORDER BY given_up_at DESC NULLS FIRST, next_at LIMIT 1";
        let last = self.one(sql, vec![]).await?;
        let last = last.map(|row| row.of("outbox", "id").opt_text("last_error")).transpose()?;
        Ok(Waiting {
            waiting: row.count("waiting")?,
            failing: row.count("failing")?,
            given_up: row.count("given_up")?,
            last_error: last.flatten(),
        })
    }

    /// How many messages wait, up to `most`.
    pub async fn count_waiting(&self, most: i64) -> Result<u64> {
        let sql = "SELECT 'outbox' AS id, COUNT(*) AS waiting FROM \
            (SELECT id FROM outbox WHERE given_up_at IS NULL LIMIT $1) AS counted";
        self.get(sql, vec![most.into()]).await?.of("outbox", "id").count("waiting")
    }

    /// When the next message is due, if one waits.
    pub async fn next_outgoing_at(&self) -> Result<Option<Millis>> {
        let sql = "SELECT id, CASE WHEN claimed_until > next_at THEN claimed_until \
            ELSE next_at END AS due FROM outbox WHERE given_up_at IS NULL ORDER BY due LIMIT 1";
        let row = self.one(sql, vec![]).await?;
        row.map(|row| row.of("outbox", "id").time("due")).transpose()
    }
}

impl Tx {
    /// Queues a message, to be sent as soon as this transaction is there to be seen.
    pub async fn insert_outgoing(&mut self, new: NewOutgoing<'_>, now: Millis) -> Result<()> {
        let sql = "INSERT INTO outbox \
            (id, recipient, kind, sealed, created_at, expires_at, next_at, attempts) \
            VALUES ($1, $2, $3, $4, $5, $6, $5, 0)";
        let values = vec![
            new.id.into(),
            new.recipient.into(),
            new.kind.into(),
            new.sealed.into(),
            now.into(),
            new.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Claims the message that is due longest. The condition stands twice: two nodes may choose
    /// the same row, and the second sees what the first made of it.
    pub async fn claim_outgoing(&mut self, now: Millis, until: Millis) -> Result<Option<Outgoing>> {
        let sql = "UPDATE outbox SET claimed_until = $2, attempts = attempts + 1 WHERE id IN \
            (SELECT id FROM outbox WHERE given_up_at IS NULL AND next_at <= $1 \
            AND expires_at > $1 AND (claimed_until IS NULL OR claimed_until <= $1) \
            ORDER BY next_at, id LIMIT 1) \
            AND given_up_at IS NULL AND next_at <= $1 \
            AND (claimed_until IS NULL OR claimed_until <= $1) RETURNING *";
        let row = self.one(sql, vec![now.into(), until.into()]).await?;
        row.as_ref().map(Outgoing::from_row).transpose()
    }

    /// The message was handed in. False if another node has claimed it since.
    pub async fn finish_outgoing(&mut self, message: &Outgoing) -> Result<bool> {
        let sql = "DELETE FROM outbox WHERE id = $1 AND attempts = $2";
        self.change_one(sql, vec![(&message.id).into(), message.hold().into()]).await
    }

    /// Gives a message back, to be tried again at `next`.
    pub async fn postpone_outgoing(
        &mut self,
        message: &Outgoing,
        error: &str,
        next: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE outbox SET claimed_until = NULL, next_at = $3, last_error = $4 \
            WHERE id = $1 AND attempts = $2";
        let values = vec![(&message.id).into(), message.hold().into(), next.into(), error.into()];
        self.change_one(sql, values).await
    }

    /// Makes everything due that failed before.
    pub async fn hurry_outgoing(&mut self, now: Millis) -> Result<u64> {
        let sql = "UPDATE outbox SET next_at = $1 \
            WHERE given_up_at IS NULL AND last_error IS NOT NULL AND next_at > $1";
        self.change(sql, vec![now.into()]).await
    }

    /// Gives a message back that was not tried, as if it had never been claimed.
    pub async fn release_outgoing(&mut self, message: &Outgoing) -> Result<bool> {
        let sql = "UPDATE outbox SET claimed_until = NULL, attempts = attempts - 1 \
            WHERE id = $1 AND attempts = $2";
        self.change_one(sql, vec![(&message.id).into(), message.hold().into()]).await
    }

    /// Keeps nothing of a message but that it was given up, and why.
    pub async fn give_up_outgoing(
        &mut self,
        message: &Outgoing,
        error: &str,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE outbox SET claimed_until = NULL, given_up_at = $3, last_error = $4, \
            sealed = $5 WHERE id = $1 AND attempts = $2";
        let empty: &[u8] = &[];
        let values = vec![
            (&message.id).into(),
            message.hold().into(),
            now.into(),
            error.into(),
            empty.into(),
        ];
        self.change_one(sql, values).await
    }

    /// Drops what has run out before anybody could send it.
    pub async fn drop_expired_outgoing(&mut self, now: Millis, limit: i64) -> Result<Vec<Given>> {
        let sql = "DELETE FROM outbox WHERE given_up_at IS NULL AND id IN \
            (SELECT id FROM outbox WHERE given_up_at IS NULL AND expires_at <= $1 \
            AND (claimed_until IS NULL OR claimed_until <= $1) LIMIT $2) RETURNING *";
        self.rows(sql, vec![now.into(), limit.into()]).await?.iter().map(Given::from_row).collect()
    }

    /// Deletes what was given up before `before`.
    pub async fn purge_given_up(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM outbox WHERE id IN \
            (SELECT id FROM outbox WHERE given_up_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
