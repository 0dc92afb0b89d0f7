//! What happens on the sign-in host: whether somebody may go on to an app, and their ticket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Response, StatusCode, request};
use url::form_urlencoded;

use super::START;
use crate::access::Target;
use crate::access::path::canonical;
use crate::access::target::{Client, split_authority};
use crate::entry::{Door, Entry, Wish};
use crate::forward_auth::{ForwardAuth, answer};
use crate::runtime::app::{Address, App};
use crate::runtime::{Destination, Runtime};
use crate::secret::TokenDigest;
use crate::session::{SessionError, SignIn};
use crate::store::Ticket;
use crate::web::reply::{self, For};
use crate::web::server::Server;
use crate::web::templates::{ErrorKind, ErrorPage, Loop, LoopCheck};

const TICKET_LASTS: Duration = Duration::from_secs(60);

/// What a start asks for, checked against what is declared.
#[derive(Debug)]
pub struct Start<'a> {
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
    let Some(start) = Start::read(&runtime, query) else {
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
        Entry::Open | Entry::Closed => {}
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

impl<'a> Start<'a> {
    /// Reads the query of a start; `None` if it leads to no app that is declared here.
    #[must_use]
    pub fn read(runtime: &'a Runtime, query: &str) -> Option<Self> {
        read_start(runtime, query)
    }

    #[must_use]
    pub fn app(&self) -> &'a App {
        self.app
    }

    /// The host that it leads to.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What stands before somebody who is signed in.
    pub async fn entry(
        &self,
        server: &Server,
        runtime: &Runtime,
        client: Client,
        sign_in: &SignIn,
    ) -> Entry {
        let uri = self.return_to.splitn(4, '/').nth(3).map(|rest| format!("/{rest}"));
        let Some(uri) = uri else { return Entry::Closed };
        let Ok(path) = canonical(&uri, self.address.gate.strictness) else { return Entry::Closed };
        let host = runtime.addressing.declared(&self.host).to_owned();
        let target = Target { host: host.into(), path, method: "GET".into(), client };
        let (app, gate) = (self.app, Some(&self.address.gate));
        Door { app, gate, target, wish: Wish::default() }.judge(server, runtime, sign_in).await
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

fn round_and_round(
    front: &ForwardAuth,
    runtime: &Runtime,
    start: &Start<'_>,
    headers: &HeaderMap,
) -> Response<Body> {
    let reference = answer::reference(front);
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
