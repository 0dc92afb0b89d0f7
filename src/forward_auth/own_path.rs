//! The paths that Doorward owns on an app's host: `/.doorward/` and the alias that people coming
//! from authentik know. They work through the middleware alone: all answer with 3xx or 4xx, which
//! proxies hand to the browser. `ping` answers with 204, and so only who asks Doorward directly: to
//! a proxy that asks for a decision, any 2xx lets the request pass.

use axum::body::Body;
use http::{Response, StatusCode};
use url::form_urlencoded;

use super::answer::{self, Kind};
use super::decision::Request;
use super::{ForwardAuth, handover};
use crate::runtime::Runtime;
use crate::web::reply;

const PREFIXES: [&str; 2] = ["/.doorward/", "/outpost.goauthentik.io/"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPath {
    Callback,
    SignOut,
    Start,
    Unknown,
}

/// Whether a raw request target may be one of ours, before anything is decoded.
#[must_use]
pub fn looks_ours(uri: &str) -> bool {
    let path = uri.split('?').next().unwrap_or("");
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    PREFIXES.iter().any(|prefix| decoded.contains(prefix.trim_end_matches('/')))
}

/// Whether a canonical path asks if we are there: for those who asked us directly.
#[must_use]
pub fn is_ping(path: &str) -> bool {
    PREFIXES.iter().any(|prefix| path.strip_prefix(prefix) == Some("ping"))
}

impl OwnPath {
    /// The path of ours, if it is one. Any path below the prefixes is, known or not, but for `ping`:
    /// through a proxy it is a path like any other.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let rest = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix))?;
        Some(match rest {
            "callback" => Self::Callback,
            "sign-out" | "sign_out" => Self::SignOut,
            "start" => Self::Start,
            "ping" => return None,
            _ => Self::Unknown,
        })
    }

    pub async fn answer(
        self,
        front: &ForwardAuth,
        runtime: &Runtime,
        request: &Request<'_>,
    ) -> Response<Body> {
        match self {
            Self::Callback => handover::callback(front, runtime, request).await,
            Self::SignOut => reply::redirect(StatusCode::FOUND, &handover::other_account(runtime)),
            Self::Start => start(front, runtime, request),
            Self::Unknown => answer::refuse(front, runtime, request, Kind::BadRequest),
        }
    }
}

/// Begins a login that comes back to `rd`, which must lie on this very host.
fn start(front: &ForwardAuth, runtime: &Runtime, request: &Request<'_>) -> Response<Body> {
    let query = request.uri.split_once('?').map_or("", |(_, query)| query);
    let mut wanted = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "rd");
    let return_to = match (wanted.next(), wanted.next()) {
        (None, _) => format!("{}/", request.origin()),
        (Some((_, url)), None) if is_here(runtime, request, &url) => url.into_owned(),
        _ => return answer::refuse(front, runtime, request, Kind::BadRequest),
    };
    handover::begin(front, runtime, request, &return_to)
}

fn is_here(runtime: &Runtime, request: &Request<'_>, url: &str) -> bool {
    handover::destination(runtime, url).is_some_and(|(_, host)| host == request.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_below_the_prefixes_is_ours() {
        assert_eq!(OwnPath::of("/.doorward/callback"), Some(OwnPath::Callback));
        assert_eq!(OwnPath::of("/outpost.goauthentik.io/sign_out"), Some(OwnPath::SignOut));
        assert_eq!(OwnPath::of("/.doorward/x"), Some(OwnPath::Unknown));
        assert_eq!(OwnPath::of("/.doorward/ping"), None);
        assert!(is_ping("/.doorward/ping") && is_ping("/outpost.goauthentik.io/ping"));
        assert!(!is_ping("/.doorward/ping/") && !is_ping("/ping"));
        assert_eq!(OwnPath::of("/.doorwards/callback"), None);
        assert_eq!(OwnPath::of("/x/.doorward/callback"), None);
    }

    #[test]
    fn spellings_of_our_paths_are_read_strictly() {
        for uri in ["/.doorward/callback", "/%2edoorward/callback", "/x/../.doorward/ping?y"] {
            assert!(looks_ours(uri), "{uri}");
        }
        assert!(!looks_ours("/wiki?next=/.doorward/"));
    }
}
