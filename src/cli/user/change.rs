//! `doorward user sign-out`, `disable`, `enable` and `delete`. What files declare is changed there.

use anyhow::bail;

use super::Named;
use crate::cli::{Opened, note};
use crate::clock::Clock;
use crate::store::{StoreError, User};

const SOON: &str = "a running server takes it up within two seconds";

pub async fn sign_out(of: &Named) -> anyhow::Result<u8> {
    let (opened, user) = of.find().await?;
    let mut tx = opened.stored.store.begin().await?;
    let ended = tx.end_sessions_of(&user.id, Clock::machine().now()).await?;
    tx.forget_proofs_of(&user.id).await?;
    let data = serde_json::json!({ "user": user.id, "count": ended.len() });
    note(&mut tx, "sessions.ended", &user.username, data).await?;
    tx.commit().await?;
    eprintln!("{}; {SOON}", told(&user, ended.len()));
    Ok(0)
}

fn told(user: &User, sessions: usize) -> String {
    let name = &user.username;
    match sessions {
        0 => format!("{name} was signed in nowhere, and no browser remembers a second factor"),
        1 => format!("ended the session of {name}, and no browser remembers a second factor"),
        count => {
            format!("ended {count} sessions of {name}, and no browser remembers a second factor")
        }
    }
}

pub async fn disable(of: &Named) -> anyhow::Result<u8> {
    let (opened, user) = of.find().await?;
    must_be_free(&opened, &user, "write `disabled` there").await?;
    let mut tx = opened.stored.store.begin().await?;
    if user.disabled || !tx.set_disabled(&user.id, true).await? {
        bail!("`{}` is disabled already", user.username);
    }
    tx.end_sessions_of(&user.id, Clock::machine().now()).await?;
    tx.forget_proofs_of(&user.id).await?;
    let data = serde_json::json!({ "user": user.id });
    note(&mut tx, "user.disabled", &user.username, data).await?;
    tx.commit().await?;
    eprintln!("`{}` is disabled and signed out; {SOON}", user.username);
    Ok(0)
}

pub async fn enable(of: &Named) -> anyhow::Result<u8> {
    let (opened, user) = of.find().await?;
    must_be_free(&opened, &user, "take `disabled` away there").await?;
    if !user.disabled {
        bail!("`{}` is not disabled", user.username);
    }
    let mut tx = opened.stored.store.begin().await?;
    match tx.set_disabled(&user.id, false).await {
        Err(StoreError::Conflict { .. }) => bail!(
            "another account has the address {} by now: take it away from that one first",
            user.email.as_deref().unwrap_or_default()
        ),
        other => other?,
    };
    let data = serde_json::json!({ "user": user.id });
    note(&mut tx, "user.enabled", &user.username, data).await?;
    tx.commit().await?;
    eprintln!("`{}` may sign in again; {SOON}", user.username);
    Ok(0)
}

pub async fn delete(of: &Named, yes: bool) -> anyhow::Result<u8> {
    let (opened, user) = of.find().await?;
    must_be_free(&opened, &user, "take the node away there, and it may be deleted afterwards")
        .await?;
    if !yes {
        eprintln!(
            "held: `{}` would be deleted with password, factors, sessions, tokens and groups. `doorward user disable {}` can be undone; to delete, add --yes",
            user.username, user.username
        );
        return Ok(3);
    }
    let mut tx = opened.stored.store.begin().await?;
    tx.end_sessions_of(&user.id, Clock::machine().now()).await?;
    tx.purge_user(&user.id).await?;
    let data = serde_json::json!({ "user": user.id });
    note(&mut tx, "user.deleted", &user.username, data).await?;
    tx.commit().await?;
    eprintln!("`{}` is deleted; {SOON}", user.username);
    Ok(0)
}

/// Only accounts that no file declares are changed here.
async fn must_be_free(opened: &Opened, user: &User, instead: &str) -> anyhow::Result<()> {
    if !user.declared {
        return Ok(());
    }
    let runtime = opened.last_good().await?;
    let person = runtime.as_ref().and_then(|runtime| runtime.declared.get(&user.username));
    let place = person.map_or("the files", |person| person.place.as_str());
    bail!("`{}` is declared at {place}: {instead}", user.username)
}
