//! The first password: a link that is worth one use within half an hour (`security.md` R17).

use std::time::Duration;

use crate::clock::Clock;
use crate::flow::new_password::LINK_PURPOSE;
use crate::ids::Rng;
use crate::runtime::Runtime;
use crate::secret::MasterKey;
use crate::session::SessionError;
use crate::store::{Event, Link, Store, User};

/// How long a link is worth something.
pub const LASTS: Duration = Duration::from_secs(30 * 60);

/// Makes a link for a person, at the wish of `by`, and gives its address. An older one is worth
/// nothing any more.
///
/// # Errors
/// If it cannot be stored.
pub async fn make(
    store: &Store,
    key: &MasterKey,
    (clock, rng): (&Clock, &Rng),
    external: &str,
    (user, by): (&User, &str),
) -> Result<String, SessionError> {
    let now = clock.now();
    let token = rng.token()?;
    let link = Link {
        digest: key.digest(token.as_bytes()),
        user_id: user.id.clone(),
        purpose: LINK_PURPOSE.to_owned(),
        created_at: now,
        expires_at: now.plus(LASTS),
        used_at: None,
    };
    let event = Event {
        id: rng.id("evt", now)?,
        at: now,
        kind: "link.made".to_owned(),
        actor: Some(by.to_owned()),
        subject: Some(user.username.clone()),
        data: serde_json::json!({}),
    };
    let mut tx = store.begin().await?;
    tx.replace_link(&link).await?;
    tx.insert_event(&event).await?;
    tx.commit().await?;
    Ok(format!("{external}/set-password?token={token}"))
}

/// The administrator who needs a first password, if the installation has none who could sign in.
///
/// # Errors
/// If the store cannot be asked.
pub async fn wanted(store: &Store, runtime: &Runtime) -> Result<Option<User>, SessionError> {
    let read = store.read().await?;
    if read.had_administrator().await? {
        return Ok(None);
    }
    let mut first = None;
    for name in runtime.administrators() {
        let Some(user) = read.find_user_by_username(name).await? else { continue };
        if user.password_hash.is_some() || user.password_set_at.is_some() {
            drop(read);
            let mut tx = store.begin().await?;
            tx.note_administrator().await?;
            tx.commit().await?;
            return Ok(None);
        }
        first = first.or(Some(user).filter(|user| !user.disabled));
    }
    Ok(first)
}
