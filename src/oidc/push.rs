//! Requests that a client hands in itself, before it sends a browser (RFC 9126).

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;

use super::authorize::{PUSHED_LASTS, Request};
use super::client_auth::authenticate;
use super::refusal::{ErrorCode, Refusal};
use super::{Asked, dpop, token};
use crate::web::reply;

pub async fn answer(asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Refusal> {
    let form = token::read(body).await?;
    let (_, client) = authenticate(asked, &form).await?;
    let key = dpop::proven(asked, dpop::Occasion::Tokens(client)).await?;
    let request = Request::pushed(asked.server, asked.runtime, client, &form, key)
        .await
        .map_err(|(error, why)| Refusal::new(ErrorCode::Pushed(error), why))?;
    let uri = request
        .uri(asked.server)
        .ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "the request is too long"))?;
    let body = json!({ "request_uri": uri, "expires_in": PUSHED_LASTS.as_secs() });
    Ok(reply::json(StatusCode::CREATED, &body))
}
