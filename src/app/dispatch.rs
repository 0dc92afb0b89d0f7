//! From a request on the main listener, or on Envoy's, to the front that answers it.
//!
//! Decision endpoints come first and take the straight way. Everything else goes by host: ours, an
//! app's, or nobody's. Envoy's listener has nothing but decisions.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::body::Body;
use http::header::{AUTHORIZATION, ETAG};
use tracing::Instrument;

use http::{HeaderValue, Request, Response, StatusCode, request};

use crate::access::target::split_authority;
use crate::api;
use crate::forward_auth::reader::{Reader, own_authority};
use crate::forward_auth::{self, ForwardAuth};
use crate::oidc;
use crate::pages::{Pages, standin, wrong_address};
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::web::reply;
use crate::web::server::Server;

/// All fronts of the listeners.
pub struct Fronts {
    pub server: Arc<Server>,
    pub forward_auth: Arc<ForwardAuth>,
    pub pages: Pages,
    /// What Traefik's HTTP provider is given.
    pub provided: ArcSwapOption<Provided>,
}

/// Traefik's configuration over HTTP.
pub struct Provided {
    pub path: String,
    pub token: Option<Secret>,
    pub json: String,
    pub digest: String,
    pub revision: String,
}

impl Fronts {
    /// Answers a request on the main listener that came from `peer`.
    pub async fn answer(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if let Some(reader) = Reader::of_path(parts.uri.path()) {
            return self.forward_auth.answer(reader, &parts, peer).await;
        }
        // A public router leads here, and `Host` and path are whatever its client wrote.
        if Reader::of_envoy_path(parts.uri.path()).is_some() {
            return forward_auth::not_here();
        }
        if let Some(response) = self.health(parts.uri.path()) {
            return response;
        }
        if let Some(response) = self.provide(&parts) {
            return response;
        }
        let id = self.server.rng.id("req", self.server.clock.now()).unwrap_or_default();
        // The path alone: a query may hold a one-time token.
        let span =
            tracing::info_span!("request", id, method = %parts.method, path = parts.uri.path());
        // In a box: what a page may wait for would make every decision's future large, too.
        let page = Box::pin(self.by_host(parts, body, peer));
        let mut response = page.instrument(span.clone()).await;
        span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }

    /// Answers a request on Envoy's listener: a decision, or nothing.
    pub async fn answer_envoy(&self, request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let (parts, _) = request.into_parts();
        if let Some(reader) = Reader::of_envoy_path(parts.uri.path()) {
            return self.forward_auth.answer(reader, &parts, peer).await;
        }
        self.health(parts.uri.path()).unwrap_or_else(forward_auth::not_here)
    }

    /// One word, whoever asks and whatever they call themselves (`security.md` 11).
    fn health(&self, path: &str) -> Option<Response<Body>> {
        match path {
            "/healthz/live" => Some(reply::text(StatusCode::OK, "text/plain", "ok\n")),
            "/healthz" => Some(self.ready()),
            _ => None,
        }
    }

    fn ready(&self) -> Response<Body> {
        match self.server.sessions.in_contact() {
            true => reply::text(StatusCode::OK, "text/plain", "ok\n"),
            false => reply::text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "store\n"),
        }
    }

    async fn by_host(&self, parts: request::Parts, body: Body, peer: SocketAddr) -> Response<Body> {
        let runtime = self.server.runtime.load_full();
        let Some(authority) = own_authority(&parts) else {
            return reply::text(
                StatusCode::BAD_REQUEST,
                "text/plain",
                "a request names one host\n",
            );
        };
        let Some((host, _)) = split_authority(authority) else {
            return reply::text(
                StatusCode::BAD_REQUEST,
                "text/plain",
                "the host is not a valid name\n",
            );
        };
        if host == runtime.external.host {
            let mut response = self.ours(parts, body, peer).await;
            // What apps' hosts ask of browsers is not ours to say.
            if self.server.listening.tls {
                reply::keep_secure(&mut response);
            }
            return response;
        }
        let asked = authority.to_owned();
        if let Some(response) = standin::answer(&self.forward_auth, &parts, peer).await {
            return response;
        }
        self.nobody(&runtime, &parts, &asked)
    }

    async fn ours(&self, parts: request::Parts, body: Body, peer: SocketAddr) -> Response<Body> {
        let path = parts.uri.path();
        if api::is_api(path) {
            return api::answer(&self.server, &parts, body, peer).await;
        }
        if oidc::is_for_programs(path) {
            return oidc::answer(&self.server, &parts, body, peer).await;
        }
        self.pages.answer(parts, body, peer).await
    }

    fn nobody(&self, runtime: &Runtime, parts: &request::Parts, asked: &str) -> Response<Body> {
        let host = split_authority(asked).map(|(host, _)| host.into_owned()).unwrap_or_default();
        wrong_address::answer(&self.server, runtime, parts, asked, &host)
    }

    /// Traefik's HTTP provider: only with the token, if one is declared.
    fn provide(&self, parts: &request::Parts) -> Option<Response<Body>> {
        let provided = self.provided.load();
        let provided = provided.as_ref().filter(|provided| provided.path == parts.uri.path())?;
        if let Some(token) = &provided.token {
            let given = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let given = given.and_then(|value| value.strip_prefix("Bearer "));
            if !given.is_some_and(|given| Secret::new(given) == *token) {
                return Some(reply::text(
                    StatusCode::UNAUTHORIZED,
                    "text/plain",
                    "a bearer token is needed\n",
                ));
            }
        }
        let mut response = reply::text(StatusCode::OK, "application/json", provided.json.clone());
        let headers = response.headers_mut();
        for (name, value) in
            [("x-doorward-revision", &provided.revision), (ETAG.as_str(), &provided.digest)]
        {
            if let (Ok(name), Ok(value)) =
                (http::HeaderName::try_from(name), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        Some(response)
    }
}
