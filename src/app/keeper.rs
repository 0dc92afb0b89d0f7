//! The configuration in force: read, judged, applied, published (`blueprints.md` 4.6).
//!
//! One reload at a time. Whatever goes wrong before the transaction leaves everything as it was,
//! and says so loudly; what goes wrong after it is *degraded* and tried again.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::candidate::{self, Candidate, Rejected, Uids};
use super::dispatch::{Fronts, Provided};
use super::options::Options;
use super::places::Places;
use super::secrets::Secrets;
use crate::blueprint::load;
use crate::blueprint::object::Kind;
use crate::blueprint::render::Style;
use crate::blueprint::stored;
use crate::clock::Millis;
use crate::flow::hashing::HashError;
use crate::proxy_config::publish::{self, Published};
use crate::proxy_config::traefik::{self, Dynamic};
use crate::reconcile::plan::{Given, TestCounts};
use crate::reconcile::{self, Confirmations, Outcome, Plan, Question, Reason, apply, gather};
use crate::runtime::Runtime;
use crate::runtime::health::{Health, SyncState};
use crate::session::SessionError;
use crate::store::{NewPassword, Store, StoreError};

/// What a reload came to.
#[derive(Debug)]
pub enum Verdict {
    /// The files are the ones in force.
    Unchanged,
    /// Comments, formatting or places changed, and nothing else.
    Refreshed,
    Applied {
        generation: i64,
        plan: Box<Plan>,
    },
    Rejected(Box<Rejected>),
    Held(Box<Plan>),
    /// Directories are missing, unreadable or empty: that never means an empty set.
    Vanished(Vec<String>),
    Failed(KeepError),
}

/// What went wrong that is not the files' fault.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Apply(#[from] apply::ApplyError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("the files could not be read to the end: this is a fault of Doorward")]
    Unread,
    #[error(
        "the stored files of generation {0} cannot be read by this version: see what `doorward check` says of the files, and apply them"
    )]
    Unreadable(i64),
}

impl Verdict {
    /// The exit code of `reload --wait` and `apply`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unchanged | Self::Refreshed | Self::Applied { .. } => 0,
            Self::Rejected(_) | Self::Failed(_) => 1,
            Self::Held(_) | Self::Vanished(_) => 3,
        }
    }

    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Refreshed => "refreshed",
            Self::Applied { .. } => "applied",
            Self::Rejected(_) => "rejected",
            Self::Held(_) | Self::Vanished(_) => "held",
            Self::Failed(_) => "failed",
        }
    }

    /// What to tell a person.
    #[must_use]
    pub fn text(&self, now: Millis, style: &Style) -> String {
        let colour = colour(style.colour);
        match self {
            Self::Unchanged => "nothing to do: the files are the ones in force\n".to_owned(),
            Self::Refreshed => "nothing to do: only places or comments changed\n".to_owned(),
            Self::Applied { generation, plan } => {
                format!(
                    "{}\ngeneration {generation} is in force\n",
                    reconcile::render::summary(plan)
                )
            }
            Self::Held(plan) => reconcile::render::render(plan, now, colour),
            Self::Rejected(rejected) => rejected.render(style),
            Self::Vanished(roots) => {
                let lines = roots.iter().map(|root| format!("held: {root}\n"));
                lines.collect::<String>()
                    + "the last good configuration goes on; bring the directory back\n"
            }
            Self::Failed(error) => format!("error: {error}\n"),
        }
    }
}

/// Whether plans are printed in colour.
#[must_use]
pub fn colour(wanted: bool) -> reconcile::render::Colour {
    if wanted { reconcile::render::Colour::On } else { reconcile::render::Colour::Off }
}

/// Keeps files, store and runtime in step.
pub struct Keeper {
    pub options: Options,
    pub places: Places,
    pub fronts: Arc<Fronts>,
    /// What was last told, so that the same thing is not said every two seconds.
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// The digest that was judged last, whatever came of it.
    digest: String,
    unpublished: bool,
}

/// The last good configuration, made again from what the store keeps of it.
#[derive(Debug)]
pub struct LastGood {
    pub runtime: Runtime,
    pub dynamic: Option<Dynamic>,
}

impl Keeper {
    #[must_use]
    pub fn new(options: Options, places: Places, fronts: Arc<Fronts>) -> Self {
        Self { options, places, fronts, last: Mutex::default() }
    }

    /// Notes what was judged at start.
    pub async fn begin(&self, digest: &str, dynamic: Option<&Dynamic>) {
        let mut last = self.last.lock().await;
        digest.clone_into(&mut last.digest);
        last.unpublished = !self.publish(dynamic);
    }

    /// Reads the files and takes them into force if they may be. A set that was judged before is
    /// not judged again unless somebody `insists`.
    pub async fn reload(
        &self,
        confirmations: &Confirmations,
        by: &str,
        insists: bool,
    ) -> (Verdict, Vec<PathBuf>) {
        let mut last = self.last.lock().await;
        let (roots, mode) = (self.options.roots.clone(), self.options.mode());
        let loaded = tokio::task::spawn_blocking(move || load::load(&roots, mode)).await;
        let Ok(mut loaded) = loaded else {
            return (Verdict::Failed(KeepError::Unread), Vec::new());
        };
        let watched = std::mem::take(&mut loaded.watched);
        let digest = candidate::source_digest(&loaded.sources);
        let judged = digest == last.digest && loaded.problems.is_empty();
        if judged && !insists {
            if last.unpublished {
                let dynamic = self.current_dynamic();
                last.unpublished = !self.publish(dynamic.as_ref());
            }
            return (Verdict::Unchanged, watched);
        }
        let repeated = digest == last.digest;
        last.digest.clone_from(&digest);
        let considered = self.consider(loaded, confirmations, by, &mut last).await;
        let verdict = considered.unwrap_or_else(Verdict::Failed);
        if matches!(verdict, Verdict::Failed(_)) {
            // Not the files' fault: the next look tries again.
            last.digest.clear();
        }
        self.tell(&verdict, by, repeated && !insists).await;
        (verdict, watched)
    }

    async fn consider(
        &self,
        loaded: load::Loaded,
        confirmations: &Confirmations,
        by: &str,
        last: &mut Last,
    ) -> Result<Verdict, KeepError> {
        let server = &self.fronts.server;
        let before = server.runtime.load_full();
        let uids = uids(&server.store).await?;
        let built = candidate::build(
            &self.options,
            &self.places.addressing,
            loaded,
            &uids,
            before.generation,
        );
        let candidate = match built {
            Ok(candidate) => candidate,
            Err(rejected) if !rejected.vanished.is_empty() => {
                return Ok(Verdict::Vanished(rejected.vanished.clone()));
            }
            Err(rejected) => return Ok(Verdict::Rejected(rejected)),
        };
        let plan = self.plan_for(Some(&before), &candidate, confirmations).await?;
        if plan.outcome() == Outcome::Held {
            let held = apply::hold(&applying(server, &plan, &candidate.runtime, by)).await;
            if let Err(error) = held {
                tracing::warn!(%error, "a held set of files could not be noted");
            }
            return Ok(Verdict::Held(Box::new(plan)));
        }
        let changes = plan.outcome() == Outcome::Changes;
        let generation = take(&self.options, server, candidate, &plan, by).await?;
        last.unpublished = !self.publish(generation.dynamic.as_ref());
        Ok(match changes {
            true => Verdict::Applied { generation: generation.number, plan: Box::new(plan) },
            false => Verdict::Refreshed,
        })
    }

    async fn plan_for(
        &self,
        before: Option<&Runtime>,
        candidate: &Candidate,
        confirmations: &Confirmations,
    ) -> Result<Plan, KeepError> {
        let server = &self.fronts.server;
        let stored = gather::gather(&server.store.read().await?, server.clock.now()).await?;
        Ok(plan_candidate(&self.options, before, candidate, &stored, confirmations))
    }

    /// What a reload would do, without doing it.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn plan(
        &self,
        confirmations: &Confirmations,
    ) -> Result<Result<Plan, Box<Rejected>>, KeepError> {
        let server = &self.fronts.server;
        let before = server.runtime.load_full();
        let uids = uids(&server.store).await?;
        let candidate = match candidate::load(&self.options, &self.places.addressing, &uids) {
            Ok(candidate) => candidate,
            Err(rejected) => return Ok(Err(rejected)),
        };
        Ok(Ok(self.plan_for(Some(&before), &candidate, confirmations).await?))
    }

    /// Says once what came of it: in the log, in the events, and in the state of health.
    async fn tell(&self, verdict: &Verdict, by: &str, repeated: bool) {
        let server = &self.fronts.server;
        let now = server.clock.now();
        let before = server.health.load_full();
        let since = |state: SyncState| if before.state == state { before.since } else { now };
        let mut health = Health::in_sync(since(SyncState::InSync));
        health.degraded.clone_from(&before.degraded);
        match verdict {
            Verdict::Unchanged | Verdict::Refreshed | Verdict::Applied { .. } => {
                if let Err(error) = clear_held(&server.store).await {
                    tracing::warn!(%error, "a held set of files could not be forgotten");
                }
            }
            Verdict::Rejected(rejected) => {
                health.state = SyncState::Rejected;
                health.since = since(SyncState::Rejected);
                health.problems = rejected.lines();
                if !repeated {
                    server.journal.note(
                        "config.rejected",
                        Some(by),
                        None,
                        serde_json::json!({ "problems": health.problems }),
                    );
                }
            }
            Verdict::Held(plan) => {
                health.state = SyncState::Held;
                health.since = since(SyncState::Held);
                health.problems = plan.held.iter().map(Reason::line).collect();
            }
            Verdict::Vanished(roots) => {
                health.state = SyncState::Held;
                health.since = since(SyncState::Held);
                health.problems.clone_from(roots);
                if !repeated {
                    let data = serde_json::json!({ "reasons": roots });
                    server.journal.note("config.held", Some(by), None, data);
                }
            }
            Verdict::Failed(error) => {
                health.state = SyncState::Rejected;
                health.since = since(SyncState::Rejected);
                health.problems = vec![error.to_string()];
            }
        }
        if !repeated {
            log(verdict, &health, by);
        }
        server.health.store(Arc::new(health));
    }

    fn current_dynamic(&self) -> Option<Dynamic> {
        let runtime = self.fronts.server.runtime.load();
        let stamp = candidate::stamp(runtime.revision.as_deref(), &runtime.source_digest);
        traefik::dynamic(&runtime.blueprint, &stamp, self.options.raw_routers()).ok().flatten()
    }

    /// Gives Traefik its configuration; `false` if the file could not be written.
    fn publish(&self, dynamic: Option<&Dynamic>) -> bool {
        let server = &self.fronts.server;
        let runtime = server.runtime.load();
        let traefik = runtime.blueprint.traefik.as_ref();
        self.fronts.provided.store(provided(&self.options, traefik, dynamic).map(Arc::new));
        let written = match (traefik.and_then(|traefik| traefik.write.as_ref()), dynamic) {
            (Some(path), Some(dynamic)) => self.write(&path.value, dynamic),
            _ => Ok(Published::Unchanged),
        };
        let mut health = (*server.health.load_full()).clone();
        health.degraded.retain(|line| !line.starts_with("traefik: "));
        let fine = match written {
            Ok(Published::Written) => {
                tracing::info!("Traefik's file was written");
                true
            }
            Ok(Published::Unchanged) => true,
            Err(error) => {
                tracing::error!(%error, "Traefik's file could not be written: the old one stays");
                health.degraded.push(format!("traefik: {error}"));
                false
            }
        };
        server.health.store(Arc::new(health));
        fine
    }

    fn write(&self, declared: &str, dynamic: &Dynamic) -> Result<Published, publish::PublishError> {
        let path = self.places.written(&self.options, declared);
        let mut allowed = self.options.write_to.clone();
        allowed.push(self.places.directory.clone());
        if self.options.dev
            && let Some(parent) = path.parent()
        {
            let _ = std::fs::create_dir_all(parent);
        }
        publish::publish(&path, &dynamic.to_yaml(), &allowed)
    }
}

fn log(verdict: &Verdict, health: &Health, by: &str) {
    match verdict {
        Verdict::Unchanged => {}
        Verdict::Refreshed => tracing::info!(by, "the files changed in places and comments only"),
        Verdict::Applied { generation, plan } => {
            tracing::info!(
                generation,
                by,
                changes = plan.changes.len(),
                "{}",
                reconcile::render::summary(plan).trim()
            );
        }
        Verdict::Rejected(_) => {
            let first = health.problems.first().map_or("", String::as_str);
            tracing::error!(
                by,
                errors = health.problems.len(),
                first,
                "the files were changed and are NOT in force: the last good configuration goes on. `doorward check` shows every error"
            );
            for problem in health.problems.iter().take(25) {
                tracing::error!("{problem}");
            }
        }
        Verdict::Held(_) | Verdict::Vanished(_) => {
            tracing::warn!(
                by,
                "the files were changed and wait for a confirmation: `doorward plan` shows what for"
            );
            for problem in &health.problems {
                tracing::warn!("held: {problem}");
            }
        }
        Verdict::Failed(error) => {
            tracing::error!(by, %error, "the files could not be taken into force")
        }
    }
}

fn provided(
    options: &Options,
    traefik: Option<&crate::blueprint::traefik::Traefik>,
    dynamic: Option<&Dynamic>,
) -> Option<Provided> {
    let (serve, dynamic) = (traefik?.serve.as_ref()?, dynamic?);
    let token = match &serve.token {
        // A token that is missing closes the door; it never opens it.
        Some(reference) => Some(Secrets::new(options).resolve(reference).ok().flatten()?),
        None => None,
    };
    Some(Provided {
        path: serve.path.value.clone(),
        token,
        json: dynamic.to_json(),
        digest: dynamic.stamp().digest().to_owned(),
        revision: dynamic.stamp().revision().to_owned(),
    })
}

/// Uids of all live objects.
///
/// # Errors
/// If the store cannot be asked.
pub async fn uids(store: &Store) -> Result<Uids, StoreError> {
    let objects = store.read().await?.list_live_objects().await?;
    let known = objects
        .into_iter()
        .filter_map(|object| Some(((Kind::from_word(&object.kind)?, object.slug), object.uid)));
    Ok(known.collect())
}

/// The plan from the running generation to a candidate.
#[must_use]
pub fn plan_candidate(
    options: &Options,
    before: Option<&Runtime>,
    candidate: &Candidate,
    stored: &reconcile::Stored,
    confirmations: &Confirmations,
) -> Plan {
    let roots: Vec<String> =
        options.roots.iter().map(|root| root.path.display().to_string()).collect();
    let given = Given {
        vanished_roots: Vec::new(),
        warnings: candidate.missing.clone(),
        tests: TestCounts {
            passed: candidate.report.passed,
            failed: candidate.report.failures.len(),
        },
        dirty: false,
        roots: roots.join(" "),
    };
    // Generation 0 is none: there is nothing to compare with.
    let before = before.filter(|before| before.generation > 0);
    reconcile::plan(&Question {
        before,
        after: &candidate.runtime,
        stored,
        confirmations,
        given: &given,
    })
}

/// What was taken into force.
pub struct Taken {
    pub number: i64,
    pub dynamic: Option<Dynamic>,
}

/// Applies a plan in one transaction and swaps the runtime.
///
/// # Errors
/// If the store refuses; then nothing changed.
pub async fn take(
    options: &Options,
    server: &crate::web::server::Server,
    candidate: Candidate,
    plan: &Plan,
    by: &str,
) -> Result<Taken, KeepError> {
    let applied = apply::apply(&applying(server, plan, &candidate.runtime, by)).await?;
    let Candidate { runtime, dynamic, .. } = candidate;
    server.runtime.store(Arc::new(identified(runtime, &applied)));
    server.sessions.forget(&applied.ended_sessions);
    server.sessions.forget_app_sessions(&applied.ended_app_sessions);
    server.sessions.refresh_accounts().await?;
    first_passwords(options, server).await?;
    Ok(Taken { number: applied.generation, dynamic })
}

fn applying<'a>(
    server: &'a crate::web::server::Server,
    plan: &'a Plan,
    after: &'a Runtime,
    actor: &'a str,
) -> apply::Applying<'a> {
    apply::Applying {
        store: &server.store,
        key: &server.key,
        rng: &server.rng,
        now: server.clock.now(),
        plan,
        after,
        actor,
    }
}

/// The runtime with the number and the uids that the store gave it.
#[must_use]
pub fn identified(mut runtime: Runtime, applied: &apply::Applied) -> Runtime {
    runtime.generation = applied.generation;
    for app in &mut runtime.apps {
        if let Some(uid) = applied.uids.get(&(Kind::App, app.slug.clone())) {
            app.uid.clone_from(uid);
        }
    }
    runtime
}

/// Gives `initial-password` to whoever declares one and never had any. Once, and to be changed.
///
/// # Errors
/// If the store refuses.
pub async fn first_passwords(
    options: &Options,
    server: &crate::web::server::Server,
) -> Result<(), KeepError> {
    let runtime = server.runtime.load_full();
    let secrets = Secrets::new(options);
    for declared in &runtime.blueprint.users {
        let Some(reference) = &declared.initial_password else { continue };
        let name = &declared.name.value;
        let Some(user) = server.store.read().await?.find_user_by_username(name).await? else {
            continue;
        };
        if user.initial_password_applied || user.password_hash.is_some() {
            continue;
        }
        let Ok(Some(password)) = secrets.resolve(reference) else { continue };
        let hash = server.hasher.hash(&password, &server.rng).await?;
        let mut tx = server.store.begin().await?;
        let given = NewPassword { hash: &hash, must_change: true };
        let applied = tx.apply_initial_password(&user.id, given, server.clock.now()).await?;
        if applied && runtime.administrators().any(|known| known == name) {
            tx.note_administrator().await?;
        }
        tx.commit().await?;
        if applied {
            server.journal.note("password.initial", None, Some(name), serde_json::json!({}));
            tracing::info!(
                user = name,
                "the initial password was set; it must be changed at the first sign-in"
            );
        }
    }
    Ok(())
}

/// Makes the generation in force again from its stored files.
///
/// # Errors
/// If the store cannot be asked, or this version cannot read them.
pub async fn last_good(
    options: &Options,
    places: &Places,
    store: &Store,
) -> Result<Option<LastGood>, KeepError> {
    let Some(active) = store.read().await?.find_active_generation().await? else { return Ok(None) };
    let uids = uids(store).await?;
    let number = active.line.number;
    // What was in force was allowed then; arguments given since decide about new files alone.
    let mode = crate::blueprint::validate::Mode {
        dev: true,
        allow_raw_routers: true,
        ..Default::default()
    };
    let lenient = Options { allow_raw_routers: true, ..options.clone() };
    let loaded = stored::understand(&active.sources, mode).ok_or(KeepError::Unreadable(number))?;
    let built = candidate::rebuild(&lenient, &places.addressing, loaded, &uids, number);
    let candidate = built.map_err(|_| KeepError::Unreadable(number))?;
    let mut runtime = candidate.runtime;
    runtime.source_digest = active.line.source_digest;
    runtime.revision = active.line.revision;
    Ok(Some(LastGood { runtime, dynamic: candidate.dynamic }))
}

async fn clear_held(store: &Store) -> Result<(), StoreError> {
    if store.read().await?.find_held().await?.is_none() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    tx.clear_held().await?;
    tx.commit().await
}
