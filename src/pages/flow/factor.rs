//! `authenticator-validate`: a proof with a second factor that the account holds.

use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::{
    Answer, Run, Trouble, action, by_way_of, duo, email_code, is_enabled, passkey, too_many, with,
};
use crate::factor::codes::{self, Outcome};
use crate::factor::passkey as keys;
use crate::flow::attempts::{Guesses, Taken};
use crate::model::factor::Factor;
use crate::pages::notice;
use crate::store::User;
use crate::web::form::Form;
use crate::web::templates::{
    FactorProblem, LacksFactor, OtherFactor, PasskeyChallenge, ProveFactor,
};
use crate::web::visitor;

/// What is asked.
pub struct Ask<'a> {
    pub class: Factor,
    pub classes: &'a [Factor],
    pub remembered: Option<Duration>,
    pub problem: Option<FactorProblem>,
}

/// The class that the person chose, or the first.
pub fn wanted(classes: &[Factor], word: Option<&str>) -> Factor {
    let chosen = word.and_then(Factor::from_word).filter(|class| classes.contains(class));
    chosen.or(classes.first().copied()).unwrap_or(Factor::Totp)
}

pub fn ask(run: &Run<'_>, asked: Ask<'_>) -> Answer {
    let action = action(run.visit);
    let others = asked.classes.iter().filter(|class| **class != asked.class);
    let other = |class: &Factor| OtherFactor {
        class: class.word(),
        url: with(&action, &format!("with={}", class.word())),
    };
    let passkey = match asked.class {
        Factor::Webauthn => Some(challenge(run)?),
        _ => None,
    };
    let page = ProveFactor {
        class: asked.class.word(),
        who: run.who(),
        not_you: run.sign_in.is_none().then(|| with(&action, "restart=1")),
        error: asked.problem,
        continue_to: run.continue_to(),
        others: others.map(other).collect(),
        remember_days: asked.remembered.map(days),
        passkey,
        action,
    };
    Ok(run.ask(&page, asked.problem.is_some()))
}

fn days(span: Duration) -> u32 {
    u32::try_from(span.as_secs().div_ceil(86_400)).unwrap_or(u32::MAX)
}

fn challenge(run: &Run<'_>) -> Result<PasskeyChallenge, Trouble> {
    let held = run.record.held.of_class(Factor::Webauthn);
    let key = &run.visit.server.key;
    let held = held.map(|factor| keys::stored(key, factor)).collect::<Result<Vec<_>, _>>()?;
    passkey::challenge(run, held, keys::Verification::Preferred)
}

/// A proof was given: counted before it is looked at, one answer for every failure.
pub async fn answer(
    mut run: Run<'_>,
    classes: &[Factor],
    remembered: Option<Duration>,
    form: &Form,
) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let class = wanted(classes, Some(form.text("with")));
    let again = |problem| Ask { class, classes, remembered, problem: Some(problem) };
    let given = if class == Factor::Webauthn { form.text("answer") } else { form.text("code") };
    if class == Factor::EmailCode && form.text("again") == "1" {
        return email_code::send_again(run).await;
    }
    if class == Factor::Duo {
        let asked = Ask { class, classes, remembered, problem: None };
        return duo::send(run, asked, form.text("remember") == "1").await;
    }
    if given.is_empty() {
        return ask(&run, again(FactorProblem::Missing));
    }
    let Some(id) = run.attempt.progress.user_id.clone() else { return Ok(super::expired(visit)) };
    let user = server.store.read().await?.find_user(&id).await?;
    let Some(user) = user.filter(|user| is_enabled(visit, user)) else {
        return Ok(super::expired(visit));
    };
    let guesses = guesses(class, &id, visitor::address_key(visit.client));
    let now = server.clock.now();
    let taken = guesses.take(&server.store, now).await?;
    if let Taken::Wait(wait) = taken {
        return Ok(too_many(visit, wait));
    }
    let proven = match class {
        Factor::Totp => totp(&run, given).await?,
        Factor::RecoveryCode => code(&run, &user, given).await?,
        Factor::Webauthn => passkey::prove_second(&run, form).await?,
        Factor::EmailCode => email_code::prove(&mut run, given).await?,
        Factor::Duo => Outcome::Wrong,
    };
    let (kind, problem) = match proven {
        Outcome::Right { by } => {
            guesses.succeeded(&server.store).await?;
            run.attempt.progress.prove(class, by.as_deref(), now);
            run.attempt.progress.remember |= remembered.is_some() && form.text("remember") == "1";
            return super::proven(run).await;
        }
        Outcome::Used => ("factor.failed", FactorProblem::Used),
        Outcome::Expired => ("factor.failed", FactorProblem::Expired),
        Outcome::Wrong if taken == Taken::Last => ("factor.locked", FactorProblem::Wrong),
        Outcome::Wrong => ("factor.failed", FactorProblem::Wrong),
    };
    if kind == "factor.locked" {
        notice::locked(visit, &user);
    }
    let data = serde_json::json!({ "address": visit.address(), "factor": class.word() });
    server.journal.note(kind, Some(&user.username), None, data);
    tracing::info!(user = user.username, address = visit.address(), kind, "a second factor failed");
    ask(&run, again(problem))
}

/// A passkey cannot be guessed, and guesses at codes do not keep its person out.
fn guesses(class: Factor, user_id: &str, address: String) -> Guesses {
    match class {
        Factor::Webauthn => Guesses::at_key(address),
        _ => Guesses::at_code(user_id, address),
    }
}

async fn totp(run: &Run<'_>, given: &str) -> Result<Outcome, Trouble> {
    let server = run.visit.server;
    let now = server.clock.now();
    Ok(codes::totp(&server.store, &server.key, &run.record.held, given, now).await?)
}

async fn code(run: &Run<'_>, user: &User, given: &str) -> Result<Outcome, Trouble> {
    let server = run.visit.server;
    let now = server.clock.now();
    let outcome = codes::recovery_code(&server.store, &server.key, &user.id, given, now).await?;
    if matches!(outcome, Outcome::Right { .. }) {
        let left = run.record.held.recovery_codes.saturating_sub(1);
        let data = serde_json::json!({ "left": left, "address": run.visit.address() });
        server.journal.note("recovery-code.used", Some(&user.username), None, data);
    }
    Ok(outcome)
}

/// The account has factors, and none that is asked for.
pub fn lacks(run: &Run<'_>, classes: &[Factor]) -> Response<Body> {
    let visit = run.visit;
    let manage = run.sign_in.is_some().then(|| "/security".to_owned());
    let page = LacksFactor {
        app: run.continue_to(),
        classes: classes.iter().map(|class| class.word()).collect(),
        manage,
        again: with(&by_way_of("/sign-in", &visit.next()), "restart=1"),
    };
    let mut response = run.ask(&page, false);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
