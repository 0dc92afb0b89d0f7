//! What to say to a request without a session, or without the right to pass
//! (`forward-auth.md` 3, the answer table).

use axum::body::Body;
use http::header::{LOCATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::decision::Request;
use super::{ForwardAuth, challenge, handover};
use crate::access::rule::Effect;
use crate::access::{By, Verdict};
use crate::runtime::Runtime;
use crate::session::{Profile, Standing};
use crate::web::reply::{self, For};
use crate::web::templates::{Denial, Denied, ErrorKind, ErrorPage, Page, Person};

/// A refusal that has nothing to do with rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebSocket that another site began.
    ForeignOrigin,
    /// The method or the path makes no sense here.
    BadRequest,
}

/// Nobody is signed in: a redirect for a person who waits for a page, a 401 for everything else.
#[must_use]
pub fn login(front: &ForwardAuth, runtime: &Runtime, request: &Request<'_>) -> Response<Body> {
    if request.is_navigation() && request.reader.dialect.hands_on_any_status() {
        return handover::begin(front, runtime, request, &request.return_to());
    }
    let start = start_here(request, &request.return_to());
    let mut response = if request.wants_json() {
        let body = serde_json::json!({
            "error": "login-required",
            "message": "nobody is signed in",
            "app": request.app.slug,
            "login": start,
        });
        reply::json(StatusCode::UNAUTHORIZED, &body)
    } else {
        reply::text(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", "login required\n")
    };
    let headers = response.headers_mut();
    if !request.is_websocket()
        && let Ok(start) = HeaderValue::from_str(&start)
    {
        headers.insert(LOCATION, start);
    }
    headers.insert(WWW_AUTHENTICATE, challenge::offer(request));
    response
}

/// The path on the app's own host that begins a login: it sets the cookie that a 401 must not.
fn start_here(request: &Request<'_>, return_to: &str) -> String {
    let query: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("rd", return_to).finish();
    format!("{}/.doorward/start?{query}", request.origin())
}

/// Known, and not let in.
#[must_use]
pub fn denied(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    standing: &Standing,
    profile: &Profile,
    verdict: &Verdict<'_>,
) -> Response<Body> {
    let reference = reference(front);
    let (by, rule) = (verdict.by.place(), verdict.by.text());
    tracing::info!(app = %request.app.slug, user = %profile.user.username, reference, by, rule, "access denied");
    if request.is_navigation() {
        let data = serde_json::json!({ "reference": reference, "by": by, "rule": rule, "host": request.host, "path": request.target.path });
        front.server.journal.note(
            "access.denied",
            Some(&profile.user.username),
            Some(&request.app.slug),
            data,
        );
    }
    let page = Denied {
        app: request.app.title.clone(),
        reason: denial(verdict),
        other_account: handover::other_account(runtime),
        reference: reference.clone(),
    };
    person_page(front, runtime, request, (standing, profile), "access-denied", &reference, &page)
}

fn denial(verdict: &Verdict<'_>) -> Denial {
    match verdict.by {
        By::Disabled => Denial::Disabled,
        _ if !verdict.errors.is_empty() => Denial::Undecided,
        By::Rule(rule) if rule.effect == Effect::Deny => Denial::Denied,
        _ => Denial::NotAllowed,
    }
}

/// Let in, once a second factor is proven: a person who waits for a page is asked for it.
#[must_use]
pub fn step_up(front: &ForwardAuth, runtime: &Runtime, request: &Request<'_>) -> Response<Body> {
    if request.is_navigation() && request.reader.dialect.hands_on_any_status() {
        return handover::begin(front, runtime, request, &request.return_to());
    }
    let mut response = challenge::step_up(request);
    if !request.is_websocket()
        && let Ok(start) = HeaderValue::from_str(&start_here(request, &request.return_to()))
    {
        response.headers_mut().insert(LOCATION, start);
    }
    response
}

fn person_page<P: Page>(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    (standing, profile): (&Standing, &Profile),
    code: &str,
    reference: &str,
    page: &P,
) -> Response<Body> {
    if request.is_websocket() || !request.is_navigation() {
        return refusal(request, StatusCode::FORBIDDEN, code, Some(reference));
    }
    let user = Person {
        name: standing.name.clone(),
        username: profile.user.username.clone(),
        language: profile.user.language.clone(),
    };
    let wanted = For { user: Some(&user), ..request.page(StatusCode::FORBIDDEN) };
    reply::page(&front.server, runtime, wanted, page)
}

/// A refusal that no rule made.
#[must_use]
pub fn refuse(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    kind: Kind,
) -> Response<Body> {
    match kind {
        Kind::ForeignOrigin => refusal(request, StatusCode::FORBIDDEN, "foreign-origin", None),
        Kind::BadRequest if request.is_navigation() => {
            let page = ErrorPage::new(ErrorKind::BadRequest);
            reply::page(&front.server, runtime, request.page(StatusCode::BAD_REQUEST), &page)
        }
        Kind::BadRequest => refusal(request, StatusCode::BAD_REQUEST, "bad-request", None),
    }
}

/// The store is away and what is known is too old: nobody gets in (503).
#[must_use]
pub fn unavailable(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
) -> Response<Body> {
    if request.is_navigation() {
        let page = ErrorPage::new(ErrorKind::Unavailable);
        let wanted = request.page(StatusCode::SERVICE_UNAVAILABLE);
        return reply::page(&front.server, runtime, wanted, &page);
    }
    refusal(request, StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", None)
}

pub(super) fn refusal(
    request: &Request<'_>,
    status: StatusCode,
    code: &str,
    reference: Option<&str>,
) -> Response<Body> {
    if request.wants_json() {
        let body =
            serde_json::json!({ "error": code, "app": request.app.slug, "reference": reference });
        return reply::json(status, &body);
    }
    let reference = reference.map(|text| format!(" (reference {text})")).unwrap_or_default();
    reply::text(status, "text/plain; charset=utf-8", format!("{code}{reference}\n"))
}

/// A short name for one answer, in the page and in the log.
#[must_use]
pub fn reference(front: &ForwardAuth) -> String {
    let id = front.server.rng.id("ref", front.server.clock.now()).unwrap_or_default();
    id.get(id.len().saturating_sub(10)..).unwrap_or("").to_owned()
}
