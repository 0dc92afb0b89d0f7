//! Whether a token is good, for resource servers (RFC 7662).

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;

use super::client_auth::authenticate;
use super::refusal::{ErrorCode, Refusal};
use super::time::seconds;
use super::{Asked, bearer, claims, token};
use crate::web::reply;

/// Answers a client that has a secret about a token that is for it: of others it learns nothing
/// (RFC 7662 §4).
pub async fn answer(asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Refusal> {
    let form = token::read(body).await?;
    let (_, client) = authenticate(asked, &form).await?;
    if client.public {
        let why = "a client without a secret cannot ask about tokens";
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, why));
    }
    let text = form
        .exact("token")
        .ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "token is missing"))?;
    let inactive = || Ok(reply::json(StatusCode::OK, &json!({ "active": false })));
    let Ok(found) = bearer::look(asked.server, asked.runtime, text).await? else {
        return inactive();
    };
    if found.client.id != client.id && found.client.audience != client.id {
        return inactive();
    }
    let mut told = json!({
        "active": true,
        "scope": found.scopes.join(" "),
        "client_id": found.client.id,
        "token_type": if found.key.is_some() { "DPoP" } else { "Bearer" },
        "iss": asked.runtime.external.to_string(),
        "aud": found.client.audience,
        "iat": seconds(found.issued_at),
        "exp": seconds(found.expires_at),
        "sub": found.client.id,
    });
    if let (Some(entitled), Some(members)) = (&found.entitled, told.as_object_mut()) {
        let (profile, standing) = (&entitled.profile, &entitled.standing);
        let subject = claims::subject(&asked.server.key, found.client, profile, standing);
        members.insert("sub".to_owned(), json!(subject));
        members.insert("username".to_owned(), json!(profile.user.username));
    }
    if let (Some(key), Some(members)) = (&found.key, told.as_object_mut()) {
        members.insert("cnf".to_owned(), json!({ "jkt": key }));
    }
    if let (Some(id), Some(members)) = (&found.id, told.as_object_mut()) {
        members.insert("jti".to_owned(), json!(id));
    }
    Ok(reply::json(StatusCode::OK, &told))
}
