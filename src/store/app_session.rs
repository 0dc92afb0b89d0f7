//! What a sign-in session is at one application's host: a cookie of its own there.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use super::session::Session;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// A sign-in session seen at one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSession {
    pub id: String,
    pub digest: TokenDigest,
    pub session_id: String,
    pub app_uid: String,
    pub host: String,
    pub created_at: Millis,
    /// Kept for apps that limit how long somebody stays without using them.
    pub seen_at: Millis,
    pub ended_at: Option<Millis>,
}

/// An app session that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewAppSession<'a> {
    pub id: &'a str,
    pub digest: &'a TokenDigest,
    pub session_id: &'a str,
    pub app_uid: &'a str,
    pub host: &'a str,
}

impl AppSession {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("app_sessions", "id");
        Ok(Self {
            id: row.text("id")?,
            digest: row.digest("digest")?,
            session_id: row.text("session_id")?,
            app_uid: row.text("app_uid")?,
            host: row.text("host")?,
            created_at: row.time("created_at")?,
            seen_at: row.time("seen_at")?,
            ended_at: row.opt_time("ended_at")?,
        })
    }
}

impl Read {
    /// The app session behind a cookie and its sign-in session, if both are live.
    pub async fn find_app_session(
        &self,
        digest: &TokenDigest,
        now: Millis,
    ) -> Result<Option<(AppSession, Session)>> {
        let sql = "SELECT * FROM app_sessions WHERE digest = $1 AND ended_at IS NULL";
        let Some(row) = self.one(sql, vec![digest.into()]).await? else { return Ok(None) };
        let app_session = AppSession::from_row(&row)?;
        let session = self.find_session_by_id(&app_session.session_id).await?;
        let session = session.filter(|session| session.is_live(now));
        Ok(session.map(|session| (app_session, session)))
    }

    /// How many app sessions each app has whose sign-in session is live, by uid.
    pub async fn count_live_app_sessions(&self, now: Millis) -> Result<Vec<(String, i64)>> {
        let sql = "SELECT app_sessions.app_uid, COUNT(*) AS count FROM app_sessions \
            JOIN sessions ON sessions.id = app_sessions.session_id \
            WHERE app_sessions.ended_at IS NULL AND sessions.ended_at IS NULL \
            AND sessions.expires_at > $1 AND sessions.seen_at + sessions.idle_ms > $1 \
            GROUP BY app_sessions.app_uid";
        let read = |row: &Row| {
            let row = row.of("app_sessions", "app_uid");
            Ok((row.text("app_uid")?, row.int("count")?))
        };
        self.rows(sql, vec![now.into()]).await?.iter().map(read).collect()
    }

    /// Ids of app sessions that ended since `since`: how other nodes' endings are noticed.
    pub async fn list_app_sessions_ended_since(&self, since: Millis) -> Result<Vec<String>> {
        let sql = "SELECT id FROM app_sessions WHERE ended_at >= $1 ORDER BY ended_at, id";
        let rows = self.rows(sql, vec![since.into()]).await?;
        rows.iter().map(|row| row.of("app_sessions", "id").text("id")).collect()
    }

    pub async fn list_app_sessions_of(&self, session_id: &str) -> Result<Vec<AppSession>> {
        let sql = "SELECT * FROM app_sessions WHERE session_id = $1 AND ended_at IS NULL \
            ORDER BY created_at, id";
        self.rows(sql, vec![session_id.into()]).await?.iter().map(AppSession::from_row).collect()
    }
}

impl Tx {
    /// Begins an app session under a sign-in session. False if that has ended.
    pub async fn insert_app_session(
        &mut self,
        app_session: NewAppSession<'_>,
        now: Millis,
    ) -> Result<bool> {
        let sql = "INSERT INTO app_sessions \
            (id, digest, session_id, app_uid, host, created_at, seen_at) \
            SELECT $1, $2, id, $4, $5, CAST($6 AS BIGINT), CAST($6 AS BIGINT) FROM sessions \
            WHERE id = $3 AND ended_at IS NULL AND expires_at > $6";
        let values = vec![
            app_session.id.into(),
            app_session.digest.into(),
            app_session.session_id.into(),
            app_session.app_uid.into(),
            app_session.host.into(),
            now.into(),
        ];
        self.change_one(sql, values).await
    }

    /// Writes when app sessions were last seen; times never go back.
    pub async fn touch_app_sessions(&mut self, seen: &[(String, Millis)]) -> Result<()> {
        let mut seen = seen.to_vec();
        // One order on every node, so that two of them never wait for each other.
        seen.sort();
        for (id, at) in &seen {
            let sql = "UPDATE app_sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
            self.change(sql, vec![id.into(), (*at).into()]).await?;
        }
        Ok(())
    }

    /// Ends every session at one application, as when it is removed, and says which.
    pub async fn end_app_sessions_of(&mut self, app_uid: &str, now: Millis) -> Result<Vec<String>> {
        let sql = "UPDATE app_sessions SET ended_at = $2 \
            WHERE app_uid = $1 AND ended_at IS NULL RETURNING id";
        let rows = self.rows(sql, vec![app_uid.into(), now.into()]).await?;
        rows.iter().map(|row| row.of("app_sessions", "id").text("id")).collect()
    }

    /// Ends what one person's sign-ins are at one application, and says which.
    pub async fn end_app_sessions_of_user(
        &mut self,
        user_id: &str,
        app_uid: &str,
        now: Millis,
    ) -> Result<Vec<String>> {
        let sql = "UPDATE app_sessions SET ended_at = $3 \
            WHERE app_uid = $2 AND ended_at IS NULL \
            AND session_id IN (SELECT id FROM sessions WHERE user_id = $1) RETURNING id";
        let rows = self.rows(sql, vec![user_id.into(), app_uid.into(), now.into()]).await?;
        rows.iter().map(|row| row.of("app_sessions", "id").text("id")).collect()
    }

    /// Deletes app sessions that ended before `before`; the rest go with their sign-in session.
    pub async fn purge_app_sessions(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM app_sessions WHERE id IN \
            (SELECT id FROM app_sessions WHERE ended_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
