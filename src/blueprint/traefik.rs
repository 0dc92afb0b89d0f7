//! `traefik`: what is generated for the reverse proxy.

use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use crate::model::network::Network;
use crate::model::web_url::WebUrl;

#[derive(Clone, Debug)]
pub struct Traefik {
    /// The file to write.
    pub write: Option<Spanned<String>>,
    pub serve: Option<Serve>,
    pub reach_doorward_at: Option<Spanned<WebUrl>>,
    pub entrypoints: Vec<Spanned<String>>,
    pub tls: Option<Tls>,
    /// The name of the middleware.
    pub forward_auth: Option<Spanned<String>>,
    pub middlewares: Vec<Middleware>,
    pub raw: Vec<Spanned<String>>,
    pub at: Span,
}

/// Traefik's HTTP provider.
#[derive(Clone, Debug)]
pub struct Serve {
    pub path: Spanned<String>,
    pub token: Option<SecretRef>,
}

#[derive(Clone, Debug)]
pub struct Tls {
    pub resolver: Option<Spanned<String>>,
}

#[derive(Clone, Debug)]
pub struct Middleware {
    pub name: Name,
    pub kind: MiddlewareKind,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub enum MiddlewareKind {
    Headers { request: Vec<(Spanned<String>, String)>, response: Vec<(Spanned<String>, String)> },
    IpAllow(Vec<Spanned<Network>>),
    RateLimit { average: u32, burst: Option<u32> },
}
