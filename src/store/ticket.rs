//! The single-use ticket that hands a sign-in over to an application's host.

use super::db::Tx;
use super::db::row::Row;
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// A ticket: to whom it was given and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub digest: TokenDigest,
    pub app_uid: String,
    pub host: String,
    pub return_to: String,
    /// Of the cookie that the browser got where the login began.
    pub nonce_digest: TokenDigest,
    pub session_id: String,
    pub expires_at: Millis,
}

/// All that must fit for a ticket to be worth anything.
#[derive(Clone, Copy, Debug)]
pub struct TicketUse<'a> {
    pub digest: &'a TokenDigest,
    pub app_uid: &'a str,
    pub host: &'a str,
    pub nonce_digest: &'a TokenDigest,
}

impl Ticket {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("tickets", "digest");
        Ok(Self {
            digest: row.digest("digest")?,
            app_uid: row.text("app_uid")?,
            host: row.text("host")?,
            return_to: row.text("return_to")?,
            nonce_digest: row.digest("nonce_digest")?,
            session_id: row.text("session_id")?,
            expires_at: row.time("expires_at")?,
        })
    }
}

impl Tx {
    pub async fn insert_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        let sql = "INSERT INTO tickets \
            (digest, app_uid, host, return_to, nonce_digest, session_id, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = vec![
            (&ticket.digest).into(),
            (&ticket.app_uid).into(),
            (&ticket.host).into(),
            (&ticket.return_to).into(),
            (&ticket.nonce_digest).into(),
            (&ticket.session_id).into(),
            ticket.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Uses a ticket up. `None` if it is unknown, used, expired, or was made for another app,
    /// host or browser; a foreign attempt leaves it to its owner.
    pub async fn consume_ticket(
        &mut self,
        attempt: TicketUse<'_>,
        now: Millis,
    ) -> Result<Option<Ticket>> {
        let sql = "UPDATE tickets SET used_at = $5 WHERE digest = $1 AND app_uid = $2 \
            AND host = $3 AND nonce_digest = $4 AND used_at IS NULL AND expires_at > $5 \
            RETURNING *";
        let values = vec![
            attempt.digest.into(),
            attempt.app_uid.into(),
            attempt.host.into(),
            attempt.nonce_digest.into(),
            now.into(),
        ];
        self.one(sql, values).await?.as_ref().map(Ticket::from_row).transpose()
    }

    pub async fn purge_tickets(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM tickets WHERE digest IN \
            (SELECT digest FROM tickets WHERE expires_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
