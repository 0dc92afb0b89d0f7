//! Settings beside each other: the sign-in host, listeners, sessions, looks, notifications.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::View;
use super::hosts::is_public_suffix;
use super::oidc::LONGEST_TOKEN;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::settings::DEFAULT_LISTEN;
use crate::blueprint::source::{Span, Spanned};
use crate::blueprint::tree::Node;
use crate::blueprint::validate::{text_of, with_origin};
use crate::model::web_url::SocketAddress;

/// The shortest time that a key signs.
const SHORTEST_ROTATION: Duration = Duration::from_secs(4 * 86_400);

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    external_host(view, out);
    sessions(view, out);
    tokens(view, out);
    listeners(view, out);
    tls_beside_http(view, out);
    brands(view, out);
    for node in view.all("notify") {
        one_of(node, &["webhook", "email"], "`notify` sends nothing anywhere", false, out);
    }
    for node in view.all("source") {
        one_of(node, &["oidc", "oauth2", "github"], "a source speaks one protocol", true, out);
    }
    runtime_objects(view, out);
}

fn external_host(view: &View<'_>, out: &mut Diagnostics) {
    let url = &view.blueprint.settings.external_host;
    let Some(host) = super::host_of(url.value.as_str()) else { return };
    if host.contains('.') && is_public_suffix(&host) {
        out.push(
            Diagnostic::error("blueprint::public-suffix", format!("`{host}` belongs to everybody"))
                .at(url.span, "browsers refuse cookies for it")
                .help("name a host that you own"),
        );
    }
}

fn sessions(view: &View<'_>, out: &mut Diagnostics) {
    let holders = view.all("settings").chain(view.all("app"));
    for node in holders.flat_map(|node| node.kids_named("session")) {
        let length = |name: &str| node.kid(name).and_then(crate::blueprint::decode::duration);
        if let (Some(idle), Some(absolute)) = (length("idle"), length("absolute"))
            && idle > absolute
        {
            let diagnostic =
                Diagnostic::error("blueprint::idle-longer", "`idle` is longer than `absolute`")
                    .at(node.name.span, "a session would never become idle")
                    .help("make `idle` the shorter of the two");
            out.push(with_origin(diagnostic, node));
        }
    }
}

/// What is in somebody's hands must not outlive the key that it is checked with, and everybody must have
/// the time to learn of a new key.
fn tokens(view: &View<'_>, out: &mut Diagnostics) {
    for node in view.all("settings").flat_map(|node| &node.kids) {
        let Some(lasts) = crate::blueprint::decode::duration(node) else { continue };
        let diagnostic = match node.name.text.as_str() {
            "default-token-lifetime" if lasts > LONGEST_TOKEN => {
                Diagnostic::error("blueprint::long-token", "a token lives for a day at most")
                    .at(
                        node.name.span,
                        "longer ones would outlive the key that they are checked with",
                    )
                    .help("use `refresh-token` for apps that go on for longer")
            }
            "key-rotation" if lasts < SHORTEST_ROTATION => Diagnostic::error(
                "blueprint::short-rotation",
                "a key signs for four days at least",
            )
            .at(node.name.span, "applications look for new keys once a day or so")
            .help("write `key-rotation days=90`; `doorward keys rotate` replaces one at any time"),
            _ => continue,
        };
        out.push(with_origin(diagnostic, node));
    }
}

fn listeners(view: &View<'_>, out: &mut Diagnostics) {
    let server = &view.blueprint.server;
    let ldap =
        view.blueprint.ldap.iter().flat_map(|ldap| ldap.listen.iter().chain(&ldap.listen_tls));
    let all = server.listen.iter().chain(&server.listen_envoy).chain(&server.metrics).chain(ldap);
    let mut seen: Vec<(SocketAddr, Option<Span>)> = Vec::new();
    if server.listen.is_empty() {
        seen.push((DEFAULT_LISTEN, None));
    }
    for address in all.filter(|address| address.value.get().port() != 0) {
        let at = address.value.get();
        if let Some((earlier, place)) = seen.iter().find(|(earlier, _)| overlap(*earlier, at)) {
            out.push(taken(address, *earlier, *place));
        }
        seen.push((at, Some(address.span)));
    }
}

/// The listener speaks TLS itself, and nothing beside it would come by plain HTTP.
fn tls_beside_http(view: &View<'_>, out: &mut Diagnostics) {
    let url = &view.blueprint.settings.external_host;
    let Some(tls) = view.blueprint.server.tls.as_ref().filter(|_| !view.mode.dev) else { return };
    if url.value.is_secure() {
        return;
    }
    out.push(
        Diagnostic::warning(
            "blueprint::tls-beside-http",
            "the listener speaks TLS, and browsers are sent to http",
        )
        .at(url.span, "links, cookies and redirects go here")
        .at(tls.cert.span, "a plain request gets no answer")
        .help(format!("external-host \"https://{}\"", url.value.host())),
    );
}

fn taken(address: &Spanned<SocketAddress>, earlier: SocketAddr, place: Option<Span>) -> Diagnostic {
    let message = format!("`{}` is listened on twice", address.value.get());
    let diagnostic =
        Diagnostic::error("blueprint::address-taken", message).at(address.span, "second one");
    match place {
        Some(place) => diagnostic.at(place, "first one").help("give each a port of its own"),
        None => diagnostic.help(format!(
            "Doorward itself listens on {earlier} unless `listen` says otherwise; give each a port \
             of its own"
        )),
    }
}

/// Whether one machine cannot have both: an address of all takes the port of each.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let takes =
        |all: IpAddr, each: IpAddr| all.is_unspecified() && (all.is_ipv6() || each.is_ipv4());
    one.port() == other.port()
        && (one.ip() == other.ip() || takes(one.ip(), other.ip()) || takes(other.ip(), one.ip()))
}

fn brands(view: &View<'_>, out: &mut Diagnostics) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for brand in &view.blueprint.brands {
        let domains: Vec<(String, Span)> = match brand.domains.as_slice() {
            [] => vec![(String::new(), brand.slug.span)],
            many => many.iter().map(|each| (each.value.to_lowercase(), each.span)).collect(),
        };
        for (domain, span) in domains {
            let message = match domain.as_str() {
                "" => "two brands are for every host".to_owned(),
                domain => format!("two brands are for `{domain}`"),
            };
            if let Some(earlier) = seen.insert(domain, span) {
                out.push(
                    Diagnostic::error("blueprint::brand-twice", message)
                        .at(span, "second one")
                        .at(earlier, "first one")
                        .help("a host has one look: give each brand a `domain` of its own"),
                );
            }
        }
    }
}

/// One of these children, or exactly one.
fn one_of(node: &Node, names: &[&str], message: &str, exactly: bool, out: &mut Diagnostics) {
    let given: Vec<&Node> =
        node.kids.iter().filter(|kid| names.contains(&kid.name.text.as_str())).collect();
    let words = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let diagnostic = Diagnostic::error("blueprint::one-of", message);
    match given.as_slice() {
        [] => {
            let diagnostic =
                diagnostic.at(node.head(), "none is given").help(format!("add one of {words}"));
            out.push(with_origin(diagnostic, node));
        }
        [first, second, ..] if exactly => {
            let diagnostic = diagnostic
                .at(second.name.span, "second one")
                .at(first.name.span, "first one")
                .help(format!("keep one of {words}"));
            out.push(with_origin(diagnostic, node));
        }
        _ => {}
    }
}

fn runtime_objects(view: &View<'_>, out: &mut Diagnostics) {
    for node in view.all("settings").flat_map(|node| node.kids_named("runtime-objects")) {
        for (at, value) in node.args.iter().enumerate() {
            let earlier = node.args.iter().take(at).find(|each| text_of(each) == text_of(value));
            if let Some(earlier) = earlier {
                out.push(
                    Diagnostic::error("blueprint::given-twice", "named twice")
                        .at(value.span, "second one")
                        .at(earlier.span, "first one")
                        .help("delete one of the two"),
                );
            }
        }
    }
}
