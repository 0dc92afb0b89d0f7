//! What to say to a credential that is not enough, and to a program that could bring one.
//!
//! `Basic` is offered to programs alone: a browser would ask the person for a password that is not the
//! one of the sign-in page.

use std::time::Duration;

use axum::body::Body;
use http::header::{ORIGIN, REFERER, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::decision::Request;
use super::{ForwardAuth, answer};
use crate::runtime::Runtime;
use crate::web::credential::Credential;

/// Known to nobody: it says that there is something to sign in to, and makes no browser ask.
const SIGN_IN: HeaderValue = HeaderValue::from_static("Doorward realm=\"sign-in\"");

/// How a request without any credential of ours could bring one.
#[must_use]
pub fn offer(request: &Request<'_>) -> HeaderValue {
    if is_program(request) { basic(request) } else { SIGN_IN }
}

/// Browsers send no `Sec-Fetch-*` over plain http, but tell where a request comes from.
fn is_program(request: &Request<'_>) -> bool {
    let of_a_page = [ORIGIN, REFERER].iter().any(|name| request.headers.contains_key(name));
    !of_a_page && !request.is_from_browser() && !request.is_websocket() && !request.is_navigation()
}

fn basic(request: &Request<'_>) -> HeaderValue {
    let value = format!("Basic realm=\"{}\", charset=\"UTF-8\"", request.app.slug);
    HeaderValue::try_from(value).unwrap_or(SIGN_IN)
}

/// The credential is worth nothing, whatever the reason. A person who waits for a page may sign in.
#[must_use]
pub fn wrong(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    credential: &Credential,
) -> Response<Body> {
    if request.is_navigation() && request.is_from_browser() {
        return answer::login(front, runtime, request);
    }
    let mut response =
        answer::refusal(request, StatusCode::UNAUTHORIZED, "invalid-credential", None);
    let challenge = match credential {
        Credential::Basic { .. } if request.is_from_browser() => SIGN_IN,
        Credential::Basic { .. } => basic(request),
        Credential::Bearer(_) => bearer(request, "invalid_token"),
    };
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// RFC 6750 §3.
fn bearer(request: &Request<'_>, error: &str) -> HeaderValue {
    let value = format!("Bearer realm=\"{}\", error=\"{error}\"", request.app.slug);
    HeaderValue::try_from(value).unwrap_or(SIGN_IN)
}

/// The token is good, and not here.
#[must_use]
pub fn other_app(request: &Request<'_>, credential: &Credential) -> Response<Body> {
    let mut response = answer::refusal(request, StatusCode::FORBIDDEN, "token-not-for-app", None);
    if let Credential::Bearer(_) = credential {
        let challenge = bearer(request, "insufficient_scope");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The person is known, and has to prove a second factor first.
#[must_use]
pub fn step_up(request: &Request<'_>) -> Response<Body> {
    let mut response = answer::refusal(request, StatusCode::UNAUTHORIZED, "step-up-required", None);
    response.headers_mut().insert(WWW_AUTHENTICATE, SIGN_IN);
    response
}

/// The app requires a second factor, which no token can prove (`security.md` R15).
#[must_use]
pub fn second_factor(request: &Request<'_>) -> Response<Body> {
    answer::refusal(request, StatusCode::FORBIDDEN, "token-without-second-factor", None)
}

/// The address has guessed too often.
#[must_use]
pub fn too_many(request: &Request<'_>, wait: Duration) -> Response<Body> {
    let status = match request.reader.dialect.hands_on_any_status() {
        true => StatusCode::TOO_MANY_REQUESTS,
        false => StatusCode::FORBIDDEN,
    };
    let mut response = answer::refusal(request, status, "too-many-attempts", None);
    let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}
