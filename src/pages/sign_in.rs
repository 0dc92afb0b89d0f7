//! Signing in, stage by stage. Each step comes back here, and `stages::next` says what is next.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::pinned::Generation;
use super::visit::Visit;
use crate::access::Target;
use crate::access::condition::{ConditionError, Facts, Reputation, Truth};
use crate::access::person::{Person, PersonKind, Proofs};
use crate::blueprint::flow::{Accept, Flow, Identification, Lockout, Stage};
use crate::blueprint::source::{Name, Span};
use crate::flow::attempts::{DEFAULT_LOCKOUT, Keys};
use crate::flow::hashing::{HashError, LONGEST, Verified};
use crate::flow::new_password;
use crate::flow::stages::{self, Next, Progress};
use crate::forward_auth::handover;
use crate::secret::TokenDigest;
use crate::session::{Begin, SessionError};
use crate::store::{NewFlowState, NewPassword, StoreError, User};
use crate::web::csp::PageClass;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{
    CSRF_FIELD, Declared, ErrorKind, ErrorPage, Identify, IdentifyProblem, Password,
    PasswordReason, SetPassword, SignInProblem, SourcePlace, StageNotServed,
};
use crate::web::{csrf, visitor};

/// A sign-in that takes longer begins anew.
const LASTS: Duration = Duration::from_secs(15 * 60);

/// A sign-in under way in one browser.
struct Attempt {
    cookie: String,
    digest: TokenDigest,
    generation: Arc<Generation>,
    flow: Arc<Flow>,
    progress: Progress,
    /// The version in the store; `None` before the first form was posted.
    version: Option<i64>,
    number: i64,
}

/// Why a step could not be taken.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Randomness(#[from] crate::ids::NoRandomness),
    #[error(transparent)]
    Hash(#[from] HashError),
}

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match show(visit).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn show(visit: &Visit<'_>) -> Result<Response<Body>, Trouble> {
    if visit.query("restart").is_some() {
        return restart(visit).await;
    }
    if visit.sign_in().await?.is_some() {
        return Ok(reply::see_other(&visit.next()));
    }
    let mut attempt = match resume(visit).await? {
        Some(attempt) => attempt,
        None => fresh(visit)?,
    };
    go_on(visit, &mut attempt, Error::None).await
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

async fn step(visit: &Visit<'_>, form: &Form) -> Result<Response<Body>, Trouble> {
    let mut attempt = match resume(visit).await? {
        Some(attempt) => attempt,
        // Only the first form may come without anything in the store.
        None if !form.text("username").is_empty() || form.text("password").is_empty() => {
            fresh(visit)?
        }
        None => return Ok(expired(visit)),
    };
    let generation = Arc::clone(&attempt.generation);
    let flow = Arc::clone(&attempt.flow);
    let context = Context { visit, generation: &generation };
    let next = context.next(&flow, &mut attempt.progress);
    match next {
        Next::AskName(identification) => name(visit, &mut attempt, identification, form).await,
        Next::AskPassword { lockout } => password(visit, &mut attempt, lockout, form).await,
        Next::AskNewPassword => new_password_given(visit, &mut attempt, form).await,
        _ => go_on(visit, &mut attempt, Error::None).await,
    }
}

/// The sign-in of this browser's cookie, if one is under way.
async fn resume(visit: &Visit<'_>) -> Result<Option<Attempt>, Trouble> {
    let Some(cookie) = visit.cookie(&visit.flow_cookie()) else { return Ok(None) };
    let digest = visit.server.key.digest(cookie.as_bytes());
    let now = visit.server.clock.now();
    let found = visit.server.store.read().await?.find_flow_state(&digest, now).await?;
    let Some(state) = found else { return Ok(None) };
    let store = &visit.server.store;
    let generation = visit.pages.pinned.find(store, &visit.runtime, state.generation).await?;
    let Some(generation) = generation else { return Ok(None) };
    let flow = generation.flows.get(&state.flow).cloned();
    let progress = serde_json::from_value(state.data);
    Ok(match (flow, progress) {
        (Some(flow), Ok(progress)) => Some(Attempt {
            cookie: cookie.to_owned(),
            digest,
            generation,
            flow,
            progress,
            version: Some(state.version),
            number: state.generation,
        }),
        _ => None,
    })
}

/// A sign-in that begins: nothing is written before a form is posted.
fn fresh(visit: &Visit<'_>) -> Result<Attempt, Trouble> {
    let runtime = &visit.runtime;
    let app = app_of(visit);
    let flow =
        runtime.authentication_flow(app).or_else(|| runtime.flows.get("builtin.authentication"));
    let flow = flow.cloned().ok_or_else(|| StoreError::Other {
        place: "flows".to_owned(),
        reason: "there is no flow to sign in with".to_owned(),
    })?;
    let cookie = match visit.cookie(&visit.flow_cookie()) {
        Some(known) if known.len() == 43 => known.to_owned(),
        _ => visit.server.rng.token()?,
    };
    Ok(Attempt {
        digest: visit.server.key.digest(cookie.as_bytes()),
        cookie,
        generation: Arc::new(Generation {
            flows: runtime.flows.clone(),
            sources: runtime.sources.clone(),
        }),
        flow,
        progress: Progress::default(),
        version: None,
        number: runtime.generation,
    })
}

/// The app that the sign-in leads to, if it began at one.
fn app_of<'v>(visit: &'v Visit<'_>) -> Option<&'v crate::runtime::app::App> {
    let next = visit.next();
    let query = next.strip_prefix(handover::START)?.strip_prefix('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, slug) = pairs.find(|(name, _)| name == "app")?;
    visit.runtime.app(&slug)
}

/// Forgets the sign-in of this browser and begins again.
async fn restart(visit: &Visit<'_>) -> Result<Response<Body>, Trouble> {
    if let Some(attempt) = resume(visit).await? {
        finish(visit, &attempt).await?;
    }
    let mut response = reply::see_other(&action(visit));
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    Ok(response)
}

/// What is said on the page that asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error<'a> {
    None,
    Name(IdentifyProblem),
    Password(SignInProblem),
    New(&'a [new_password::Problem]),
}

/// What conditions of stages are judged by.
struct Context<'a> {
    visit: &'a Visit<'a>,
    generation: &'a Generation,
}

impl Context<'_> {
    fn next<'f>(&self, flow: &'f Flow, progress: &mut Progress) -> Next<'f> {
        let dev = self.visit.runtime.addressing.dev && self.visit.server.listening.loopback_only;
        stages::next(flow, progress, &|policy| self.holds(policy), &|stage| {
            if dev {
                tracing::warn!(place = %self.place(stage.at), "a stage that is not served yet was skipped: this is a development server");
            }
            dev
        })
    }

    /// A policy about somebody who is not signed in yet sees the request alone.
    fn holds(&self, policy: &Name) -> Truth {
        let Some(found) = self.visit.runtime.policies.get(&policy.value) else {
            let reason = format!("policy `{}` is no longer declared", policy.value);
            return Err(ConditionError { place: self.place(policy.span), reason });
        };
        let (groups, names) = (Default::default(), Vec::new());
        let (attributes, proofs) = (Default::default(), Proofs::default());
        let person = Person {
            username: "",
            kind: PersonKind::User,
            name: None,
            email: None,
            groups: &groups,
            group_names: &names,
            attributes: &attributes,
            proofs: &proofs,
            disabled: false,
        };
        let target = Target {
            host: self.visit.runtime.external.host.as_str().into(),
            path: "/sign-in".into(),
            method: "GET".into(),
            client: self.visit.client,
        };
        let facts = Facts {
            person: &person,
            target: &target,
            app: "",
            now: self.visit.server.clock.now(),
            reputation: Reputation::Unkept,
        };
        found.holds(&facts)
    }

    fn place(&self, at: Span) -> String {
        self.generation.sources.place(at)
    }

    fn declared(&self, at: Span) -> Declared {
        let sources = &self.generation.sources;
        let line = u32::try_from(sources.position(at).line).unwrap_or(u32::MAX);
        let text = sources.slice(at).lines().next().unwrap_or("").to_owned();
        Declared { place: SourcePlace { file: sources.name(at.file).to_owned(), line }, text }
    }
}

/// The dispatcher: shows what the flow asks for next, or ends it.
async fn go_on(
    visit: &Visit<'_>,
    attempt: &mut Attempt,
    error: Error<'_>,
) -> Result<Response<Body>, Trouble> {
    let generation = Arc::clone(&attempt.generation);
    let flow = Arc::clone(&attempt.flow);
    let context = Context { visit, generation: &generation };
    match context.next(&flow, &mut attempt.progress) {
        Next::AskName(_) => Ok(ask_name(visit, attempt, error)),
        Next::AskPassword { .. } => Ok(ask_password(visit, attempt, error)),
        Next::AskNewPassword => Ok(ask_new_password(visit, attempt, error)),
        Next::SignIn { stay } => sign_in(visit, attempt, stay).await,
        Next::Refuse { text } => {
            finish(visit, attempt).await?;
            let mut page = ErrorPage::new(ErrorKind::BadRequest);
            page.status = StatusCode::FORBIDDEN.as_u16();
            page.detail = Some(text.to_owned());
            Ok(visit.error_with(page))
        }
        Next::NotServed { stage } => Ok(not_served(visit, &context, &flow, stage)),
        Next::Stuck { at, reason } => {
            tracing::error!(place = %context.place(at), reason, "a sign-in cannot go on");
            Ok(visit.error(ErrorKind::Internal))
        }
    }
}

fn not_served(
    visit: &Visit<'_>,
    context: &Context<'_>,
    flow: &Flow,
    stage: &Stage,
) -> Response<Body> {
    let declared = context.declared(stage.at);
    tracing::warn!(
        file = declared.place.file,
        line = declared.place.line,
        "a sign-in ended at a stage that is not served yet"
    );
    let page = StageNotServed {
        flow: flow.title.clone().unwrap_or_else(|| flow.slug.value.clone()),
        stage: declared.text.split_whitespace().next().unwrap_or("").to_owned(),
        declared,
    };
    let wanted = For::sign_in_host(StatusCode::NOT_IMPLEMENTED);
    reply::page(visit.server, &visit.runtime, wanted, &page)
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

fn ask_name(visit: &Visit<'_>, attempt: &Attempt, error: Error<'_>) -> Response<Body> {
    let page = Identify {
        title: attempt.flow.title.clone().unwrap_or_else(|| "Sign in".to_owned()),
        username: String::new(),
        error: match error {
            Error::Name(problem) => Some(problem),
            _ => None,
        },
        continue_to: app_of(visit).map(|app| app.title.clone()),
        links: Vec::new(),
        action: action(visit),
    };
    ask(visit, attempt, status(page.error.is_some()), &page)
}

fn ask_password(visit: &Visit<'_>, attempt: &Attempt, error: Error<'_>) -> Response<Body> {
    let action = action(visit);
    let joiner = if action.contains('?') { '&' } else { '?' };
    let page = Password {
        who: attempt.progress.login.clone().unwrap_or_default(),
        not_you: format!("{action}{joiner}restart=1"),
        error: match error {
            Error::Password(problem) => Some(problem),
            _ => None,
        },
        continue_to: app_of(visit).map(|app| app.title.clone()),
        links: Vec::new(),
        action,
    };
    ask(visit, attempt, status(page.error.is_some()), &page)
}

fn ask_new_password(visit: &Visit<'_>, attempt: &Attempt, error: Error<'_>) -> Response<Body> {
    let problems = match error {
        Error::New(problems) => problems,
        _ => &[],
    };
    let rules = visit.runtime.blueprint.settings.password;
    let page = SetPassword {
        who: attempt.progress.login.clone().unwrap_or_default(),
        reason: PasswordReason::MustChange,
        min_length: u32::try_from(rules.min_length).unwrap_or(u32::MAX),
        problems: problems.iter().map(|problem| super::set_password::shown(*problem)).collect(),
        action: action(visit),
    };
    ask(visit, attempt, status(!page.problems.is_empty()), &page)
}

fn status(again: bool) -> StatusCode {
    if again { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
}

fn ask<P: crate::web::templates::Page>(
    visit: &Visit<'_>,
    attempt: &Attempt,
    status: StatusCode,
    page: &P,
) -> Response<Body> {
    let token = csrf::token(&visit.server.key, &attempt.cookie);
    // The last form ends in a redirect to an app, which `form-action` would stop.
    let class = PageClass::OnwardToApp;
    let wanted = For { class, status, user: None, csrf: Some(&token) };
    let mut response = reply::page(visit.server, &visit.runtime, wanted, page);
    visit.set_cookie(&mut response, &visit.flow_cookie(), &attempt.cookie, Some(LASTS));
    response
}

/// A name was given. Nothing that follows tells whether anybody has it.
async fn name(
    visit: &Visit<'_>,
    attempt: &mut Attempt,
    identification: &Identification,
    form: &Form,
) -> Result<Response<Body>, Trouble> {
    let login = form.text("username");
    if login.is_empty() {
        return go_on(visit, attempt, Error::Name(IdentifyProblem::Missing)).await;
    }
    if login.len() > 254 || login.contains('\0') {
        return go_on(visit, attempt, Error::Name(IdentifyProblem::TooLong)).await;
    }
    let user = visit.server.store.read().await?.find_user_by_login(login).await?;
    let user = user.filter(|user| accepts(identification, user, login));
    attempt.progress.login = Some(login.to_owned());
    attempt.progress.user_id = user.map(|user| user.id);
    save_and_turn(visit, attempt).await
}

/// Whether the stage takes this kind of name. `accept` unsaid takes both.
fn accepts(identification: &Identification, user: &User, login: &str) -> bool {
    let is_username = crate::store::fold(login) == user.username_key;
    let wanted = if is_username { Accept::Username } else { Accept::Email };
    identification.accept.is_empty() || identification.accept.contains(&wanted)
}

/// A password was given: one counter, the same work for everybody, one answer for every failure.
async fn password(
    visit: &Visit<'_>,
    attempt: &mut Attempt,
    lockout: Option<Lockout>,
    form: &Form,
) -> Result<Response<Body>, Trouble> {
    let given = form.secret("password");
    if given.reveal().is_empty() {
        return go_on(visit, attempt, Error::Password(SignInProblem::Missing)).await;
    }
    if given.reveal().len() > LONGEST {
        return go_on(visit, attempt, Error::Password(SignInProblem::TooLong)).await;
    }
    let server = visit.server;
    let login = attempt.progress.login.clone().unwrap_or_default();
    let user = match &attempt.progress.user_id {
        Some(id) => server.store.read().await?.find_user(id).await?,
        None => None,
    };
    let user_id = user.as_ref().map(|user| user.id.as_str());
    let keys = Keys::new(user_id, &login, visitor::address_key(visit.client));
    let now = server.clock.now();
    if let Some(wait) = keys.wait(&server.store, now).await? {
        return Ok(too_many(visit, wait));
    }
    let hash = user.as_ref().and_then(|user| user.password_hash.as_ref());
    let answer = server.hasher.verify(&given, hash).await?;
    let user = user.filter(|user| answer != Verified::Wrong && is_enabled(visit, user));
    let Some(user) = user else {
        let locked = keys.failed(&server.store, lockout.unwrap_or(DEFAULT_LOCKOUT), now).await?;
        let kind = if locked { "login.locked" } else { "login.failed" };
        // What was typed may be a password in the wrong field: only names of accounts are kept.
        let who = attempt.progress.user_id.as_ref().map(|_| login.as_str());
        let data = serde_json::json!({ "address": visit.address() });
        server.journal.note(kind, who, None, data);
        tracing::info!(login = who, address = visit.address(), kind, "a sign-in failed");
        return go_on(visit, attempt, Error::Password(SignInProblem::Wrong)).await;
    };
    keys.succeeded(&server.store).await?;
    if answer == Verified::RightButOld {
        upgrade(visit, &user, &given).await?;
    }
    attempt.progress.password = true;
    attempt.progress.must_change = user.must_change;
    save_and_turn(visit, attempt).await
}

/// A disabled account fails like a wrong password: the files or the store may have disabled it.
fn is_enabled(visit: &Visit<'_>, user: &User) -> bool {
    let declared = visit.runtime.declared.get(&user.username);
    let gone = user.declared && declared.is_none();
    !user.disabled && !gone && !declared.is_some_and(|person| person.disabled)
}

async fn upgrade(
    visit: &Visit<'_>,
    user: &User,
    given: &crate::secret::Secret,
) -> Result<(), Trouble> {
    let server = visit.server;
    let Some(old) = &user.password_hash else { return Ok(()) };
    let new = server.hasher.hash(given, &server.rng).await?;
    let mut tx = server.store.begin().await?;
    tx.upgrade_password_hash(&user.id, old, &new).await?;
    Ok(tx.commit().await?)
}

fn too_many(visit: &Visit<'_>, wait: Duration) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::TooManyAttempts);
    page.wait_minutes = u32::try_from(wait.as_secs().div_ceil(60)).ok();
    page.retry = Some(action(visit));
    let mut response = visit.error_with(page);
    response.headers_mut().insert(http::header::RETRY_AFTER, wait.as_secs().max(1).into());
    response
}

/// A new password was given by somebody who had to.
async fn new_password_given(
    visit: &Visit<'_>,
    attempt: &mut Attempt,
    form: &Form,
) -> Result<Response<Body>, Trouble> {
    let server = visit.server;
    let Some(id) = attempt.progress.user_id.clone() else { return Ok(expired(visit)) };
    let Some(user) = server.store.read().await?.find_user(&id).await? else {
        return Ok(expired(visit));
    };
    let given = form.secret("new-password");
    let rules = visit.runtime.blueprint.settings.password;
    let names = super::set_password::names_of(&user);
    let mut problems =
        new_password::check(&given, &form.secret("new-password-again"), rules, &names);
    if problems.is_empty()
        && server.hasher.verify(&given, user.password_hash.as_ref()).await? != Verified::Wrong
    {
        problems.push(new_password::Problem::Unchanged);
    }
    if !problems.is_empty() {
        return go_on(visit, attempt, Error::New(&problems)).await;
    }
    let hash = server.hasher.hash(&given, &server.rng).await?;
    let mut tx = server.store.begin().await?;
    tx.set_password(&id, NewPassword { hash: &hash, must_change: false }, server.clock.now())
        .await?;
    let ended = tx.end_sessions_of(&id, server.clock.now()).await?;
    tx.commit().await?;
    server.sessions.forget(&ended);
    server.journal.note("password.changed", Some(&user.username), None, serde_json::json!({}));
    attempt.progress.must_change = false;
    save_and_turn(visit, attempt).await
}

/// Writes how far the flow came and shows the next step by a redirect, so that going back or
/// reloading posts nothing twice. A step that was taken already leads to where the flow is now.
async fn save_and_turn(visit: &Visit<'_>, attempt: &Attempt) -> Result<Response<Body>, Trouble> {
    let now = visit.server.clock.now();
    let data = serde_json::to_value(&attempt.progress).unwrap_or_default();
    let mut tx = visit.server.store.begin().await?;
    match attempt.version {
        Some(version) => {
            tx.advance_flow_state(&attempt.digest, version, &data, now).await?;
        }
        None => {
            let state = NewFlowState {
                digest: &attempt.digest,
                flow: &attempt.flow.slug.value,
                purpose: "authentication",
                generation: attempt.number,
                data: &data,
                expires_at: now.plus(LASTS),
            };
            tx.put_flow_state(state, now).await?;
        }
    }
    tx.commit().await?;
    let mut response = reply::see_other(&action(visit));
    visit.set_cookie(&mut response, &visit.flow_cookie(), &attempt.cookie, Some(LASTS));
    Ok(response)
}

/// Uses the flow up; `false` if somebody did already.
async fn finish(visit: &Visit<'_>, attempt: &Attempt) -> Result<bool, Trouble> {
    let Some(version) = attempt.version else { return Ok(true) };
    let mut tx = visit.server.store.begin().await?;
    let used = tx.consume_flow_state(&attempt.digest, version, visit.server.clock.now()).await?;
    tx.commit().await?;
    Ok(used.is_some())
}

/// The end of the flow: a new session, and the one this browser had before is over.
async fn sign_in(
    visit: &Visit<'_>,
    attempt: &Attempt,
    stay: Option<Duration>,
) -> Result<Response<Body>, Trouble> {
    let server = visit.server;
    let Some(user_id) = attempt.progress.user_id.as_deref() else { return Ok(expired(visit)) };
    let user = server.store.read().await?.find_user(user_id).await?;
    let Some(user) = user.filter(|user| is_enabled(visit, user)) else { return Ok(expired(visit)) };
    if !finish(visit, attempt).await? {
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
