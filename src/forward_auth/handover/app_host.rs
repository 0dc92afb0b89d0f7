//! What happens on the app's host: a browser is sent away with a nonce, and comes back with a ticket.

use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Response, StatusCode};
use url::form_urlencoded;

use super::START;
use crate::forward_auth::decision::Request;
use crate::forward_auth::{ForwardAuth, answer};
use crate::runtime::Runtime;
use crate::runtime::app::Reach;
use crate::session::SessionError;
use crate::store::TicketUse;
use crate::web::cookies::{self, NewCookie};
use crate::web::reply;
use crate::web::templates::{RestartReason, Restarted};

const NONCE_LASTS: Duration = Duration::from_secs(30 * 60);

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
            Err(_) => return answer::unavailable(front, runtime, request),
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
            answer::unavailable(front, runtime, request)
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
