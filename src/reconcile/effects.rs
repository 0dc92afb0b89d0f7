//! What a change does to the running server: to logins, sessions, routers and the process.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::FieldChange;
use super::generated;
use super::plan::{Change, Op};
use super::stored::Stored;
use crate::blueprint::Blueprint;
use crate::blueprint::app::Reach;
use crate::runtime::health::AwaitsRestart;

/// The consequences of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Flows that hold for new logins only, with the logins in progress that keep the old one.
    pub new_logins_only: Vec<(String, usize)>,
    /// What loses its sessions (`app vaultwarden`), and how many.
    pub sessions_ended: Vec<(String, usize)>,
    pub routers: Routers,
    /// Secrets that would be written to another file (`oidc.client-secret of app:gitea`), and the file.
    pub delivered: Vec<(String, String)>,
    /// What this process runs with and the files say otherwise: a restart takes it up.
    pub restart: Vec<AwaitsRestart>,
}

/// Routers of the reverse proxy, by count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routers {
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
    pub middlewares_changed: bool,
}

/// Works out the consequences of the changes.
#[must_use]
pub fn effects(
    before: Option<&Blueprint>,
    after: &Blueprint,
    changes: &[Change],
    stored: &Stored,
    restart: &[AwaitsRestart],
) -> Effects {
    Effects {
        new_logins_only: flows(changes, stored),
        sessions_ended: sessions(changes, stored),
        routers: routers(before, after),
        delivered: delivered(before, after),
        restart: restart.to_vec(),
    }
}

fn flows(changes: &[Change], stored: &Stored) -> Vec<(String, usize)> {
    let changed = changes.iter().filter(|change| change.kind == "flow" && change.op != Op::Add);
    let named = changed.map(|change| {
        let was = change.was.as_ref().unwrap_or(&change.slug);
        (change.slug.clone(), stored.logins.get(was).copied().unwrap_or(0))
    });
    named.collect()
}

fn sessions(changes: &[Change], stored: &Stored) -> Vec<(String, usize)> {
    let ended = changes.iter().filter(|change| ends_sessions(change));
    let counted = ended.map(|change| {
        let known = if change.kind == "app" { &stored.app_sessions } else { &stored.sessions };
        let count = change.uid.as_ref().and_then(|uid| known.get(uid)).copied().unwrap_or(0);
        (format!("{} {}", change.kind, change.slug), count)
    });
    counted.collect()
}

/// Removed apps and users, and users who are disabled.
fn ends_sessions(change: &Change) -> bool {
    let disabled = |field: &FieldChange| field.path == "disabled" && field.new.is_some();
    match change.kind.as_str() {
        "app" => change.op == Op::Remove,
        "user" => change.op == Op::Remove || change.fields.iter().any(disabled),
        _ => false,
    }
}

fn routers(before: Option<&Blueprint>, after: &Blueprint) -> Routers {
    let old = before.map(routes).unwrap_or_default();
    let new = routes(after);
    let count = |pick: &dyn Fn(&str) -> bool, of: &BTreeMap<String, String>| {
        of.keys().filter(|name| pick(name)).count()
    };
    Routers {
        added: count(&|name| !old.contains_key(name), &new),
        removed: count(&|name| !new.contains_key(name), &old),
        changed: count(&|name| old.get(name).is_some_and(|was| new.get(name) != Some(was)), &new),
        middlewares_changed: before.is_some_and(|before| middlewares(before) != middlewares(after)),
    }
}

fn delivered(before: Option<&Blueprint>, after: &Blueprint) -> Vec<(String, String)> {
    let old = before.map(deliveries).unwrap_or_default();
    deliveries(after).into_iter().filter(|each| !old.contains(each)).collect()
}

fn deliveries(blueprint: &Blueprint) -> Vec<(String, String)> {
    let wanted = generated::wanted(blueprint).into_iter();
    let named = wanted.filter_map(|secret| {
        Some((format!("{} of {}", secret.field, secret.owner.subject()), secret.deliver?))
    });
    named.collect()
}

/// Every address that a router is made for, with what the router says.
fn routes(blueprint: &Blueprint) -> BTreeMap<String, String> {
    if blueprint.traefik.is_none() {
        return BTreeMap::new();
    }
    let mut routes = BTreeMap::new();
    for app in &blueprint.apps {
        let chain: Vec<&str> = app.middlewares.iter().map(|name| name.value.as_str()).collect();
        for proxy in &app.proxies {
            let address = match &proxy.reach {
                Reach::Address(url) => url.value.as_str().to_owned(),
                Reach::Domain { domain, hosts } => {
                    let hosts: BTreeSet<&str> =
                        hosts.iter().map(|host| host.value.as_str()).collect();
                    format!("{} {hosts:?}", domain.value.as_str())
                }
            };
            let to = proxy.to.as_ref().map(|url| url.value.as_str());
            routes.insert(format!("{address} sign-in"), String::new());
            if let Some(to) = to {
                routes.insert(address, format!("{to} {chain:?}"));
            }
        }
    }
    routes
}

fn middlewares(blueprint: &Blueprint) -> BTreeMap<&str, String> {
    let all = blueprint.traefik.iter().flat_map(|traefik| &traefik.middlewares);
    all.map(|each| (each.name.value.as_str(), kind_text(&each.kind))).collect()
}

fn kind_text(kind: &crate::blueprint::traefik::MiddlewareKind) -> String {
    use crate::blueprint::traefik::MiddlewareKind;
    match kind {
        MiddlewareKind::Headers { request, response } => {
            let texts = |list: &[(crate::blueprint::source::Spanned<String>, String)]| {
                list.iter().map(|(name, value)| format!("{}={value:?}", name.value)).collect()
            };
            let (request, response): (Vec<String>, Vec<String>) = (texts(request), texts(response));
            format!("headers {request:?} {response:?}")
        }
        MiddlewareKind::IpAllow(networks) => {
            let networks: Vec<String> =
                networks.iter().map(|network| format!("{:?}", network.value)).collect();
            format!("ip-allow {networks:?}")
        }
        MiddlewareKind::RateLimit { average, burst } => format!("rate-limit {average} {burst:?}"),
    }
}
