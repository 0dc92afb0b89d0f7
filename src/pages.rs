//! The pages of the sign-in host: sign-in, the portal, new passwords, and what stands at hosts that
//! lead nowhere. It knows the flow and the sessions, and asks `access` what a person may see.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Method, Response, StatusCode, request};

use crate::entry::Entry;
use crate::forward_auth::{ForwardAuth, handover};
use crate::oidc;
use crate::runtime::Runtime;
use crate::web::reply::{self, For};
use crate::web::server::Server;
use crate::web::templates::{ErrorKind, ErrorPage};

/// A person's own account.
mod account;
/// What whoever runs the place sees of it.
mod admin;
/// The authorization endpoint.
mod authorize;
/// Letting a device in.
mod device;
/// Flows, stage by stage.
mod flow;
/// Mail about what happened to an account.
mod notice;
/// Where a flow leads, if it is into an app.
mod onward;
/// Flows of earlier generations, for sign-ins that began in them.
pub mod pinned;
/// Pieces of pages that are no template's.
mod plain;
/// The apps that a person may use.
mod portal;
/// Setting a password by a one-time link.
mod set_password;
/// Signing out.
mod sign_out;
/// What stands at an app's host when no proxy does.
pub mod standin;
/// What goes wrong that is not the visitor's fault.
mod trouble;
/// What a request of the sign-in host comes with.
mod visit;
/// Hosts that lead nowhere.
pub mod wrong_address;

use account::Room;
use trouble::Trouble;
use visit::Visit;

/// The front and what it remembers.
pub struct Pages {
    pub server: Arc<Server>,
    pub forward_auth: Arc<ForwardAuth>,
    pub pinned: pinned::Pinned,
}

impl Pages {
    #[must_use]
    pub fn new(server: Arc<Server>, forward_auth: Arc<ForwardAuth>) -> Self {
        Self { server, forward_auth, pinned: pinned::Pinned::default() }
    }

    /// Answers a request to the sign-in host.
    pub async fn answer(
        &self,
        parts: request::Parts,
        body: Body,
        peer: SocketAddr,
    ) -> Response<Body> {
        let runtime = self.server.runtime.load_full();
        let visit = Visit::new(self, runtime, parts, peer);
        if let Some(asset) = self.asset(visit.path()) {
            return asset;
        }
        let room = Room::of(visit.path());
        let get = matches!(visit.parts.method, Method::GET | Method::HEAD);
        let post = visit.parts.method == Method::POST;
        match (visit.path(), get, post) {
            ("/" | "/if/user/" | "/if/user", true, _) => portal::get(&visit).await,
            ("/if/admin/" | "/if/admin", true, _) => admin::get(&visit).await,
            (path, true, _) if flow::is_flow(path) => flow::get(&visit).await,
            (flow::DUO_BACK, true, _) => flow::come_back_from_duo(&visit).await,
            (path, true, _) if flow::is_back_from_source(path) => {
                flow::come_back_from_source(&visit).await
            }
            (path, _, true) if flow::is_flow(path) => flow::post(&visit, body).await,
            (_, true, _) if let Some(room) = room => account::get(&visit, room).await,
            (_, _, true) if let Some(room) = room => account::post(&visit, room, body).await,
            (oidc::AUTHORIZE, true, _) => authorize::get(&visit).await,
            (oidc::AUTHORIZE, _, true) => authorize::post(&visit, body).await,
            (oidc::END_SESSION, true, _) => sign_out::by_app(&visit).await,
            (oidc::END_SESSION, _, true) => sign_out::by_app_posted(&visit, body).await,
            (oidc::DEVICE, true, _) => device::get(&visit).await,
            (oidc::DEVICE, _, true) => device::post(&visit, body).await,
            ("/sign-out", true, _) => sign_out::get(&visit).await,
            ("/sign-out", _, true) => sign_out::post(&visit, body).await,
            ("/set-password", true, _) => set_password::get(&visit).await,
            ("/set-password", _, true) => set_password::post(&visit, body).await,
            (handover::START, true, _) => match self.hand_over(&visit).await {
                Ok(response) => response,
                Err(trouble) => visit.unavailable(&trouble),
            },
            _ if get || post => visit.error(ErrorKind::NotFound),
            _ => reply::empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    /// From the sign-in host to an app, by way of what the app wants to be agreed to.
    async fn hand_over(&self, visit: &Visit<'_>) -> Result<Response<Body>, Trouble> {
        let sign_in = visit.sign_in().await?;
        let here = visit.parts.uri.path_and_query().map_or("/", |asked| asked.as_str());
        if let Some(sign_in) = &sign_in
            && let Some(onward) = onward::Onward::of(visit, here)
            && onward.entry(visit, sign_in).await? == Entry::Open
            && let Some(elsewhere) = flow::agree_first(visit, sign_in, here).await?
        {
            return Ok(elsewhere);
        }
        Ok(handover::start(&self.forward_auth, &visit.parts, visit.client, sign_in).await)
    }

    fn asset(&self, path: &str) -> Option<Response<Body>> {
        let looks = self.server.looks.load();
        let asset = looks.asset(path)?;
        let mut response = reply::text(StatusCode::OK, asset.content_type, asset.bytes.clone());
        let headers = response.headers_mut();
        let cache = http::HeaderValue::from_static(asset.cache_control);
        headers.insert(http::header::CACHE_CONTROL, cache);
        let policy = http::HeaderValue::from_static(crate::web::csp::ASSET_POLICY);
        headers.insert(http::header::CONTENT_SECURITY_POLICY, policy);
        Some(response)
    }
}

/// An error page of the sign-in host.
#[must_use]
pub fn error_page(
    server: &Server,
    runtime: &Runtime,
    headers: &HeaderMap,
    page: &ErrorPage,
) -> Response<Body> {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply::page(server, runtime, For::sign_in_host(status, headers), page)
}
