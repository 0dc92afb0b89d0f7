//! The secrets of clients, from where the files say that they are, and the tokens that programs bind with.

use std::collections::HashMap;
use std::time::Duration;

use super::generated::GeneratedError;
use super::options::Options;
use super::secrets::Secrets;
use crate::blueprint::secret_ref::SecretOrigin;
use crate::client_secret::Known;
use crate::reconcile::generated::{BIND_TOKEN, binding};
use crate::runtime::Runtime;
use crate::secret::{MasterKey, Secret};
use crate::store::Store;

const CLIENT_SECRET: &str = "oidc.client-secret";

/// How long a secret is good after another took its place.
const STAYS_FOR: Duration = Duration::from_secs(86_400);

/// What every client may prove itself by, and every service account at a bind.
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
                SecretOrigin::Generated => {
                    generated(store, key, (&app.uid, CLIENT_SECRET), None).await?
                }
                SecretOrigin::Argon2id(hash) => vec![Known::Verifier(Secret::new(hash.clone()))],
                // One that is missing was told when the files were judged, and lets nobody in.
                _ => secrets.resolve(reference).ok().flatten().map(value).into_iter().collect(),
            },
            None => generated(store, key, (&app.uid, CLIENT_SECRET), None).await?,
        };
        all.insert(app.uid.clone(), known);
    }
    for binder in runtime.directory.iter().flat_map(|directory| &directory.binders) {
        let known = generated(store, key, (&binder.uid, BIND_TOKEN), binder.lasts).await?;
        all.insert(binder.uid.clone(), known);
    }
    Ok(all)
}

fn value(secret: Secret) -> Known {
    Known::Value { secret, until: None }
}

/// The one that was made, and the one before it for a while; none of them longer than it `lasts`.
async fn generated(
    store: &Store,
    key: &MasterKey,
    (uid, field): (&str, &str),
    lasts: Option<Duration>,
) -> Result<Vec<Known>, GeneratedError> {
    let rows = store.read().await?;
    let rows = rows.list_secrets_of(uid).await?;
    let rows = rows.into_iter().filter(|row| row.field == field).take(2);
    rows.map(|row| {
        let opened = key.open(&row.sealed, &binding(uid, field));
        let secret = opened.map_err(|source| GeneratedError::Sealed {
            subject: uid.to_owned(),
            field: field.to_owned(),
            source,
        })?;
        let retires = row.retired_at.map(|at| at.plus(STAYS_FOR));
        let expires = lasts.map(|lasts| row.created_at.plus(lasts));
        Ok(Known::Value { secret, until: retires.into_iter().chain(expires).min() })
    })
    .collect()
}
