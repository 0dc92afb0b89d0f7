//! `password`: the first proof.

use super::{Answer, Run, Trouble, action, identification, is_enabled, source, too_many, with};
use crate::blueprint::flow::{Lockout, StageKind};
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::hashing::{LONGEST, Verified};
use crate::flow::progress::First;
use crate::pages::notice;
use crate::pages::visit::Visit;
use crate::secret::Secret;
use crate::store::User;
use crate::web::form::Form;
use crate::web::templates::{FlowLink, Password, SignInProblem};
use crate::web::visitor;

pub async fn ask(run: &Run<'_>, problem: Option<SignInProblem>) -> Answer {
    let action = action(run.visit);
    let page = Password {
        who: run.attempt.progress.login.clone().unwrap_or_default(),
        not_you: with(&action, "restart=1"),
        error: problem,
        continue_to: run.continue_to(),
        links: links(run),
        sources: source::own(run).await?,
        action,
    };
    Ok(run.ask(&page, problem.is_some()))
}

/// The ways that the page before offered.
fn links(run: &Run<'_>) -> Vec<FlowLink> {
    let stages = run.attempt.flow.stages.iter();
    let mut found = stages.filter_map(|stage| match &stage.kind {
        StageKind::Identification(stage) => Some(stage),
        _ => None,
    });
    found.next().map(|stage| identification::links(run, stage)).unwrap_or_default()
}

/// A password was given: one counter, the same work for everybody, one answer for every failure.
pub async fn answer(mut run: Run<'_>, lockout: Option<Lockout>, form: &Form) -> Answer {
    let given = form.secret("password");
    if given.reveal().is_empty() {
        return ask(&run, Some(SignInProblem::Missing)).await;
    }
    if given.reveal().len() > LONGEST {
        return ask(&run, Some(SignInProblem::TooLong)).await;
    }
    let visit = run.visit;
    let server = visit.server;
    let login = run.attempt.progress.login.clone().unwrap_or_default();
    let user = match &run.attempt.progress.user_id {
        Some(id) => server.store.read().await?.find_user(id).await?,
        None => None,
    };
    let user_id = user.as_ref().map(|user| user.id.as_str());
    let address = visitor::address_key(visit.client);
    let guesses = Guesses::at_password(&login, user_id, address).with(lockout);
    let now = server.clock.now();
    let taken = guesses.take(&server.store, now).await?;
    if let Taken::Wait(wait) = taken {
        return Ok(too_many(visit, wait));
    }
    let in_vain = taken == Taken::InVain;
    let hash = user.as_ref().filter(|_| !in_vain).and_then(|user| user.password_hash.as_ref());
    let answer = match server.hasher.verify(&given, hash).await {
        Ok(answer) => answer,
        Err(error) => {
            guesses.give_back(&server.store).await?;
            return Err(error.into());
        }
    };
    let reason = match in_vain {
        true => Some("the account is locked"),
        false => refusal(visit, user.as_ref(), answer),
    };
    let locked = user.as_ref().filter(|_| reason.is_some() && taken == Taken::Last);
    if let Some(user) = locked.filter(|user| is_enabled(visit, user)) {
        notice::locked(visit, user);
    }
    let user = user.filter(|_| reason.is_none());
    let Some((user, set_at)) = user.and_then(|user| user.password_set_at.map(|at| (user, at)))
    else {
        let kind = if taken == Taken::Last { "login.locked" } else { "login.failed" };
        // What was typed may be a password in the wrong field: only names of accounts are kept.
        let who = run.attempt.progress.user_id.as_ref().map(|_| login.as_str());
        let reason = reason.unwrap_or("the account has no password");
        let data = serde_json::json!({ "address": visit.address(), "reason": reason });
        server.journal.note(kind, who, None, data);
        tracing::info!(login = who, address = visit.address(), kind, reason, "a sign-in failed");
        return ask(&run, Some(SignInProblem::Wrong)).await;
    };
    guesses.succeeded(&server.store).await?;
    if answer == Verified::RightButOld {
        upgrade(visit, &user, &given).await?;
    }
    run.attempt.progress.first = Some(First { at: now, password_set_at: Some(set_at) });
    run.attempt.progress.must_change = user.must_change;
    super::proven(run).await
}

/// Why nobody is let in, for events and the log; visitors get one answer for all of it.
fn refusal(visit: &Visit<'_>, user: Option<&User>, answer: Verified) -> Option<&'static str> {
    let Some(user) = user else { return Some("no such account") };
    if !is_enabled(visit, user) {
        return Some("the account is disabled");
    }
    if user.password_hash.is_none() {
        return Some("the account has no password");
    }
    (answer == Verified::Wrong).then_some("wrong password")
}

async fn upgrade(visit: &Visit<'_>, user: &User, given: &Secret) -> Result<(), Trouble> {
    let server = visit.server;
    let Some(old) = &user.password_hash else { return Ok(()) };
    let new = server.hasher.hash(given, &server.rng).await?;
    let mut tx = server.store.begin().await?;
    tx.upgrade_password_hash(&user.id, old, &new).await?;
    Ok(tx.commit().await?)
}
