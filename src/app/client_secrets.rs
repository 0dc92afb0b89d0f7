//! The secrets of clients, from where the files say that they are.

use std::collections::HashMap;
use std::time::Duration;

use super::generated::GeneratedError;
use super::options::Options;
use super::secrets::Secrets;
use crate::blueprint::secret_ref::SecretOrigin;
use crate::client_secret::Known;
use crate::reconcile::generated::binding;
use crate::runtime::Runtime;
use crate::secret::{MasterKey, Secret};
use crate::store::Store;

const FIELD: &str = "oidc.client-secret";

/// How long a secret is good after another took its place.
const STAYS_FOR: Duration = Duration::from_secs(86_400);

/// What every client may prove itself by.
///
/// # Errors
/// If the store cannot be asked, or a value was sealed with another key.
pub async fn load(
    options: &Options,
    store: &Store,
    key: &MasterKey,
    runtime: &Runtime,
) -> Result<HashMap<String, Vec<Known>>, GeneratedError> {
    let secrets = Secrets::new(options);
    let mut all = HashMap::new();
    for (app, declared) in runtime.apps.iter().zip(&runtime.blueprint.apps) {
        let Some(oidc) = declared.oidc.as_ref().filter(|oidc| oidc.has_secret()) else { continue };
        let known = match &oidc.client_secret {
            Some(reference) => match &reference.origin {
                SecretOrigin::Generated => generated(store, key, &app.uid).await?,
                SecretOrigin::Argon2id(hash) => vec![Known::Verifier(Secret::new(hash.clone()))],
                // One that is missing was told when the files were judged, and lets nobody in.
                _ => secrets.resolve(reference).ok().flatten().map(value).into_iter().collect(),
            },
            None => generated(store, key, &app.uid).await?,
        };
        all.insert(app.uid.clone(), known);
    }
    Ok(all)
}

fn value(secret: Secret) -> Known {
    Known::Value { secret, until: None }
}

/// The one that was made, and the one before it for a while.
async fn generated(
    store: &Store,
    key: &MasterKey,
    app_uid: &str,
) -> Result<Vec<Known>, GeneratedError> {
    let rows = store.read().await?;
    let rows = rows.list_secrets_of(app_uid).await?;
    let rows = rows.into_iter().filter(|row| row.field == FIELD).take(2);
    rows.map(|row| {
        let opened = key.open(&row.sealed, &binding(app_uid, FIELD));
        let secret = opened.map_err(|source| GeneratedError::Sealed {
            subject: app_uid.to_owned(),
            field: FIELD.to_owned(),
            source,
        })?;
        Ok(Known::Value { secret, until: row.retired_at.map(|at| at.plus(STAYS_FOR)) })
    })
    .collect()
}
