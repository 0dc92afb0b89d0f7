//! An access token that a request brings: ours, good, and what it hangs on (RFC 6750, RFC 9068 §4).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::entitled::{Entitled, Void, holds};
use super::issue::{ACCESS_TOKEN_TYPE, OPAQUE};
use super::refusal::{About, Challenge, ErrorCode, Refusal};
use super::time;
use super::{Asked, dpop};
use crate::clock::Millis;
use crate::jose::Compact;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::TokenDigest;
use crate::store::{Grant, Proven};
use crate::web::server::Server;

/// A good access token.
pub struct Token<'a> {
    pub app: &'a App,
    pub client: &'a Client,
    pub scopes: Vec<String>,
    pub issued_at: Millis,
    pub expires_at: Millis,
    /// The name in it, if it is signed.
    pub id: Option<String>,
    /// The key that it is bound to, by its thumbprint.
    pub key: Option<String>,
    /// What it hangs on, unless the app asked for itself.
    pub entitled: Option<Entitled<'a>>,
}

/// Why a token is worth nothing.
pub enum Worthless {
    /// It is none of ours, or damaged.
    Unknown,
    Expired(Millis),
    Revoked,
    Void(String, Void),
}

/// What the store or the token itself says of it.
struct Said {
    id: Option<String>,
    app_uid: Option<String>,
    client_id: Option<String>,
    grant_id: Option<String>,
    scopes: Vec<String>,
    key: Option<String>,
    issued_at: Millis,
    expires_at: Millis,
    is_revoked: bool,
}

/// How a request brings its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// The one token in the header (RFC 6750 §2.1); one in the address is never looked at.
fn brought(headers: &HeaderMap) -> Result<Option<(Scheme, &str)>, Refusal> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        let why = "there is more than one Authorization header";
        return Err(Refusal::new(ErrorCode::InvalidRequest, why));
    }
    let found = line.to_str().ok().and_then(|line| line.split_once(' '));
    Ok(found.and_then(|(scheme, token)| {
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => Scheme::Bearer,
            "dpop" => Scheme::Dpop,
            _ => return None,
        };
        Some((scheme, token.trim()))
    }))
}

/// Looks at a token: whose it is, or why it is worth nothing.
pub async fn look<'a>(
    server: &Server,
    runtime: &'a Runtime,
    text: &str,
) -> Result<Result<Token<'a>, Worthless>, Refusal> {
    let said = match text.starts_with(OPAQUE) {
        true => kept(server, text).await?,
        false => signed(server, runtime, text).await?,
    };
    let Some(said) = said else { return Ok(Err(Worthless::Unknown)) };
    if said.is_revoked {
        return Ok(Err(Worthless::Revoked));
    }
    if said.expires_at <= server.clock.now() {
        return Ok(Err(Worthless::Expired(said.expires_at)));
    }
    let grant = match &said.grant_id {
        Some(id) => {
            let read = server.store.read().await?;
            match read.find_grant_and_proofs(id, server.clock.now()).await? {
                Some(grant) => Some(grant),
                None => return Ok(Err(Worthless::Unknown)),
            }
        }
        None => None,
    };
    belonging(server, runtime, said, grant).await
}

async fn belonging<'a>(
    server: &Server,
    runtime: &'a Runtime,
    said: Said,
    grant: Option<(Grant, Option<Proven>)>,
) -> Result<Result<Token<'a>, Worthless>, Refusal> {
    let (app, client, entitled) = match grant {
        Some(grant) => {
            let id = grant.0.id.clone();
            match holds(server, runtime, grant).await? {
                Ok(entitled) => (entitled.app, entitled.client, Some(entitled)),
                Err(void) => return Ok(Err(Worthless::Void(id, void))),
            }
        }
        None => {
            let by_uid = said.app_uid.as_deref().and_then(|uid| runtime.app_by_uid(uid));
            let found = match by_uid {
                Some(app) => app.client.as_ref().map(|client| (app, client)),
                None => said.client_id.as_deref().and_then(|id| runtime.client(id)),
            };
            // A client that is a service account no more has nothing to show for itself.
            let Some((app, client)) = found.filter(|(_, client)| client.acts_as.is_some()) else {
                return Ok(Err(Worthless::Void(String::new(), Void::NoApp)));
            };
            (app, client, None)
        }
    };
    let other = said.client_id.as_deref().is_some_and(|id| id != client.id);
    if other {
        return Ok(Err(Worthless::Unknown));
    }
    let Said { scopes, key, issued_at, expires_at, id, .. } = said;
    Ok(Ok(Token { app, client, scopes, issued_at, expires_at, id, key, entitled }))
}

async fn kept(server: &Server, text: &str) -> Result<Option<Said>, Refusal> {
    if text.len() > 128 {
        return Ok(None);
    }
    let digest = server.key.digest(text.as_bytes());
    let found = server.store.read().await?.find_access_token(&digest).await?;
    Ok(found.map(|token| Said {
        id: None,
        app_uid: Some(token.app_uid),
        client_id: None,
        grant_id: token.grant_id,
        scopes: token.scopes,
        key: token.key,
        issued_at: token.created_at,
        expires_at: token.expires_at,
        is_revoked: token.revoked_at.is_some(),
    }))
}

/// An ID token is no access token, and neither is anybody else's (RFC 9068 §4).
async fn signed(server: &Server, runtime: &Runtime, text: &str) -> Result<Option<Said>, Refusal> {
    let Ok(token) = Compact::read(text) else { return Ok(None) };
    let ours = token.header_text("typ") == Some(ACCESS_TOKEN_TYPE)
        && token.text("iss") == Some(runtime.external.to_string().as_str())
        && server.signing_keys.signed(&token);
    let moment = |name| time::moment(&token, name);
    let (Some(id), Some(issued_at), Some(expires_at), true) =
        (token.text("jti"), moment("iat"), moment("exp"), ours)
    else {
        return Ok(None);
    };
    let text = |name: &str| token.text(name).map(str::to_owned);
    let confirmed = token.payload.get("cnf").and_then(|cnf| cnf.get("jkt"));
    let scopes = token.text("scope").unwrap_or("").split(' ').filter(|scope| !scope.is_empty());
    Ok(Some(Said {
        app_uid: None,
        client_id: text("client_id"),
        grant_id: text("grant"),
        scopes: scopes.map(str::to_owned).collect(),
        key: confirmed.and_then(Value::as_str).map(str::to_owned),
        issued_at,
        expires_at,
        is_revoked: server.store.read().await?.is_token_revoked(id).await?,
        id: text("jti"),
    }))
}

/// The good token that a request brings. One that is bound to a key is worth nothing without it, and
/// nobody passes off a bound one as another (`security.md` R15, RFC 9449 §7).
pub async fn admit<'a>(asked: &Asked<'a>, posted: Option<&str>) -> Result<Token<'a>, Refusal> {
    let server = asked.server;
    let by_header = brought(&asked.parts.headers)?;
    if by_header.is_some() && posted.is_some() {
        let why = "a token comes in one way only (RFC 6750 section 2)";
        return Err(Refusal::new(ErrorCode::InvalidRequest, why));
    }
    let posted = posted.map(|text| (Scheme::Bearer, text));
    let Some((scheme, text)) = by_header.or(posted) else {
        let missing = Refusal::new(ErrorCode::NoToken, "an access token is needed");
        return Err(Refusal { challenge: Some(Challenge::Bearer), ..missing });
    };
    let challenge = Some(match scheme {
        Scheme::Bearer => Challenge::Bearer,
        Scheme::Dpop => Challenge::Dpop,
    });
    let token = match look(server, asked.runtime, text).await? {
        Ok(token) => token,
        Err(worthless) => return Err(Refusal { challenge, ..refuse(asked, text, &worthless) }),
    };
    let invalid = |why| Refusal { challenge, ..Refusal::new(ErrorCode::InvalidToken, why) };
    match (scheme, &token.key) {
        (Scheme::Bearer, None) => Ok(token),
        (Scheme::Bearer, Some(_)) => Err(Refusal {
            challenge: Some(Challenge::Dpop),
            ..invalid("the token is bound to a key: send it with `Authorization: DPoP` and a proof")
        }),
        (Scheme::Dpop, None) => Err(invalid("the token is not bound to a key: send it as Bearer")),
        (Scheme::Dpop, Some(key)) => {
            match dpop::proven(asked, dpop::Occasion::Resource(text)).await? {
                Some(shown) if shown == *key => Ok(token),
                Some(_) => Err(invalid("the proof is by another key than the one of the token")),
                None => Err(Refusal {
                    challenge,
                    ..Refusal::new(ErrorCode::InvalidDpopProof, "a DPoP proof is needed")
                }),
            }
        }
    }
}

fn refuse(asked: &Asked<'_>, text: &str, worthless: &Worthless) -> Refusal {
    let key = &asked.server.key;
    let address = crate::web::visitor::address_key(asked.client);
    let (reason, description, data) = match worthless {
        Worthless::Unknown => (
            "unknown",
            "it is not one that was given here, or its key is gone",
            json!({ "what": "access token", "address": address }),
        ),
        Worthless::Expired(at) => {
            ("expired", "it has expired", json!({ "expired": at.to_string() }))
        }
        Worthless::Revoked => ("revoked", "it was called back", json!({})),
        Worthless::Void(grant, void) => {
            let mut data = void.data();
            if let Some(members) = data.as_object_mut() {
                members.insert("grant".to_owned(), json!(grant));
            }
            (void.word(), "what it hangs on holds no more", data)
        }
    };
    let what: TokenDigest = match worthless {
        Worthless::Unknown => key.digest(format!("bearer\0{address}").as_bytes()),
        _ => key.digest(format!("{reason}\0{text}").as_bytes()),
    };
    let mut about = json!({ "reason": reason });
    if let (Some(all), Value::Object(more)) = (about.as_object_mut(), data) {
        all.extend(more);
    }
    Refusal::new(ErrorCode::InvalidToken, description).about(About { what, app: None, data: about })
}
