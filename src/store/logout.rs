//! Sign-ins that ended, to be told to the applications that were entered by them.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// One application that is to be told of one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    pub session_id: String,
    pub app_uid: String,
    pub user_id: String,
    pub created_at: Millis,
    pub attempts: u64,
}

impl Logout {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("logouts", "session_id");
        Ok(Self {
            session_id: row.text("session_id")?,
            app_uid: row.text("app_uid")?,
            user_id: row.text("user_id")?,
            created_at: row.time("created_at")?,
            attempts: row.count("attempts")?,
        })
    }
}

impl Read {
    /// What was given in sign-ins that ended since then, where that was not seen yet.
    pub async fn list_untold_ends(&self, since: Millis, limit: i64) -> Result<Vec<Logout>> {
        let sql = "SELECT DISTINCT grants.session_id, grants.app_uid, grants.user_id, \
            sessions.ended_at AS created_at, CAST(0 AS BIGINT) AS attempts \
            FROM sessions JOIN grants ON grants.session_id = sessions.id \
            WHERE sessions.ended_at >= $1 AND grants.told_at IS NULL LIMIT $2";
        let rows = self.rows(sql, vec![since.into(), limit.into()]).await?;
        rows.iter().map(Logout::from_row).collect()
    }

    /// Whether an app is to be told at this moment.
    pub async fn is_logout_due(&self, now: Millis) -> Result<bool> {
        let sql = "SELECT session_id FROM logouts WHERE next_at <= $1 LIMIT 1";
        Ok(self.one(sql, vec![now.into()]).await?.is_some())
    }
}

impl Tx {
    /// Notes that the end of a sign-in was seen for an app. False if another node did.
    pub async fn note_end_seen(&mut self, end: &Logout, now: Millis) -> Result<bool> {
        let sql = "UPDATE grants SET told_at = $3 \
            WHERE session_id = $1 AND app_uid = $2 AND told_at IS NULL";
        let values = vec![(&end.session_id).into(), (&end.app_uid).into(), now.into()];
        Ok(self.change(sql, values).await? > 0)
    }

    /// The app is to be told.
    pub async fn insert_logout(&mut self, logout: &Logout) -> Result<()> {
        let sql = "INSERT INTO logouts \
            (session_id, app_uid, user_id, created_at, next_at, attempts) \
            VALUES ($1, $2, $3, $4, $4, 0) ON CONFLICT (session_id, app_uid) DO NOTHING";
        let values = vec![
            (&logout.session_id).into(),
            (&logout.app_uid).into(),
            (&logout.user_id).into(),
            logout.created_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Claims the one that is due longest: nobody else takes it before `until`. The condition stands
    /// twice, since two nodes may choose the same row.
    pub async fn claim_logout(&mut self, now: Millis, until: Millis) -> Result<Option<Logout>> {
        let sql = "UPDATE logouts SET next_at = $2, attempts = attempts + 1 \
            WHERE next_at <= $1 AND (session_id, app_uid) IN \
            (SELECT session_id, app_uid FROM logouts WHERE next_at <= $1 \
            ORDER BY next_at, session_id, app_uid LIMIT 1) RETURNING *";
        let row = self.one(sql, vec![now.into(), until.into()]).await?;
        row.as_ref().map(Logout::from_row).transpose()
    }

    /// It was told, or nobody is there to be told.
    pub async fn delete_logout(&mut self, logout: &Logout) -> Result<()> {
        let sql = "DELETE FROM logouts WHERE session_id = $1 AND app_uid = $2";
        let values = vec![(&logout.session_id).into(), (&logout.app_uid).into()];
        self.change(sql, values).await.map(|_| ())
    }

    /// It is tried again then.
    pub async fn postpone_logout(&mut self, logout: &Logout, next: Millis) -> Result<()> {
        let sql = "UPDATE logouts SET next_at = $3 WHERE session_id = $1 AND app_uid = $2";
        let values = vec![(&logout.session_id).into(), (&logout.app_uid).into(), next.into()];
        self.change(sql, values).await.map(|_| ())
    }
}
