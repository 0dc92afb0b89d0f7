//! A new password, for whoever has to set one before the sign-in.

use axum::body::Body;
use http::Response;

use super::{Answer, Run, action, expired, is_enabled};
use crate::flow::hashing::Verified;
use crate::flow::new_password;
use crate::flow::progress::First;
use crate::pages::{notice, set_password};
use crate::store::NewPassword;
use crate::web::form::Form;
use crate::web::templates::{PasswordReason, SetPassword};

pub fn ask(run: &Run<'_>, problems: &[new_password::Problem]) -> Response<Body> {
    let rules = run.visit.runtime.blueprint.settings.password;
    let page = SetPassword {
        who: run.attempt.progress.login.clone().unwrap_or_default(),
        reason: PasswordReason::MustChange,
        min_length: u32::try_from(rules.min_length).unwrap_or(u32::MAX),
        problems: problems.iter().map(|problem| set_password::shown(*problem)).collect(),
        action: Some(action(run.visit)),
    };
    run.ask(&page, !page.problems.is_empty())
}

/// A new password was given by somebody who had to.
pub async fn answer(mut run: Run<'_>, form: &Form) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let progress = &run.attempt.progress;
    let (Some(id), Some(first)) = (progress.user_id.clone(), progress.first) else {
        return Ok(expired(visit));
    };
    let user = server.store.read().await?.find_user(&id).await?;
    let Some(user) = user.filter(|user| is_enabled(visit, user)) else { return Ok(expired(visit)) };
    let given = form.secret("new-password");
    let mut problems = set_password::judge(visit, form, &set_password::names_of(&user)).await?;
    if problems.is_empty()
        && server.hasher.verify(&given, user.password_hash.as_ref()).await? != Verified::Wrong
    {
        problems.push(new_password::Problem::Unchanged);
    }
    if !problems.is_empty() {
        return Ok(ask(&run, &problems));
    }
    let hash = server.hasher.hash(&given, &server.rng).await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    let new = NewPassword { hash: &hash, must_change: false };
    if !tx.replace_password(&id, first.password_set_at, new, now).await? {
        return Ok(expired(visit));
    }
    tx.forget_proofs_of(&id).await?;
    let ended = tx.end_sessions_of(&id, now).await?;
    notice::queue(visit, &mut tx, &user, &notice::password_changed(visit, &user)).await?;
    tx.commit().await?;
    server.post.ring();
    server.sessions.forget(&ended);
    server.journal.note("password.changed", Some(&user.username), None, serde_json::json!({}));
    run.attempt.progress.first = Some(First { at: now, password_set_at: Some(now) });
    run.attempt.progress.must_change = false;
    run.save_and_turn().await
}
