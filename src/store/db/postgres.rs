//! Postgres: a pool of connections, each statement prepared once for each connection.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls};

use super::row::{Reply, Row};
use super::tls::{Tls, is_near};
use super::value::Value;
use crate::secret::Secret;
use crate::store::error::{Result, StoreError};

const CONNECT: Duration = Duration::from_secs(3);
/// The server gives up after five seconds; this is for a server that has fallen silent.
const SILENCE: Duration = Duration::from_secs(6);
/// A migration may take longer than a request, and waits for another node's.
const MIGRATION: Duration = Duration::from_secs(300);
const LIMITS: &str = "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=30000 \
    -c client_min_messages=warning";

const NO_TLS: &str = "server does not support TLS";

/// A pool of connections to one database.
#[derive(Clone)]
pub struct Postgres {
    place: Arc<str>,
    pool: Pool,
}

/// One connection taken from the pool. An open transaction rolls back when dropped.
pub struct Link {
    place: Arc<str>,
    client: Option<Object>,
    open: bool,
}

impl Postgres {
    /// Prepares a pool; the first request connects.
    pub fn open(url: &Secret, place: &Arc<str>, wait: Duration, most: usize) -> Result<Self> {
        let broken = |reason: &str| StoreError::other(place, reason);
        let mut config: Config =
            url.reveal().parse().map_err(|_| broken("its address is malformed"))?;
        let own = config.get_options().unwrap_or_default();
        let options = format!("{LIMITS} -c lock_timeout={} {own}", wait.as_millis());
        config.options(options).connect_timeout(CONNECT).tcp_user_timeout(SILENCE);
        if config.get_application_name().is_none() {
            config.application_name("doorward");
        }
        let manager = manager(config).map_err(|error| broken(&error))?;
        let pool = Pool::builder(manager)
            .max_size(most.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(wait))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .build()
            .map_err(|error| broken(&error.to_string()))?;
        Ok(Self { place: Arc::clone(place), pool })
    }

    pub async fn read(&self) -> Result<Link> {
        let client = self.pool.get().await.map_err(|error| no_client(&self.place, error))?;
        Ok(Link { place: Arc::clone(&self.place), client: Some(client), open: false })
    }

    pub async fn begin(&self) -> Result<Link> {
        let mut link = self.read().await?;
        // Before the answer: a caller that gives up while waiting still rolls back.
        link.open = true;
        link.batch("BEGIN", SILENCE).await?;
        Ok(link)
    }
}

/// Without `sslmode`, only a server on this machine is spoken to in the clear.
fn manager(mut config: Config) -> Result<Manager, String> {
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if is_near(&config) { SslMode::Disable } else { SslMode::Require });
    }
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Ok(match config.get_ssl_mode() {
        SslMode::Disable => Manager::from_config(config, NoTls, recycling),
        _ => Manager::from_config(config, Tls::with_system_roots()?, recycling),
    })
}

impl Link {
    pub async fn run(&self, sql: Cow<'static, str>, args: Vec<Value>) -> Result<Reply> {
        let query = self.query(&sql, &args);
        tokio::time::timeout(SILENCE, query).await.map_err(|_| silent(&self.place))?
    }

    pub fn is_transaction(&self) -> bool {
        self.open
    }

    /// Runs several statements without values: migrations.
    pub async fn script(&self, sql: &str) -> Result<()> {
        self.batch(sql, MIGRATION).await
    }

    /// One migration at a time among all nodes, and no statement timeout while it runs.
    pub async fn lock_schema(&self) -> Result<()> {
        let sql = "SET LOCAL statement_timeout = 300000; SET LOCAL lock_timeout = 0; \
            SELECT pg_advisory_xact_lock(hashtext('doorward migrations ' || current_schema()))";
        self.batch(sql, MIGRATION).await
    }

    pub async fn commit(mut self) -> Result<()> {
        self.batch("COMMIT", SILENCE).await?;
        self.open = false;
        Ok(())
    }

    async fn batch(&self, sql: &str, most: Duration) -> Result<()> {
        let done = tokio::time::timeout(most, self.client()?.batch_execute(sql)).await;
        let done = done.map_err(|_| silent(&self.place))?;
        done.map_err(|error| fault(&self.place, &error))
    }

    async fn query(&self, sql: &str, args: &[Value]) -> Result<Reply> {
        let broken = |error: tokio_postgres::Error| fault(&self.place, &error);
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await.map_err(broken)?;
        let (count, given) = (statement.params().len(), args.len());
        if count != given {
            let reason = format!("a statement has {count} parameters and was given {given} values");
            return Err(StoreError::other(&self.place, reason));
        }
        let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|value| value as _).collect();
        if statement.columns().is_empty() {
            let changed = client.execute(&statement, &args).await.map_err(broken)?;
            return Ok(Reply { rows: Vec::new(), changed });
        }
        let columns: Arc<[String]> =
            statement.columns().iter().map(|column| column.name().to_owned()).collect();
        let rows = client.query(&statement, &args).await.map_err(broken)?;
        let rows: Vec<_> = rows.iter().map(|row| read_row(row, &columns)).collect();
        let changed = rows.len() as u64;
        Ok(Reply { rows, changed })
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(|| StoreError::unreachable(&self.place, "it was closed"))
    }
}

impl Drop for Link {
    /// A connection goes back to the pool only after its transaction has ended.
    fn drop(&mut self) {
        let Some(client) = self.client.take().filter(|_| self.open) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(client));
            return;
        };
        runtime.spawn(async move {
            let ended = tokio::time::timeout(SILENCE, client.batch_execute("ROLLBACK")).await;
            if !matches!(ended, Ok(Ok(()))) {
                drop(Object::take(client));
            }
        });
    }
}

fn read_row(row: &tokio_postgres::Row, columns: &Arc<[String]>) -> Row {
    let values = (0..row.len()).map(|at| read_value(row, at)).collect();
    Row { columns: Arc::clone(columns), values }
}

fn read_value(row: &tokio_postgres::Row, at: usize) -> Option<Value> {
    let column = row.columns().get(at)?.type_().clone();
    match column {
        Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(at).ok().map(Value::from),
        Type::INT8 => row.try_get::<_, Option<i64>>(at).ok().map(Value::from),
        Type::BOOL => row.try_get::<_, Option<bool>>(at).ok().map(Value::from),
        Type::BYTEA => {
            let bytes = row.try_get::<_, Option<&[u8]>>(at).ok()?;
            Some(Value::from(bytes))
        }
        _ => None,
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        column: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, column) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(column, out),
            (Self::Int(number), &Type::INT8) => number.to_sql(column, out),
            (Self::Bool(truth), &Type::BOOL) => truth.to_sql(column, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(column, out),
            _ => Err(format!("the parameter is a {column}, the value is not").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn silent(place: &str) -> StoreError {
    StoreError::unreachable(place, "it does not answer")
}

fn no_client(place: &str, error: PoolError) -> StoreError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => {
            StoreError::busy(place, "all connections are in use")
        }
        PoolError::Timeout(_) => silent(place),
        PoolError::Backend(error) if error.as_db_error().is_some() => fault(place, &error),
        PoolError::Backend(error) if why(&error) == NO_TLS => StoreError::unreachable(
            place,
            "it offers no TLS (`sslmode=disable` in its address does without, on a network of your own)",
        ),
        PoolError::Backend(error) => StoreError::unreachable(place, why(&error)),
        _ => StoreError::unreachable(place, "the pool of connections is closed"),
    }
}

/// The innermost cause says most: "connection refused" rather than "error connecting to server".
fn why(error: &tokio_postgres::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Says what Postgres's error means to the owner. `DETAIL` may hold values and is not shown.
fn fault(place: &str, error: &tokio_postgres::Error) -> StoreError {
    let Some(told) = error.as_db_error() else {
        return if error.is_closed() || is_io(error) {
            StoreError::unreachable(place, "the connection was lost")
        } else {
            StoreError::other(place, why(error))
        };
    };
    let code = told.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return conflict(told);
    }
    if *code == SqlState::DISK_FULL {
        return StoreError::Full { place: place.to_owned() };
    }
    let passing = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    if passing.contains(code) {
        return StoreError::busy(place, told.message());
    }
    match code.code().get(..2) {
        // Connection lost; wrong user, password or database; shutting down; a standby.
        Some("08" | "28" | "3D" | "57") => StoreError::unreachable(place, told.message()),
        Some("25") if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            StoreError::unreachable(place, "it may only be read")
        }
        Some("XX") => {
            StoreError::Damaged { place: place.to_owned(), reason: told.message().to_owned() }
        }
        _ => StoreError::other(place, told.message()),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// `Key (kind, slug)=(app, x) already exists.`: the names before `)=` are wanted, no value.
fn conflict(told: &DbError) -> StoreError {
    let detail = told.detail().and_then(|text| text.split_once(")=")).map(|(start, _)| start);
    let columns = detail.and_then(|start| start.split_once('(')).map(|(_, columns)| columns);
    StoreError::Conflict {
        table: told.table().unwrap_or("?").to_owned(),
        columns: columns.or(told.constraint()).unwrap_or("key").to_owned(),
    }
}
