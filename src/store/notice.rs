//! How far the events went that files want told elsewhere: one row for each `notify`.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;
use super::event::Event;
use crate::clock::Millis;

/// How far one `notify` has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notices {
    pub slug: String,
    /// The last event that was told, or passed over.
    pub event_id: String,
    /// Failures in a row at the next one.
    pub failures: u32,
    /// Nobody tries before.
    pub due_at: Millis,
    pub first_failed_at: Option<Millis>,
    pub last_error: Option<String>,
}

impl Notices {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("notices", "slug");
        Ok(Self {
            slug: row.text("slug")?,
            event_id: row.text("event_id")?,
            failures: u32::try_from(row.count("failures")?).unwrap_or(u32::MAX),
            due_at: row.time("due_at")?,
            first_failed_at: row.opt_time("first_failed_at")?,
            last_error: row.opt_text("last_error")?,
        })
    }
}

impl Read {
    pub async fn find_notices(&self, slug: &str) -> Result<Option<Notices>> {
        let row = self.one("SELECT * FROM notices WHERE slug = $1", vec![slug.into()]).await?;
        row.as_ref().map(Notices::from_row).transpose()
    }

    pub async fn list_notices(&self) -> Result<Vec<Notices>> {
        let rows = self.rows("SELECT * FROM notices ORDER BY slug", vec![]).await?;
        rows.iter().map(Notices::from_row).collect()
    }

    /// The oldest events after this one, up to a moment: whoever writes one that is older is done.
    pub async fn list_events_after(
        &self,
        id: &str,
        until: Millis,
        limit: i64,
    ) -> Result<Vec<Event>> {
        let sql = "SELECT * FROM events WHERE id > $1 AND at <= $2 ORDER BY id LIMIT $3";
        let rows = self.rows(sql, vec![id.into(), until.into(), limit.into()]).await?;
        rows.iter().map(Event::from_row).collect()
    }

    /// The id of the newest event.
    pub async fn newest_event(&self) -> Result<Option<String>> {
        let row = self.one("SELECT id FROM events ORDER BY id DESC LIMIT 1", vec![]).await?;
        row.map(|row| row.of("events", "id").text("id")).transpose()
    }
}

impl Tx {
    /// Begins with what happens from now on.
    pub async fn begin_notices(&mut self, slug: &str, event_id: &str, now: Millis) -> Result<()> {
        let sql = "INSERT INTO notices (slug, event_id, failures, due_at) VALUES ($1, $2, 0, $3) \
            ON CONFLICT (slug) DO NOTHING";
        self.change(sql, vec![slug.into(), event_id.into(), now.into()]).await.map(|_| ())
    }

    /// Takes the next turn, until `until`: nobody else tries meanwhile. `None` if it is not due.
    pub async fn claim_notices(
        &mut self,
        slug: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Option<Notices>> {
        let sql = "UPDATE notices SET due_at = $3 WHERE slug = $1 AND due_at <= $2 RETURNING *";
        let row = self.one(sql, vec![slug.into(), now.into(), until.into()]).await?;
        row.as_ref().map(Notices::from_row).transpose()
    }

    /// An event was told, or nobody wants it told.
    pub async fn pass_notices(&mut self, slug: &str, event_id: &str, due: Millis) -> Result<bool> {
        let sql = "UPDATE notices SET event_id = $2, due_at = $3, failures = 0, \
            first_failed_at = NULL, last_error = NULL WHERE slug = $1 AND event_id <= $2";
        self.change_one(sql, vec![slug.into(), event_id.into(), due.into()]).await
    }

    /// The next event could not be told.
    pub async fn postpone_notices(
        &mut self,
        slug: &str,
        (now, due): (Millis, Millis),
        error: &str,
    ) -> Result<bool> {
        let sql = "UPDATE notices SET failures = failures + 1, due_at = $3, last_error = $4, \
            first_failed_at = COALESCE(first_failed_at, $2) WHERE slug = $1";
        self.change_one(sql, vec![slug.into(), now.into(), due.into(), error.into()]).await
    }
}
