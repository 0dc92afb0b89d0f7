//! A generation: planned, taken into force, and made again from what the store keeps of it.

use std::sync::Arc;

use super::candidate::{self, Candidate, Demands, Known};
use super::initial_passwords;
use super::options::Options;
use super::places::Places;
use super::verdict::KeepError;
use crate::blueprint::object::Kind;
use crate::blueprint::stored;
use crate::reconcile::apply::Uids;
use crate::reconcile::plan::{Given, TestCounts};
use crate::reconcile::{self, Confirmations, Plan, Question, apply};
use crate::runtime::Runtime;
use crate::store::{Store, StoreError};
use crate::web::server::Server;

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
        restart: candidate.restart.clone(),
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

/// Applies a plan in one transaction and swaps the runtime. Returns the number of the generation.
///
/// # Errors
/// If the store refuses; then nothing changed.
pub async fn take(
    options: &Options,
    server: &Server,
    candidate: Candidate,
    plan: &Plan,
    by: &str,
) -> Result<i64, KeepError> {
    let applied = apply::apply(&applying(server, plan, &candidate.runtime, by)).await?;
    server.runtime.store(Arc::new(identified(candidate.runtime, &applied)));
    server.sessions.forget(&applied.ended_sessions);
    server.sessions.forget_app_sessions(&applied.ended_app_sessions);
    server.sessions.refresh_accounts().await?;
    initial_passwords::apply(options, server).await?;
    Ok(applied.generation)
}

/// What applying a plan needs of the server.
pub fn applying<'a>(
    server: &'a Server,
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

/// Notes that files wait for a confirmation. If that fails they wait all the same.
pub async fn hold(applying: &apply::Applying<'_>) {
    if let Err(error) = apply::hold(applying).await {
        tracing::warn!(%error, "a held set of files could not be noted");
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
    for binder in runtime.directory.iter_mut().flat_map(|directory| &mut directory.binders) {
        let owner = (Kind::ServiceAccount, binder.account.name.clone());
        if let Some(uid) = applied.uids.get(&owner) {
            binder.uid.clone_from(uid);
        }
    }
    runtime
}

/// Makes the generation in force again from its stored files.
///
/// # Errors
/// If the store cannot be asked, or this version cannot read them.
pub async fn last_good(
    options: &Options,
    places: &Places,
    store: &Store,
) -> Result<Option<Runtime>, KeepError> {
    let Some(active) = store.read().await?.find_active_generation().await? else { return Ok(None) };
    let number = active.line.number;
    let known = Known { uids: uids(store).await?, generation: number };
    // What was in force was allowed then; arguments given since decide about new files alone.
    let mode = crate::blueprint::validate::Mode {
        dev: true,
        allow_raw_routers: true,
        ..Default::default()
    };
    let lenient = Options { allow_raw_routers: true, ..options.clone() };
    let loaded = stored::understand(&active.sources, mode).ok_or(KeepError::Unreadable(number))?;
    let built = candidate::build(&lenient, places, loaded, &known, Demands::None);
    let candidate = built.map_err(|_| KeepError::Unreadable(number))?;
    let mut runtime = candidate.runtime;
    runtime.source_digest = active.line.source_digest;
    runtime.revision = active.line.revision;
    Ok(Some(runtime))
}
