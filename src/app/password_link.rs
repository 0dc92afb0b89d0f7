//! The first password: a link that is worth one use within half an hour (`security.md` R17).

use std::time::Duration;

use crate::blueprint::people::ConsoleRole;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::runtime::Runtime;
use crate::secret::MasterKey;
use crate::session::SessionError;
use crate::store::{Link, Store, User};

/// How long a link is worth something.
pub const LASTS: Duration = Duration::from_secs(30 * 60);

/// The purpose of these links in the store.
pub const PURPOSE: &str = "set-password";

/// Set once somebody can sign in: from then on links are made only on the host.
const DONE: &str = "first-password-set";

/// Makes a link for a person and gives its address. An older one is worth nothing any more.
///
/// # Errors
/// If it cannot be stored.
pub async fn make(
    store: &Store,
    key: &MasterKey,
    (clock, rng): (&Clock, &Rng),
    external: &str,
    user: &User,
) -> Result<String, SessionError> {
    let now = clock.now();
    let token = rng.token()?;
    let link = Link {
        digest: key.digest(token.as_bytes()),
        user_id: user.id.clone(),
        purpose: PURPOSE.to_owned(),
        created_at: now,
        expires_at: now.plus(LASTS),
    };
    let mut tx = store.begin().await?;
    tx.replace_link(&link).await?;
    tx.commit().await?;
    Ok(format!("{external}/set-password?token={token}"))
}

/// The administrator who needs a first password, if the installation has none who could sign in.
///
/// # Errors
/// If the store cannot be asked.
pub async fn wanted(store: &Store, runtime: &Runtime) -> Result<Option<User>, SessionError> {
    let read = store.read().await?;
    if read.find_meta(DONE).await?.is_some() {
        return Ok(None);
    }
    let mut first = None;
    for name in administrators(runtime) {
        let Some(user) = read.find_user_by_username(name).await? else { continue };
        if user.password_hash.is_some() || user.password_set_at.is_some() {
            drop(read);
            let mut tx = store.begin().await?;
            tx.put_meta(DONE, "1").await?;
            tx.commit().await?;
            return Ok(None);
        }
        first = first.or(Some(user).filter(|user| !user.disabled));
    }
    Ok(first)
}

/// Declared people in a group with `console admin`.
fn administrators(runtime: &Runtime) -> impl Iterator<Item = &str> {
    let blueprint = &runtime.blueprint;
    let admin = blueprint.groups.iter().filter(|group| group.console == ConsoleRole::Admin);
    let mut groups = crate::access::groups::GroupSet::default();
    admin.filter_map(|group| runtime.groups.id(&group.slug.value)).for_each(|id| groups.insert(id));
    blueprint.users.iter().map(|user| user.name.value.as_str()).filter(move |name| {
        let person = runtime.declared.get(*name);
        let direct = person.into_iter().flat_map(|person| &person.groups).map(String::as_str);
        runtime.groups.expand(direct).meets(&groups)
    })
}
