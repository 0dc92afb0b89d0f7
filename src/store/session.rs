//! Sign-in sessions. The store holds a keyed digest of the cookie, never the cookie.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::browser::ProofTimes;
use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// The flows that a sign-in came by, and until when each of them counts.
pub type PassedFlows = BTreeMap<String, Millis>;

/// What was proven in a session, and when (`security.md` R9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// The last time that the password was given, or what stands in its place.
    pub first: Option<Millis>,
    pub factors: ProofTimes,
}

impl Proven {
    /// With what was proven besides; the later time of each counts.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.first = self.first.max(other.first);
        for (factor, at) in other.factors {
            let known = self.factors.entry(factor).or_insert(at);
            *known = (*known).max(at);
        }
        self
    }
}

/// A person signed in with one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub digest: TokenDigest,
    pub user_id: String,
    pub created_at: Millis,
    pub seen_at: Millis,
    /// Ends then at the latest, however busy.
    pub expires_at: Millis,
    /// Ends this long after it was last seen.
    pub idle: Duration,
    pub ended_at: Option<Millis>,
    pub address: String,
    pub agent: String,
    pub flows: PassedFlows,
    pub proofs: Proven,
}

/// A session that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    pub id: &'a str,
    pub digest: &'a TokenDigest,
    pub user_id: &'a str,
    pub expires_at: Millis,
    pub idle: Duration,
    pub address: &'a str,
    pub agent: &'a str,
    pub flows: &'a PassedFlows,
    pub proofs: &'a Proven,
}

const TOUCHED_AT_ONCE: usize = 50;

impl Session {
    /// Whether it may still be used.
    #[must_use]
    pub fn is_live(&self, now: Millis) -> bool {
        self.ended_at.is_none() && now < self.expires_at && now < self.seen_at.plus(self.idle)
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("sessions", "id");
        Ok(Self {
            id: row.text("id")?,
            digest: row.digest("digest")?,
            user_id: row.text("user_id")?,
            created_at: row.time("created_at")?,
            seen_at: row.time("seen_at")?,
            expires_at: row.time("expires_at")?,
            idle: row.span("idle_ms")?,
            ended_at: row.opt_time("ended_at")?,
            address: row.text("address")?,
            agent: row.text("agent")?,
            flows: row.json("flows")?,
            proofs: row.json("proofs")?,
        })
    }
}

impl Read {
    /// The live session behind a cookie.
    pub async fn find_session(&self, digest: &TokenDigest, now: Millis) -> Result<Option<Session>> {
        let row = self.one("SELECT * FROM sessions WHERE digest = $1", vec![digest.into()]).await?;
        let session = row.as_ref().map(Session::from_row).transpose()?;
        Ok(session.filter(|session| session.is_live(now)))
    }

    /// A session by its id, ended or not.
    pub async fn find_session_by_id(&self, id: &str) -> Result<Option<Session>> {
        let row = self.one("SELECT * FROM sessions WHERE id = $1", vec![id.into()]).await?;
        row.as_ref().map(Session::from_row).transpose()
    }

    pub async fn list_live_sessions(&self, now: Millis) -> Result<Vec<Session>> {
        let sql = "SELECT * FROM sessions WHERE ended_at IS NULL AND expires_at > $1 \
            AND seen_at + idle_ms > $1 ORDER BY id";
        self.rows(sql, vec![now.into()]).await?.iter().map(Session::from_row).collect()
    }

    /// How many live sessions each person has, by id.
    pub async fn count_live_sessions(&self, now: Millis) -> Result<Vec<(String, i64)>> {
        let sql = "SELECT user_id, COUNT(*) AS count FROM sessions WHERE ended_at IS NULL \
            AND expires_at > $1 AND seen_at + idle_ms > $1 GROUP BY user_id";
        let read = |row: &Row| {
            let row = row.of("sessions", "user_id");
            Ok((row.text("user_id")?, row.int("count")?))
        };
        self.rows(sql, vec![now.into()]).await?.iter().map(read).collect()
    }

    pub async fn list_live_sessions_of(&self, user_id: &str, now: Millis) -> Result<Vec<Session>> {
        let sql = "SELECT * FROM sessions WHERE user_id = $1 AND ended_at IS NULL \
            AND expires_at > $2 AND seen_at + idle_ms > $2 ORDER BY seen_at DESC, id";
        let rows = self.rows(sql, vec![user_id.into(), now.into()]).await?;
        rows.iter().map(Session::from_row).collect()
    }

    /// Ids of sessions that ended since `since`: how other nodes' endings are noticed.
    pub async fn list_sessions_ended_since(&self, since: Millis) -> Result<Vec<String>> {
        let sql = "SELECT id FROM sessions WHERE ended_at >= $1 ORDER BY ended_at, id";
        read_ids(&self.rows(sql, vec![since.into()]).await?)
    }
}

impl Tx {
    pub async fn insert_session(&mut self, session: NewSession<'_>, now: Millis) -> Result<()> {
        let sql = "INSERT INTO sessions (id, digest, user_id, created_at, seen_at, expires_at, \
            idle_ms, address, agent, flows, proofs) \
            VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10)";
        let values = vec![
            session.id.into(),
            session.digest.into(),
            session.user_id.into(),
            now.into(),
            session.expires_at.into(),
            Value::span(session.idle),
            session.address.into(),
            session.agent.into(),
            Value::json(session.flows)?,
            Value::json(session.proofs)?,
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Writes when sessions were last seen, many at once; times never go back.
    pub async fn touch_sessions(&mut self, seen: &[(String, Millis)]) -> Result<()> {
        let mut seen = seen.to_vec();
        // One order on every node, so that two of them never wait for each other.
        seen.sort();
        for part in seen.chunks(TOUCHED_AT_ONCE) {
            self.touch_part(part).await?;
        }
        Ok(())
    }

    /// Replaces a session's cookie, as after a new proof: the old one is worth nothing.
    pub async fn rotate_session(&mut self, id: &str, digest: &TokenDigest) -> Result<bool> {
        let sql = "UPDATE sessions SET digest = $2 WHERE id = $1 AND ended_at IS NULL";
        self.change_one(sql, vec![id.into(), digest.into()]).await
    }

    /// Replaces the record of what was proven when.
    pub async fn put_proofs(&mut self, id: &str, proofs: &Proven) -> Result<bool> {
        let sql = "UPDATE sessions SET proofs = $2 WHERE id = $1 AND ended_at IS NULL";
        self.change_one(sql, vec![id.into(), Value::json(proofs)?]).await
    }

    /// Ends a session and every app session under it. False if it had ended before.
    pub async fn end_session(&mut self, id: &str, now: Millis) -> Result<bool> {
        let sql = "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
        let ended = self.change_one(sql, vec![id.into(), now.into()]).await?;
        let sql = "UPDATE app_sessions SET ended_at = $2 \
            WHERE session_id = $1 AND ended_at IS NULL";
        self.change(sql, vec![id.into(), now.into()]).await?;
        Ok(ended)
    }

    /// Ends all sessions of a person and says which.
    pub async fn end_sessions_of(&mut self, user_id: &str, now: Millis) -> Result<Vec<String>> {
        self.end_sessions_except(user_id, "", now).await
    }

    /// Ends all sessions of a person but the one named `keep`, as after a changed password.
    pub async fn end_sessions_except(
        &mut self,
        user_id: &str,
        keep: &str,
        now: Millis,
    ) -> Result<Vec<String>> {
        let sql = "UPDATE app_sessions SET ended_at = $3 WHERE ended_at IS NULL AND session_id IN \
            (SELECT id FROM sessions WHERE user_id = $1 AND id <> $2)";
        self.change(sql, vec![user_id.into(), keep.into(), now.into()]).await?;
        // What outlives a sign-in does not outlive this.
        let sql = "UPDATE grants SET revoked_at = $3, revoked_for = 'sessions-ended' \
            WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $3 \
            AND (session_id IS NULL OR session_id <> $2)";
        self.change(sql, vec![user_id.into(), keep.into(), now.into()]).await?;
        let sql = "UPDATE sessions SET ended_at = $3 \
            WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL RETURNING id";
        read_ids(&self.rows(sql, vec![user_id.into(), keep.into(), now.into()]).await?)
    }

    /// Deletes sessions over since before `before`, with their app sessions and tickets.
    pub async fn purge_sessions(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
            WHERE ended_at < $1 OR expires_at < $1 OR seen_at + idle_ms < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }

    async fn touch_part(&mut self, part: &[(String, Millis)]) -> Result<()> {
        let Some(last) = part.last() else { return Ok(()) };
        // Always the same number of pairs, the last one repeated, so that it is one statement.
        let padded = part.iter().chain(std::iter::repeat(last)).take(TOUCHED_AT_ONCE);
        let values = padded.flat_map(|(id, at)| [Value::from(id), Value::from(*at)]).collect();
        self.change(touch_statement(), values).await.map(|_| ())
    }
}

fn touch_statement() -> String {
    let pairs: Vec<_> = (0..TOUCHED_AT_ONCE)
        .map(|at| format!("(CAST(${} AS TEXT), CAST(${} AS BIGINT))", at * 2 + 1, at * 2 + 2))
        .collect();
    format!(
        "UPDATE sessions SET seen_at = seen.column2 FROM (VALUES {}) AS seen \
        WHERE sessions.id = seen.column1 AND sessions.seen_at < seen.column2 \
        AND sessions.ended_at IS NULL",
        pairs.join(", ")
    )
}

fn read_ids(rows: &[Row]) -> Result<Vec<String>> {
    rows.iter().map(|row| row.of("sessions", "id").text("id")).collect()
}
