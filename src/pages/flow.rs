//! Flows, stage by stage. Each step comes back here, and `stages::next` says what is next.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::trouble::Trouble;
use super::visit::Visit;
use crate::flow::hashing::HashError;
use crate::flow::stages::Next;
use crate::forward_auth::handover;
use crate::runtime::app::App;
use crate::store::User;
use crate::web::csp::PageClass;
use crate::web::csrf;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{CSRF_FIELD, ErrorKind, ErrorPage, Page, StageNotServed};

/// A flow under way in one browser.
mod attempt;
/// What decides whether a stage runs.
mod conditions;
/// Who is it.
mod identification;
/// The end of a sign-in.
mod login;
/// A new password, for whoever has to set one.
mod new_password;
/// The first proof.
mod password;

use attempt::{Attempt, LASTS};
use conditions::Conditions;

type Answer = Result<Response<Body>, Trouble>;

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match show(visit).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn show(visit: &Visit<'_>) -> Answer {
    if visit.query("restart").is_some() {
        return restart(visit).await;
    }
    if visit.sign_in_for(app_of(visit)).await?.is_some() {
        return Ok(reply::see_other(&visit.next()));
    }
    let attempt = match Attempt::resume(visit).await? {
        Some(attempt) => attempt,
        None => Attempt::fresh(visit)?,
    };
    go_on(Run { visit, attempt }).await
}

pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    if !visit.is_ours(visit.cookie(&visit.flow_cookie()), form.text(CSRF_FIELD)) {
        return stale(visit).await;
    }
    match step(visit, &form).await {
        Ok(response) => response,
        Err(Trouble::Hash(HashError::Busy)) => {
            let mut page = ErrorPage::new(ErrorKind::Unavailable);
            page.retry = Some(action(visit));
            visit.error_with(page)
        }
        Err(trouble) => visit.unavailable(&trouble),
    }
}

/// The form is out of date. In a second tab of a browser that has signed in since, it leads on.
async fn stale(visit: &Visit<'_>) -> Response<Body> {
    let own = visit.runtime.external.to_string();
    let from_us = csrf::is_same_origin(&visit.parts.headers, &own);
    match visit.sign_in().await {
        Ok(Some(_)) if from_us => reply::see_other(&visit.next()),
        _ => expired(visit),
    }
}

/// The form is not of this browser, or its sign-in is over: begin again, with a word about it.
fn expired(visit: &Visit<'_>) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::FormExpired);
    page.retry = Some(action(visit));
    visit.error_with(page)
}

async fn step(visit: &Visit<'_>, form: &Form) -> Answer {
    let attempt = match Attempt::resume(visit).await? {
        Some(attempt) => attempt,
        // Only the first form may come without anything in the store.
        None if !form.text("username").is_empty() || form.text("password").is_empty() => {
            Attempt::fresh(visit)?
        }
        None => return Ok(expired(visit)),
    };
    let mut run = Run { visit, attempt };
    let flow = Arc::clone(&run.attempt.flow);
    match run.next(&flow) {
        Next::AskName(identification) => identification::answer(run, identification, form).await,
        Next::AskPassword { lockout } => password::answer(run, lockout, form).await,
        Next::AskNewPassword => new_password::answer(run, form).await,
        _ => go_on(run).await,
    }
}

/// Forgets the sign-in of this browser and begins again.
async fn restart(visit: &Visit<'_>) -> Answer {
    if let Some(attempt) = Attempt::resume(visit).await? {
        attempt.drop(visit).await?;
    }
    let mut response = reply::see_other(&action(visit));
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    Ok(response)
}

/// The dispatcher: shows what the flow asks for next, or ends it.
async fn go_on(mut run: Run<'_>) -> Answer {
    let flow = Arc::clone(&run.attempt.flow);
    match run.next(&flow) {
        Next::AskName(_) => Ok(identification::ask(&run, None)),
        Next::AskPassword { .. } => Ok(password::ask(&run, None)),
        Next::AskNewPassword => Ok(new_password::ask(&run, &[])),
        Next::SignIn { stay } => login::finish(run, stay).await,
        Next::Refuse { text } => {
            run.attempt.drop(run.visit).await?;
            let mut page = ErrorPage::new(ErrorKind::BadRequest);
            page.status = StatusCode::FORBIDDEN.as_u16();
            page.detail = Some(text.to_owned());
            Ok(run.visit.error_with(page))
        }
        Next::NotServed { stage } => Ok(run.not_served(stage)),
        Next::Stuck { at, reason } => {
            let place = run.attempt.generation.sources.place(at);
            tracing::error!(place, reason, "a sign-in cannot go on");
            Ok(run.visit.error(ErrorKind::Internal))
        }
    }
}

/// One step of a flow.
struct Run<'a> {
    visit: &'a Visit<'a>,
    attempt: Attempt,
}

impl Run<'_> {
    fn next<'f>(&mut self, flow: &'f crate::blueprint::flow::Flow) -> Next<'f> {
        let generation = Arc::clone(&self.attempt.generation);
        let conditions = Conditions { visit: self.visit, generation: &generation };
        conditions.next(flow, &mut self.attempt.progress)
    }

    /// The title of the app that the flow leads to.
    fn continue_to(&self) -> Option<String> {
        app_of(self.visit).map(|app| app.title.clone())
    }

    /// The page of a stage; `again` if what was posted is asked for once more.
    fn ask<P: Page>(&self, page: &P, again: bool) -> Response<Body> {
        let visit = self.visit;
        let token = csrf::token(&visit.server.key, &self.attempt.cookie);
        let status = if again { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        // The last form ends in a redirect to an app, which `form-action` would stop.
        let class = PageClass::OnwardToApp;
        let wanted = For { class, status, user: None, csrf: Some(&token) };
        let mut response = reply::page(visit.server, &visit.runtime, wanted, page);
        let cookie = &self.attempt.cookie;
        visit.set_cookie(&mut response, &visit.flow_cookie(), cookie, Some(LASTS));
        response
    }

    fn not_served(&self, stage: &crate::blueprint::flow::Stage) -> Response<Body> {
        let visit = self.visit;
        let declared = conditions::declared(&self.attempt.generation.sources, stage.at);
        let (file, line) = (&declared.place.file, declared.place.line);
        tracing::warn!(file, line, "a sign-in ended at a stage that is not served yet");
        let flow = &self.attempt.flow;
        let page = StageNotServed {
            flow: flow.title.clone().unwrap_or_else(|| flow.slug.value.clone()),
            stage: declared.text.split_whitespace().next().unwrap_or("").to_owned(),
            declared,
        };
        let wanted = For::sign_in_host(StatusCode::NOT_IMPLEMENTED);
        reply::page(visit.server, &visit.runtime, wanted, &page)
    }
}

fn too_many(visit: &Visit<'_>, wait: Duration) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::TooManyAttempts);
    page.wait_minutes = u32::try_from(wait.as_secs().div_ceil(60)).ok();
    page.retry = Some(action(visit));
    let mut response = visit.error_with(page);
    response.headers_mut().insert(http::header::RETRY_AFTER, wait.as_secs().max(1).into());
    response
}

/// The app that the sign-in leads to, if it began at one.
fn app_of<'v>(visit: &'v Visit<'_>) -> Option<&'v App> {
    let next = visit.next();
    let query = next.strip_prefix(handover::START)?.strip_prefix('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, slug) = pairs.find(|(name, _)| name == "app")?;
    visit.runtime.app(&slug)
}

/// The address that forms of this sign-in are posted to: it holds where to go on.
fn action(visit: &Visit<'_>) -> String {
    let next = visit.next();
    if next == "/" {
        return "/sign-in".to_owned();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/sign-in?{}", query.append_pair("next", &next).finish())
}

/// A disabled account fails like a wrong password: the files or the store may have disabled it.
fn is_enabled(visit: &Visit<'_>, user: &User) -> bool {
    let declared = visit.runtime.declared.get(&user.username);
    let gone = user.declared && declared.is_none();
    !user.disabled && !gone && !declared.is_some_and(|person| person.disabled)
}
