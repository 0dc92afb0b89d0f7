//! Calling a token back (RFC 7009): with a refresh token goes everything that hangs on its grant.

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;

use super::client_auth::authenticate;
use super::issue::OPAQUE;
use super::refusal::{ErrorCode, Refusal};
use super::{Asked, bearer, token};
use crate::runtime::app::App;
use crate::web::reply;

/// Answers 200 whether there was anything to call back or not (RFC 7009 §2.2).
pub async fn answer(asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Refusal> {
    let form = token::read(body).await?;
    let (app, _) = authenticate(asked, &form).await?;
    let text = form
        .exact("token")
        .ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "token is missing"))?;
    if !refresh(asked, app, text).await? {
        access(asked, app, text).await?;
    }
    Ok(reply::empty(StatusCode::OK))
}

/// Whether it was a refresh token.
async fn refresh(asked: &Asked<'_>, app: &App, text: &str) -> Result<bool, Refusal> {
    let server = asked.server;
    if text.len() > 128 {
        return Ok(false);
    }
    let digest = server.key.digest(text.as_bytes());
    let read = server.store.read().await?;
    let Some(found) = read.find_refresh_token(&digest).await? else { return Ok(false) };
    let grant = read.find_grant(&found.grant_id).await?;
    drop(read);
    let Some(grant) = grant.filter(|grant| grant.app_uid == app.uid) else { return Ok(true) };
    let mut tx = server.store.begin().await?;
    if tx.revoke_grant(&grant.id, "by-app", server.clock.now()).await? {
        let about = json!({ "grant": grant.id, "for": "by-app" });
        let subject = format!("app:{}", app.slug);
        server.journal.note("grant.revoked", None, Some(&subject), about);
    }
    tx.commit().await?;
    Ok(true)
}

async fn access(asked: &Asked<'_>, app: &App, text: &str) -> Result<(), Refusal> {
    let server = asked.server;
    let Ok(found) = bearer::look(server, asked.runtime, text).await? else { return Ok(()) };
    if found.app.uid != app.uid {
        return Ok(());
    }
    let mut tx = server.store.begin().await?;
    match &found.id {
        Some(id) => tx.revoke_token_id(id, found.expires_at).await?,
        None if text.starts_with(OPAQUE) => {
            let digest = server.key.digest(text.as_bytes());
            tx.revoke_access_token(&digest, server.clock.now()).await?;
        }
        None => {}
    }
    Ok(tx.commit().await?)
}
