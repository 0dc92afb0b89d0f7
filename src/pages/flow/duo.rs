//! A proof by Duo: the browser is sent there and comes back to `/duo` with a code.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};

use super::factor::{self, Ask};
use super::{Answer, Run, Trouble, action, added, away, expired};
use crate::factor::duo::{Duo, DuoError, Sent};
use crate::flow::stages::Next;
use crate::model::factor::Factor;
use crate::pages::visit::Visit;
use crate::store::User;
use crate::web::reply;
use crate::web::templates::FactorProblem;

/// Where Duo sends browsers back to.
pub const BACK: &str = "/duo";

/// What Duo brings back, and the names that the flow knows it by.
const BROUGHT: [(&str, &str); 2] = [("state", "duo-state"), ("duo_code", "duo-code")];

/// Sends the browser to Duo, if it is there.
pub async fn send(mut run: Run<'_>, asked: Ask<'_>, remember: bool) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let Some(duo) = account(visit) else {
        return factor::ask(&run, Ask { problem: Some(FactorProblem::Unreachable), ..asked });
    };
    let Some(user) = run.owner().await? else { return Ok(expired(visit)) };
    let now = server.clock.now();
    if let Err(error) = duo.health_check(&server.rng.token()?, now).await {
        tracing::warn!(%error, "Duo cannot be asked for a proof");
        return factor::ask(&run, Ask { problem: Some(FactorProblem::Unreachable), ..asked });
    }
    let sent = Sent {
        state: server.rng.token()?,
        nonce: server.rng.token()?,
        username: user.username,
        back: action(visit),
        remember,
    };
    run.set_pending(&sent)?;
    if let Some(elsewhere) = run.keep().await? {
        return Ok(elsewhere);
    }
    let url = duo.prompt(&sent, &redirect_uri(visit), now);
    Ok(reply::redirect(StatusCode::SEE_OTHER, &url))
}

/// A browser came back: its flow goes on where it was sent from.
pub async fn come_back(visit: &Visit<'_>) -> Response<Body> {
    let sent = match away::sent::<Sent>(visit).await {
        Ok(sent) => sent,
        Err(trouble) => return visit.unavailable(&trouble),
    };
    let Some(sent) = sent else { return expired(visit) };
    match visit.at(&away::with_answer(visit, &sent.back, &BROUGHT)) {
        Some(there) => Box::pin(super::get(&there)).await,
        None => expired(visit),
    }
}

/// Whether this visit brings an answer of Duo's along.
pub fn brings_answer(visit: &Visit<'_>) -> bool {
    visit.query("duo-state").is_some()
}

/// Looks at the answer, once: whatever comes of it, another needs another journey.
pub async fn answer(mut run: Run<'_>) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let generation = Arc::clone(&run.attempt.generation);
    let sent = run.pending::<Sent>();
    let fits = sent.filter(|sent| Some(&sent.state) == visit.query("duo-state").as_ref());
    let (Some(sent), Some(user)) = (fits, run.owner().await?) else {
        // The address without the answer: a page shown again asks again.
        return Ok(reply::see_other(&action(visit)));
    };
    if sent.username != user.username {
        return Ok(expired(visit));
    }
    run.attempt.progress.pending = None;
    if let Some(elsewhere) = run.keep().await? {
        return Ok(elsewhere);
    }
    let Err(error) = redeem(visit, &sent).await? else { return keep(run, &user, &sent).await };
    let trouble = error.is_trouble();
    tracing::info!(user = user.username, address = visit.address(), %error, "Duo proved nothing");
    let data = serde_json::json!({
        "address": visit.address(), "factor": Factor::Duo.word(), "reason": error.to_string(),
    });
    server.journal.note("factor.failed", Some(&user.username), None, data);
    let problem = if trouble { FactorProblem::Unreachable } else { FactorProblem::Refused };
    match run.next(&generation) {
        Some(Next::AskFactor { classes, remembered }) => {
            let asked =
                Ask { class: Factor::Duo, classes: &classes, remembered, problem: Some(problem) };
            factor::ask(&run, asked)
        }
        Some(Next::SetUpDuo) => ask_set_up(&run, Some(problem)),
        _ => Ok(run.attempt.turn(visit)),
    }
}

/// The code, redeemed. A visit without one was refused at Duo.
async fn redeem(visit: &Visit<'_>, sent: &Sent) -> Result<Result<(), DuoError>, Trouble> {
    let server = visit.server;
    let code = visit.query("duo-code").unwrap_or_default();
    let Some(duo) = account(visit) else {
        return Ok(Err(DuoError::Unreachable("it is not declared any more".to_owned())));
    };
    if code.is_empty() {
        return Ok(Err(DuoError::Denied("no code came back".to_owned())));
    }
    let (id, now) = (server.rng.token()?, server.clock.now());
    Ok(duo.redeem(&code, (sent, &redirect_uri(visit)), (&id, now)).await)
}

/// It was right: a proof, or a new factor.
async fn keep(mut run: Run<'_>, user: &User, sent: &Sent) -> Answer {
    let server = run.visit.server;
    let now = server.clock.now();
    let generation = Arc::clone(&run.attempt.generation);
    match run.next(&generation) {
        Some(Next::AskFactor { classes, remembered }) if classes.contains(&Factor::Duo) => {
            let by = run.record.held.of_class(Factor::Duo).next().map(|factor| factor.id.clone());
            if let Some(id) = &by {
                let mut tx = server.store.begin().await?;
                tx.use_factor(id, now.0, now).await?;
                tx.commit().await?;
            }
            let progress = &mut run.attempt.progress;
            progress.prove(Factor::Duo, by.as_deref(), now);
            progress.remember |= remembered.is_some() && sent.remember;
            super::proven(run).await
        }
        Some(Next::SetUpDuo) => {
            let name = run.name_for(Factor::Duo);
            let factor = added::unsealed(&run, user.id.clone(), Factor::Duo, name)?;
            added::keep(run, factor).await
        }
        _ => Ok(run.attempt.turn(run.visit)),
    }
}

/// `authenticator-duo`: Duo becomes a factor once it has confirmed this person.
pub fn ask_set_up(run: &Run<'_>, problem: Option<FactorProblem>) -> Answer {
    factor::ask(run, set_up(problem))
}

pub async fn answer_set_up(run: Run<'_>) -> Answer {
    send(run, set_up(None), false).await
}

fn set_up(problem: Option<FactorProblem>) -> Ask<'static> {
    Ask { class: Factor::Duo, classes: &[Factor::Duo], remembered: None, problem }
}

fn account<'v>(visit: &'v Visit<'_>) -> Option<&'v Duo> {
    visit.runtime.duo.as_ref()
}

fn redirect_uri(visit: &Visit<'_>) -> String {
    format!("{}{BACK}", visit.runtime.external)
}
