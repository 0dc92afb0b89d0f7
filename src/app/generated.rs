//! The secrets that Doorward made itself, opened: for the fronts that need a value, for the files
//! named by `deliver=`, and for whoever asks on the host (`blueprints.md` 3.7).

use super::generation;
use crate::blueprint::Blueprint;
use crate::reconcile::generated::{binding, wanted};
use crate::secret::{MasterKey, SealError, Secret};
use crate::store::{Store, StoreError};

/// A generated secret with its value.
#[derive(Clone, Debug)]
pub struct Generated {
    /// `app:gitea`, or `traefik`.
    pub subject: String,
    /// `oidc.client-secret`.
    pub field: String,
    /// 1 for the first value, one more with each rotation.
    pub rotation: i64,
    /// `deliver=`: the file that receives the value.
    pub deliver: Option<String>,
    pub value: Secret,
}

/// Why the generated secrets are not at hand.
#[derive(Debug, thiserror::Error)]
pub enum GeneratedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the secret {field} of {subject} cannot be opened: {source}")]
    Sealed { subject: String, field: String, source: SealError },
}

/// Every generated secret of a blueprint that the store has a value for.
///
/// # Errors
/// If the store cannot be asked, or a value was sealed with another key.
pub async fn open(
    store: &Store,
    key: &MasterKey,
    blueprint: &Blueprint,
) -> Result<Vec<Generated>, GeneratedError> {
    let wanted = wanted(blueprint);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let uids = generation::uids(store).await?;
    let rows = store.read().await?.list_secrets().await?;
    let mut all = Vec::new();
    for each in wanted {
        let Some(uid) = each.owner.uid(&uids) else { continue };
        let row = rows.iter().find(|row| row.owner_uid == uid && row.field == each.field);
        let Some(row) = row else { continue };
        let subject = each.owner.subject();
        let opened = key.open(&row.sealed, &binding(&uid, &each.field));
        let value = opened.map_err(|source| GeneratedError::Sealed {
            subject: subject.clone(),
            field: each.field.clone(),
            source,
        })?;
        let (field, deliver) = (each.field, each.deliver);
        all.push(Generated { subject, field, rotation: row.rotation, deliver, value });
    }
    Ok(all)
}

/// Every value that Doorward made and still keeps, retired ones and those of removed objects too:
/// by them a delivered file is known again. One that cannot be opened is known by nothing.
///
/// # Errors
/// If the store cannot be asked.
pub async fn ever_made(store: &Store, key: &MasterKey) -> Result<Vec<Secret>, StoreError> {
    let rows = store.read().await?.list_secrets_ever().await?;
    let values = rows.iter();
    Ok(values
        .filter_map(|row| key.open(&row.sealed, &binding(&row.owner_uid, &row.field)).ok())
        .collect())
}
