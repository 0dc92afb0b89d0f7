//! Planning and applying when no server runs.

use super::candidate::{self, Demands, Known};
use super::options::Options;
use super::places::Places;
use super::{generation, verdict};
use crate::app::control::Answer;
use crate::blueprint::load::{self, Loaded};
use crate::blueprint::render::Style;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::reconcile::{self, Confirmations, Outcome, Plan, gather};
use crate::store::{Limits, Opening, Store, StoreError};

/// What the files would change.
///
/// # Errors
/// If the store cannot be opened.
pub async fn plan(
    options: &Options,
    places: &Places,
    confirm: &[String],
    style: &Style,
) -> anyhow::Result<Answer> {
    let store = existing(places).await?;
    let confirmations = Confirmations::parse(confirm.iter().map(String::as_str))?;
    let loaded = load::load(&options.roots, options.mode());
    let (answer, _) = work(options, places, loaded, store.as_ref(), &confirmations, style).await?;
    Ok(answer)
}

/// The store, if there is one. One that is not there yet is empty; looking must not make it.
async fn existing(places: &Places) -> anyhow::Result<Option<Store>> {
    let now = Clock::machine().now();
    match Store::open_existing(&places.state, Limits::default(), now).await {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Takes the files into force in the store, for the next start. A store is made for files that can
/// be taken, and for no others.
///
/// # Errors
/// If the store cannot be opened or refuses.
pub async fn apply(
    options: &Options,
    places: &Places,
    confirm: &[String],
    style: &Style,
) -> anyhow::Result<Answer> {
    let confirmations = Confirmations::parse(confirm.iter().map(String::as_str))?;
    if existing(places).await?.is_none() {
        let loaded = load::load(&options.roots, options.mode());
        let (answer, plan) = work(options, places, loaded, None, &confirmations, style).await?;
        if plan.is_none() {
            return Ok(answer);
        }
    }
    let loaded = load::load(&options.roots, options.mode());
    let opened = super::opening::open(options, places, &loaded.server).await?;
    let worked = work(options, places, loaded, Some(&opened.store), &confirmations, style).await?;
    let (answer, Some((plan, candidate))) = worked else { return Ok(worked.0) };
    if plan.outcome() == Outcome::Held || plan.outcome() == Outcome::Nothing {
        let exit = if plan.outcome() == Outcome::Held { 3 } else { 0 };
        return Ok(Answer { exit, ..answer });
    }
    let rng = Rng::system();
    let applying = opened.applying(&rng, &plan, &candidate.runtime, "apply");
    let applied = reconcile::apply::apply(&applying).await?;
    let created = if opened.opening == Opening::Created { " (a new store)" } else { "" };
    Ok(Answer {
        exit: 0,
        word: "applied".to_owned(),
        text: format!(
            "{}\ngeneration {} is in force at the next start{created}\n",
            reconcile::render::summary(&plan),
            applied.generation
        ),
        json: serde_json::json!({ "result": "applied", "generation": applied.generation }),
    })
}

type Worked = (Answer, Option<(Plan, candidate::Candidate)>);

async fn work(
    options: &Options,
    places: &Places,
    loaded: Loaded,
    store: Option<&Store>,
    confirmations: &Confirmations,
    style: &Style,
) -> anyhow::Result<Worked> {
    let mut known = Known::default();
    if let Some(store) = store {
        known.uids = generation::uids(store).await?;
    }
    let candidate = match candidate::build(options, places, loaded, &known, Demands::All) {
        Ok(candidate) => candidate,
        Err(rejected) => {
            let answer = Answer {
                exit: 1,
                word: "rejected".to_owned(),
                text: rejected.render(style),
                json: serde_json::json!({ "result": "rejected", "problems": rejected.lines() }),
            };
            return Ok((answer, None));
        }
    };
    let now = Clock::machine().now();
    let (before, stored) = match store {
        Some(store) => (
            generation::last_good(options, places, store).await.ok().flatten(),
            gather::gather(&store.read().await?, now).await?,
        ),
        None => (None, reconcile::Stored::default()),
    };
    let plan =
        generation::plan_candidate(options, before.as_ref(), &candidate, &stored, confirmations);
    let answer = Answer {
        exit: plan.outcome().exit_code(),
        word: plan.outcome().word().to_owned(),
        text: reconcile::render::render(&plan, now, verdict::colour(style.colour)),
        json: reconcile::json::to_json(&plan),
    };
    Ok((answer, Some((plan, candidate))))
}
