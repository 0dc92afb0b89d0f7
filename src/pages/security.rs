//! `/security`: what an account is proven by, and where it is signed in.
//!
//! Whoever changes what proves the account has proven it just now (`security.md` R9), and takes
//! away no more than the rules leave.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};

use super::flow::{self, fresh};
use super::notice;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::access::Decision;
use crate::blueprint::flow::{NotConfigured, Purpose, StageKind};
use crate::clock::Millis;
use crate::factor::held::Held;
use crate::mail::message::Message;
use crate::session::SignIn;
use crate::store::Factor;
use crate::web::agent;
use crate::web::csp::PageClass;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{
    AddFactor, CSRF_FIELD, ErrorKind, ErrorPage, OwnFactor, OwnSession, Security, SecurityProblem,
};

pub const PATH: &str = "/security";

/// The longest name that a person may give.
const LONGEST_NAME: usize = 64;

type Answer = Result<Response<Body>, Trouble>;

/// What is wrong, and what it is about.
type Problem = (SecurityProblem, Option<String>);

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    let answered = match visit.sign_in_for(None).await {
        Ok(Some(sign_in)) => show(visit, &sign_in, None).await,
        Ok(None) => Ok(reply::see_other(&format!("/sign-in?next={PATH}"))),
        Err(error) => Err(error.into()),
    };
    answered.unwrap_or_else(|trouble| visit.unavailable(&trouble))
}

pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    if !visit.is_ours(visit.cookie(&visit.session_cookie()), form.text(CSRF_FIELD)) {
        let mut page = ErrorPage::new(ErrorKind::FormExpired);
        page.retry = Some(PATH.to_owned());
        return visit.error_with(page);
    }
    let answered = match visit.sign_in_for(None).await {
        Ok(Some(sign_in)) => change(visit, &sign_in, &form).await,
        Ok(None) => Ok(reply::see_other(&format!("/sign-in?next={PATH}"))),
        Err(error) => Err(error.into()),
    };
    answered.unwrap_or_else(|trouble| visit.unavailable(&trouble))
}

async fn show(visit: &Visit<'_>, sign_in: &SignIn, problem: Option<Problem>) -> Answer {
    let now = visit.server.clock.now();
    let read = visit.server.store.read().await?;
    let held = Held::of(&read, sign_in.account.id()).await?;
    let sessions = read.list_live_sessions_of(sign_in.account.id(), now).await?;
    drop(read);
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let (problem, about) = problem.map_or((None, None), |(what, about)| (Some(what), about));
    let session = |session: crate::store::Session| OwnSession {
        here: session.id == sign_in.id,
        device: agent::device(&session.agent),
        address: session.address,
        seen: minute(session.seen_at),
        id: session.id,
    };
    let page = Security {
        factors: held.factors.iter().map(shown).collect(),
        recovery_codes: held.recovery_codes,
        add: choices(visit),
        sessions: sessions.into_iter().map(session).collect(),
        problem,
        about,
        action: PATH.to_owned(),
    };
    let user = super::portal::shown(&standing, &profile);
    let csrf = super::sign_out::csrf_token(visit);
    let class = PageClass::SignInHost;
    let wanted = For { class, status, user: Some(&user), csrf: csrf.as_deref() };
    Ok(reply::page(visit.server, &visit.runtime, wanted, &page))
}

fn shown(factor: &Factor) -> OwnFactor {
    OwnFactor {
        id: factor.id.clone(),
        kind: factor.kind.word(),
        name: factor.name.clone(),
        added: day(factor.created_at),
        used: factor.used_at.map(day),
    }
}

/// What can be added: declared flows, and the built-in ones for what no declared flow sets up.
fn choices(visit: &Visit<'_>) -> Vec<AddFactor> {
    let mut flows: Vec<_> = visit.runtime.flows.values().collect();
    flows.retain(|flow| flow.purpose == Purpose::Setup);
    flows.sort_by_key(|flow| (flow.slug.value.starts_with("builtin."), flow.slug.value.clone()));
    let (mut choices, mut kinds) = (Vec::new(), Vec::new());
    for flow in flows {
        let kind = flow::set_up_kind(flow);
        let known = kinds.contains(&kind) && flow.slug.value.starts_with("builtin.");
        if matches!(kind, Some("totp" | "webauthn")) && !known {
            kinds.push(kind);
            choices.push(AddFactor {
                title: flow.title.clone().unwrap_or_else(|| flow.slug.value.clone()),
                url: set_up(&flow.slug.value),
            });
        }
    }
    choices
}

/// Where a flow sets up a factor and comes back.
fn set_up(flow: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("flow", flow).append_pair("next", PATH);
    format!("/set-up?{}", query.finish())
}

async fn change(visit: &Visit<'_>, sign_in: &Arc<SignIn>, form: &Form) -> Answer {
    let id = form.text("id");
    match form.text("do") {
        "rename" => rename(visit, sign_in, id, form.text("name")).await,
        "end" => end(visit, sign_in, Some(id)).await,
        "end-others" => end(visit, sign_in, None).await,
        "remove" | "new-codes" if !fresh(visit, sign_in).await? => {
            Ok(reply::see_other(&format!("/step-up?next={PATH}")))
        }
        "remove" => remove(visit, sign_in, id).await,
        "new-codes" => new_codes(visit, sign_in).await,
        _ => Ok(visit.error(ErrorKind::BadRequest)),
    }
}

async fn rename(visit: &Visit<'_>, sign_in: &SignIn, id: &str, name: &str) -> Answer {
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        return show(visit, sign_in, Some((SecurityProblem::BadName, None))).await;
    }
    let mut tx = visit.server.store.begin().await?;
    tx.rename_factor(sign_in.account.id(), id, name).await?;
    tx.commit().await?;
    Ok(reply::see_other(PATH))
}

async fn remove(visit: &Visit<'_>, sign_in: &SignIn, id: &str) -> Answer {
    let server = visit.server;
    let user_id = sign_in.account.id();
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !tx.hold_account(user_id).await? {
        return Ok(visit.error(ErrorKind::BadRequest));
    }
    let held = Held::of(&tx, user_id).await?;
    let last = held.factors.iter().all(|factor| factor.id == id);
    if last && let Some(problem) = needed(visit, sign_in) {
        drop(tx);
        return show(visit, sign_in, Some(problem)).await;
    }
    let Some(removed) = tx.delete_factor(user_id, id).await? else {
        return Ok(reply::see_other(PATH));
    };
    if last {
        tx.delete_recovery_codes_of(user_id).await?;
    }
    tx.forget_proofs_of(user_id).await?;
    let ended = tx.end_sessions_except(user_id, &sign_in.id, now).await?;
    let user = &sign_in.account.profile().user;
    let message = Message::FactorRemoved {
        name: notice::called(user),
        factor: removed.name.clone(),
        address: visit.address(),
        at: now,
    };
    notice::queue(visit, &mut tx, user, &message).await?;
    tx.commit().await?;
    server.post.ring();
    server.sessions.forget(&ended);
    let who = &user.username;
    let data = serde_json::json!({
        "factor": removed.kind.word(), "name": removed.name, "address": visit.address(),
    });
    server.journal.note("factor.removed", Some(who), None, data);
    tracing::info!(user = who, factor = removed.kind.word(), "a factor was removed");
    Ok(reply::see_other(PATH))
}

/// What asks this person for a factor, so that the last one stays.
fn needed(visit: &Visit<'_>, sign_in: &SignIn) -> Option<Problem> {
    let asks = visit.runtime.authentication_flow(None).is_some_and(|flow| {
        flow.stages.iter().any(|stage| match &stage.kind {
            StageKind::AuthenticatorValidate(each) => each.not_configured != NotConfigured::Skip,
            _ => false,
        })
    });
    if asks {
        return Some((SecurityProblem::NeededToSignIn, None));
    }
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let none = crate::access::person::Proofs::default();
    let person = standing.person(&profile.user.username, &none);
    let app = visit.runtime.apps.iter().find(|app| {
        let decision = super::portal::decision(visit, app, &person);
        decision.is_some_and(|decision| matches!(decision, Decision::StepUp(_)))
    })?;
    Some((SecurityProblem::NeededByApp, Some(app.title.clone())))
}

/// The old codes are worth nothing from now on; the new ones are shown by a flow.
async fn new_codes(visit: &Visit<'_>, sign_in: &SignIn) -> Answer {
    let mut tx = visit.server.store.begin().await?;
    tx.delete_recovery_codes_of(sign_in.account.id()).await?;
    tx.commit().await?;
    Ok(reply::see_other(&set_up("builtin.recovery-codes")))
}

/// Ends one other session of this person, or all others.
async fn end(visit: &Visit<'_>, sign_in: &SignIn, only: Option<&str>) -> Answer {
    let server = visit.server;
    let now = server.clock.now();
    let user_id = sign_in.account.id();
    let mut tx = server.store.begin().await?;
    let ended = match only {
        None => tx.end_sessions_except(user_id, &sign_in.id, now).await?,
        Some(id) => {
            let theirs = tx.find_session_by_id(id).await?.filter(|it| it.user_id == user_id);
            match theirs {
                Some(session) if tx.end_session(&session.id, now).await? => vec![session.id],
                _ => Vec::new(),
            }
        }
    };
    tx.commit().await?;
    server.sessions.forget(&ended);
    let who = &sign_in.account.profile().user.username;
    let data = serde_json::json!({ "count": ended.len(), "address": visit.address() });
    server.journal.note("sessions.ended", Some(who), None, data);
    Ok(reply::see_other(PATH))
}

fn day(at: Millis) -> String {
    at.to_string().chars().take(10).collect()
}

fn minute(at: Millis) -> String {
    at.to_string().chars().take(16).collect::<String>().replace('T', " ")
}
