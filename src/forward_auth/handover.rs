//! From a sign-in to an app: start on the sign-in host, a ticket, the callback on the app's host.
//!
//! The ticket is worth one use within a minute, in the browser that began the login, at the app and
//! host it was made for (`forward-auth.md` 4, `security.md` R13).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Response, StatusCode, request};
use url::form_urlencoded;

use super::ForwardAuth;
use super::decision::Request;
use crate::access::path::canonical;
use crate::access::target::{Client, split_authority};
use crate::access::{self, Decision, Query, Target};
use crate::clock::Millis;
use crate::model::factor::Factor;
use crate::runtime::app::{Address, App, Reach};
use crate::runtime::{Destination, Runtime};
use crate::secret::TokenDigest;
use crate::session::{SessionError, SignIn};
use crate::store::{Ticket, TicketUse};
use crate::web::cookies::{self, NewCookie};
use crate::web::reply::{self, For};
use crate::web::server::Server;
use crate::web::templates::{ErrorKind, ErrorPage, Loop, LoopCheck, RestartReason, Restarted};
use crate::web::visitor;

const TICKET_LASTS: Duration = Duration::from_secs(60);
const NONCE_LASTS: Duration = Duration::from_secs(30 * 60);

/// The path on the sign-in host where hand-overs begin.
pub const START: &str = "/forward-auth/start";

/// Sends a browser from the app's host to the sign-in host. The nonce cookie ties the way back to
/// this browser; a valid one is used again, so that a second tab does not break the first.
#[must_use]
pub fn begin(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    return_to: &str,
) -> Response<Body> {
    begin_again(front, runtime, request, return_to, Round::First)
}

/// Whether this login was begun again after a ticket that did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    First,
    Again,
}

fn begin_again(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    return_to: &str,
    round: Round,
) -> Response<Body> {
    let known = cookies::find(request.headers, &request.address.nonce_cookie);
    let nonce = match known.filter(|nonce| nonce.len() == 43) {
        Some(nonce) => nonce.to_owned(),
        None => match front.server.rng.token() {
            Ok(nonce) => nonce,
            Err(_) => return super::answer::unavailable(front, runtime, request),
        },
    };
    let digest = front.server.key.digest(nonce.as_bytes());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("app", &request.app.slug);
    query.append_pair("rd", return_to);
    query.append_pair("nonce", &URL_SAFE_NO_PAD.encode(digest.0));
    if round == Round::Again {
        query.append_pair("again", "1");
    }
    let status = match request.target.method.as_ref() {
        "GET" | "HEAD" => StatusCode::FOUND,
        _ => StatusCode::SEE_OTHER,
    };
    let to = format!("{}{START}?{}", runtime.external, query.finish());
    let mut response = reply::redirect(status, &to);
    let cookie = NewCookie {
        name: &request.address.nonce_cookie,
        value: &nonce,
        secure: request.address.is_secure(),
        domain: None,
        lasts: Some(NONCE_LASTS),
    };
    reply::set_cookie(&mut response, cookie);
    response
}

/// What a start asks for, checked against what is declared.
struct Start<'a> {
    app: &'a App,
    address: &'a Address,
    host: String,
    return_to: String,
    nonce: TokenDigest,
    again: bool,
}

/// Where a browser arrives on the sign-in host; `sign_in` is its session there, if it has one.
pub async fn start(
    front: &ForwardAuth,
    parts: &request::Parts,
    client: Client,
    sign_in: Option<Arc<SignIn>>,
) -> Response<Body> {
    let runtime = front.server.runtime.load();
    let query = parts.uri.query().unwrap_or("");
    let Some(start) = read_start(&runtime, query) else {
        let why = "this link does not lead to an app that is declared here";
        return error(front, &runtime, &parts.headers, (ErrorKind::BadRequest, why));
    };
    let now = front.server.clock.now();
    let by_way_of = |path: &str| {
        let mut to = form_urlencoded::Serializer::new(String::new());
        to.append_pair("next", &format!("{START}?{query}"));
        reply::see_other(&format!("{path}?{}", to.finish()))
    };
    let Some(sign_in) = sign_in else { return by_way_of("/sign-in") };
    match start.entry(&front.server, &runtime, client, &sign_in).await {
        Entry::SignIn => return by_way_of("/sign-in"),
        Entry::StepUp(_) | Entry::Presence => return by_way_of("/step-up"),
        Entry::Nowhere | Entry::Open(_) | Entry::Closed => {}
    }
    if front.loops.goes_round(&sign_in.id, &start.app.uid, now) {
        return round_and_round(front, &runtime, &start, &parts.headers);
    }
    match issue(front, &sign_in, &start).await {
        Ok(ticket) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("ticket", &ticket);
            if start.again {
                query.append_pair("again", "1");
            }
            let origin = start.address.public_origin(&start.host);
            reply::see_other(&format!("{origin}/.doorward/callback?{}", query.finish()))
        }
        Err(problem) => {
            tracing::warn!(error = %problem, "a ticket could not be made");
            error(front, &runtime, &parts.headers, (ErrorKind::Unavailable, ""))
        }
    }
}

/// What stands between somebody who is signed in and the app that a start leads to.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// It leads to no app.
    Nowhere,
    /// The app has another flow for signing in than the one they came by.
    SignIn,
    /// The rules ask for a proof of one of these kinds, or of any if none is named.
    StepUp(Vec<Factor>),
    /// The app wants to see them again: they showed who they are too long ago.
    Presence,
    /// Nothing.
    Open(&'a App),
    /// The rules let nobody in, which the app's host will say.
    Closed,
}

/// What stands before the app that the query of a start leads to.
#[must_use]
pub async fn entry<'a>(
    server: &Server,
    runtime: &'a Runtime,
    query: &str,
    client: Client,
    sign_in: &SignIn,
) -> Entry<'a> {
    match read_start(runtime, query) {
        Some(start) => start.entry(server, runtime, client, sign_in).await,
        None => Entry::Nowhere,
    }
}

impl<'a> Start<'a> {
    async fn entry(
        &self,
        server: &Server,
        runtime: &'a Runtime,
        client: Client,
        sign_in: &SignIn,
    ) -> Entry<'a> {
        let now = server.clock.now();
        let flow = runtime.authentication_flow(Some(self.app));
        if !flow.is_some_and(|flow| sign_in.passed(&flow.slug.value, now)) {
            return Entry::SignIn;
        }
        match self.decide(server, runtime, client, sign_in, now).await {
            Some(Decision::StepUp(requirement)) => Entry::StepUp(requirement.kinds.to_vec()),
            Some(Decision::Allow) if self.is_overdue(sign_in, now) => Entry::Presence,
            Some(Decision::Allow) => Entry::Open(self.app),
            _ => Entry::Closed,
        }
    }

    /// What the rules of the address say to `sign_in`.
    async fn decide(
        &self,
        server: &Server,
        runtime: &Runtime,
        client: Client,
        sign_in: &SignIn,
        now: Millis,
    ) -> Option<Decision<'a>> {
        let uri = self.return_to.splitn(4, '/').nth(3).map(|rest| format!("/{rest}"))?;
        let path = canonical(&uri, self.address.gate.strictness).ok()?;
        let host = runtime.addressing.declared(&self.host).to_owned();
        let target = Target { host: host.into(), path, method: "GET".into(), client };
        let profile = sign_in.account.profile();
        let standing = profile.standing(runtime);
        let person = standing.person(&profile.user.username, &sign_in.proofs);
        let (access, user_id) = (&self.app.access, &profile.user.id);
        let reputation = visitor::reputation_for(server, access, client, user_id).await;
        let query = Query {
            access: &self.app.access,
            gate: Some(&self.address.gate),
            target: &target,
            person: Some(&person),
            now,
            reputation,
        };
        Some(match access::decide(&query, None).decision {
            Decision::StepUp(need) => {
                let known = self.app.access.requires.iter().find(|each| each.kinds == need.kinds);
                known.map_or(Decision::Deny, Decision::StepUp)
            }
            Decision::Allow => Decision::Allow,
            Decision::Deny => Decision::Deny,
            Decision::Login => Decision::Login,
        })
    }

    /// Whether the app keeps people for less time than has passed since they last showed up.
    fn is_overdue(&self, sign_in: &SignIn, now: Millis) -> bool {
        let Some(limits) = self.app.session else { return false };
        let limit = limits.idle.min(limits.absolute);
        sign_in.last_proof().is_none_or(|at| now.since(at) > limit)
    }
}

fn read_start<'a>(runtime: &'a Runtime, query: &str) -> Option<Start<'a>> {
    let (mut app, mut rd, mut nonce, mut again) = (None, None, None, false);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let slot = match name.as_ref() {
            "app" => &mut app,
            "rd" => &mut rd,
            "nonce" => &mut nonce,
            "again" => {
                again = true;
                continue;
            }
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    let nonce = URL_SAFE_NO_PAD.decode(nonce?).ok()?;
    let nonce = TokenDigest(nonce.try_into().ok()?);
    let return_to = rd?;
    let (Destination { app: found, address }, host) = destination(runtime, &return_to)?;
    (found.slug == app?).then_some(Start { app: found, address, host, return_to, nonce, again })
}

/// The host of an app that the query of a start leads to.
#[must_use]
pub fn host(runtime: &Runtime, query: &str) -> Option<String> {
    read_start(runtime, query).map(|start| start.host)
}

/// The app that an absolute address leads to, if it is exactly one of ours: declared host, exact
/// scheme, no user, no backslash, no blank (`security.md` 12).
#[must_use]
pub fn destination<'a>(runtime: &'a Runtime, url: &str) -> Option<(Destination<'a>, String)> {
    let foreign = |c: char| c.is_control() || c.is_whitespace() || c == '\\' || !c.is_ascii();
    if url.len() > 4096 || url.contains(foreign) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') || !path.starts_with('/') {
        return None;
    }
    let (host, port) = split_authority(authority)?;
    let secure = scheme == "https";
    let port = port.unwrap_or(if secure { 443 } else { 80 });
    let found = runtime.destination(&host, Some(port))?;
    let origin = found.address.public_origin(&host);
    let exact = origin.scheme() == scheme && origin.port == port && origin.host == host.as_ref();
    exact.then(|| (found, host.into_owned()))
}

async fn issue(
    front: &ForwardAuth,
    sign_in: &SignIn,
    start: &Start<'_>,
) -> Result<String, SessionError> {
    let server = &front.server;
    let token = server.rng.token()?;
    let ticket = Ticket {
        digest: server.key.digest(token.as_bytes()),
        app_uid: start.app.uid.clone(),
        host: start.host.clone(),
        return_to: start.return_to.clone(),
        nonce_digest: start.nonce,
        session_id: sign_in.id.clone(),
        expires_at: server.clock.now().plus(TICKET_LASTS),
    };
    let mut tx = server.store.begin().await?;
    tx.insert_ticket(&ticket).await?;
    tx.commit().await?;
    Ok(token)
}

/// Where the browser arrives on the app's host: the ticket becomes the app's own cookie.
pub async fn callback(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
) -> Response<Body> {
    let (ticket, again) = read_callback(request.uri);
    let nonce = cookies::find(request.headers, &request.address.nonce_cookie);
    let (Some(ticket), Some(nonce)) = (ticket, nonce) else {
        return misfit(front, runtime, request, again, RestartReason::ForeignTicket);
    };
    match redeem(front, request, &ticket, nonce).await {
        Ok(Some((token, return_to))) => {
            let mut response = reply::see_other(&return_to);
            let domain = match &request.address.reach {
                Reach::Domain { domain, .. } => Some(domain.as_str()),
                Reach::Host { .. } => None,
            };
            let cookie = NewCookie {
                name: &request.address.cookie,
                value: &token,
                secure: request.address.is_secure(),
                domain,
                lasts: None,
            };
            reply::set_cookie(&mut response, cookie);
            response
        }
        Ok(None) => misfit(front, runtime, request, again, RestartReason::StaleTicket),
        Err(error) => {
            tracing::warn!(%error, "a ticket could not be redeemed");
            super::answer::unavailable(front, runtime, request)
        }
    }
}

fn read_callback(uri: &str) -> (Option<String>, bool) {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let (mut ticket, mut again) = (None, false);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "ticket" if ticket.is_some() => return (None, again),
            "ticket" => ticket = Some(value.into_owned()),
            "again" => again = true,
            _ => {}
        }
    }
    (ticket, again)
}

async fn redeem(
    front: &ForwardAuth,
    request: &Request<'_>,
    ticket: &str,
    nonce: &str,
) -> Result<Option<(String, String)>, SessionError> {
    let server = &front.server;
    let attempt = TicketUse {
        digest: &server.key.digest(ticket.as_bytes()),
        app_uid: &request.app.uid,
        host: &request.host,
        nonce_digest: &server.key.digest(nonce.as_bytes()),
    };
    let mut tx = server.store.begin().await?;
    let ticket = tx.consume_ticket(attempt, server.clock.now()).await?;
    tx.commit().await?;
    let Some(ticket) = ticket else { return Ok(None) };
    let sessions = &server.sessions;
    let token =
        sessions.enter_app(&ticket.session_id, &request.app.uid, request.cookie_host()).await?;
    Ok(token.map(|token| (token, ticket.return_to)))
}

/// A ticket that does not fit begins the login once more, and the second time says so.
fn misfit(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    again: bool,
    reason: RestartReason,
) -> Response<Body> {
    let root = format!("{}/", request.origin());
    if !again {
        return begin_again(front, runtime, request, &root, Round::Again);
    }
    let page = Restarted { reason, app: Some(request.app.title.clone()), again: root };
    reply::page(&front.server, runtime, request.page(StatusCode::BAD_REQUEST), &page)
}

fn round_and_round(
    front: &ForwardAuth,
    runtime: &Runtime,
    start: &Start<'_>,
    headers: &HeaderMap,
) -> Response<Body> {
    let reference = super::answer::reference(front);
    tracing::warn!(app = %start.app.slug, reference, "a browser goes round between the app and the sign-in: the app's cookie does not come back");
    let page = Loop {
        app: start.app.title.clone(),
        checks: vec![
            LoopCheck::Cookie,
            LoopCheck::Https,
            LoopCheck::Host,
            LoopCheck::SetCookie,
            LoopCheck::TwoProxies,
            LoopCheck::Clock,
        ],
        retry: start.return_to.clone(),
        reference,
    };
    reply::page(
        &front.server,
        runtime,
        For::sign_in_host(StatusCode::LOOP_DETECTED, headers),
        &page,
    )
}

fn error(
    front: &ForwardAuth,
    runtime: &Runtime,
    headers: &HeaderMap,
    (kind, detail): (ErrorKind, &str),
) -> Response<Body> {
    let mut page = ErrorPage::new(kind);
    page.detail = (!detail.is_empty()).then(|| detail.to_owned());
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
    reply::page(&front.server, runtime, For::sign_in_host(status, headers), &page)
}

/// Where somebody signs out to come back as somebody else.
#[must_use]
pub fn other_account(runtime: &Runtime) -> String {
    format!("{}/sign-out", runtime.external)
}
