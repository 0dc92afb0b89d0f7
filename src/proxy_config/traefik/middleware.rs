//! The middleware that asks Doorward, and those that a blueprint declares.

use serde_json::{Map, Value, json};

use super::entries::{Entries, MIDDLEWARES};
use crate::blueprint::Blueprint;
use crate::blueprint::app::HeaderLine;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::source::Span;
use crate::blueprint::traefik::{Middleware, MiddlewareKind, Traefik};
use crate::proxy_config::identity_headers;

/// What the middleware is called when the blueprint does not say.
const DEFAULT_NAME: &str = "doorward";

/// Where the front for Traefik answers.
const DECISION_PATH: &str = "/auth/traefik";

/// Traefik sets this many bytes aside for every request and turns a longer answer into a 401.
/// Our answers to a proxy are a redirect, or a page without images.
const LARGEST_ANSWER: u32 = 65_536;

/// The name of the middleware that asks Doorward.
#[must_use]
pub fn name(traefik: &Traefik) -> &str {
    traefik.forward_auth.as_ref().map_or(DEFAULT_NAME, |name| &name.value)
}

/// Adds the chain that asks Doorward: first delete, then ask.
///
/// With `trustForwardHeader: true` a client inside Traefik's trusted networks could choose the
/// target. Without it we would not learn its address. So the names that tell the target are
/// deleted first, and Traefik builds them anew (`security.md` R1).
pub fn add_chain(entries: &mut Entries, blueprint: &Blueprint, traefik: &Traefik, reach: &str) {
    let name = name(traefik);
    let at = traefik.forward_auth.as_ref().map_or(traefik.at, |name| name.span);
    let (delete, ask) = (format!("{name}.delete"), format!("{name}.ask"));
    entries.add(MIDDLEWARES, name, json!({ "chain": { "middlewares": [delete, ask] } }), at);
    let deleted: Map<String, Value> = identity_headers::NOT_FROM_CLIENTS
        .iter()
        .map(|name| (name.to_string(), "".into()))
        .collect();
    let value = json!({ "headers": { "customRequestHeaders": deleted } });
    entries.add(MIDDLEWARES, &delete, value, at);
    let forward_auth = json!({
        "address": format!("{reach}{DECISION_PATH}"),
        "trustForwardHeader": true,
        "maxResponseBodySize": LARGEST_ANSWER,
        "authResponseHeaders": response_headers(blueprint),
    });
    entries.add(MIDDLEWARES, &ask, json!({ "forwardAuth": forward_auth }), at);
}

/// Adds the middlewares that the blueprint declares, by name.
pub fn add_declared(entries: &mut Entries, traefik: &Traefik) {
    let mut declared: Vec<&Middleware> = traefik.middlewares.iter().collect();
    declared.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    for middleware in declared {
        let value = value(&middleware.kind);
        entries.add(MIDDLEWARES, &middleware.name.value, value, middleware.name.span);
    }
}

/// Complains about `header` lines whose names would break requests or the proxy.
pub fn check_headers(entries: &mut Entries, blueprint: &Blueprint) {
    let proxies = blueprint.apps.iter().flat_map(|app| &app.proxies);
    for HeaderLine { name, .. } in proxies.flat_map(|proxy| &proxy.headers) {
        if let Some(objection) = identity_headers::objection(&name.value) {
            entries.problem(bad_header(&name.value, objection, name.span));
        }
    }
}

/// Every name that Traefik takes from our 2xx and from nobody else.
///
/// One middleware with the union of all apps, not one per app: it also stands on entry points and
/// in routers that we do not write, where nobody could choose the right one. The union is the safe
/// side: Traefik deletes a listed name that the 2xx lacks, so an app never sees a client's value
/// under any name that some app trusts.
fn response_headers(blueprint: &Blueprint) -> Vec<String> {
    let mut names = identity_headers::of_blueprint(blueprint);
    names.extend(identity_headers::aliases(&names));
    for name in identity_headers::REPEATED {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    names
}

fn value(kind: &MiddlewareKind) -> Value {
    match kind {
        MiddlewareKind::Headers { request, response } => {
            let mut headers = Map::new();
            for (key, lines) in
                [("customRequestHeaders", request), ("customResponseHeaders", response)]
            {
                let lines = lines.iter().map(|(name, value)| (name.value.clone(), value.clone()));
                let lines: Map<String, Value> =
                    lines.map(|(name, value)| (name, value.into())).collect();
                if !lines.is_empty() {
                    headers.insert(key.to_owned(), lines.into());
                }
            }
            json!({ "headers": headers })
        }
        MiddlewareKind::IpAllow(networks) => {
            let range: Vec<String> = networks.iter().map(|each| each.value.to_string()).collect();
            json!({ "ipAllowList": { "sourceRange": range } })
        }
        MiddlewareKind::RateLimit { average, burst } => {
            let mut limit = Map::from_iter([("average".to_owned(), Value::from(*average))]);
            if let Some(burst) = burst {
                limit.insert("burst".to_owned(), Value::from(*burst));
            }
            json!({ "rateLimit": limit })
        }
    }
}

fn bad_header(name: &str, objection: &str, at: Span) -> Diagnostic {
    let message = format!("`{}` cannot be told to an application", name.escape_debug());
    Diagnostic::error("proxy::bad-header", message)
        .at(at, objection)
        .help("choose a name of your application's own, such as `X-WEBAUTH-USER`")
}
