//! The passwords that files give to people who never had one.

use super::options::Options;
use super::secrets::Secrets;
use super::verdict::KeepError;
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};
use crate::secret::Secret;
use crate::store::NewPassword;
use crate::web::server::Server;

/// Gives `initial-password` to whoever declares one and never had any. Once; one that others chose
/// is to be changed, a hash that came along with its person is not.
///
/// # Errors
/// If the store refuses.
pub async fn apply(options: &Options, server: &Server) -> Result<(), KeepError> {
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
        let Some((hash, must_change)) = hash(server, &secrets, reference).await? else { continue };
        let mut tx = server.store.begin().await?;
        let given = NewPassword { hash: &hash, must_change };
        let applied = tx.apply_initial_password(&user.id, given, server.clock.now()).await?;
        if applied && runtime.administrators().any(|known| known == name) {
            tx.note_administrator().await?;
        }
        tx.commit().await?;
        if applied {
            server.journal.note("password.initial", None, Some(name), serde_json::json!({}));
            tracing::info!(user = name, must_change, "the initial password was set");
        }
    }
    Ok(())
}

/// The hash that a reference comes to, and whether its password has to be changed; `None` if there
/// is no value behind it.
async fn hash(
    server: &Server,
    secrets: &Secrets,
    reference: &SecretRef,
) -> Result<Option<(Secret, bool)>, KeepError> {
    if let SecretOrigin::Argon2id(hash) = &reference.origin {
        return Ok(Some((Secret::new(hash.clone()), false)));
    }
    let Ok(Some(password)) = secrets.resolve(reference) else { return Ok(None) };
    Ok(Some((server.hasher.hash(&password, &server.rng).await?, true)))
}
