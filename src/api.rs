//! The API of the sign-in host, for programs that bring an API token. It knows no cookie and no page: a
//! browser that is signed in can do nothing here.
//!
//! A token does what its scopes say, as long as its owner is a console admin (`security.md` R15).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, Response, StatusCode, request};

use crate::access::target::Client;
use crate::blueprint::people::ConsoleRole;
use crate::model::scope::Scope;
use crate::runtime::Runtime;
use crate::token::Live;
use crate::web::credential::Credential;
use crate::web::server::Server;
use crate::web::token::NoToken;
use crate::web::{reply, token, visitor};

/// Invitations: listed, made, taken back.
mod invitations;
/// What is wrong, as RFC 9457 has it.
mod problem;

use problem::Problem;

/// Everything below is the API's.
const ROOT: &str = "/api/v1/";

/// A call by somebody who may make it.
struct Call<'a> {
    server: &'a Server,
    runtime: Arc<Runtime>,
    /// The owner of the token, as events name them.
    by: String,
}

#[must_use]
pub fn is_api(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// Answers a request below `/api/v1/`.
pub async fn answer(
    server: &Server,
    parts: &request::Parts,
    body: Body,
    peer: SocketAddr,
) -> Response<Body> {
    match route(server, parts, body, peer).await {
        Ok(response) => response,
        Err(problem) => problem.response(),
    }
}

async fn route(
    server: &Server,
    parts: &request::Parts,
    body: Body,
    peer: SocketAddr,
) -> Result<Response<Body>, Problem> {
    let path = parts.uri.path().strip_prefix(ROOT).unwrap_or_default();
    let (noun, id) = path.split_once('/').map_or((path, None), |(noun, id)| (noun, Some(id)));
    match (noun, id) {
        ("invitations", None) => {
            let call = admit(server, parts, peer, Scope::Invitations).await?;
            match parts.method {
                Method::GET | Method::HEAD => invitations::list(&call).await,
                Method::POST => invitations::make(&call, &parts.headers, body).await,
                _ => Err(Problem::Method("GET, HEAD, POST")),
            }
        }
        ("invitations", Some(id)) => {
            let call = admit(server, parts, peer, Scope::Invitations).await?;
            match parts.method {
                Method::DELETE => invitations::revoke(&call, id).await,
                _ => Err(Problem::Method("DELETE")),
            }
        }
        _ => Err(Problem::NotFound("there is nothing at this path".to_owned())),
    }
}

/// Who calls, if a token of theirs may do this.
async fn admit<'a>(
    server: &'a Server,
    parts: &request::Parts,
    peer: SocketAddr,
    scope: Scope,
) -> Result<Call<'a>, Problem> {
    let runtime = server.runtime.load_full();
    let brought = match Credential::of(&parts.headers) {
        Some(Credential::Bearer(brought)) => brought,
        Some(Credential::Basic { .. }) | None => return Err(Problem::NoToken),
    };
    let client = visitor::client(server, &runtime, &parts.headers, peer);
    let found = token::find(server, client, &brought).await;
    let token = found.inspect_err(|why| note(server, client, *why))?;
    let by = owner(&runtime, &token, scope).ok_or(Problem::Forbidden(scope))?;
    if server.tokens.touch(&token, server.clock.now()) {
        let data =
            serde_json::json!({ "token": token.id, "kind": token.kind.word(), "name": token.name });
        server.journal.note("token.used", Some(&by), None, data);
    }
    Ok(Call { server, runtime, by })
}

/// The name of the token's owner, if it may do this and they rule here.
fn owner(runtime: &Runtime, token: &Live, scope: Scope) -> Option<String> {
    let profile = token.account.peek();
    let standing = profile.standing(runtime);
    let rules = runtime.role_in(&standing.group_names) == ConsoleRole::Admin;
    let may = token.may(scope) && rules && !standing.disabled;
    may.then(|| profile.user.username.clone())
}

/// Every guess is worth an event; what comes again and again is not.
fn note(server: &Server, client: Client, why: NoToken) {
    if why != NoToken::Guess {
        return;
    }
    let (address, reason) = (visitor::address_key(client), why.word());
    tracing::info!(reason, address, "a token was refused by the API");
    let data = serde_json::json!({ "reason": reason, "address": address });
    server.journal.note("token.refused", None, Some("api"), data);
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Response<Body> {
    reply::json(status, &serde_json::to_value(value).unwrap_or_default())
}
