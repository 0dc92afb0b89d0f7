//! What happened: written once, read newest first, deleted when old.

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Time-ordered, `evt_…`.
    pub id: String,
    pub at: Millis,
    pub kind: String,
    /// Who did it, if anybody.
    pub actor: Option<String>,
    /// Whom or what it concerns.
    pub subject: Option<String>,
    pub data: serde_json::Value,
}

/// Which events to list; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventFilter<'a> {
    pub kind: Option<&'a str>,
    pub actor: Option<&'a str>,
    pub subject: Option<&'a str>,
    /// Only events before this id: the last one of the page before.
    pub before_id: Option<&'a str>,
    pub since: Option<Millis>,
}

impl Event {
    pub(super) fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("events", "id");
        Ok(Self {
            id: row.text("id")?,
            at: row.time("at")?,
            kind: row.text("kind")?,
            actor: row.opt_text("actor")?,
            subject: row.opt_text("subject")?,
            data: row.json("data")?,
        })
    }
}

impl Read {
    pub async fn find_event(&self, id: &str) -> Result<Option<Event>> {
        let row = self.one("SELECT * FROM events WHERE id = $1", vec![id.into()]).await?;
        row.as_ref().map(Event::from_row).transpose()
    }

    /// The newest events that fit.
    pub async fn list_events(&self, filter: EventFilter<'_>, limit: i64) -> Result<Vec<Event>> {
        let sql = "SELECT * FROM events WHERE (CAST($1 AS TEXT) IS NULL OR kind = $1) \
            AND (CAST($2 AS TEXT) IS NULL OR actor = $2) \
            AND (CAST($3 AS TEXT) IS NULL OR subject = $3) \
            AND (CAST($4 AS TEXT) IS NULL OR id < $4) \
            AND (CAST($5 AS BIGINT) IS NULL OR at >= $5) ORDER BY id DESC LIMIT $6";
        let values = vec![
            filter.kind.into(),
            filter.actor.into(),
            filter.subject.into(),
            filter.before_id.into(),
            filter.since.into(),
            limit.into(),
        ];
        self.rows(sql, values).await?.iter().map(Event::from_row).collect()
    }

    /// The newest events of these kinds that a person did or that concern them, since `since` and
    /// before the id of the last one of the page before.
    pub async fn list_events_about(
        &self,
        (username, kinds): (&str, &[&str]),
        since: Millis,
        before_id: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Event>> {
        let places: Vec<_> = (5..).take(kinds.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT * FROM events WHERE (actor = $1 OR subject = $1) AND at >= $2 \
            AND (CAST($3 AS TEXT) IS NULL OR id < $3) AND kind IN ({}) ORDER BY id DESC LIMIT $4",
            places.join(", ")
        );
        let mut values = vec![username.into(), since.into(), before_id.into(), limit.into()];
        values.extend(kinds.iter().map(|kind| Value::from(*kind)));
        self.rows(sql, values).await?.iter().map(Event::from_row).collect()
    }
}

impl Tx {
    pub async fn insert_event(&mut self, event: &Event) -> Result<()> {
        let sql = "INSERT INTO events (id, at, kind, actor, subject, data) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        let values = vec![
            (&event.id).into(),
            event.at.into(),
            (&event.kind).into(),
            event.actor.as_ref().into(),
            event.subject.as_ref().into(),
            Value::json(&event.data)?,
        ];
        self.change(sql, values).await.map(|_| ())
    }

    pub async fn purge_events(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM events WHERE id IN \
            (SELECT id FROM events WHERE at < $1 ORDER BY at LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
