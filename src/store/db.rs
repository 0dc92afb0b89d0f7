//! The seam to the databases: the one place that knows there are two.
//!
//! Everything above speaks one dialect of SQL with `$n`, four column types and times in
//! milliseconds. This module knows no table.

use std::borrow::Cow;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::error::{Result, StoreError};
use super::url::StateUrl;
use row::{Reply, Row};
use value::Value;

pub mod postgres;
pub mod row;
pub mod sqlite;
mod tls;
pub mod value;

/// How many statements may run at once and how long one waits for its turn.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads that read a SQLite file.
    pub readers: usize,
    /// Connections to Postgres.
    pub connections: usize,
    /// How long to wait for a lock or a free connection.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { readers: 2, connections: 16, wait: Duration::from_secs(5) }
    }
}

/// An open database.
#[derive(Clone)]
pub struct Db {
    place: Arc<str>,
    driver: Driver,
}

#[derive(Clone)]
enum Driver {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// Reads from the store. On Postgres it holds a connection: drop it before waiting for others.
///
/// Statements see what is committed when each begins; only a `Tx` keeps others from writing
/// in between, and only on SQLite.
pub struct Read {
    place: Arc<str>,
    link: Link,
    failed: AtomicBool,
}

enum Link {
    Reader(sqlite::Reader),
    Writer(sqlite::Writer),
    Postgres(postgres::Link),
}

/// A transaction: reads and writes, all of it or nothing. Dropping it rolls back.
pub struct Tx(Read);

impl Db {
    /// Opens the database without looking into it.
    pub async fn open(url: &StateUrl, limits: Limits) -> Result<Self> {
        let place: Arc<str> = url.to_string().into();
        let driver = match url {
            StateUrl::Sqlite(path) => Driver::Sqlite(open_file(path, &place, limits).await?),
            StateUrl::Postgres(url) => Driver::Postgres(postgres::Postgres::open(
                url,
                &place,
                limits.wait,
                limits.connections,
            )?),
        };
        Ok(Self { place, driver })
    }

    /// The address, without user and password.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub async fn read(&self) -> Result<Read> {
        let link = match &self.driver {
            Driver::Sqlite(file) => Link::Reader(file.read()),
            Driver::Postgres(pool) => Link::Postgres(pool.read().await?),
        };
        Ok(self.reading(link))
    }

    pub async fn begin(&self) -> Result<Tx> {
        let link = match &self.driver {
            Driver::Sqlite(file) => Link::Writer(file.begin().await?),
            Driver::Postgres(pool) => Link::Postgres(pool.begin().await?),
        };
        Ok(Tx(self.reading(link)))
    }

    fn reading(&self, link: Link) -> Read {
        Read { place: Arc::clone(&self.place), link, failed: AtomicBool::new(false) }
    }
}

impl Read {
    /// All rows that a statement answers.
    pub(in crate::store) async fn rows(
        &self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>> {
        Ok(self.run(sql.into(), args).await?.rows)
    }

    /// The one row that a statement answers, if any; more than one is a mistake in the statement.
    pub(in crate::store) async fn one(
        &self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<Option<Row>> {
        let mut rows = self.rows(sql, args).await?;
        if rows.len() > 1 {
            return Err(self.mistaken("a statement for one row answered several"));
        }
        Ok(rows.pop())
    }

    /// The row of a statement that always answers one.
    pub(in crate::store) async fn get(&self, sql: &'static str, args: Vec<Value>) -> Result<Row> {
        let row = self.one(sql, args).await?;
        row.ok_or_else(|| self.mistaken("a statement for one row answered none"))
    }

    /// An error that spoils the transaction: its statement did not do what it is for.
    fn mistaken(&self, reason: &str) -> StoreError {
        self.failed.store(true, Ordering::Relaxed);
        StoreError::other(&self.place, reason)
    }

    async fn run(&self, sql: Cow<'static, str>, args: Vec<Value>) -> Result<Reply> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(StoreError::Spoiled);
        }
        let reply = self.send(sql, args).await;
        // A reader's statements stand alone; what a transaction did so far is in doubt.
        if reply.is_err() && self.link.is_transaction() {
            self.failed.store(true, Ordering::Relaxed);
        }
        reply
    }

    async fn send(&self, sql: Cow<'static, str>, args: Vec<Value>) -> Result<Reply> {
        if args.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0'))) {
            return Err(StoreError::Nul);
        }
        match &self.link {
            Link::Reader(link) => link.run(sql, args).await,
            Link::Writer(link) => link.run(sql, args).await,
            Link::Postgres(link) => link.run(sql, args).await,
        }
    }
}

impl Link {
    fn is_transaction(&self) -> bool {
        match self {
            Self::Reader(_) => false,
            Self::Writer(_) => true,
            Self::Postgres(link) => link.is_transaction(),
        }
    }
}

impl Tx {
    /// Makes everything since `begin` lasting. Refused after any error.
    ///
    /// # Errors
    /// If a statement had failed or the database refuses; then nothing is kept. If the
    /// connection breaks during the commit, it is unknown what is kept.
    pub async fn commit(self) -> Result<()> {
        if self.0.failed.load(Ordering::Relaxed) {
            return Err(StoreError::Spoiled);
        }
        match self.0.link {
            Link::Reader(_) => Err(StoreError::Spoiled),
            Link::Writer(link) => link.commit().await,
            Link::Postgres(link) => link.commit().await,
        }
    }

    /// The number of rows that a statement changed.
    pub(in crate::store) async fn change(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value>,
    ) -> Result<u64> {
        Ok(self.0.run(sql.into(), args).await?.changed)
    }

    /// Changes at most one row and says whether it did.
    pub(in crate::store) async fn change_one(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<bool> {
        match self.change(sql, args).await? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.mistaken("a statement for one row changed several")),
        }
    }

    /// Runs several statements without values: migrations.
    pub(in crate::store) async fn script(&mut self, sql: &'static str) -> Result<()> {
        let done = match &self.0.link {
            Link::Reader(_) => Err(StoreError::Spoiled),
            Link::Writer(link) => link.script(sql).await,
            Link::Postgres(link) => link.script(sql).await,
        };
        if done.is_err() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Sees everything as it is at the first statement from here on; SQLite's write lock does already.
    pub(in crate::store) async fn stand_still(&mut self) -> Result<()> {
        match &self.0.link {
            Link::Postgres(_) => {
                let sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
                self.change(sql, vec![]).await.map(|_| ())
            }
            Link::Reader(_) | Link::Writer(_) => Ok(()),
        }
    }

    /// Keeps other nodes from migrating at the same time; SQLite's write lock does already.
    pub(in crate::store) async fn lock_schema(&mut self) -> Result<()> {
        match &self.0.link {
            Link::Postgres(link) => link.lock_schema().await,
            Link::Reader(_) | Link::Writer(_) => Ok(()),
        }
    }
}

impl Deref for Tx {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.0
    }
}

/// Opening touches the disk: not on the runtime's threads.
async fn open_file(path: &Path, place: &Arc<str>, limits: Limits) -> Result<sqlite::Sqlite> {
    let (path, at) = (path.to_owned(), Arc::clone(place));
    let opened = tokio::task::spawn_blocking(move || {
        sqlite::Sqlite::open(&path, &at, limits.wait, limits.readers)
    });
    opened.await.map_err(|_| StoreError::other(place, "it could not be opened"))?
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn directory(test: &str) -> PathBuf {
        std::env::temp_dir().join(format!("doorward-{test}-{}", std::process::id()))
    }

    #[expect(clippy::disallowed_methods, reason = "where Postgres is, only the environment knows")]
    async fn databases(test: &str) -> Vec<Db> {
        let mut urls = vec![StateUrl::Sqlite(directory(test).join("state.db"))];
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => urls.push(url.parse().expect("a Postgres address")),
            Err(_) => eprintln!("Postgres skipped: set TEST_POSTGRES_URL to test it too"),
        }
        let mut databases = Vec::new();
        for url in urls {
            databases.push(Db::open(&url, Limits::default()).await.expect("opened"));
        }
        databases
    }

    #[tokio::test]
    async fn both_databases_bind_by_number_and_refuse_another_count() {
        for db in databases("bind").await {
            let read = db.read().await.expect("reading");
            let sql = "SELECT CAST($2 AS TEXT) AS b, CAST($1 AS BIGINT) AS a, \
                CAST($2 AS TEXT) AS c WHERE CAST($3 AS BOOLEAN)";
            let row = read.get(sql, vec![1_i64.into(), "two".into(), true.into()]).await;
            let row = row.unwrap_or_else(|error| panic!("{error}"));
            let row = row.of("t", "a");
            assert_eq!(row.int("a").expect("a number"), 1);
            assert_eq!(row.text("b").expect("a text"), "two");
            assert_eq!(row.text("c").expect("a text"), "two");
            for args in [vec![], vec![1_i64.into()], vec![Value::Null; 4]] {
                let read = db.read().await.expect("reading");
                assert!(read.rows(sql, args).await.is_err(), "{}", db.place());
            }
        }
        std::fs::remove_dir_all(directory("bind")).expect("removed");
    }

    #[tokio::test]
    async fn what_reads_cannot_write_to_a_file() {
        let db = databases("write").await.remove(0);
        let read = db.read().await.expect("reading");
        assert!(read.rows("CREATE TABLE t (k BIGINT)", vec![]).await.is_err());
        std::fs::remove_dir_all(directory("write")).expect("removed");
    }
}
