//! Closes the difference that a plan found, in one transaction.
//!
//! Tombstones come before renames and those before inserts, so that a freed name can be used
//! again at once. What belongs to run time is not touched: passwords, factors, sessions of those
//! who stay, memberships given by hand, and own attributes.

use std::collections::BTreeMap;

use super::held::Reason;
use super::plan::{Outcome, Plan};
use crate::blueprint::object::Kind;
use crate::blueprint::secret_ref::SecretRef;
use crate::clock::Millis;
use crate::ids::{NoRandomness, Rng};
use crate::runtime::Runtime;
use crate::secret::{MasterKey, SealError};
use crate::store::{Held, NewGeneration, Store, StoreError, Tx};

mod events;
mod objects;
mod people;
mod secrets;

/// The uids of declared objects, by kind and slug.
pub type Uids = BTreeMap<(Kind, String), String>;

/// Everything that applying a plan needs.
#[derive(Clone, Copy)]
pub struct Applying<'a> {
    pub store: &'a Store,
    pub key: &'a MasterKey,
    pub rng: &'a Rng,
    pub now: Millis,
    pub plan: &'a Plan,
    /// What the plan leads to.
    pub after: &'a Runtime,
    /// Who asked: `file change`, `reload`, a person.
    pub actor: &'a str,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The generation in force.
    pub generation: i64,
    /// Whether it is a new one. Files that mean the same make none.
    pub is_new: bool,
    pub uids: Uids,
    /// Whose initial password is still to be hashed and set.
    pub first_passwords: Vec<FirstPassword>,
    /// Ids, for the caches that hold them.
    pub ended_sessions: Vec<String>,
    pub ended_app_sessions: Vec<String>,
}

/// A declared user whose initial password was never applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstPassword {
    pub user_id: String,
    pub username: String,
    pub secret: SecretRef,
}

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the files are held until somebody confirms: see `doorward plan`")]
    Held,
    #[error("another change came first: plan again")]
    Raced,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl ApplyError {
    /// Whether planning and applying once more may help.
    #[must_use]
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Raced => true,
            Self::Store(error) => {
                error.is_passing() || matches!(error, StoreError::Conflict { .. })
            }
            Self::Held | Self::Seal(_) | Self::NoRandomness(_) => false,
        }
    }
}

/// Applies a plan: all of it or nothing.
///
/// # Errors
/// If it is held, if the store has changed since it was made, or if the store fails.
pub async fn apply(applying: &Applying<'_>) -> Result<Applied, ApplyError> {
    let plan = applying.plan;
    if plan.outcome() == Outcome::Held {
        return Err(ApplyError::Held);
    }
    let mut tx = applying.store.begin().await?;
    let expected = plan.base.as_ref().map(|base| base.number);
    if tx.find_active_number().await? != expected {
        return Err(ApplyError::Raced);
    }
    let mut applied = Applied { uids: objects::uids(applying)?, ..Applied::default() };
    objects::tombstone(applying, &mut tx, &mut applied).await?;
    objects::rename(applying, &mut tx).await?;
    objects::insert(applying, &mut tx, &applied.uids).await?;
    people::write(applying, &mut tx, &mut applied).await?;
    let made = secrets::write(applying, &mut tx, &applied.uids).await?;
    generation(applying, &mut tx, &mut applied).await?;
    if applied.is_new || plan.outcome() == Outcome::Changes {
        events::write(applying, &mut tx, &applied, &made).await?;
    }
    tx.clear_held().await?;
    tx.commit().await?;
    Ok(applied)
}

/// Stores the generation and puts it in force, or refreshes the text of the one that means the same.
async fn generation(
    applying: &Applying<'_>,
    tx: &mut Tx,
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    let Applying { plan, after, now, actor, .. } = *applying;
    let sources = serde_json::to_string(&after.sources).map_err(|error| StoreError::Other {
        place: "sources".into(),
        reason: error.to_string(),
    })?;
    let revision = after.revision.as_deref();
    let expected = plan.base.as_ref().map(|base| base.number);
    let number = match plan.base.as_ref().filter(|_| plan.is_same_model()) {
        Some(base) => {
            if base.source_digest != after.source_digest {
                let digest = &after.source_digest;
                tx.refresh_generation(base.number, digest, revision, &sources).await?;
            }
            base.number
        }
        None => {
            applied.is_new = true;
            let generation = NewGeneration {
                source_digest: &after.source_digest,
                model_digest: &after.model_digest,
                revision,
                sources: &sources,
                applied_by: actor,
                summary: &events::summary(plan),
            };
            tx.insert_generation(generation, now).await?
        }
    };
    if !tx.activate(expected, number).await? {
        return Err(ApplyError::Raced);
    }
    applied.generation = number;
    Ok(())
}

/// Records that a plan is held, once for each set of files.
///
/// # Errors
/// If the store fails.
pub async fn hold(applying: &Applying<'_>) -> Result<(), ApplyError> {
    let plan = applying.plan;
    let digest = &plan.target.source_digest;
    let mut tx = applying.store.begin().await?;
    let known = tx.find_held().await?;
    if known.is_some_and(|held| held.source_digest == *digest && held.reasons == told(&plan.held)) {
        return Ok(());
    }
    let held = Held { source_digest: digest.clone(), reasons: told(&plan.held), at: applying.now };
    tx.put_held(&held).await?;
    events::held(applying, &mut tx, &held.reasons).await?;
    tx.commit().await?;
    Ok(())
}

/// Reasons as they are stored and told in events.
fn told(reasons: &[Reason]) -> serde_json::Value {
    let reasons = reasons.iter().map(|reason| {
        serde_json::json!({
            "reason": reason.code,
            "object": reason.object,
            "at": reason.place,
            "message": reason.sentence,
            "confirm": reason.confirm,
        })
    });
    serde_json::Value::Array(reasons.collect())
}
