//! `raw`: YAML that a blueprint adds as it stands.
//!
//! It may hold middlewares, servers transports and TLS. Routers and services would open ways around
//! the login, so they need a switch that only the host gives (`security.md` R2).

use serde_json::{Map, Value};

use super::RawRouters;
use super::entries::{Entries, MIDDLEWARES, ROUTERS, SERVICES, Section};
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::source::{Span, Spanned};

/// Adds the entries of one `raw` block.
pub fn add(entries: &mut Entries, raw: &Spanned<String>, routers: RawRouters) {
    let Some(tree) = read(entries, raw) else { return };
    for (protocol, value) in tree {
        match value {
            Value::Object(kinds) if PROTOCOLS.contains(&protocol.as_str()) => {
                for (kind, value) in kinds {
                    add_section(entries, &protocol, &kind, value, raw.span, routers);
                }
            }
            _ => entries.problem(not_here(&protocol, raw.span)),
        }
    }
}

const LARGEST_RAW: usize = 65_536;

const PROTOCOLS: [&str; 4] = ["http", "tcp", "udp", "tls"];

const ALLOWED: [Section; 6] = [
    MIDDLEWARES,
    Section { protocol: "http", kind: "serversTransports" },
    Section { protocol: "tcp", kind: "middlewares" },
    Section { protocol: "tcp", kind: "serversTransports" },
    Section { protocol: "tls", kind: "options" },
    Section { protocol: "tls", kind: "stores" },
];
const WITH_SWITCH: [Section; 6] = [
    ROUTERS,
    SERVICES,
    Section { protocol: "tcp", kind: "routers" },
    Section { protocol: "tcp", kind: "services" },
    Section { protocol: "udp", kind: "routers" },
    Section { protocol: "udp", kind: "services" },
];
const CERTIFICATES: Section = Section { protocol: "tls", kind: "certificates" };

fn add_section(
    entries: &mut Entries,
    protocol: &str,
    kind: &str,
    value: Value,
    at: Span,
    routers: RawRouters,
) {
    let is = |section: &&Section| section.protocol == protocol && section.kind == kind;
    let switched = WITH_SWITCH.iter().find(is);
    let allowed = ALLOWED.iter().find(is).or(switched.filter(|_| routers == RawRouters::Allowed));
    match (allowed, value) {
        (Some(section), Value::Object(map)) => {
            for (name, value) in map {
                entries.add(*section, &name, value, at);
            }
        }
        (None, Value::Array(list)) if is(&&CERTIFICATES) => entries.append(CERTIFICATES, list, at),
        (None, _) if switched.is_some() => entries.problem(needs_switch(protocol, kind, at)),
        _ => entries.problem(not_here(&format!("{protocol}.{kind}"), at)),
    }
}

fn read(entries: &mut Entries, raw: &Spanned<String>) -> Option<Map<String, Value>> {
    if raw.value.len() > LARGEST_RAW {
        entries.problem(not_yaml("it is longer than 64 KiB", raw.span));
        return None;
    }
    match serde_saphyr::from_str::<Map<String, Value>>(&raw.value) {
        Ok(tree) => Some(tree),
        Err(error) => {
            let place = error.location().map(|at| format!("line {}: ", at.line()));
            let reason = error.without_snippet().to_string();
            let text = format!("{}{reason}", place.unwrap_or_default());
            entries.problem(not_yaml(&text, raw.span));
            None
        }
    }
}

fn not_yaml(reason: &str, at: Span) -> Diagnostic {
    Diagnostic::error("traefik::raw-yaml", "`raw` is not YAML that can be merged")
        .at(at, reason)
        .help(
            "write it as in Traefik's own files, each name once, beginning with `http:` or `tls:`",
        )
}

fn needs_switch(protocol: &str, kind: &str, at: Span) -> Diagnostic {
    Diagnostic::error("traefik::raw-routers", format!("`raw` may not hold `{protocol}.{kind}`"))
        .at(at, "it could lead around the login")
        .help("use `proxy … to=`, or start Doorward with --allow-raw-routers")
}

fn not_here(path: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "traefik::raw-section",
        format!("`raw` may not hold `{}`", path.escape_debug()),
    )
    .at(at, "not merged into Traefik's file")
    .help("`raw` may hold http.middlewares, http.serversTransports, the same of tcp, and tls")
}
