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
        router.rule.share(host) != Share::Nothing && router.is_guarded(&facts.middlewares)
    });
    guarded.flat_map(|router| behind(facts, router)).chain(site.to.clone()).collect()
}

fn behind(facts: &Facts, router: &Router) -> BTreeSet<String> {
    addresses(&facts.services, &router.full_name(&router.service))
}

/// Whether it takes requests for declared hosts alone. Of the sign-in host it may take everything,
/// which is then the sign-in itself.
fn is_declared(facts: &Facts, router: &Router) -> bool {
    let rule = &router.rule;
    let known = |name: &str| {
        facts.sites.iter().any(|site| site.has(name))
            || (name == facts.sign_in && rule.share(name) == Share::Whole)
    };
    !rule.takes_any_host() && rule.names().next().is_some() && rule.names().all(known)
}

fn finding(facts: &Facts, site: &Site, router: &Router) -> Finding {
    let rule = &router.rule;
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
                rule.as_str()
            )),
        }
    } else {
        let what = format!(
            "the router {} leads to {} under a host that is not declared for it",
            router.name, site.app
        );
        Finding::warning(TOPIC, what).why(format!(
            "its rule is {}; right only if another program answers there",
            rule.as_str()
        ))
    };
    finding.at(&site.place).change(router.guarding_line(&facts.middleware))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::super::router::Router;
    use super::super::sample_routers::{WIKI, bad, facts, router};

    #[test]
    fn a_router_past_the_host_to_the_same_program_is_a_side_door() {
        let wiki = router("wiki@file", WIKI, &["doorward"]);
        let levels = |side: Router| {
            let found = bad(&facts(vec![wiki.clone(), side]));
            found.iter().map(|each| (each.level, each.what.clone())).collect::<Vec<_>>()
        };
        let side = |rule: &str| router("side@file", rule, &[]);
        let any = "wiki is reached without the middleware under any host name (router side@file)";
        for rule in ["PathPrefix(`/`)", "PathPrefix(`/api`)", "HostRegexp(`.+`)"] {
            assert_eq!(levels(side(rule)), [(Level::Error, any.to_owned())], "{rule}");
        }
        let other = "the router side@file leads to wiki under a host that is not declared for it";
        assert_eq!(levels(side("Host(`w.lan`)")), [(Level::Warning, other.to_owned())]);
        let elsewhere = Router { service: "y".into(), ..side("PathPrefix(`/api`)") };
        assert_eq!(levels(elsewhere), []);
        let guarded = Router { middlewares: vec!["doorward".into()], ..side("PathPrefix(`/`)") };
        assert_eq!(levels(guarded), []);
        assert_eq!(levels(side("Host(`auth.example.com`)")), [], "the sign-in itself");
        let below = side("Host(`auth.example.com`) && PathPrefix(`/wiki`)");
        assert_eq!(levels(below), [(Level::Warning, other.to_owned())]);
        let on_top = Router { priority: 1000, ..side("PathPrefix(`/`)") };
        assert_eq!(levels(on_top).len(), 1, "said once");
    }
}
