//! What proxies say about the request that they ask for (`forward-auth.md` 1 and 2).

use http::header::HOST;
use http::{HeaderMap, HeaderName, request};

use crate::blueprint::app::IdentityHeaders;
use crate::proxy_config::identity_headers::is_alias_of;

/// One way of asking: which headers name the target, and what the answer may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    pub dialect: Dialect,
    /// The set of identity headers that the endpoint is known for.
    pub identity: IdentityHeaders,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri`: Traefik and Caddy.
    Forwarded,
    /// `X-Original-Method`, `X-Original-URL`: nginx knows only 2xx, 401 and 403.
    Original,
    /// The request itself: Envoy sends it with `prefix` before its path, and with the `Host` of the
    /// target. Spoken on a listener of its own alone (`security.md` R16).
    Envoy { prefix: &'static str },
}

impl Dialect {
    /// Whether an answer reaches the browser with whatever status it has.
    #[must_use]
    pub fn hands_on_any_status(self) -> bool {
        self != Self::Original
    }
}

/// The request as a proxy tells it. Nothing is canonical yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    pub method: &'a str,
    /// Whether the client came over TLS, as far as the proxy knows.
    pub secure: Option<bool>,
    pub authority: &'a str,
    /// Path and query.
    pub uri: &'a str,
}

/// Why a question cannot be answered; each becomes a 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("the proxy sent no `{0}`: it must name the request that it asks for")]
    Missing(&'static str),
    #[error("`{0}` came twice: one of them is not the proxy's")]
    Twice(String),
    #[error("`{0}` is spelled with an underscore, which some servers read as a hyphen")]
    Alias(String),
    #[error("`{0}` is not plain text")]
    NotText(&'static str),
    #[error("`{0}` makes no sense here")]
    Senseless(&'static str),
    #[error("the request names its target in two ways; a proxy uses one")]
    TwoDialects,
    #[error(
        "`{0}` is not followed by a path that begins with `/`: set Envoy's `path_prefix` to exactly that"
    )]
    NoPath(&'static str),
}

const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");

/// What Envoy may write before a path, as Doorward, authentik and Authelia spell it. One spelling
/// each: with a slash more or less, `/x` and `//x` could not be told apart.
const ENVOY: [(&str, IdentityHeaders); 3] = [
    ("/auth/envoy", IdentityHeaders::Remote),
    ("/outpost.goauthentik.io/auth/envoy", IdentityHeaders::Authentik),
    ("/api/authz/ext-authz/", IdentityHeaders::Remote),
];

impl Reader {
    /// The reader of a decision endpoint; `None` if the path is not one.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        use Dialect::{Forwarded, Original};
        use IdentityHeaders::{Authentik, Remote};
        let reader = |dialect, identity| Some(Self { dialect, identity });
        match path {
            "/auth/traefik" | "/auth/caddy" => reader(Forwarded, Remote),
            "/auth/nginx" => reader(Original, Remote),
            "/outpost.goauthentik.io/auth/traefik" | "/outpost.goauthentik.io/auth/caddy" => {
                reader(Forwarded, Authentik)
            }
            "/outpost.goauthentik.io/auth/nginx" => reader(Original, Authentik),
            "/api/authz/forward-auth" => reader(Forwarded, Remote),
            "/api/authz/auth-request" => reader(Original, Remote),
            _ => None,
        }
    }

    /// The reader of a path on Envoy's listener; `None` if none of its prefixes stands before it.
    #[must_use]
    pub fn of_envoy_path(path: &str) -> Option<Self> {
        let (prefix, identity) = ENVOY.into_iter().find(|(prefix, _)| is_below(path, prefix))?;
        Some(Self { dialect: Dialect::Envoy { prefix }, identity })
    }

    /// Reads the target. Missing metadata is an error, never a fallback (`security.md` 4).
    ///
    /// # Errors
    /// If a header is missing, doubled, aliased or senseless.
    pub fn read<'a>(&self, parts: &'a request::Parts) -> Result<Asked<'a>, ReadError> {
        refuse_aliases(&parts.headers)?;
        match self.dialect {
            Dialect::Forwarded => forwarded(&parts.headers),
            Dialect::Original => original(&parts.headers),
            Dialect::Envoy { prefix } => envoy(parts, prefix),
        }
    }
}

fn is_below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn forwarded(headers: &HeaderMap) -> Result<Asked<'_>, ReadError> {
    if headers.contains_key(ORIGINAL_URL) {
        return Err(ReadError::TwoDialects);
    }
    Ok(Asked {
        method: method(
            one(headers, &FORWARDED_METHOD, "X-Forwarded-Method")?,
            "X-Forwarded-Method",
        )?,
        secure: Some(secure(one(headers, &FORWARDED_PROTO, "X-Forwarded-Proto")?)?),
        authority: one(headers, &FORWARDED_HOST, "X-Forwarded-Host")?,
        uri: one(headers, &FORWARDED_URI, "X-Forwarded-Uri")?,
    })
}

fn original(headers: &HeaderMap) -> Result<Asked<'_>, ReadError> {
    if headers.contains_key(FORWARDED_URI) {
        return Err(ReadError::TwoDialects);
    }
    let url = one(headers, &ORIGINAL_URL, "X-Original-URL")?;
    let (scheme, rest) = url.split_once("://").ok_or(ReadError::Senseless("X-Original-URL"))?;
    let slash = rest.find('/').ok_or(ReadError::Senseless("X-Original-URL"))?;
    let (authority, uri) = rest.split_at(slash);
    Ok(Asked {
        method: method(one(headers, &ORIGINAL_METHOD, "X-Original-Method")?, "X-Original-Method")?,
        secure: Some(secure(scheme).map_err(|_| ReadError::Senseless("X-Original-URL"))?),
        authority,
        uri,
    })
}

fn envoy<'a>(parts: &'a request::Parts, prefix: &'static str) -> Result<Asked<'a>, ReadError> {
    let headers = &parts.headers;
    let named_elsewhere = headers.contains_key(ORIGINAL_URL)
        || headers.contains_key(FORWARDED_URI)
        || parts.uri.authority().is_some();
    if named_elsewhere {
        return Err(ReadError::TwoDialects);
    }
    let target = parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let uri = target.strip_prefix(prefix).filter(|uri| uri.starts_with('/'));
    Ok(Asked {
        method: method(parts.method.as_str(), "method")?,
        secure: Some(secure(one(headers, &FORWARDED_PROTO, "X-Forwarded-Proto")?)?),
        authority: one(headers, &HOST, "Host")?,
        uri: uri.ok_or(ReadError::NoPath(prefix))?,
    })
}

fn one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<&'a str, ReadError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(ReadError::Missing(shown))?;
    if values.next().is_some() {
        return Err(ReadError::Twice(shown.to_owned()));
    }
    let text = value.to_str().map_err(|_| ReadError::NotText(shown))?;
    if text.is_empty() { Err(ReadError::Missing(shown)) } else { Ok(text) }
}

/// `ws` is `http`, and `wss` is `https`.
fn secure(proto: &str) -> Result<bool, ReadError> {
    match proto {
        "https" | "wss" => Ok(true),
        "http" | "ws" => Ok(false),
        _ => Err(ReadError::Senseless("X-Forwarded-Proto")),
    }
}

fn method<'a>(text: &'a str, shown: &'static str) -> Result<&'a str, ReadError> {
    let token =
        text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if token { Ok(text) } else { Err(ReadError::Senseless(shown)) }
}

/// A client's `X_Forwarded_Host` or `Remote_User` reaches us and the application, which may read it
/// as the real thing (`security.md` 2).
fn refuse_aliases(headers: &HeaderMap) -> Result<(), ReadError> {
    for name in headers.keys().map(HeaderName::as_str).filter(|name| name.contains('_')) {
        let plain = name.replace('_', "-");
        let begins = ["x-forwarded-", "x-original-", "remote-", "x-authentik-", "x-real-"];
        if begins.iter().any(|begin| plain.starts_with(begin)) {
            return Err(ReadError::Alias(name.to_owned()));
        }
    }
    Ok(())
}

/// An app's own `header NAME` lines have aliases too, which only the runtime knows.
///
/// # Errors
/// If a header that came is such an alias.
pub fn refuse_own_aliases<'a>(
    headers: &HeaderMap,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), ReadError> {
    for received in headers.keys().map(HeaderName::as_str).filter(|name| name.contains('_')) {
        if names.clone().any(|name| is_alias_of(received, name)) {
            return Err(ReadError::Alias(received.to_owned()));
        }
    }
    Ok(())
}

/// The request's own authority: whom the client of this connection believes to talk to.
#[must_use]
pub fn own_authority(parts: &request::Parts) -> Option<&str> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() {
        return None;
    }
    host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
}

#[cfg(test)]
mod tests;
