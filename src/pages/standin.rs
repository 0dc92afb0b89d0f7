//! What stands at an app's host when no proxy does: the same decision, shown.
//!
//! Doorward never proxies. Only on this machine, at a declared host under `.localhost`, and without
//! a trace of a proxy, a page shows who arrived, which line let them in, and the headers that the
//! application would have received (`security.md` R17).

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode, request};

use crate::access::condition::Reputation;
use crate::access::target::split_authority;
use crate::access::{By, Decision};
use crate::blueprint::app::IdentityHeaders;
use crate::forward_auth::ForwardAuth;
use crate::forward_auth::decision::{Request, Unlocated};
use crate::forward_auth::own_path::{OwnPath, is_ping};
use crate::forward_auth::reader::{Asked, Dialect, Reader, own_authority};
use crate::model::host::is_localhost;
use crate::runtime::Runtime;
use crate::web::reply::{self, For};
use crate::web::templates::{
    Declared, ErrorKind, ErrorPage, HeaderLine, Person, SourcePlace, Standin,
};
use crate::web::visitor;

/// Whether a stand-in may answer this request at all.
#[must_use]
pub fn may_stand(front: &ForwardAuth, parts: &request::Parts, host: &str) -> bool {
    front.server.listening.loopback_only
        && is_localhost(host)
        && !visitor::is_forwarded(&parts.headers)
}

/// Answers a direct request to an app's host, or a path of ours on it.
pub async fn answer(
    front: &ForwardAuth,
    parts: &request::Parts,
    peer: std::net::SocketAddr,
) -> Option<Response<Body>> {
    let runtime = front.server.runtime.load_full();
    let authority = own_authority(parts)?;
    let (host, port) = split_authority(authority)?;
    runtime.destination(&host, port)?;
    let reader = Reader { dialect: Dialect::Forwarded, identity: IdentityHeaders::Remote };
    let uri = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let asked = Asked { method: parts.method.as_str(), secure: None, authority, uri };
    let client = visitor::client(&front.server, &runtime, &parts.headers, peer);
    let request = match Request::locate(&runtime, reader, asked, &parts.headers, client) {
        Ok(request) => request,
        Err(Unlocated::NoApp) => return None,
        Err(error) => {
            return Some(bad_request(front, &runtime, &parts.headers, &error.to_string()));
        }
    };
    if is_ping(&request.target.path) {
        return Some(reply::empty(StatusCode::NO_CONTENT));
    }
    if OwnPath::of(&request.target.path).is_some() {
        return Some(request.answer(front, &runtime).await);
    }
    if !may_stand(front, parts, &host) {
        return Some(nothing_here(front, &runtime, &parts.headers));
    }
    let response = request.answer(front, &runtime).await;
    if response.status() != StatusCode::OK {
        return Some(response);
    }
    Some(show(front, &runtime, &request, response.headers()).await)
}

fn bad_request(
    front: &ForwardAuth,
    runtime: &Runtime,
    headers: &HeaderMap,
    reason: &str,
) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::BadRequest);
    page.detail = Some(reason.to_owned());
    reply::page(&front.server, runtime, For::app_host(StatusCode::BAD_REQUEST, headers), &page)
}

/// The request should have gone to the application: its router points here by mistake.
fn nothing_here(front: &ForwardAuth, runtime: &Runtime, headers: &HeaderMap) -> Response<Body> {
    tracing::warn!(
        "a request for an application came to Doorward itself: its router should lead to the application"
    );
    let page = ErrorPage::new(ErrorKind::UnknownApp);
    reply::page(&front.server, runtime, For::app_host(StatusCode::BAD_GATEWAY, headers), &page)
}

async fn show(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    headers: &HeaderMap,
) -> Response<Body> {
    let session = request.session(front).await.ok().flatten();
    let profile = session.as_ref().map(|session| session.sign_in.account.profile());
    let standing = profile.as_ref().map(|profile| profile.standing(runtime));
    let person = match (&session, &profile, &standing) {
        (Some(session), Some(profile), Some(standing)) => {
            Some(standing.person(&profile.user.username, &session.sign_in.proofs))
        }
        _ => None,
    };
    let reputation = match &profile {
        Some(profile) => request.reputation(front, &profile.user.id).await,
        None => Reputation::Unknown,
    };
    let verdict = request.verdict(person.as_ref(), reputation, front.server.clock.now());
    debug_assert!(matches!(verdict.decision, Decision::Allow));
    let told = !matches!(verdict.by, By::Open(_));
    let user = profile.as_ref().zip(standing.as_ref()).filter(|_| told);
    let user = user.map(|(profile, standing)| Person {
        name: standing.name.clone(),
        username: profile.user.username.clone(),
        language: profile.user.language.clone(),
    });
    let known = standing.as_ref().filter(|_| told);
    let page = Standin {
        app: request.app.title.clone(),
        host: request.host.to_string(),
        email: known.and_then(|standing| standing.email.clone()),
        groups: known.map(|standing| standing.group_names.clone()).unwrap_or_default(),
        rule: declared(&verdict.by),
        method: request.target.method.to_string(),
        url: request.url(),
        headers: header_lines(headers),
        sign_out: format!("{}/.doorward/sign-out", request.origin()),
    };
    let wanted = For { user: user.as_ref(), ..request.page(StatusCode::OK) };
    reply::page(&front.server, runtime, wanted, &page)
}

fn declared(by: &By<'_>) -> Declared {
    let place = by.place().unwrap_or("");
    let (file, line) = place.rsplit_once(':').unwrap_or((place, "0"));
    Declared {
        place: SourcePlace { file: file.to_owned(), line: line.parse().unwrap_or(0) },
        text: by.text().to_owned(),
    }
}

fn header_lines(headers: &HeaderMap) -> Vec<HeaderLine> {
    let lines = headers.iter().map(|(name, value)| HeaderLine {
        name: shown_name(name.as_str()),
        value: value.to_str().unwrap_or("").to_owned(),
    });
    lines.collect()
}

/// `remote-user` as people write it.
fn shown_name(name: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}
