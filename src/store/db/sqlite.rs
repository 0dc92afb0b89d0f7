//! SQLite: one thread that writes and a few that read, each given (sql, values) and answering
//! rows, so that a slow disk never stalls the runtime.
//!
//! `$n` is bound by *name*: bound by position, SQLite numbers `$2 … $1` by first appearance.

use std::borrow::Cow;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, ToSql};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::row::{Reply, Row};
use super::value::Value;
use crate::store::error::{Result, StoreError};

const STATEMENTS_KEPT: usize = 256;

/// Between two tries to change the journal's mode.
const PAUSE: Duration = Duration::from_millis(5);

/// An open SQLite file and its threads.
#[derive(Clone)]
pub struct Sqlite {
    place: Arc<str>,
    wait: Duration,
    reads: Sender<Job>,
    writes: Sender<Job>,
    turn: Arc<Semaphore>,
}

/// A way to the threads that read; each statement stands alone.
pub struct Reader {
    place: Arc<str>,
    reads: Sender<Job>,
}

/// The one open write transaction. Rolls back when dropped.
pub struct Writer {
    place: Arc<str>,
    writes: Sender<Job>,
    open: bool,
    _turn: OwnedSemaphorePermit,
}

struct Job {
    task: Task,
    answer: oneshot::Sender<Result<Reply>>,
}

enum Task {
    Statement(Cow<'static, str>, Vec<Value>),
    Script(&'static str),
}

impl Sqlite {
    /// Opens or makes the file; a new one has mode 0600, a new directory 0700.
    pub fn open(path: &Path, place: &Arc<str>, wait: Duration, readers: usize) -> Result<Self> {
        make_file(path).map_err(|error| cannot_open(place, &error))?;
        let writer = connect(path, wait).map_err(|error| fault(place, &error))?;
        prepare_writer(&writer, wait).map_err(|error| fault(place, &error))?;
        let writes = start(vec![writer], "store-write", place)?;
        let mut connections = Vec::new();
        for _ in 0..readers.max(1) {
            let reader = connect(path, wait).map_err(|error| fault(place, &error))?;
            reader.pragma_update(None, "query_only", true).map_err(|error| fault(place, &error))?;
            connections.push(reader);
        }
        let reads = start(connections, "store-read", place)?;
        let turn = Arc::new(Semaphore::new(1));
        Ok(Self { place: Arc::clone(place), wait, reads, writes, turn })
    }

    pub fn read(&self) -> Reader {
        Reader { place: Arc::clone(&self.place), reads: self.reads.clone() }
    }

    /// Waits for the writer's turn, then for the file's lock.
    pub async fn begin(&self) -> Result<Writer> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(StoreError::busy(&self.place, "another write is taking too long"));
        };
        let mut writer = Writer {
            place: Arc::clone(&self.place),
            writes: self.writes.clone(),
            open: true,
            _turn: turn,
        };
        if let Err(error) = writer.run("BEGIN IMMEDIATE".into(), Vec::new()).await {
            writer.open = false;
            return Err(error);
        }
        Ok(writer)
    }
}

impl Reader {
    pub async fn run(&self, sql: Cow<'static, str>, args: Vec<Value>) -> Result<Reply> {
        ask(&self.reads, Task::Statement(sql, args), &self.place).await
    }
}

impl Writer {
    pub async fn run(&self, sql: Cow<'static, str>, args: Vec<Value>) -> Result<Reply> {
        ask(&self.writes, Task::Statement(sql, args), &self.place).await
    }

    /// Runs several statements without values: migrations.
    pub async fn script(&self, sql: &'static str) -> Result<()> {
        ask(&self.writes, Task::Script(sql), &self.place).await.map(|_| ())
    }

    pub async fn commit(mut self) -> Result<()> {
        self.run("COMMIT".into(), Vec::new()).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Writer {
    /// The writing thread takes its work in order: the next `BEGIN` comes after this.
    fn drop(&mut self) {
        if self.open {
            let (answer, _) = oneshot::channel();
            let task = Task::Statement("ROLLBACK".into(), Vec::new());
            self.writes.send(Job { task, answer }).ok();
        }
    }
}

async fn ask(jobs: &Sender<Job>, task: Task, place: &str) -> Result<Reply> {
    let gone = || StoreError::unreachable(place, "its thread has ended");
    let (answer, reply) = oneshot::channel();
    jobs.send(Job { task, answer }).map_err(|_| gone())?;
    reply.await.map_err(|_| gone())?
}

fn make_file(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn connect(path: &Path, wait: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(PathBuf::from(path), flags)?;
    connection.busy_timeout(wait)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Plans look at no value: else a statement over a range is read anew whenever it is given others.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// `FULL`: with less, a power cut could make a used code usable again.
fn prepare_writer(connection: &Connection, wait: Duration) -> rusqlite::Result<()> {
    keep_write_ahead_log(connection, wait)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))
}

/// Asked again while another process opens the same new file: a change of the journal's mode
/// does not wait for a lock as statements do.
fn keep_write_ahead_log(connection: &Connection, wait: Duration) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        let changed = connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()));
        match changed {
            Err(error) if is_busy(&error) && started.elapsed() < wait => {
                thread::park_timeout(PAUSE)
            }
            other => return other,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Starts a thread for each connection; all of them take from one queue, and idle ones sleep side by
/// side: behind a lock, every job would wake two.
fn start(
    connections: Vec<Connection>,
    name: &'static str,
    place: &Arc<str>,
) -> Result<Sender<Job>> {
    let (sender, jobs) = unbounded();
    for connection in connections {
        let (jobs, place) = (Receiver::clone(&jobs), Arc::clone(place));
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(&connection, &jobs, &place))
            .map_err(|error| StoreError::other(name, error.to_string()))?;
    }
    Ok(sender)
}

fn serve(connection: &Connection, jobs: &Receiver<Job>, place: &str) {
    while let Ok(Job { task, answer }) = jobs.recv() {
        let reply = match task {
            Task::Statement(sql, args) => run(connection, &sql, &args, place),
            Task::Script(sql) => connection
                .execute_batch(sql)
                .map(|()| Reply { rows: Vec::new(), changed: 0 })
                .map_err(|error| fault(place, &error)),
        };
        answer.send(reply).ok();
    }
}

fn run(connection: &Connection, sql: &str, args: &[Value], place: &str) -> Result<Reply> {
    let broken = |error: rusqlite::Error| fault(place, &error);
    let mut statement = connection.prepare_cached(sql).map_err(broken)?;
    bind(&mut statement, args, place)?;
    if statement.column_count() == 0 {
        let changed = statement.raw_execute().map_err(broken)?;
        return Ok(Reply { rows: Vec::new(), changed: changed as u64 });
    }
    let columns: Arc<[String]> = statement.column_names().map(String::from).collect();
    let mut rows = Vec::new();
    let mut found = statement.raw_query();
    while let Some(row) = found.next().map_err(broken)? {
        let values = (0..columns.len()).map(|at| row.get_ref(at).map(read_value));
        let values = values.collect::<rusqlite::Result<Vec<_>>>().map_err(broken)?;
        rows.push(Row { columns: Arc::clone(&columns), values });
    }
    let changed = rows.len() as u64;
    Ok(Reply { rows, changed })
}

/// Binds `$n` by its name and refuses a statement that uses more or fewer than it is given.
fn bind(statement: &mut CachedStatement<'_>, args: &[Value], place: &str) -> Result<()> {
    let count = statement.parameter_count();
    if count != args.len() {
        let given = args.len();
        let reason = format!("a statement has {count} parameters and was given {given} values");
        return Err(StoreError::other(place, reason));
    }
    for index in 1..=count {
        let number = statement.parameter_name(index).and_then(number_of);
        let value = number.and_then(|number| args.get(number.checked_sub(1)?));
        let Some(value) = value else {
            return Err(StoreError::other(place, "a parameter is not one of $1, $2, …"));
        };
        statement.raw_bind_parameter(index, value).map_err(|error| fault(place, &error))?;
    }
    Ok(())
}

fn number_of(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse().ok()
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read_value(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(number) => Some(Value::Int(number)),
        ValueRef::Text(text) => Some(Value::Text(String::from_utf8(text.to_vec()).ok()?)),
        ValueRef::Blob(bytes) => Some(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => None,
    }
}

fn cannot_open(place: &str, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full { place: place.to_owned() }
        }
        _ => StoreError::unreachable(place, format!("the file cannot be opened ({error})")),
    }
}

/// Says what SQLite's error means to the owner.
fn fault(place: &str, error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return StoreError::other(place, error.to_string());
    };
    let reason = message.clone().unwrap_or_else(|| code.to_string());
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::busy(place, "another process holds its lock")
        }
        ErrorCode::DiskFull => StoreError::Full { place: place.to_owned() },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Damaged { place: place.to_owned(), reason }
        }
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::PermissionDenied => {
            StoreError::unreachable(place, reason)
        }
        ErrorCode::ReadOnly => StoreError::unreachable(place, "the file may only be read"),
        ErrorCode::ConstraintViolation => conflict(place, code.extended_code, &reason),
        _ => StoreError::other(place, reason),
    }
}

/// `UNIQUE constraint failed: users.username_key, …` names table and columns, never values.
fn conflict(place: &str, code: i32, reason: &str) -> StoreError {
    let unique =
        [rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    let named = reason.split_once(": ").map(|(_, columns)| columns);
    let Some(named) = named.filter(|_| unique.contains(&code)) else {
        return StoreError::other(place, reason);
    };
    let table = named.split('.').next().unwrap_or_default().to_owned();
    let columns = named.split(", ").filter_map(|column| column.split_once('.'));
    let columns: Vec<_> = columns.map(|(_, column)| column).collect();
    StoreError::Conflict { table, columns: columns.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        let connection = Connection::open_in_memory().expect("opened");
        connection.execute_batch("CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT)").expect("made");
        connection
    }

    fn int(number: i64) -> Value {
        Value::Int(number)
    }

    #[test]
    fn parameters_out_of_order_are_bound_by_name() {
        let db = memory();
        run(&db, "INSERT INTO t (k, v) VALUES ($1, 'a')", &[int(1)], "t").expect("inserted");
        let sql = "UPDATE t SET v = $2 WHERE k = $1";
        let reply = run(&db, sql, &[int(1), "b".into()], "t").expect("updated");
        assert_eq!(reply.changed, 1);
    }

    #[test]
    fn a_statement_with_another_number_of_parameters_is_refused() {
        let db = memory();
        for (sql, args) in [
            ("SELECT $1", vec![]),
            ("SELECT $1", vec![int(1), int(2)]),
            ("SELECT $2", vec![int(1)]),
            ("SELECT ?1", vec![int(1)]),
            ("SELECT ?", vec![int(1)]),
        ] {
            assert!(run(&db, sql, &args, "t").is_err(), "{sql} with {}", args.len());
        }
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let db = memory();
        let mut query = db.prepare("PRAGMA max_page_count = 3").expect("prepared");
        query.query_row([], |_| Ok(())).expect("limited");
        let long = "x".repeat(100_000);
        let error = run(&db, "INSERT INTO t VALUES ($1, $2)", &[int(1), long.into()], "here");
        let error = error.err().expect("no room");
        assert_eq!(error.to_string(), "the store here has no room left: make room on its disk");
    }

    #[test]
    fn a_conflict_names_the_columns_and_no_value() {
        let db = memory();
        let sql = "INSERT INTO t (k, v) VALUES ($1, 'secret')";
        run(&db, sql, &[int(1)], "t").expect("first");
        let error = run(&db, sql, &[int(1)], "t").err().expect("second");
        assert_eq!(error.to_string(), "table t already holds a row with the same k");
    }
}
