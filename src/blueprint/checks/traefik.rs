//! What is written for Traefik is code (`security.md` R2).

use std::collections::BTreeMap;

use super::View;
use super::headers::{is_identity, is_refused};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::schema::{ROOT, visit};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;
use crate::blueprint::validate::{text_of, with_origin};

/// The name of the middleware unless `forward-auth` gives another.
const FORWARD_AUTH: &str = "doorward";

/// Top-level nodes whose text ends up in the generated file.
const EMITTING: [&str; 4] = ["traefik", "app", "settings", "server"];

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    templates(view, out);
    middlewares(view, out);
    for app in &view.blueprint.apps {
        let routed = app.proxies.iter().any(|proxy| proxy.to.is_some());
        let forward_auth = forward_auth(view);
        for name in &app.middlewares {
            let plain = name.value.split('@').next().unwrap_or("");
            if plain == forward_auth {
                let diagnostic = Diagnostic::error(
                    "blueprint::forward-auth-twice",
                    format!("`{}` is the login itself", name.value),
                )
                .at(name.span, "added to every app already")
                .help("leave it out");
                view.report(out, Kind::App, &app.slug.value, diagnostic);
            }
        }
        if let Some(first) = app.middlewares.first().filter(|_| !routed) {
            let diagnostic = Diagnostic::warning(
                "blueprint::middlewares-without-router",
                "no router is written for this app",
            )
            .at(first.span, "has no effect")
            .help("add to=\"http://…\" to its `proxy`");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
        let to = app.proxies.iter().filter_map(|proxy| proxy.to.as_ref()).next();
        if let Some(to) = to.filter(|_| !view.nodes.iter().any(|node| node.is("traefik"))) {
            let diagnostic =
                Diagnostic::advice("blueprint::to-without-traefik", "`to=` without `traefik`")
                    .at(to.span, "no router is written")
                    .help("add `traefik { … }`, or leave `to=` out");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
}

fn forward_auth<'a>(view: &View<'a>) -> &'a str {
    let traefik = view.blueprint.traefik.as_ref();
    traefik.and_then(|each| each.forward_auth.as_ref()).map_or(FORWARD_AUTH, |name| &name.value)
}

/// Traefik runs its files through Go templates, which can read its environment.
fn templates(view: &View<'_>, out: &mut Diagnostics) {
    let emitted: Vec<&Node> =
        view.nodes.iter().filter(|node| EMITTING.contains(&node.name.text.as_str())).collect();
    for node in emitted {
        visit(std::slice::from_ref(node), &ROOT, &mut |place| {
            let Some(text) = text_of(place.value) else { return };
            let secret = place.want.is_secret();
            let Some(at) = text.find("{{").filter(|_| !secret) else { return };
            let source = view.sources.text(place.value.span.file);
            let diagnostic = Diagnostic::error(
                "blueprint::template-in-traefik",
                "`{{` would be run by Traefik as a template",
            )
            .at(place.value.part(source, at..at + 2), "could read the environment of Traefik")
            .help("write the value itself");
            out.push(with_origin(diagnostic, place.node));
        });
    }
}

fn middlewares(view: &View<'_>, out: &mut Diagnostics) {
    let Some(traefik) = view.all("traefik").next() else { return };
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for node in traefik.kids_named("middleware") {
        let Some((name, span)) =
            node.args.first().and_then(|value| Some((text_of(value)?.into_owned(), value.span)))
        else {
            continue;
        };
        if name == forward_auth(view) {
            out.push(with_origin(
                Diagnostic::error(
                    "blueprint::declared-twice",
                    format!("`{name}` is the name of the login's own middleware"),
                )
                .at(span, "taken")
                .help("pick another name, or another one for `forward-auth`"),
                node,
            ));
        }
        if let Some(earlier) = seen.insert(name.clone(), span) {
            out.push(with_origin(
                Diagnostic::error(
                    "blueprint::declared-twice",
                    format!("middleware `{name}` is declared twice"),
                )
                .at(span, "second declaration")
                .at(earlier, "first declared here")
                .help("pick another name, or delete one of the two"),
                node,
            ));
        }
        one_kind(node, out);
        header_names(node, out);
    }
    for node in traefik.kids_named("raw") {
        raw(view, node, out);
    }
}

fn one_kind(node: &Node, out: &mut Diagnostics) {
    const KINDS: [&str; 3] = ["headers", "ip-allow", "rate-limit"];
    let kinds = node.kids.iter().filter(|kid| KINDS.contains(&kid.name.text.as_str())).count();
    let unknown = node.kids.len() > kinds;
    if kinds == 1 || (kinds == 0 && unknown) {
        return;
    }
    let label = if kinds == 0 { "does nothing" } else { "does several things" };
    let diagnostic = Diagnostic::error("blueprint::middleware-kind", "a middleware does one thing")
        .at(node.head(), label)
        .help("it holds one of `headers`, `ip-allow` and `rate-limit`; `raw` takes the others");
    out.push(with_origin(diagnostic, node));
}

fn header_names(node: &Node, out: &mut Diagnostics) {
    for line in node.kids_named("headers").flat_map(|headers| &headers.kids) {
        let Some(value) = line.args.first() else { continue };
        let Some(name) = text_of(value) else { continue };
        let refused = match line.name.text.as_str() {
            "request" => is_refused(&name) || is_identity(&name),
            "response" => {
                let name = name.to_ascii_lowercase();
                ["set-cookie", "connection", "transfer-encoding", "content-length", "location"]
                    .contains(&name.as_str())
            }
            _ => false,
        };
        if refused {
            let diagnostic = Diagnostic::error(
                "blueprint::refused-header",
                format!("`{name}` cannot be set by a middleware"),
            )
            .at(value.span, "part of the login, or of how a request is read")
            .help("use a name of the application's own");
            out.push(with_origin(diagnostic, line));
        }
    }
}

/// Routers and services in raw YAML could answer for our own host.
fn raw(view: &View<'_>, node: &Node, out: &mut Diagnostics) {
    let Some(value) = node.args.first() else { return };
    let Some(text) = text_of(value) else { return };
    let source = view.sources.text(value.span.file);
    if view.mode.allow_raw_routers {
        return;
    }
    if let Some(range) = escaped(&text) {
        let diagnostic =
            Diagnostic::error("blueprint::raw-escape", "escapes are not allowed in `raw`")
                .at(value.part(source, range), "could hide the name of a router")
                .help("write the letters themselves");
        out.push(with_origin(diagnostic, node));
    }
    for word in ["routers", "services"] {
        let Some(at) = key(&text, word) else { continue };
        let diagnostic = Diagnostic::error(
            "blueprint::raw-routers",
            format!("`raw` declares {word}"),
        )
        .at(value.part(source, at..at + word.len()), "could answer for the sign-in host")
        .help("`raw` holds middlewares, serversTransports and tls; `doorward serve --allow-raw-routers` on the host allows the rest");
        out.push(with_origin(diagnostic, node));
    }
}

/// Where a word stands as a key of YAML, in any case and with any quotes.
fn key(text: &str, word: &str) -> Option<usize> {
    let folded = text.to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    folded.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = folded.get(..*at).and_then(|before| before.chars().last());
        let after = folded.get(at + word.len()..).unwrap_or("");
        let after = after.trim_start_matches(['"', '\'']).trim_start();
        !before.is_some_and(plain) && after.starts_with(':')
    })
}

/// Escapes in quoted YAML, and explicit keys, which could spell a word unseen.
fn escaped(text: &str) -> Option<std::ops::Range<usize>> {
    let escape = ["\\x", "\\u", "\\U"].iter().find_map(|mark| text.find(mark));
    escape.map(|at| at..at + 2)
}
