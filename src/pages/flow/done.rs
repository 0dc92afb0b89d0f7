//! The end of a flow inside a session: what was proven is the session's from now on.

use std::time::Duration;

use super::errand::Errand;
use super::{Answer, Run, agreement, expired, remember};
use crate::store::Proven;
use crate::web::reply;

pub async fn finish(run: Run<'_>) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    if run.errand == Errand::Authorize && !run.attempt.is_stored() {
        return Ok(reply::see_other(&visit.next()));
    }
    let Some(sign_in) = run.sign_in.as_ref() else { return Ok(expired(visit)) };
    let progress = &run.attempt.progress;
    let now = server.clock.now();
    let first = progress.first.map(|first| first.at);
    let proven = Proven { first, factors: progress.proven.clone() };
    let mut tx = server.store.begin().await?;
    if !run.attempt.finish(&mut tx, now).await? {
        return Ok(expired(visit));
    }
    let Some(token) = server.sessions.confirm(&mut tx, sign_in, proven).await? else {
        return Ok(expired(visit));
    };
    let browser = remember::note(&mut tx, &run, sign_in.account.id(), now).await?;
    agreement::keep(&mut tx, &run, sign_in.account.id()).await?;
    tx.commit().await?;
    server.sessions.forget(std::slice::from_ref(&sign_in.id));
    let who = &sign_in.account.profile().user.username;
    if run.errand == Errand::StepUp {
        let factors: Vec<_> = progress.proven.keys().map(|factor| factor.word()).collect();
        let data = serde_json::json!({ "address": visit.address(), "factors": factors });
        server.journal.note("step-up.succeeded", Some(who), None, data);
        tracing::info!(user = who, address = visit.address(), ?factors, "stepped up");
    }
    let mut response = reply::see_other(&visit.next());
    let stays = sign_in.stays_until().map(|until| until.since(now));
    visit.set_cookie(&mut response, &visit.session_cookie(), &token, stays);
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    remember::set_cookie(visit, &mut response, &browser);
    Ok(response)
}
