//! `traefik`: what is generated for the reverse proxy.

use super::decode;
use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use super::tree::Node;
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

impl Traefik {
    pub(super) fn from_node(node: &Node) -> Self {
        Self {
            write: decode::kid_word(node, "write"),
            serve: node.kid("serve").and_then(serve),
            reach_doorward_at: decode::kid_parsed(node, "reach-doorward-at", WebUrl::parse).pop(),
            entrypoints: decode::kid_words(node, "entrypoints"),
            tls: node.kid("tls").map(|tls| Tls { resolver: decode::prop_name(tls, "resolver") }),
            forward_auth: decode::kid_word(node, "forward-auth"),
            middlewares: node.kids_named("middleware").filter_map(middleware).collect(),
            raw: decode::kid_words(node, "raw"),
            at: node.head(),
        }
    }
}

fn serve(node: &Node) -> Option<Serve> {
    let token = node.prop("token").and_then(SecretRef::from_value);
    Some(Serve { path: decode::name(node)?, token })
}

fn middleware(node: &Node) -> Option<Middleware> {
    let kind = if let Some(headers) = node.kid("headers") {
        MiddlewareKind::Headers {
            request: header_lines(headers, "request"),
            response: header_lines(headers, "response"),
        }
    } else if node.kid("ip-allow").is_some() {
        MiddlewareKind::IpAllow(decode::kid_parsed(node, "ip-allow", Network::parse))
    } else {
        let limit = node.kid("rate-limit")?;
        MiddlewareKind::RateLimit {
            average: decode::prop_number(limit, "average")?,
            burst: decode::prop_number(limit, "burst"),
        }
    };
    Some(Middleware { name: decode::name(node)?, kind, at: node.head() })
}

fn header_lines(node: &Node, direction: &str) -> Vec<(Spanned<String>, String)> {
    let line = |node: &Node| {
        let mut words = decode::words(node).into_iter();
        Some((words.next()?, words.next()?.value))
    };
    node.kids_named(direction).filter_map(line).collect()
}
