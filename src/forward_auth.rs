//! Forward authentication: the front for reverse proxies that ask before they pass a request on.
//!
//! It reads what the proxy tells, finds the app and the session, lets `access::decide` decide and
//! answers in the proxy's language. It grants nothing itself.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode, request};

use crate::access::target::split_authority;
use crate::repeats::{Repeats, Say};
use crate::runtime::Runtime;
use crate::web::reply;
use crate::web::server::Server;

/// What to say to a request without a session, or without the right to pass.
pub mod answer;
/// What to say to a credential that is not enough.
pub mod challenge;
/// One decision for one request at an app's address.
pub mod decision;
/// From a sign-in to an app: start, ticket, callback.
pub mod handover;
/// Identity headers on a 2xx.
pub mod identity;
/// Counting rounds, so that a wrong set-up ends in a page and not in a circle.
pub mod loops;
/// The paths that Doorward owns on an app's host.
pub mod own_path;
/// What proxies say about the request that they ask for.
pub mod reader;
/// A request that an app password or an API token speaks for.
pub mod token;

use decision::Request;
use reader::Reader;

/// The front and what it remembers.
pub struct ForwardAuth {
    pub server: Arc<Server>,
    pub loops: loops::Loops,
    unknown_hosts: Repeats,
    names: identity::Names,
}

impl ForwardAuth {
    #[must_use]
    pub fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            loops: loops::Loops::default(),
            unknown_hosts: Repeats::default(),
            names: identity::Names::default(),
        }
    }

    /// Answers a request to a decision endpoint.
    pub async fn answer(
        &self,
        reader: Reader,
        parts: &request::Parts,
        peer: SocketAddr,
    ) -> Response<Body> {
        let runtime = self.server.runtime.load();
        if !self.is_private(&runtime, reader, parts) {
            return not_here();
        }
        if let Some(refusal) = self.refusal(&runtime, peer) {
            return refusal;
        }
        match self.locate(&runtime, reader, parts, peer) {
            Ok(request) => request.answer(self, &runtime).await,
            Err((status, reason)) => plain_refusal(reader, status, &reason),
        }
    }

    /// Only trusted proxies are answered (`security.md` 1).
    fn refusal(&self, runtime: &Runtime, peer: SocketAddr) -> Option<Response<Body>> {
        if self.server.trusts(runtime, peer.ip()) {
            return None;
        }
        let peer = crate::access::target::plain(peer.ip());
        let reason = format!(
            "{peer} is not a trusted proxy. If it is your reverse proxy, add its address to the \
             blueprints: server {{ trusted-proxies \"{peer}\" }}\n"
        );
        if self.loops.may_report("untrusted-proxy", self.server.clock.now()) {
            tracing::warn!(%peer, "a decision was asked for by a peer that is no trusted proxy: add it to `trusted-proxies` if it is yours");
            let data = serde_json::json!({ "peer": peer.to_string(), "remedy": format!("server {{ trusted-proxies \"{peer}\" }}") });
            self.server.journal.note("proxy.refused", None, None, data);
        }
        Some(reply::text(StatusCode::FORBIDDEN, "text/plain", reason))
    }

    /// Only proxies that mean us are answered (`security.md` R16). Envoy's listener is private as a
    /// whole, because `Host` is the target's there.
    fn is_private(&self, runtime: &Runtime, reader: Reader, parts: &request::Parts) -> bool {
        if let reader::Dialect::Envoy { .. } = reader.dialect {
            return true;
        }
        let Some(own) = reader::own_authority(parts) else { return false };
        let declared = runtime.reach_at.as_deref();
        declared.is_some_and(|at| at.eq_ignore_ascii_case(own)) || is_loopback_authority(own)
    }

    /// From headers to an app's address and a canonical target.
    fn locate<'a>(
        &'a self,
        runtime: &'a Runtime,
        reader: Reader,
        parts: &'a request::Parts,
        peer: SocketAddr,
    ) -> Result<Request<'a>, (StatusCode, String)> {
        let bad = |reason: String| (StatusCode::BAD_REQUEST, reason);
        let asked = reader.read(parts).map_err(|error| bad(error.to_string()))?;
        let addresses = runtime.apps.iter().flat_map(|app| &app.addresses);
        let own = addresses.flat_map(|address| &address.headers).map(|(name, _)| name.as_str());
        let own = own.chain(crate::proxy_config::identity_headers::NOT_FROM_CLIENTS);
        reader::refuse_own_aliases(&parts.headers, own).map_err(|error| bad(error.to_string()))?;
        let client = crate::web::visitor::forwarded_client(runtime, &parts.headers);
        Request::locate(runtime, reader, asked, &parts.headers, client)
            .map_err(|error| self.unlocated(error, asked.authority, peer))
    }

    fn unlocated(
        &self,
        error: decision::Unlocated,
        authority: &str,
        peer: SocketAddr,
    ) -> (StatusCode, String) {
        if let decision::Unlocated::NoApp = error
            && let Some((host, _)) = split_authority(authority)
        {
            self.report_unknown_host(&host, peer);
        }
        (error.status(), error.to_string())
    }

    /// Any client of a proxy may choose the host, so the log and our memory are spared.
    fn report_unknown_host(&self, host: &str, peer: SocketAddr) {
        let say = self.unknown_hosts.say(host, self.server.clock.now());
        let proxy = crate::access::target::plain(peer.ip());
        let remedy = format!(
            "declare it: app NAME {{ proxy \"https://{host}\" to=\"http://ITS-SERVER\" … }}, or \
             take the middleware off the proxy's router for it"
        );
        match say {
            Say::Nothing => return,
            Say::It => {
                tracing::warn!(host, %proxy, remedy, "a proxy asks about a host that no app declares");
            }
            Say::ItForMany => {
                tracing::warn!(host, %proxy, remedy, "a proxy asks about many hosts that no app declares; this is one of them");
            }
        }
        let data = serde_json::json!({ "host": host, "proxy": proxy.to_string() });
        self.server.journal.note("host.unknown", None, None, data);
    }
}

/// What a decision endpoint says where none is to be seen.
#[must_use]
pub fn not_here() -> Response<Body> {
    reply::text(StatusCode::NOT_FOUND, "text/plain", "not here\n")
}

/// A refusal before any app is known: plain words, and for nginx the only status it understands.
fn plain_refusal(reader: Reader, status: StatusCode, reason: &str) -> Response<Body> {
    let status = if reader.dialect.hands_on_any_status() { status } else { StatusCode::FORBIDDEN };
    reply::text(status, "text/plain; charset=utf-8", format!("{reason}\n"))
}

/// `127.0.0.1:9000`, `[::1]`, `localhost:9000`: names that no public router leads to.
fn is_loopback_authority(authority: &str) -> bool {
    let Some((host, _)) = split_authority(authority) else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
