//! Routers and services: the sign-in host, and each app that says where it runs.

use serde_json::{Map, Value, json};
use url::Url;

use super::entries::{Entries, ROUTERS, SERVICES};
use super::middleware;
use super::rule::{self, HostRule};
use crate::blueprint::Blueprint;
use crate::blueprint::app::{App, Proxy, Reach};
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::source::Spanned;
use crate::blueprint::traefik::Traefik;
use crate::model::web_url::WebUrl;

/// Doorward's own router and service. Apps are called `app-…`.
const DOORWARD: &str = "doorward";

/// Above every router that is as important as its rule is long.
const SIGN_IN_PRIORITY: usize = 900_000;
const OWN_PATHS_PRIORITY: usize = 1_000_000;

/// Paths that Doorward owns on every app's host.
const OWN_PATHS: [&str; 2] = ["/.doorward/", "/outpost.goauthentik.io/"];
const OWN_PATHS_EXCEPT: [&str; 1] = ["/outpost.goauthentik.io/auth/"];

/// The decision endpoints. No public router leads to them (`security.md` R16).
const DECISION_PATHS: [&str; 3] = ["/auth/", "/outpost.goauthentik.io/auth/", "/api/authz/"];

/// Adds the router of the sign-in host, without the middleware and without decision endpoints.
pub fn add_sign_in(entries: &mut Entries, blueprint: &Blueprint, traefik: &Traefik, reach: &str) {
    let address = &blueprint.settings.external_host;
    let Some(url) = address_of(entries, address) else { return };
    let rule = rule::host(url.host_str().unwrap_or_default());
    let mut except = DECISION_PATHS.to_vec();
    // What Traefik pulls, it pulls from `reach-doorward-at`.
    except.extend(traefik.serve.as_ref().map(|serve| serve.path.value.as_str()));
    let text = rule::with_paths(&rule.text, &[], &except);
    let rule = HostRule { text, priority: SIGN_IN_PRIORITY, wildcard: None };
    let router = router(traefik, &rule, url.scheme(), DOORWARD, &[]);
    entries.add(ROUTERS, DOORWARD, router, address.span);
    entries.add(SERVICES, DOORWARD, service(reach), address.span);
}

/// Adds the routers and services of every app that has `to=`, apps by name.
pub fn add_apps(entries: &mut Entries, blueprint: &Blueprint, traefik: &Traefik) {
    let mut apps: Vec<&App> = blueprint.apps.iter().collect();
    apps.sort_by(|a, b| a.slug.value.cmp(&b.slug.value));
    for app in apps {
        let chain = chain(traefik, app);
        let mut number = 0;
        for proxy in &app.proxies {
            let Some(to) = &proxy.to else { continue };
            let Some(upstream) = upstream(entries, to) else { continue };
            let service_name = numbered(&app.slug.value, number + 1);
            for (rule, scheme) in hosts(entries, blueprint, proxy) {
                number += 1;
                let name = numbered(&app.slug.value, number);
                let own = own_paths(traefik, &rule, &scheme);
                entries.add(ROUTERS, &format!("{name}.doorward"), own, proxy.at);
                let router = router(traefik, &rule, &scheme, &service_name, &chain);
                entries.add(ROUTERS, &name, router, proxy.at);
            }
            entries.add(SERVICES, &service_name, service(&upstream), to.span);
        }
    }
}

/// `app-grafana`, and for its further hosts `app-grafana.2`.
fn numbered(slug: &str, number: usize) -> String {
    if number < 2 { format!("app-{slug}") } else { format!("app-{slug}.{number}") }
}

/// The middlewares of an app: first the one that asks, then its own in their order.
fn chain<'a>(traefik: &'a Traefik, app: &'a App) -> Vec<&'a str> {
    let own = app.middlewares.iter().map(|name| name.value.as_str());
    std::iter::once(middleware::name(traefik)).chain(own).collect()
}

/// What Doorward answers on an app's host even where the middleware is skipped.
fn own_paths(traefik: &Traefik, rule: &HostRule, scheme: &str) -> Value {
    let text = rule::with_paths(&rule.text, &OWN_PATHS, &OWN_PATHS_EXCEPT);
    let rule = HostRule { text, priority: OWN_PATHS_PRIORITY, wildcard: rule.wildcard.clone() };
    router(traefik, &rule, scheme, DOORWARD, &[])
}

/// One rule per host, since an exact host and a pattern differ in priority.
fn hosts(entries: &mut Entries, blueprint: &Blueprint, proxy: &Proxy) -> Vec<(HostRule, String)> {
    let rules = match &proxy.reach {
        Reach::Address(address) => {
            let rule = |url: Url| (rule::host(url.host_str().unwrap_or_default()), url);
            let found = address_of(entries, address).map(rule);
            return found.map(|(rule, url)| (rule, url.scheme().to_owned())).into_iter().collect();
        }
        Reach::Domain { domain, hosts } if hosts.is_empty() => {
            vec![rule::pattern(&format!("*.{}", domain.value.as_str()))]
        }
        Reach::Domain { hosts, .. } => {
            hosts.iter().map(|host| rule::pattern(host.value.as_str())).collect()
        }
    };
    // A domain names no scheme; its hosts are reached as the sign-in host is.
    let sign_in = blueprint.settings.external_host.value.as_str();
    let scheme = if sign_in.starts_with("http://") { "http" } else { "https" };
    rules.into_iter().map(|rule| (rule, scheme.to_owned())).collect()
}

fn router(
    traefik: &Traefik,
    rule: &HostRule,
    scheme: &str,
    service: &str,
    middlewares: &[&str],
) -> Value {
    let mut router = Map::new();
    router.insert("rule".to_owned(), rule.text.clone().into());
    router.insert("priority".to_owned(), rule.priority.into());
    let entry_points: Vec<&str> =
        traefik.entrypoints.iter().map(|name| name.value.as_str()).collect();
    if !entry_points.is_empty() {
        router.insert("entryPoints".to_owned(), entry_points.into());
    }
    if !middlewares.is_empty() {
        router.insert("middlewares".to_owned(), middlewares.into());
    }
    router.insert("service".to_owned(), service.into());
    // A router with `tls` answers encrypted requests alone.
    if let Some(tls) = traefik.tls.as_ref().filter(|_| scheme == "https") {
        let resolver = tls.resolver.as_ref().map(|name| name.value.as_str());
        router.insert("tls".to_owned(), certificate(resolver, rule.wildcard.as_deref()));
    }
    router.into()
}

/// Traefik reads the name for a certificate from a `Host` rule; a pattern has to tell it.
fn certificate(resolver: Option<&str>, wildcard: Option<&str>) -> Value {
    let mut tls = Map::new();
    if let Some(resolver) = resolver {
        tls.insert("certResolver".to_owned(), resolver.into());
        if let Some(wildcard) = wildcard {
            tls.insert("domains".to_owned(), json!([{ "main": wildcard }]));
        }
    }
    tls.into()
}

fn service(url: &str) -> Value {
    json!({ "loadBalancer": { "servers": [{ "url": url }] } })
}

/// Scheme, host and port of an upstream. Traefik would silently ignore anything further.
pub fn upstream(entries: &mut Entries, address: &Spanned<WebUrl>) -> Option<String> {
    let url = address_of(entries, address)?;
    let origin = url.origin().ascii_serialization();
    let rest = url.as_str().strip_prefix(&origin).unwrap_or(url.as_str());
    if matches!(rest, "" | "/") {
        return Some(origin);
    }
    let message = "an upstream is a scheme, a host and a port";
    entries.problem(
        Diagnostic::error("traefik::bad-upstream", message)
            .at(address.span, "Traefik ignores what follows them")
            .help(format!("write \"{origin}\"")),
    );
    None
}

fn address_of(entries: &mut Entries, address: &Spanned<WebUrl>) -> Option<Url> {
    let url = Url::parse(address.value.as_str()).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() {
        entries.problem(
            Diagnostic::error(
                "traefik::bad-address",
                "this is not the address of a web application",
            )
            .at(address.span, "begins with neither http:// nor https://")
            .help("write it like \"http://10.0.20.30:3000\""),
        );
    }
    url
}
