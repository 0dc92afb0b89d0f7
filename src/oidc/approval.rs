//! What somebody who is signed in lets an app have: the same however the app comes by it.

use serde_json::json;

use crate::access::target::Client as Address;
use crate::ids::NoRandomness;
use crate::runtime::app::App;
use crate::session::SignIn;
use crate::store::{Approved, Grant};
use crate::web::server::Server;

/// A grant from this moment on, within the sign-in, by what was proven in it and where the person is.
pub fn grant(
    server: &Server,
    app: &App,
    sign_in: &SignIn,
    address: Address,
    scopes: Vec<String>,
) -> Result<Grant, NoRandomness> {
    let now = server.clock.now();
    let known = match address {
        Address::Known(address) => Some(address.to_string()),
        Address::Proxy(_) | Address::Unknown => None,
    };
    let proven = sign_in.proven.clone();
    Ok(Grant {
        id: server.rng.id("gra", now)?,
        app_uid: app.uid.clone(),
        user_id: sign_in.account.id().to_owned(),
        session_id: Some(sign_in.id.clone()),
        offline: scopes.iter().any(|scope| scope == "offline_access"),
        scopes,
        approved: Approved { proven, address: known, ..Approved::default() },
        created_at: now,
        expires_at: now,
        revoked: None,
    })
}

/// Tells the journal of it, and from where the device asked, if it was one.
pub fn note(server: &Server, app: &App, sign_in: &SignIn, grant: &Grant, device: Option<&str>) {
    let profile = sign_in.account.profile();
    let (who, app) = (&profile.user.username, format!("app:{}", app.slug));
    let data = match device {
        Some(device) => json!({ "grant": grant.id, "scopes": grant.scopes, "device": device }),
        None => json!({ "grant": grant.id, "scopes": grant.scopes }),
    };
    server.journal.note("grant.given", Some(who), Some(&app), data);
}
