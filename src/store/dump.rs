//! The rows of a store as text, out of one database and into another (`doorward backup`, `restore`).
//!
//! What lives for minutes, and what a restore would bring back to life although it ended since, stays behind:
//! sessions, tokens of OpenID Connect, links, codes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Db, Limits, Tx};
use super::error::{Result, StoreError};
use super::migrate;
use super::{StateUrl, Store};
use crate::clock::Millis;

/// Rows that are read at once.
const PAGE: i64 = 500;

/// A table that is kept.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// The columns that it is ordered by.
    key: &'static [&'static str],
    /// Columns of truths: SQLite has numbers there.
    truths: &'static [&'static str],
}

const fn table(
    name: &'static str,
    key: &'static [&'static str],
    truths: &'static [&'static str],
) -> Table {
    Table { name, key, truths }
}

/// What is kept, each table after those that it refers to.
pub const KEPT: [Table; 20] = [
    table("meta", &["key"], &[]),
    table("objects", &["uid"], &["protect"]),
    table("users", &["id"], &["declared", "disabled", "must_change", "initial_password_applied"]),
    table("memberships", &["user_id", "group_slug", "owner"], &[]),
    table("invitations", &["id"], &[]),
    table("consents", &["user_id", "app_uid"], &[]),
    table("agreements", &["user_id", "terms", "version"], &[]),
    table("secrets", &["owner_uid", "field", "rotation"], &[]),
    table("generations", &["number"], &[]),
    table("active", &["one"], &[]),
    table("held", &["one"], &[]),
    table("events", &["id"], &[]),
    table("notices", &["slug"], &[]),
    table("tokens", &["id"], &[]),
    table("factors", &["id"], &[]),
    table("recovery_codes", &["user_id", "digest"], &[]),
    table("once", &["digest"], &[]),
    table("signing_keys", &["algorithm", "number"], &[]),
    table("connections", &["issuer", "subject"], &["proven"]),
    table("posix_numbers", &["number"], &[]),
];

/// What stays behind.
#[cfg(test)]
const LEFT: [&str; 16] = [
    "sessions",
    "app_sessions",
    "tickets",
    "flow_states",
    "links",
    "attempts",
    "browsers",
    "outbox",
    "reputation",
    "grants",
    "codes",
    "refresh_tokens",
    "access_tokens",
    "revoked_tokens",
    "device_codes",
    "logouts",
];

impl Table {
    /// The kept table of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        KEPT.iter().find(|table| table.name == name)
    }

    /// A row as text; bytes as `{"base64": …}`.
    fn told(&self, row: &Row) -> Result<Map<String, Json>> {
        let mut told = Map::new();
        for (column, value) in row.columns.iter().zip(&row.values) {
            let value = value.as_ref().ok_or(StoreError::Spoiled)?;
            let is_truth = self.truths.contains(&column.as_str());
            told.insert(column.clone(), json(value, is_truth));
        }
        Ok(told)
    }
}

fn json(value: &Value, is_truth: bool) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Text(text) => Json::String(text.clone()),
        Value::Int(number) if is_truth => Json::Bool(*number != 0),
        Value::Int(number) => Json::from(*number),
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Bytes(bytes) => serde_json::json!({ "base64": STANDARD.encode(bytes) }),
    }
}

fn value(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::String(text) => Value::Text(text),
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::Object(bytes) => Value::Bytes(STANDARD.decode(bytes.get("base64")?.as_str()?).ok()?),
        Json::Array(_) => return None,
    })
}

/// A store that stands still while it is read.
pub struct Dump(Tx);

impl Store {
    /// Begins to read everything as it is at this moment. On SQLite others wait with writing until it ends.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn dump(&self) -> Result<Dump> {
        let mut tx = self.begin().await?;
        tx.stand_still().await?;
        Ok(Dump(tx))
    }
}

impl Dump {
    /// The schema of the store: the number of its last step.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn schema(&self) -> Result<i64> {
        migrate::reached(&self.0).await
    }

    /// The rows of a table that come after one, in order; none at the end.
    ///
    /// # Errors
    /// If the database cannot be asked, or a value is none of ours.
    pub async fn page(
        &self,
        table: &Table,
        after: Option<&Map<String, Json>>,
    ) -> Result<Vec<Map<String, Json>>> {
        let Table { name, key, .. } = table;
        let order = key.join(", ");
        let (rest, args) = match after {
            None => (String::new(), Vec::new()),
            Some(after) => {
                let places: Vec<_> = (1..=key.len()).map(|at| format!("${at}")).collect();
                let last = key.iter().map(|key| value(after.get(*key)?.clone()));
                let args = last.collect::<Option<Vec<_>>>().ok_or(StoreError::Spoiled)?;
                (format!("WHERE ({order}) > ({})", places.join(", ")), args)
            }
        };
        let sql = format!("SELECT * FROM {name} {rest} ORDER BY {order} LIMIT {PAGE}");
        let rows = self.0.rows(sql, args).await?;
        rows.iter().map(|row| table.told(row)).collect()
    }
}

/// A store that is filled.
pub struct Filling {
    tx: Tx,
    db: Db,
}

impl Filling {
    /// Makes a store with an older schema or this version's, where there is none.
    ///
    /// # Errors
    /// If it cannot be reached, is newer than what is known here, or is not empty.
    pub async fn begin(url: &StateUrl, schema: i64, now: Millis) -> Result<Self> {
        let db = Db::open(url, Limits::default()).await?;
        let mut tx = db.begin().await?;
        migrate::begin_at(&mut tx, db.place(), schema, now).await?;
        // What a new store begins with is not what was kept.
        for Table { name, .. } in KEPT.iter().rev() {
            if migrate::is_made(name, schema) {
                tx.change(format!("DELETE FROM {name}"), vec![]).await?;
            }
        }
        Ok(Self { tx, db })
    }

    /// Puts a row in. False if it is no row of this table.
    ///
    /// # Errors
    /// If the database refuses it.
    pub async fn put(&mut self, table: &Table, row: Map<String, Json>) -> Result<bool> {
        let fits = |name: &str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for (column, json) in row {
            let Some(value) = value(json).filter(|_| fits(&column)) else { return Ok(false) };
            columns.push(column);
            values.push(value);
        }
        let places: Vec<_> = (1..=columns.len()).map(|at| format!("${at}")).collect();
        let (name, columns, places) = (table.name, columns.join(", "), places.join(", "));
        let sql = format!("INSERT INTO {name} ({columns}) VALUES ({places})");
        Ok(self.tx.change(sql, values).await? == 1)
    }

    /// Brings it to this version's schema, and makes it last.
    ///
    /// # Errors
    /// If the database refuses; then nothing is kept.
    pub async fn finish(mut self, now: Millis) -> Result<()> {
        migrate::finish(&mut self.tx, self.db.place(), now).await?;
        self.tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new table is kept or left behind, and nobody forgets to say which.
    #[test]
    fn every_table_is_kept_or_left_behind_with_its_truths() {
        let all: String = migrate::texts().collect();
        let declared: Vec<&str> = all
            .split("CREATE TABLE ")
            .skip(1)
            .filter_map(|text| text.split_once(" (").map(|(name, _)| name))
            .collect();
        let mut known: Vec<&str> = KEPT.iter().map(|table| table.name).chain(LEFT).collect();
        known.sort_unstable();
        let mut sorted = declared.clone();
        sorted.sort_unstable();
        assert_eq!(known, sorted);
        for text in all.split("CREATE TABLE ").skip(1) {
            let (name, rest) = text.split_once(" (").expect("a table");
            let body = rest.split_once("\n);").expect("its end").0;
            let truths: Vec<&str> = body
                .lines()
                .filter_map(|line| line.trim().split_once(" BOOLEAN").map(|(name, _)| name))
                .collect();
            if let Some(table) = Table::of(name) {
                assert_eq!(table.truths, truths, "{name}");
            }
        }
        let added = all.lines().filter(|line| line.starts_with("ALTER TABLE"));
        assert!(added.clone().all(|line| !line.contains("BOOLEAN")));
    }
}
