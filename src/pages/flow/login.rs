//! `login`: the end of a sign-in.

use std::time::Duration;

use super::{Answer, Run, expired, is_enabled};
use crate::session::Begin;
use crate::web::reply;

/// Begins a new session; the one that this browser had before is over.
pub async fn finish(run: Run<'_>, stay: Option<Duration>) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let Some(user_id) = run.attempt.progress.user_id.as_deref() else { return Ok(expired(visit)) };
    let user = server.store.read().await?.find_user(user_id).await?;
    let Some(user) = user.filter(|user| is_enabled(visit, user)) else { return Ok(expired(visit)) };
    if !run.attempt.finish(visit).await? {
        return Ok(expired(visit));
    }
    if let Some(before) = visit.sign_in().await? {
        server.sessions.end(&before).await?;
    }
    let limits = visit.runtime.blueprint.settings.session;
    let begin = Begin {
        user_id,
        idle: stay.unwrap_or(limits.idle),
        absolute: stay.unwrap_or(limits.absolute),
        address: &visit.address(),
        agent: &visit.agent(),
    };
    let token = server.sessions.begin(begin).await?;
    let data = serde_json::json!({ "address": visit.address(), "agent": visit.agent() });
    server.journal.note("login.succeeded", Some(&user.username), None, data);
    tracing::info!(user = user.username, address = visit.address(), "signed in");
    let mut response = reply::see_other(&visit.next());
    visit.set_cookie(&mut response, &visit.session_cookie(), &token, stay);
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    Ok(response)
}
