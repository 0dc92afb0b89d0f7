//! `login`: the end of a sign-in.

use std::time::Duration;

use super::attempt::{Attempt, Saved, present};
use super::connection::{self, Kept};
use super::errand::Errand;
use super::{
    Answer, Run, agreement, app_of, by_way_of, expired, is_enabled, remember, source, too_many,
};
use crate::blueprint::flow::StageKind;
use crate::clock::Millis;
use crate::flow::progress::{Basis, Progress};
use crate::pages::notice;
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
    let asserted = progress.asserted.as_ref();
    if asserted.is_some_and(|asserted| asserted.basis == Basis::Address)
        && !source::is_by_address(visit, &user, asserted).await?
    {
        return Ok(expired(visit));
    }
    let kept = match asserted {
        Some(asserted) => connection::keep(&mut tx, asserted, user_id, now).await?,
        None => Kept::Same,
    };
    if kept == Kept::SomebodyElses {
        return Ok(expired(visit));
    }
    let browser = remember::note(&mut tx, &run, user_id, now).await?;
    agreement::keep(&mut tx, &run, user_id).await?;
    if browser.is_new && !browser.is_first {
        notice::queue(visit, &mut tx, &user, &notice::new_device(visit, &user)).await?;
    }
    if let Some(asserted) = asserted.filter(|_| kept == Kept::Added) {
        notice::queue(visit, &mut tx, &user, &connection::notice(visit, &user, asserted)).await?;
    }
    tx.commit().await?;
    server.post.ring();
    if let Some(asserted) = asserted {
        connection::tell(visit, &user, asserted, kept).await?;
    }
    server.sessions.forget(&before.map(|before| before.id.clone()).into_iter().collect::<Vec<_>>());
    let words: Vec<_> = progress.proven.keys().map(|factor| factor.word()).collect();
    let data = serde_json::json!({
        "address": visit.address(), "agent": visit.agent(), "factors": words,
        "new-device": browser.is_new, "source": asserted.map(|asserted| &asserted.source),
    });
    server.journal.note("login.succeeded", Some(&user.username), None, data);
    tracing::info!(user = user.username, address = visit.address(), "signed in");
    let mut response = reply::see_other(&visit.next());
    visit.set_cookie(&mut response, &visit.session_cookie(), &token, stay);
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    remember::set_cookie(visit, &mut response, &browser);
    Ok(response)
}

/// An enrollment or a recovery ends in the flow that signs people in: it asks for what it would ask
/// everybody for, and for nothing that was proven already.
pub async fn hand_over(run: Run<'_>) -> Answer {
    let visit = run.visit;
    let Some(flow) = visit.runtime.authentication_flow(app_of(visit)).cloned() else {
        return Ok(expired(visit));
    };
    let mut tx = visit.server.store.begin().await?;
    if !run.attempt.finish(&mut tx, visit.server.clock.now()).await? {
        return Ok(expired(visit));
    }
    tx.commit().await?;
    let done = run.attempt.progress;
    let progress = Progress {
        login: done.login,
        user_id: done.user_id,
        first: done.first,
        must_change: done.must_change,
        proven: done.proven,
        proven_by: done.proven_by,
        by_link: done.by_link,
        asserted: done.asserted,
        agreed: done.agreed,
        ..Progress::default()
    };
    let generation = (visit.runtime.generation, present(visit));
    let mut attempt = Attempt::going_on(visit, generation, flow, progress)?;
    match attempt.save(visit, Errand::SignIn).await? {
        Saved::TooMany(wait) => return Ok(too_many(visit, wait)),
        Saved::Yes | Saved::Overtaken => {}
    }
    Ok(attempt.turn_to(visit, &by_way_of(Errand::SignIn.path(), &visit.next())))
}

/// What the browser may still remember: as long as this flow says, and nothing if it says nothing.
fn still_remembered(run: &Run<'_>, now: Millis) -> ProofTimes {
    let limits = run.attempt.flow.stages.iter().filter_map(|stage| match &stage.kind {
        StageKind::AuthenticatorValidate(validate) => validate.last_validation_threshold,
        _ => None,
    });
    let Some(limit) = limits.max() else { return ProofTimes::new() };
    let fresh = |at: &Millis| *at <= now && now.since(*at) <= limit;
    run.record
        .remembered
        .iter()
        .filter(|(_, at)| fresh(at))
        .map(|(factor, at)| (*factor, *at))
        .collect()
}
