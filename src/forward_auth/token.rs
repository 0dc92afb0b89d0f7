//! A request without a session that an app password or an API token speaks for.
//!
//! A known token costs no query and no hash of a password. An unknown one is asked about once, and
//! counts as a guess of its address until it turns out right (`security.md` 17).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::credential::Credential;
use super::decision::Request;
use super::{ForwardAuth, answer, challenge};
use crate::access::Decision;
use crate::access::person::Proofs;
use crate::flow::attempts::{Guesses, Taken};
use crate::runtime::Runtime;
use crate::secret::TokenDigest;
use crate::session::{Profile, SessionError};
use crate::store::fold;
use crate::token::{Known, Live, Look};
use crate::web::visitor;

/// Why a credential lets nobody in.
#[derive(Debug)]
enum Refusal {
    Worthless,
    /// It was asked about for the first time.
    Guess,
    OtherUser,
    OtherApp,
    Wait(Duration),
    Unavailable,
}

impl Refusal {
    fn word(&self) -> &'static str {
        match self {
            Self::Worthless | Self::Guess => "worthless",
            Self::OtherUser => "other-user",
            Self::OtherApp => "other-app",
            Self::Wait(_) => "too-many-attempts",
            Self::Unavailable => "store-unavailable",
        }
    }
}

/// Answers a request to what is not open to everybody.
pub async fn answer(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    credential: Credential,
) -> Response<Body> {
    match find(front, request, &credential).await {
        Ok(token) => decide(front, runtime, request, &token).await,
        Err(refusal) => {
            note(front, request, &refusal);
            match refusal {
                Refusal::Worthless | Refusal::Guess | Refusal::OtherUser => {
                    challenge::wrong(front, runtime, request, &credential)
                }
                Refusal::OtherApp => challenge::other_app(request, &credential),
                Refusal::Wait(wait) => challenge::too_many(request, wait),
                Refusal::Unavailable => answer::unavailable(front, runtime, request),
            }
        }
    }
}

/// The token, if it is worth something, belongs to whom the request names, and opens this app.
async fn find(
    front: &ForwardAuth,
    request: &Request<'_>,
    credential: &Credential,
) -> Result<Arc<Live>, Refusal> {
    let Look::Whole(_, whole) = credential.look() else { return Err(Refusal::Worthless) };
    if !front.server.sessions.in_contact() {
        return Err(Refusal::Unavailable);
    }
    let digest = front.server.tokens.digest(whole);
    let token = match front.server.tokens.known(&digest, request.now(front)) {
        Known::Live(token) => token,
        Known::Worthless => return Err(Refusal::Worthless),
        Known::Unknown => look_up(front, request, &digest).await?,
    };
    if let Credential::Basic { username, .. } = credential
        && !is_named(&token.account.peek(), username)
    {
        return Err(Refusal::OtherUser);
    }
    if !token.opens(&request.app.uid) {
        return Err(Refusal::OtherApp);
    }
    Ok(token)
}

fn is_named(profile: &Profile, username: &str) -> bool {
    let key = fold(username);
    key == profile.user.username_key
        || profile.user.email.as_deref().is_some_and(|email| fold(email) == key)
}

/// Asks the store, in turn and within what the address has left.
async fn look_up(
    front: &ForwardAuth,
    request: &Request<'_>,
    digest: &TokenDigest,
) -> Result<Arc<Live>, Refusal> {
    let tokens = &front.server.tokens;
    let address = visitor::address_key(request.target.client);
    let closed = |now| tokens.closed_until(&address, now).map(|until| until.since(now));
    if let Some(wait) = closed(request.now(front)) {
        return Err(Refusal::Wait(wait));
    }
    let _turn = tokens.turn(digest).await;
    let now = request.now(front);
    match tokens.known(digest, now) {
        Known::Live(token) => return Ok(token),
        Known::Worthless => return Err(Refusal::Worthless),
        Known::Unknown => {}
    }
    let found = async {
        let (guesses, store) = (Guesses::at_key(address.clone()), &front.server.store);
        if let Taken::Wait(wait) = guesses.take(store, now).await? {
            tokens.close(address.clone(), now.plus(wait));
            return Ok(Err(Refusal::Wait(wait)));
        }
        let Some(token) = tokens.find(&front.server.sessions, digest).await? else {
            return Ok(Err(Refusal::Guess));
        };
        guesses.give_back(store).await?;
        Ok(Ok(token))
    };
    found.await.unwrap_or_else(|error: SessionError| {
        tracing::warn!(%error, "a token could not be looked up");
        Err(Refusal::Unavailable)
    })
}

/// The same decision as for a session, without any proof of a second factor.
async fn decide(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    token: &Arc<Live>,
) -> Response<Body> {
    let now = request.now(front);
    let profile = token.account.peek();
    let standing = profile.standing(runtime);
    let proofs = Proofs::default();
    let username = &profile.user.username;
    let person = standing.person(username, &proofs);
    let reputation = request.reputation(front, &profile.user.id).await;
    let verdict = request.verdict(Some(&person), reputation, now);
    request.report(front, username, &verdict);
    match verdict.decision {
        Decision::Allow if request.is_foreign_websocket() => {
            answer::refuse(front, runtime, request, answer::Kind::ForeignOrigin)
        }
        Decision::Allow => {
            if front.server.tokens.touch(token, now) {
                let data = serde_json::json!({ "token": token.id, "kind": token.kind.word(), "name": token.name });
                let app = Some(request.app.slug.as_str());
                front.server.journal.note("token.used", Some(username), app, data);
            }
            request.pass(front, runtime, Some((&token.remembered, &profile, &standing)), now)
        }
        Decision::StepUp(_) => challenge::second_factor(request),
        Decision::Deny | Decision::Login => {
            answer::denied(front, runtime, request, &standing, &profile, &verdict)
        }
    }
}

/// Every guess is worth an event; what comes again and again is worth one in a while.
fn note(front: &ForwardAuth, request: &Request<'_>, refusal: &Refusal) {
    let guess = matches!(refusal, Refusal::Guess);
    if !guess && !front.loops.may_report("token.refused", request.now(front)) {
        return;
    }
    let (address, reason) = (visitor::address_key(request.target.client), refusal.word());
    tracing::info!(app = %request.app.slug, reason, address, "an app password or token was refused");
    let data = serde_json::json!({ "reason": reason, "address": address, "host": request.host });
    front.server.journal.note("token.refused", None, Some(&request.app.slug), data);
}
