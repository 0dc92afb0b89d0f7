//! Routers that lead to an application's program past every host that is declared for it.

use std::collections::BTreeSet;

use super::backend::addresses;
use super::finding::Finding;
use super::router::Router;
use super::routers::{Facts, TOPIC, open};
use super::rule::Share;
use super::site::Site;

/// Says which routers lead to where the guarded routers of `host` lead, without the middleware and
/// for other hosts. Those that take requests for declared hosts are looked at by themselves.
pub fn judge(facts: &Facts, site: &Site, host: &str) -> Vec<Finding> {
    let ends = ends(facts, site, host);
    let told: Vec<&str> = open(facts, host).iter().map(|router| router.name.as_str()).collect();
    let open = facts.routers.iter().filter(|router| {
        router.is_enabled()
            && !router.is_own_path()
            && !router.is_guarded(&facts.middlewares)
            && !router.is_redirect(&facts.middlewares)
    });
    open.filter(|router| !told.contains(&router.name.as_str()) && !is_declared(facts, router))
        .filter(|router| !behind(facts, router).is_disjoint(&ends))
        .map(|router| finding(facts, site, router))
        .collect()
}

/// Where the application is: as it is declared, and as its guarded routers say.
fn ends(facts: &Facts, site: &Site, host: &str) -> BTreeSet<String> {
    let guarded = facts.routers.iter().filter(|router| {
        router.rule().share(host) != Share::Nothing && router.is_guarded(&facts.middlewares)
    });
    guarded.flat_map(|router| behind(facts, router)).chain(site.to.clone()).collect()
}

fn behind(facts: &Facts, router: &Router) -> BTreeSet<String> {
    addresses(&facts.services, &router.full_name(&router.service))
}

fn is_declared(facts: &Facts, router: &Router) -> bool {
    let rule = router.rule();
    let known = |name: &str| name == facts.sign_in || facts.sites.iter().any(|site| site.has(name));
    !rule.takes_any_host() && rule.names().next().is_some() && rule.names().all(known)
}

fn finding(facts: &Facts, site: &Site, router: &Router) -> Finding {
    let rule = router.rule();
    let partly = rule.is_narrowed() && site.open_paths;
    let finding = if rule.takes_any_host() {
        let what = format!(
            "{} is reached without the middleware under any host name (router {})",
            site.app, router.name
        );
        match partly {
            true => Finding::warning(TOPIC, what)
                .why("right only if these are the paths that are declared open"),
            false => Finding::error(TOPIC, what).why(format!(
                "its rule {} names no host: whoever sends another `Host` is not asked by Doorward",
                router.rule
            )),
        }
    } else {
        let what = format!(
            "the router {} leads to {} under a host that is not declared",
            router.name, site.app
        );
        Finding::warning(TOPIC, what).why(format!(
            "its rule is {}; right only if another program answers there",
            router.rule
        ))
    };
    finding.at(&site.place).change(router.guarding_line(&facts.middleware))
}
