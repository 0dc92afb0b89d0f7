//! Networks that take in everybody, and who may forward addresses (`security.md` 1).

use std::collections::BTreeSet;

use super::{View, has_proxy};
use crate::blueprint::app::Effect;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::schema::{ROOT, Want, visit};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;
use crate::blueprint::validate::text_of;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    trusted_proxies(view, out);
    let opening = opening_policies(view);
    for node in view.all("policy") {
        let slug = node.args.first().and_then(text_of).unwrap_or_default();
        if !opening.contains(slug.as_ref()) {
            continue;
        }
        for (text, span) in everywhere(node) {
            let diagnostic = Diagnostic::warning(
                "blueprint::network-everywhere",
                format!("`{text}` is every address"),
            )
            .at(span, "this condition always holds")
            .help("name the networks that you mean, or leave the condition out");
            out.push(super::with_origin(diagnostic, node));
        }
    }
}

/// The policies that an `allow` rests on.
fn opening_policies<'a>(view: &View<'a>) -> BTreeSet<&'a str> {
    let closure = view.policy_closure();
    let rules = view.blueprint.apps.iter().flat_map(|app| &app.access.rules);
    let allows = rules.filter(|rule| rule.effect == Effect::Allow);
    allows
        .flat_map(|rule| &rule.when)
        .filter_map(|name| closure.get(name.value.as_str()))
        .flatten()
        .copied()
        .collect()
}

fn everywhere(node: &Node) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    visit(std::slice::from_ref(node), &ROOT, &mut |place| {
        let Some(text) = text_of(place.value).filter(|_| place.want == Want::Network) else {
            return;
        };
        if text.parse::<ipnet::IpNet>().is_ok_and(|net| net.prefix_len() == 0) {
            found.push((text.into_owned(), place.value.span));
        }
    });
    found
}

fn trusted_proxies(view: &View<'_>, out: &mut Diagnostics) {
    for server in view.all("server") {
        for trusted in server.kids_named("trusted-proxies") {
            for value in &trusted.args {
                let net = text_of(value).and_then(|text| text.parse::<ipnet::IpNet>().ok());
                if net.is_some_and(|net| net.prefix_len() == 0) {
                    out.push(
                        Diagnostic::error(
                            "blueprint::trusts-everybody",
                            "every address would be trusted",
                        )
                        .at(value.span, "anybody could say which page they ask for, and from where")
                        .help("name the address of each reverse proxy"),
                    );
                }
            }
        }
    }
    let proxied = view.blueprint.apps.iter().any(has_proxy);
    let server = &view.blueprint.server;
    if !proxied || !server.trusted_proxies.is_empty() || view.mode.dev {
        return;
    }
    if view.all("server").any(|node| node.kid("trusted-proxies").is_some()) {
        return;
    }
    let place = server.at.unwrap_or(view.blueprint.settings.at);
    out.push(
        Diagnostic::warning("blueprint::no-trusted-proxies", "no reverse proxy is trusted")
            .at(place, "`trusted-proxies` is missing: every app behind a proxy would answer 403")
            .help("add for example\n    server { trusted-proxies \"127.0.0.1/32\" }"),
    );
}
