//! A request without a session that an app password or an API token speaks for.

use std::sync::Arc;

use axum::body::Body;
use http::Response;

use super::decision::Request;
use super::{ForwardAuth, answer, challenge};
use crate::access::Decision;
use crate::access::person::Proofs;
use crate::runtime::Runtime;
use crate::session::Profile;
use crate::store::fold;
use crate::token::Live;
use crate::web::credential::Credential;
use crate::web::token::NoToken;
use crate::web::{self, visitor};

/// Why a credential lets nobody in.
#[derive(Debug)]
enum Refusal {
    No(NoToken),
    OtherUser,
    OtherApp,
}

impl Refusal {
    fn word(&self) -> &'static str {
        match self {
            Self::No(why) => why.word(),
            Self::OtherUser => "other-user",
            Self::OtherApp => "other-app",
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
                Refusal::No(NoToken::Worthless | NoToken::Guess) | Refusal::OtherUser => {
                    challenge::wrong(front, runtime, request, &credential)
                }
                Refusal::OtherApp => challenge::other_app(request, &credential),
                Refusal::No(NoToken::Wait(wait)) => challenge::too_many(request, wait),
                Refusal::No(NoToken::Unavailable) => answer::unavailable(front, runtime, request),
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
    let found = web::token::find(&front.server, request.target.client, credential.look()).await;
    let token = found.map_err(Refusal::No)?;
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
    let guess = matches!(refusal, Refusal::No(NoToken::Guess));
    if !guess && !front.loops.may_report("token.refused", request.now(front)) {
        return;
    }
    let (address, reason) = (visitor::address_key(request.target.client), refusal.word());
    tracing::info!(app = %request.app.slug, reason, address, "an app password or token was refused");
    let data = serde_json::json!({ "reason": reason, "address": address, "host": request.host });
    front.server.journal.note("token.refused", None, Some(&request.app.slug), data);
}
