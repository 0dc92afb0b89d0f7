//! Runs a test on SQLite and on Postgres: with a store in this process, or with the arguments of a
//! server that keeps its state there.
//!
//! Postgres comes from `TEST_POSTGRES_URL`, a schema for each test. Without it the test says
//! that it was skipped there; where `CI` is `true` it fails.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use doorward::clock::Millis;
use doorward::store::{Limits, Opening, StateUrl, Store};

/// The moment at which every test begins.
pub const NOON: Millis = Millis(1_700_000_000_000);

/// A fresh store, gone after the test.
pub struct TestStore {
    store: Store,
    place: Place,
}

/// Where a store may be made, gone after the test.
pub struct Place {
    url: StateUrl,
    home: Home,
}

enum Home {
    Directory(PathBuf),
    Schema { server: String, name: String },
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    /// Another handle on the same state, as another process would have it.
    pub async fn reopened(&self) -> Store {
        let (store, opening) =
            Store::open(self.url(), limits(), NOON).await.expect("the store opens again");
        assert_eq!(opening, Opening::Opened);
        store
    }

    pub fn url(&self) -> &StateUrl {
        &self.place.url
    }

    /// Runs SQL past the store, as somebody with a database shell would.
    pub async fn tamper(&self, sql: &str) {
        match &self.place.home {
            Home::Directory(directory) => {
                let file = rusqlite::Connection::open(directory.join("state.db")).expect("opened");
                file.execute_batch(sql).expect("tampered");
            }
            Home::Schema { server, name } => {
                let sql = format!("SET search_path = {name}; {sql}");
                postgres(server, &sql).await;
            }
        }
    }
}

impl Place {
    pub fn url(&self) -> &StateUrl {
        &self.url
    }

    fn sqlite() -> Self {
        let directory = scratch();
        let url = StateUrl::Sqlite(directory.join("state.db"));
        Self { url, home: Home::Directory(directory) }
    }

    async fn postgres() -> Option<Self> {
        let server = postgres_server()?;
        let name = unique_name();
        postgres(&server, &format!("CREATE SCHEMA {name}")).await;
        let mark = if server.contains('?') { '&' } else { '?' };
        // The name of the connections too, so that a test can find its own.
        let url =
            format!("{server}{mark}options=-c%20search_path%3D{name}&application_name={name}");
        let url = url.parse().expect("a Postgres address");
        Some(Self { url, home: Home::Schema { server, name } })
    }

    async fn open(self) -> TestStore {
        let (store, opening) = Store::open(&self.url, limits(), NOON).await.expect("a new store");
        assert_eq!(opening, Opening::Created);
        TestStore { store, place: self }
    }

    async fn remove(self) {
        match self.home {
            Home::Directory(directory) => std::fs::remove_dir_all(directory).expect("removed"),
            Home::Schema { server, name } => {
                postgres(&server, &format!("DROP SCHEMA {name} CASCADE")).await;
            }
        }
    }
}

/// Runs `test` with a fresh SQLite store, then with a fresh Postgres one.
pub async fn on_both_stores(test: impl AsyncFn(&TestStore)) {
    on_sqlite(&test).await;
    on_postgres(&test).await;
}

/// For what concerns SQLite alone.
pub async fn on_sqlite(test: impl AsyncFn(&TestStore)) {
    let TestStore { store, place } = run(Place::sqlite(), test).await;
    drop(store);
    place.remove().await;
}

/// For what concerns Postgres alone.
pub async fn on_postgres(test: impl AsyncFn(&TestStore)) {
    if let Some(place) = Place::postgres().await {
        let TestStore { store, place } = run(place, test).await;
        drop(store);
        place.remove().await;
    }
}

/// Runs `test` with places where no store has been made yet.
pub async fn on_both_places(test: impl AsyncFn(&Place)) {
    for place in [Some(Place::sqlite()), Place::postgres().await].into_iter().flatten() {
        test(&place).await;
        place.remove().await;
    }
}

/// Runs `test` with the arguments of a server on SQLite, then with those of one on Postgres.
pub fn on_both_servers(test: impl Fn(&[&str])) {
    on_sqlite_server(&test);
    on_postgres_server(&test);
}

/// For what takes too long to do one after the other: a server keeps its state in SQLite unless
/// told otherwise.
pub fn on_sqlite_server(test: impl Fn(&[&str])) {
    test(&[]);
}

/// The other half of `on_sqlite_server`.
pub fn on_postgres_server(test: impl Fn(&[&str])) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let Some(place) = runtime.block_on(Place::postgres()) else { return };
    let StateUrl::Postgres(url) = place.url() else { panic!("a place in Postgres") };
    test(&["--state", url.reveal()]);
    runtime.block_on(place.remove());
}

/// Runs SQL in a schema of Postgres, past whoever else is there.
pub fn tamper(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(postgres(url, sql));
}

async fn run(place: Place, test: impl AsyncFn(&TestStore)) -> TestStore {
    let store = place.open().await;
    test(&store).await;
    store
}

pub fn limits() -> Limits {
    Limits { connections: 4, ..Limits::default() }
}

/// A name that no other test has.
pub fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("doorward_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A place for a directory, in memory where there is such a place.
pub fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    parent.join(unique_name())
}

#[expect(clippy::disallowed_methods, reason = "where Postgres is, only the environment knows")]
fn postgres_server() -> Option<String> {
    static SAID: Once = Once::new();
    let server = std::env::var("TEST_POSTGRES_URL").ok();
    if server.is_none() {
        let ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!ci, "TEST_POSTGRES_URL is not set: in CI the store is tested on Postgres too");
        SAID.call_once(|| eprintln!("Postgres skipped: set TEST_POSTGRES_URL to test it too"));
    }
    server
}

async fn postgres(server: &str, sql: &str) {
    let (client, connection) =
        tokio_postgres::connect(server, tokio_postgres::NoTls).await.expect("Postgres answers");
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("Postgres does it");
    drop(client);
    connection.await.expect("joined").expect("closed");
}
