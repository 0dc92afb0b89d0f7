//! A store with blueprints applied to it, as a server would.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::blueprint::object::Kind;
use crate::blueprint::source::Sources;
use crate::clock::Millis;
use crate::ids::Rng;
use crate::reconcile::{
    Applied, ApplyError, Applying, Confirmations, Outcome, Plan, Question, apply, gather, plan,
};
use crate::reconcile::{plan::Given, sample};
use crate::runtime::Runtime;
use crate::secret::{MasterKey, Secret};
use crate::store::{Limits, Store};

/// A store in a directory of its own, gone with it.
pub struct Server {
    pub store: Store,
    pub rng: Rng,
    pub key: MasterKey,
    pub now: Millis,
    directory: PathBuf,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Server {
    pub async fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doorward-reconcile-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        let url = format!("sqlite://{}/state.db", directory.display());
        let now = Millis(1_700_000_000_000);
        let limits = Limits { readers: 1, connections: 1, wait: Duration::from_secs(5) };
        let (store, _) =
            Store::open(&url.parse().expect("an address"), limits, now).await.expect("a store");
        let key = MasterKey::parse(&Secret::new("ab".repeat(32))).expect("a key");
        Self { store, rng: Rng::counted(7), key, now, directory }
    }

    /// The generation in force, compiled from what is stored.
    pub async fn running(&self) -> Option<Runtime> {
        let read = self.store.read().await.expect("a reader");
        let generation = read.find_active_generation().await.expect("answered")?;
        let sources: Sources = serde_json::from_str(&generation.sources).expect("sources");
        let uids: BTreeMap<(Kind, String), String> = read
            .list_live_objects()
            .await
            .expect("answered")
            .into_iter()
            .filter_map(|row| Some(((Kind::from_word(&row.kind)?, row.slug), row.uid)))
            .collect();
        let files: Vec<(&str, &str)> =
            sources.files.iter().map(|file| (file.name.as_str(), file.text.as_ref())).collect();
        Some(sample::runtime_with(&files, &uids))
    }

    pub async fn plan(&self, after: &Runtime, confirmations: &Confirmations) -> Plan {
        let stored = gather(&self.store.read().await.expect("a reader"), self.now).await;
        let before = self.running().await;
        plan(&Question {
            before: before.as_ref(),
            after,
            stored: &stored.expect("gathered"),
            confirmations,
            given: &Given::default(),
        })
    }

    pub async fn apply(&self, after: &Runtime, plan: &Plan) -> Result<Applied, ApplyError> {
        apply(&self.applying(after, plan)).await
    }

    pub fn applying<'a>(&'a self, after: &'a Runtime, plan: &'a Plan) -> Applying<'a> {
        Applying {
            store: &self.store,
            key: &self.key,
            rng: &self.rng,
            now: self.now,
            plan,
            after,
            actor: "reload",
        }
    }

    /// Applies a text, whatever has to be confirmed for it.
    pub async fn follow(&self, text: &str) -> Applied {
        let after = sample::runtime(text);
        let mut plan = self.plan(&after, &Confirmations::default()).await;
        if plan.outcome() == Outcome::Held {
            let all = plan.held.iter().flat_map(|reason| &reason.confirm).map(String::as_str);
            let all = Confirmations::parse(all).expect("parsed");
            plan = self.plan(&after, &all).await;
        }
        assert_ne!(plan.outcome(), Outcome::Held, "{:?}", plan.held);
        self.apply(&after, &plan).await.expect("applied")
    }

    /// Every row of the tables named, as text.
    pub fn rows(&self, queries: &[&str]) -> Vec<String> {
        let file = rusqlite::Connection::open(self.directory.join("state.db")).expect("opened");
        let mut rows = Vec::new();
        for query in queries {
            let mut statement = file.prepare(query).expect(query);
            let columns = statement.column_count();
            let read = statement.query_map([], |row| {
                let cells: Vec<String> =
                    (0..columns).map(|at| row.get_ref(at).map(shown).unwrap_or_default()).collect();
                Ok(cells.join(" | "))
            });
            rows.extend(read.expect(query).map(|row| row.expect("a row")));
        }
        rows
    }

    /// Runs SQL past the store.
    pub fn tamper(&self, sql: &str) {
        let file = rusqlite::Connection::open(self.directory.join("state.db")).expect("opened");
        file.execute_batch(sql).expect("tampered");
    }
}

fn shown(value: rusqlite::types::ValueRef<'_>) -> String {
    match value.as_str() {
        Ok(text) => text.to_owned(),
        Err(_) => format!("{value:?}"),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// Every table that could hold anything.
pub const EVERYTHING: &[&str] = &[
    "SELECT * FROM objects ORDER BY uid",
    "SELECT * FROM users ORDER BY id",
    "SELECT * FROM memberships ORDER BY user_id, group_slug, owner",
    "SELECT * FROM secrets ORDER BY owner_uid, field, rotation",
    "SELECT * FROM generations ORDER BY number",
    "SELECT * FROM active",
    "SELECT * FROM sessions ORDER BY id",
    "SELECT * FROM app_sessions ORDER BY id",
    "SELECT * FROM events ORDER BY id",
    "SELECT * FROM held",
];
