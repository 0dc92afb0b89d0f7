//! `header` lines: names that would change how a request is read, and names given twice.

use std::collections::BTreeMap;

use super::View;
use crate::blueprint::app::{App, IdentityHeaders, Proxy};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::source::Span;

/// Meaningful to every server on the way (RFC 9110 §7.6.1, RFC 9112 §6), or to the login itself.
const REFUSED: [&str; 26] = [
    "host",
    "cookie",
    "set-cookie",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-type",
    "content-encoding",
    "expect",
    "range",
    "origin",
    "referer",
    "location",
    "authorization",
    "www-authenticate",
    "forwarded",
    "via",
    "x-real-ip",
    "x-http-method-override",
];

/// Families that tell where a request came from and where it goes.
const REFUSED_FAMILIES: [&str; 6] =
    ["x-forwarded-", "x-original-", "x-rewrite-", "sec-", "proxy-", "access-control-"];

/// The names under which an identity is told.
const REMOTE: [&str; 4] = ["remote-user", "remote-groups", "remote-name", "remote-email"];

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for app in &view.blueprint.apps {
        for proxy in &app.proxies {
            names(view, app, proxy, out);
        }
    }
}

/// Whether a header may be set for an application.
pub(super) fn is_refused(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    REFUSED.contains(&name.as_str())
        || REFUSED_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Whether a header tells who is signed in.
pub(super) fn is_identity(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    REMOTE.contains(&name.as_str()) || name.starts_with("x-authentik-")
}

fn names(view: &View<'_>, app: &App, proxy: &Proxy, out: &mut Diagnostics) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for header in &proxy.headers {
        let name = header.name.value.as_str();
        let folded = name.to_ascii_lowercase().replace('_', "-");
        if is_refused(&folded) {
            let diagnostic = Diagnostic::error(
                "blueprint::refused-header",
                format!("`{name}` cannot be set by a `header` line"),
            )
            .at(header.name.span, "servers read it as part of the request itself")
            .help("use a name of the application's own, such as X-WEBAUTH-USER");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
        if taken_by_identity(&folded, proxy) {
            let diagnostic = Diagnostic::error(
                "blueprint::header-twice",
                format!("`{name}` is set by `identity-headers` already"),
            )
            .at(header.name.span, "second value")
            .help("write `identity-headers none` to set all of them yourself");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
        if let Some(earlier) = seen.insert(folded, header.name.span) {
            let diagnostic =
                Diagnostic::error("blueprint::header-twice", format!("`{name}` is set twice"))
                    .at(header.name.span, "second one")
                    .at(earlier, "first one")
                    .help("a header has one value; case and `_` make no difference");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
}

fn taken_by_identity(name: &str, proxy: &Proxy) -> bool {
    match proxy.identity_headers {
        IdentityHeaders::Remote => REMOTE.contains(&name),
        IdentityHeaders::Authentik => name.starts_with("x-authentik-"),
        IdentityHeaders::Unsaid => is_identity(name),
        IdentityHeaders::None => false,
    }
}
