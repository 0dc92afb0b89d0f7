//! `user-write`: what was filled in becomes an account, or changes one.

use super::connection::{self, Kept};
use super::{Answer, Run, Trouble, expired, is_enabled};
use crate::blueprint::flow::{FieldKind, Purpose, StageKind};
use crate::blueprint::people::ConsoleRole;
use crate::blueprint::source::Name;
use crate::clock::Millis;
use crate::flow::attempts;
use crate::flow::progress::First;
use crate::pages::notice;
use crate::pages::visit::Visit;
use crate::secret::Secret;
use crate::store::{NewPassword, NewUser, Owner, StoreError, Tx, User};
use crate::web::templates::ErrorKind;

pub async fn perform(run: Run<'_>, groups: &[Name]) -> Answer {
    match run.attempt.flow.purpose {
        Purpose::Enrollment => enroll(run, groups).await,
        _ => change(run, groups).await,
    }
}

/// An account is made: whoever makes it is its first proof.
async fn enroll(mut run: Run<'_>, groups: &[Name]) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let now = server.clock.now();
    let filled = run.attempt.progress.filled.clone();
    let Some(username) = filled.username.clone() else {
        let place = run.attempt.generation.sources.place(run.attempt.flow.at);
        tracing::error!(place, "an account was to be made without a username");
        return Ok(visit.error(ErrorKind::Internal));
    };
    let id = server.rng.id("usr", now)?;
    let mut tx = server.store.begin().await?;
    let mut all: Vec<String> = groups.iter().map(|group| group.value.clone()).collect();
    if let Some(invitation) = &run.attempt.progress.invitation {
        let Some(used) = tx.use_invitation(invitation, now).await? else {
            return Ok(visit.error(ErrorKind::LinkExpired));
        };
        all.extend(used.groups);
    }
    let progress = &mut run.attempt.progress;
    let own = filled.fields.iter().filter(|(name, _)| *name != "name");
    let own = own.map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
    let new = NewUser {
        id: &id,
        username: &username,
        name: filled.fields.get("name").map_or("", String::as_str),
        email: progress.verified.as_deref(),
        own_attributes: &own,
    };
    match tx.insert_user(new, now).await {
        Err(StoreError::Conflict { columns, .. }) => {
            drop(tx);
            return taken(run, &columns).await;
        }
        other => other?,
    }
    join(visit, &mut tx, &id, &all).await?;
    if let Some(asserted) = &progress.asserted
        && connection::keep(&mut tx, asserted, &id, now).await? == Kept::SomebodyElses
    {
        return Ok(expired(visit));
    }
    let hash = filled.password.map(Secret::new);
    if let Some(hash) = &hash {
        tx.set_password(&id, NewPassword { hash, must_change: false }, now).await?;
    }
    progress.user_id = Some(id.clone());
    progress.login = Some(username.clone());
    progress.first = Some(First { at: now, password_set_at: hash.map(|_| now) });
    progress.filled.password = None;
    progress.advance();
    if !run.attempt.advance(&mut tx, now).await? {
        return Ok(run.attempt.turn(visit));
    }
    tx.commit().await?;
    let data = serde_json::json!({
        "address": visit.address(), "flow": run.attempt.flow.slug.value, "groups": all,
        "invitation": run.attempt.progress.invitation,
        "source": run.attempt.progress.asserted.as_ref().map(|asserted| &asserted.source),
    });
    server.journal.note("user.enrolled", Some(&username), None, data);
    tracing::info!(user = username, address = visit.address(), "an account was made");
    Ok(run.attempt.turn(visit))
}

/// Somebody was faster with the same name: the form asks for another. With the same address there is
/// nothing to ask for.
async fn taken(mut run: Run<'_>, columns: &str) -> Answer {
    if !columns.contains("username") {
        return Ok(expired(run.visit));
    }
    let asks = |kind: &StageKind| match kind {
        StageKind::Prompt { fields } => fields.iter().any(|each| each.kind == FieldKind::Username),
        _ => false,
    };
    let at = run.attempt.flow.stages.iter().position(|stage| asks(&stage.kind));
    let Some(at) = at else { return Ok(expired(run.visit)) };
    run.attempt.progress.go_back(at);
    run.attempt.progress.filled.taken = true;
    run.save_and_turn().await
}

/// Puts somebody into groups, but into none that opens the console or that files alone fill
/// (`security.md` R11). `check` says so of the files; an invitation may be older than they are.
async fn join(
    visit: &Visit<'_>,
    tx: &mut Tx,
    user_id: &str,
    groups: &[String],
) -> Result<(), StoreError> {
    for slug in groups {
        let runtime = &visit.runtime;
        if runtime.may_be_joined(slug) && runtime.console_role(slug) == ConsoleRole::None {
            tx.put_membership(user_id, slug, Owner::Runtime).await?;
        } else {
            tracing::warn!(group = slug, "nobody is put into this group at run time");
        }
    }
    Ok(())
}

/// An account that is there is changed by whoever has proven to be its person.
async fn change(mut run: Run<'_>, groups: &[Name]) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let now = server.clock.now();
    let Some(id) = run.attempt.progress.user_id.clone() else { return Ok(expired(visit)) };
    let mut tx = server.store.begin().await?;
    if !tx.hold_account(&id).await? {
        return Ok(expired(visit));
    }
    let user = tx.find_user(&id).await?;
    let Some(user) = user.filter(|user| is_enabled(visit, user)) else { return Ok(expired(visit)) };
    let filled = std::mem::take(&mut run.attempt.progress.filled);
    let mut own = user.own_attributes.clone();
    let fields = filled.fields.iter().filter(|(name, _)| *name != "name");
    own.extend(fields.map(|(name, value)| (name.clone(), vec![value.clone()])));
    tx.put_own(&id, filled.fields.get("name").map(String::as_str), &own).await?;
    let slugs: Vec<String> = groups.iter().map(|group| group.value.clone()).collect();
    join(visit, &mut tx, &id, &slugs).await?;
    let mut ended = Vec::new();
    let changed = filled.password.is_some();
    if let Some(hash) = filled.password.map(Secret::new) {
        match set_password(&mut run, &mut tx, &user, &hash, now).await? {
            Some(sessions) => ended = sessions,
            None => return Ok(expired(visit)),
        }
    }
    run.attempt.progress.advance();
    if !run.attempt.advance(&mut tx, now).await? {
        return Ok(run.attempt.turn(visit));
    }
    tx.commit().await?;
    server.post.ring();
    server.sessions.forget(&ended);
    server.sessions.refresh_account(&id).await?;
    if changed {
        let by = run.attempt.flow.purpose.word();
        let data = serde_json::json!({ "by": by, "address": visit.address() });
        server.journal.note("password.set", Some(&user.username), None, data);
        tracing::info!(user = user.username, by, "a password was set");
    }
    Ok(run.attempt.turn(visit))
}

/// Sets a new password in place of the one that was known when this flow had its first proof. Every
/// session and remembered browser ends, and guesses are forgotten. `None` if it changed meanwhile.
async fn set_password(
    run: &mut Run<'_>,
    tx: &mut Tx,
    user: &User,
    hash: &Secret,
    now: Millis,
) -> Result<Option<Vec<String>>, Trouble> {
    let visit = run.visit;
    let Some(first) = &mut run.attempt.progress.first else { return Ok(None) };
    let new = NewPassword { hash, must_change: false };
    if !tx.replace_password(&user.id, first.password_set_at, new, now).await? {
        return Ok(None);
    }
    first.password_set_at = Some(now);
    run.attempt.progress.must_change = false;
    if visit.runtime.administrators().any(|name| name == user.username) {
        tx.note_administrator().await?;
    }
    attempts::forget(tx, user).await?;
    tx.forget_proofs_of(&user.id).await?;
    let ended = tx.end_sessions_of(&user.id, now).await?;
    notice::queue(visit, tx, user, &notice::password_changed(visit, user)).await?;
    Ok(Some(ended))
}
