//! Telling applications that a sign-in has ended (OIDC Back-Channel Logout, Front-Channel Logout).

use std::time::Duration;

use serde_json::json;

use super::claims::{session_name, subject};
use super::time::seconds;
use super::with_query;
use crate::outbound::CallError;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::session::{SessionError, SignIn};
use crate::signing::SigningError;
use crate::store::{Logout, StoreError};
use crate::web::server::Server;

/// The type of a logout token (Back-Channel Logout §2.4).
const TYPE: &str = "logout+jwt";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token is good.
const LASTS: Duration = Duration::from_secs(120);

/// Why an app was not told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("no token could be made: {0}")]
    Token(String),
}

/// Who is to be told of an end: an app that is declared, and wants to hear of it.
#[must_use]
pub fn listener<'a>(
    runtime: &'a Runtime,
    logout: &Logout,
) -> Option<(&'a App, &'a Client, &'a str)> {
    let app = runtime.app_by_uid(&logout.app_uid)?;
    let client = app.client.as_ref()?;
    Some((app, client, client.back_channel_logout_uri.as_deref()?))
}

/// Tells one app of one end.
///
/// # Errors
/// If it did not take it.
pub async fn tell(server: &Server, runtime: &Runtime, logout: &Logout) -> Result<(), TellError> {
    let Some((app, client, uri)) = listener(runtime, logout) else { return Ok(()) };
    let now = server.clock.now();
    let mut claims = json!({
        "iss": runtime.external.to_string(),
        "aud": client.id,
        "iat": seconds(now),
        "exp": seconds(now.plus(LASTS)),
        "jti": server.rng.id("lo", now).map_err(|error| TellError::Token(error.to_string()))?,
        "events": { EVENT: {} },
        "sid": session_name(&server.key, &app.uid, &logout.session_id),
    });
    // Somebody who is gone is known by the sign-in alone.
    match server.sessions.account(&logout.user_id).await {
        Ok(account) => {
            let profile = account.profile();
            let standing = profile.standing(runtime);
            let subject = subject(&server.key, client, &profile, &standing);
            if let Some(members) = claims.as_object_mut() {
                members.insert("sub".to_owned(), json!(subject));
            }
        }
        Err(SessionError::NoAccount) => {}
        Err(error) => return Err(error.into()),
    }
    let signer = server.signing_keys.signer(client.signing).await?;
    let token = signer.key.token(TYPE, &claims);
    let token = token.map_err(|error| TellError::Token(error.to_string()))?;
    let form = [("logout_token", token.as_str())];
    Ok(server.outbound.post(uri, &client.may_reach, &form).await?)
}

/// The addresses that a browser has to open so that apps forget it (Front-Channel Logout §3): those of
/// the apps that were entered in this sign-in.
///
/// # Errors
/// If the store cannot be asked.
pub async fn front_channel(
    server: &Server,
    runtime: &Runtime,
    sign_in: &SignIn,
) -> Result<Vec<String>, StoreError> {
    let wanted = |app: &App| {
        app.client.as_ref().is_some_and(|client| client.front_channel_logout_uri.is_some())
    };
    if !runtime.apps.iter().any(wanted) {
        return Ok(Vec::new());
    }
    let mut addresses = Vec::new();
    for grant in server.store.read().await?.list_grants_in(&sign_in.id).await? {
        let app = runtime.app_by_uid(&grant.app_uid);
        let uri = app.and_then(|app| {
            let uri = app.client.as_ref()?.front_channel_logout_uri.as_deref()?;
            let name = session_name(&server.key, &app.uid, &sign_in.id);
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("iss", &runtime.external.to_string()).append_pair("sid", &name);
            Some(with_query(uri, &query.finish()))
        });
        addresses.extend(uri.filter(|uri| !addresses.contains(uri)));
    }
    Ok(addresses)
}
