//! Routers and middlewares as Traefik itself tells them: is every application behind the
//! middleware, and the sign-in host not?

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use super::ask::{AskError, Asker};
use super::backend::Services;
use super::finding::Finding;
use super::router::{Middlewares, Router};
use super::rule::Share;
use super::side_door;
use super::site::Site;
use super::traefik_api::{by_name, list};
use crate::model::web_url::WebUrl;

pub(super) const TOPIC: &str = "traefik";

/// What Traefik says and what is declared.
#[derive(Debug, Default)]
pub struct Facts {
    pub routers: Vec<Router>,
    pub middlewares: Middlewares,
    pub services: Services,
    pub sites: Vec<Site>,
    pub sign_in: String,
    /// How our middleware is named in the file, without provider.
    pub middleware: String,
}

pub(crate) async fn look(case: &Case<'_>, asker: &Asker, api: Option<&WebUrl>) -> Vec<Finding> {
    let Some(api) = api else { return Vec::new() };
    let asked = tokio::try_join!(
        list(asker, api, "routers"),
        list(asker, api, "middlewares"),
        list(asker, api, "services"),
    );
    let (routers, middlewares, services) = match asked {
        Ok(lists) => lists,
        Err(error) => return vec![silent(api, &error)],
    };
    let public = |url: &WebUrl| case.places.addressing.public(&url.origin()).host;
    let declared =
        case.blueprint.traefik.as_ref().and_then(|traefik| traefik.forward_auth.as_ref());
    judge(&Facts {
        routers: routers.into_iter().filter_map(|each| serde_json::from_value(each).ok()).collect(),
        middlewares: by_name(middlewares),
        services: by_name(services),
        sites: Site::all(case),
        sign_in: public(&case.blueprint.settings.external_host.value),
        middleware: declared.map_or("doorward".to_owned(), |name| name.value.clone()),
    })
}

fn silent(api: &WebUrl, error: &AskError) -> Finding {
    Finding::error(TOPIC, format!("Traefik's API at {} tells nothing", api.as_str()))
        .why(error.to_string())
        .change("# traefik.yml; on an address that only you can reach\napi:\n  insecure: true   # then: --traefik-api http://127.0.0.1:8080")
}

/// Says what the routers mean.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = broken(facts);
    found.extend(sign_in(facts));
    let mut guarded = 0_usize;
    for site in &facts.sites {
        for host in hosts(facts, site) {
            let mut bad = exposed(facts, site, &host);
            bad.extend(side_door::judge(facts, site, &host));
            guarded += usize::from(bad.is_empty());
            found.extend(bad.into_iter().filter(|each| !found.contains(each)).collect::<Vec<_>>());
            found.extend(own_path(facts, &host));
        }
    }
    if guarded > 0 {
        found.push(Finding::ok(
            TOPIC,
            format!("{guarded} application hosts stand behind the middleware"),
        ));
    }
    found
}

/// The hosts of a site: those it names, and those of routers that fall under its patterns.
fn hosts(facts: &Facts, site: &Site) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    for pattern in &site.hosts {
        if !pattern.as_str().starts_with("*.") {
            hosts.insert(pattern.as_str().to_owned());
            continue;
        }
        let routed = facts.routers.iter().flat_map(|router| router.rule.names());
        let routed = routed.map(str::to_owned);
        let routed = routed.filter(|host| pattern.matches(host) && *host != facts.sign_in);
        hosts.extend(routed.filter(|host| !named_elsewhere(facts, site, host)));
    }
    hosts
}

fn named_elsewhere(facts: &Facts, site: &Site, host: &str) -> bool {
    let others = facts.sites.iter().filter(|other| other.app != site.app);
    others.flat_map(|other| &other.hosts).any(|pattern| pattern.as_str() == host)
}

fn broken(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for router in facts.routers.iter().filter(|router| !router.is_enabled()) {
        let known = |host: &str| host == facts.sign_in || facts.sites.iter().any(|s| s.has(host));
        let ours = router.rule.names().any(known);
        let what = format!("Traefik has switched off the router {}", router.name);
        let finding =
            if ours { Finding::error(TOPIC, what) } else { Finding::warning(TOPIC, what) };
        found.push(finding.why(router.error.join("; ")).change(remedy_of(&router.error, facts)));
    }
    found
}

fn remedy_of(errors: &[String], facts: &Facts) -> String {
    let about_middleware = errors.iter().any(|error| error.contains("middleware"));
    match about_middleware {
        true => format!(
            "name the middleware with its provider: middlewares: [\"{}@file\"]",
            facts.middleware
        ),
        false => {
            "mend what Traefik says, in the file or label that declares this router".to_owned()
        }
    }
}

fn sign_in(facts: &Facts) -> Vec<Finding> {
    let doors = doors(facts, &facts.sign_in);
    if doors.is_empty() {
        let service = "service: doorward";
        return vec![
            Finding::warning(TOPIC, format!("no router of Traefik leads to {}", facts.sign_in))
                .why("people are sent there to sign in")
                .change(format!("rule: \"Host(`{}`)\"\n{service}", facts.sign_in)),
        ];
    }
    let winners = winners(&doors, &facts.sign_in);
    let looping = winners.iter().filter(|router| router.is_guarded(&facts.middlewares));
    let found = looping.map(|router| {
        Finding::error(TOPIC, format!("the sign-in host {} is behind the middleware (router {})", facts.sign_in, router.name))
            .why("the login would ask for a login: a redirect loop, or 404")
            .change(format!(
                "a router of its own above it, without middlewares:\nrule: \"Host(`{}`)\"\npriority: {}",
                facts.sign_in,
                router.priority().saturating_add(1)
            ))
    });
    let found: Vec<Finding> = found.collect();
    match winners.first().filter(|_| found.is_empty()) {
        Some(router) => {
            vec![Finding::ok(TOPIC, format!("{} is routed by {}", facts.sign_in, router.name))]
        }
        None => found,
    }
}

/// Routers that lead requests for this host to something.
fn doors<'a>(facts: &'a Facts, host: &str) -> Vec<&'a Router> {
    let open = facts.routers.iter().filter(|router| {
        router.is_enabled()
            && !router.is_internal()
            && !router.is_own_path()
            && router.rule.share(host) != Share::Nothing
    });
    open.filter(|router| !router.is_redirect(&facts.middlewares)).collect()
}

/// For each entry point the router that takes the plain requests.
fn winners<'a>(doors: &[&'a Router], host: &str) -> Vec<&'a Router> {
    let mut best: BTreeMap<&str, &Router> = BTreeMap::new();
    for router in doors.iter().filter(|router| router.rule.share(host) == Share::Whole) {
        for entry in &router.entry_points {
            let known = best.entry(entry).or_insert(router);
            if router.priority() > known.priority() {
                *known = router;
            }
        }
    }
    let mut names = BTreeSet::new();
    best.into_values().filter(|router| names.insert(router.name.clone())).collect()
}

fn exposed(facts: &Facts, site: &Site, host: &str) -> Vec<Finding> {
    let doors = doors(facts, host);
    if doors.is_empty() {
        return vec![
            Finding::warning(
                TOPIC,
                format!("no router of Traefik leads to {host} (app {})", site.app),
            )
            .at(&site.place)
            .change(format!(
                "rule: \"Host(`{host}`)\"\nmiddlewares: [\"{}@file\"]",
                facts.middleware
            )),
        ];
    }
    open(facts, host).into_iter().map(|router| unguarded(facts, site, host, router)).collect()
}

/// Of the routers that take requests for this host, those without the middleware.
pub(super) fn open<'a>(facts: &'a Facts, host: &str) -> Vec<&'a Router> {
    let doors = doors(facts, host);
    let narrow = doors.iter().copied().filter(|router| router.rule.share(host) == Share::Part);
    let taking = winners(&doors, host).into_iter().chain(narrow);
    taking.filter(|router| !router.is_guarded(&facts.middlewares)).collect()
}

fn unguarded(facts: &Facts, site: &Site, host: &str, router: &Router) -> Finding {
    let what = format!("{host} is reached without the middleware (router {})", router.name);
    let partly = router.rule.share(host) == Share::Part;
    let finding = match partly && site.open_paths {
        true => Finding::warning(TOPIC, what)
            .why("right only if these are the paths that are declared open"),
        false => Finding::error(TOPIC, what)
            .why(format!("nobody asks Doorward, so everybody gets into {}", site.app)),
    };
    finding.at(&site.place).change(router.guarding_line(&facts.middleware))
}

/// Our paths on an app's host must not be taken by the app's own router.
fn own_path(facts: &Facts, host: &str) -> Option<Finding> {
    let covers =
        |router: &&Router| router.is_enabled() && router.rule.share(host) != Share::Nothing;
    let own = facts.routers.iter().filter(covers).find(|router| router.is_own_path())?;
    let doors = doors(facts, host);
    let above = doors.iter().find(|router| {
        router.priority() >= own.priority()
            && router.entry_points.iter().any(|entry| own.entry_points.contains(entry))
    })?;
    Some(
        Finding::warning(TOPIC, format!("the router {} stands above {}", above.name, own.name))
            .why("requests for /.doorward/ go to the application instead; they still work through the middleware, and only through it")
            .change(format!("{}:\n  priority: {}", own.name, above.priority().saturating_add(1))),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::super::sample_routers::{WIKI, bad, facts, router};
    use super::*;

    #[test]
    fn a_router_behind_the_chain_is_fine() {
        let wiki = router("wiki@docker", WIKI, &["doorward@file"]);
        assert_eq!(bad(&facts(vec![wiki])), []);
    }

    #[test]
    fn a_router_without_the_middleware_is_an_error_with_its_label() {
        for middlewares in [&[][..], &["other@file"], &["doorward"]] {
            let found = bad(&facts(vec![router("wiki@docker", WIKI, middlewares)]));
            assert_eq!(found.len(), 1, "{middlewares:?}");
            let label = "labels:\n  - \"traefik.http.routers.wiki.middlewares=doorward@file\"";
            assert_eq!((found[0].level, found[0].change.as_deref()), (Level::Error, Some(label)));
        }
    }

    #[test]
    fn a_side_door_to_some_paths_is_found() {
        let side = "Host(`wiki.example.com`) && PathPrefix(`/api`)";
        let wiki = router("wiki@file", WIKI, &["doorward"]);
        let mut facts = facts(vec![wiki, router("api@file", side, &[])]);
        assert_eq!(bad(&facts).iter().map(|each| each.level).collect::<Vec<_>>(), [Level::Error]);
        facts.sites[0].open_paths = true;
        assert_eq!(bad(&facts).iter().map(|each| each.level).collect::<Vec<_>>(), [Level::Warning]);
    }

    #[test]
    fn only_the_router_that_wins_counts() {
        let all = router("all@file", "HostRegexp(`.*`)", &[]);
        let all = Router { service: "y".into(), ..all };
        let wiki = router("wiki@file", WIKI, &["doorward"]);
        assert_eq!(bad(&facts(vec![all.clone(), wiki.clone()])), []);
        let above = Router { priority: 1000, ..all };
        let found = bad(&facts(vec![above, wiki]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("all@file"));
    }

    #[test]
    fn a_sign_in_host_behind_the_middleware_is_a_loop() {
        let mut wild = router("wild@file", "HostRegexp(`.*`)", &["doorward"]);
        assert_eq!(bad(&facts(vec![wild.clone()])), [], "the exact router is longer than nothing");
        wild.priority = 1000;
        let found = bad(&facts(vec![wild]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].change.as_deref().is_some_and(|line| line.contains("priority: 1001")),
            "{found:?}"
        );
    }

    #[test]
    fn a_redirect_to_https_is_no_open_door() {
        let mut web = router("web@docker", WIKI, &["https"]);
        web.entry_points = vec!["web".to_owned()];
        assert_eq!(bad(&facts(vec![web, router("wiki@file", WIKI, &["doorward"])])), []);
    }

    #[test]
    fn a_router_that_is_switched_off_says_why() {
        let mut off = router("wiki@docker", WIKI, &["doorward"]);
        off.status = "disabled".into();
        off.error = vec!["middleware \"doorward@docker\" does not exist".into()];
        let found = bad(&facts(vec![off]));
        assert_eq!(found[0].level, Level::Error);
        assert_eq!(found[0].why.as_deref(), Some("middleware \"doorward@docker\" does not exist"));
        assert!(found[0].change.as_deref().is_some_and(|line| line.contains("doorward@file")));
    }

    #[test]
    fn our_paths_below_the_app_are_noticed() {
        let own = "Host(`wiki.example.com`) && (PathPrefix(`/.doorward/`))";
        let mut own = router("own@file", own, &[]);
        let mut wiki = router("wiki@file", WIKI, &["doorward"]);
        assert_eq!(bad(&facts(vec![own.clone(), wiki.clone()])), []);
        own.priority = 5;
        wiki.priority = 7;
        let found = bad(&facts(vec![own, wiki]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].change.as_deref(), Some("own@file:\n  priority: 8"));
    }
}
