//! `login`: the end of a sign-in.

use std::time::Duration;

use super::{Answer, Run, expired, is_enabled};
use crate::session::Begin;
use crate::web::reply;

/// Begins a new session; the one that this browser had before is over.
pub async fn finish(run: Run<'_>, stay: Option<Duration>) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let progress = &run.attempt.progress;
    let (Some(user_id), Some(proven)) = (progress.user_id.as_deref(), progress.password) else {
        return Ok(expired(visit));
    };
    let before = visit.sign_in().await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    // First of all: from here on nobody changes the password or disables the account.
    let stands = tx.note_sign_in(user_id, proven, now).await?;
    let user = tx.find_user(user_id).await?.filter(|user| stands && is_enabled(visit, user));
    let Some(user) = user else { return Ok(expired(visit)) };
    if !run.attempt.finish(&mut tx, now).await? {
        return Ok(expired(visit));
    }
    let limits = visit.runtime.blueprint.settings.session;
    let begin = Begin {
        user_id,
        flow: &run.attempt.flow.slug.value,
        before: before.as_deref(),
        idle: stay.unwrap_or(limits.idle),
        absolute: stay.unwrap_or(limits.absolute),
        address: &visit.address(),
        agent: &visit.agent(),
    };
    let token = server.sessions.begin(&mut tx, begin).await?;
    tx.commit().await?;
    server.sessions.forget(&before.map(|before| before.id.clone()).into_iter().collect::<Vec<_>>());
    let data = serde_json::json!({ "address": visit.address(), "agent": visit.agent() });
    server.journal.note("login.succeeded", Some(&user.username), None, data);
    tracing::info!(user = user.username, address = visit.address(), "signed in");
    let mut response = reply::see_other(&visit.next());
    visit.set_cookie(&mut response, &visit.session_cookie(), &token, stay);
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    Ok(response)
}
