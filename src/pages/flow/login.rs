//! `login`: the end of a sign-in.

use std::time::Duration;

use super::{Answer, Run, expired, is_enabled, remember};
use crate::blueprint::flow::StageKind;
use crate::clock::Millis;
use crate::session::Begin;
use crate::store::{ProofTimes, Proven};
use crate::web::reply;

/// Begins a new session; the one that this browser had before is over.
pub async fn finish(run: Run<'_>, stay: Option<Duration>) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let progress = &run.attempt.progress;
    let (Some(user_id), Some(first)) = (progress.user_id.as_deref(), progress.first) else {
        return Ok(expired(visit));
    };
    let before = visit.sign_in().await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    // First of all: from here on nobody changes the password or disables the account.
    let stands = tx.note_sign_in(user_id, first.password_set_at, now).await?;
    let user = tx.find_user(user_id).await?.filter(|user| stands && is_enabled(visit, user));
    let Some(user) = user else { return Ok(expired(visit)) };
    if !run.attempt.finish(&mut tx, now).await? {
        return Ok(expired(visit));
    }
    // What the browser remembers of the person is the session's too, as old as it is.
    let mut factors = still_remembered(&run, now);
    factors.extend(progress.proven.iter().map(|(factor, at)| (*factor, *at)));
    let limits = visit.runtime.blueprint.settings.session;
    let begin = Begin {
        user_id,
        flow: &run.attempt.flow.slug.value,
        proven: Proven { first: Some(first.at), factors },
        before: before.as_deref(),
        idle: stay.unwrap_or(limits.idle),
        absolute: stay.unwrap_or(limits.absolute),
        address: &visit.address(),
        agent: &visit.agent(),
    };
    let token = server.sessions.begin(&mut tx, begin).await?;
    let browser = remember::note(&mut tx, &run, user_id, now).await?;
    tx.commit().await?;
    server.sessions.forget(&before.map(|before| before.id.clone()).into_iter().collect::<Vec<_>>());
    let words: Vec<_> = progress.proven.keys().map(|factor| factor.word()).collect();
    let data = serde_json::json!({
        "address": visit.address(), "agent": visit.agent(), "factors": words,
        "new-device": browser.is_new,
    });
    server.journal.note("login.succeeded", Some(&user.username), None, data);
    tracing::info!(user = user.username, address = visit.address(), "signed in");
    let mut response = reply::see_other(&visit.next());
    visit.set_cookie(&mut response, &visit.session_cookie(), &token, stay);
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    remember::set_cookie(visit, &mut response, &browser);
    Ok(response)
}

/// What the browser may still remember: as long as this flow says, and nothing if it says nothing.
fn still_remembered(run: &Run<'_>, now: Millis) -> ProofTimes {
    let limits = run.attempt.flow.stages.iter().filter_map(|stage| match &stage.kind {
        StageKind::AuthenticatorValidate(validate) => validate.last_validation_threshold,
        _ => None,
    });
    let Some(limit) = limits.max() else { return ProofTimes::new() };
    let fresh = |at: &Millis| *at <= now && now.since(*at) <= limit;
    run.remembered.iter().filter(|(_, at)| fresh(at)).map(|(factor, at)| (*factor, *at)).collect()
}
