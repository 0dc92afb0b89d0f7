//! Routers and middlewares as Traefik itself tells them: is every application behind the
//! middleware, and the sign-in host not?

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::Case;
use super::ask::{AskError, Asker};
use super::finding::Finding;
use super::rule::Rule;
use crate::blueprint::app::{App, Proxy, Reach};
use crate::forward_auth::reader::Reader;
use crate::model::host::HostPattern;
use crate::model::web_url::WebUrl;

const TOPIC: &str = "traefik";

/// More pages than anybody has.
const MOST_PAGES: usize = 50;

/// Chains within chains are looked at this deep; Traefik refuses circles itself.
const DEEPEST: usize = 8;

/// One router, as Traefik's API tells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Router {
    pub name: String,
    pub provider: String,
    pub rule: String,
    pub priority: i64,
    pub entry_points: Vec<String>,
    pub middlewares: Vec<String>,
    pub service: String,
    pub status: String,
    pub error: Vec<String>,
}

/// The address of an application and what is declared for it.
#[derive(Clone, Debug)]
pub struct Site {
    pub app: String,
    pub hosts: Vec<HostPattern>,
    pub place: String,
    /// Some paths need no login, so a router of their own may do without the middleware.
    pub open_paths: bool,
}

/// What Traefik says and what is declared.
#[derive(Debug, Default)]
pub struct Facts {
    pub routers: Vec<Router>,
    /// By full name, such as `doorward@file`.
    pub middlewares: BTreeMap<String, Value>,
    pub sites: Vec<Site>,
    pub sign_in: String,
    /// How our middleware is named in the file, without provider.
    pub middleware: String,
}

pub(crate) async fn look(case: &Case<'_>, asker: &Asker, api: Option<&WebUrl>) -> Vec<Finding> {
    let Some(api) = api else { return Vec::new() };
    let asked = tokio::try_join!(
        list(asker, api, "api/http/routers"),
        list(asker, api, "api/http/middlewares"),
    );
    let (routers, middlewares) = match asked {
        Ok(lists) => lists,
        Err(error) => return vec![silent(api, &error)],
    };
    let named = middlewares.into_iter().filter_map(|each| {
        let name = each.get("name").and_then(Value::as_str)?.to_owned();
        Some((name, each))
    });
    let public = |url: &WebUrl| case.places.addressing.public(&url.origin()).host;
    let declared =
        case.blueprint.traefik.as_ref().and_then(|traefik| traefik.forward_auth.as_ref());
    judge(&Facts {
        routers: routers.into_iter().filter_map(|each| serde_json::from_value(each).ok()).collect(),
        middlewares: named.collect(),
        sites: case.blueprint.apps.iter().flat_map(|app| sites(case, app)).collect(),
        sign_in: public(&case.blueprint.settings.external_host.value),
        middleware: declared.map_or("doorward".to_owned(), |name| name.value.clone()),
    })
}

fn sites(case: &Case<'_>, app: &App) -> Vec<Site> {
    let site = |proxy: &Proxy| Site {
        app: app.slug.value.clone(),
        hosts: match &proxy.reach {
            Reach::Address(url) => HostPattern::parse(url.value.host()).into_iter().collect(),
            Reach::Domain { hosts, .. } => hosts.iter().map(|host| host.value.clone()).collect(),
        },
        place: case.place(proxy.at),
        open_paths: !proxy.bypass.is_empty() || !proxy.protect_only.is_empty(),
    };
    app.proxies.iter().map(site).collect()
}

async fn list(asker: &Asker, api: &WebUrl, path: &str) -> Result<Vec<Value>, AskError> {
    let base = api.as_str().trim_end_matches('/');
    let mut all = Vec::new();
    let mut page = "1".to_owned();
    for _ in 0..MOST_PAGES {
        let url = format!("{base}/{path}?per_page=100&page={page}");
        let answer = asker.get(&url, &[]).await?;
        if answer.status != 200 {
            return Err(AskError::Other(format!("/{path} gave {}", answer.status)));
        }
        let listed: Vec<Value> = serde_json::from_str(&answer.body)
            .map_err(|_| AskError::Other(format!("/{path} is not a list of Traefik's API")))?;
        all.extend(listed);
        // The last page names the first as its next.
        match answer.next_page {
            Some(next) if next != "1" && next != page => page = next,
            _ => break,
        }
    }
    Ok(all)
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
            let bad = exposed(facts, site, &host);
            guarded += usize::from(bad.is_empty());
            found.extend(bad);
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
        let routed = facts.routers.iter().flat_map(|router| Rule::of(&router.rule).hosts);
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
    for router in facts.routers.iter().filter(|router| router.status == "disabled") {
        let rule = Rule::of(&router.rule);
        let ours = rule.hosts.iter().any(|host| {
            *host == facts.sign_in
                || facts.sites.iter().flat_map(|site| &site.hosts).any(|p| p.matches(host))
        });
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
    let winners = winners(&doors);
    let looping = winners.iter().filter(|router| is_guarded(facts, router));
    let found = looping.map(|router| {
        Finding::error(TOPIC, format!("the sign-in host {} is behind the middleware (router {})", facts.sign_in, router.name))
            .why("the login would ask for a login: a redirect loop, or 404")
            .change(format!(
                "a router of its own above it, without middlewares:\nrule: \"Host(`{}`)\"\npriority: {}",
                facts.sign_in,
                priority(router).saturating_add(1)
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
        let rule = Rule::of(&router.rule);
        let elsewhere = rule.any_host && rule.narrowed;
        router.status != "disabled"
            && !elsewhere
            && rule.covers(host)
            && !is_redirect(facts, router)
    });
    open.filter(|router| !is_own_path(router) && router.service != "noop@internal").collect()
}

/// For each entry point the router that takes the plain requests.
fn winners<'a>(doors: &[&'a Router]) -> Vec<&'a Router> {
    let mut best: BTreeMap<&str, &Router> = BTreeMap::new();
    for router in doors.iter().filter(|router| !Rule::of(&router.rule).narrowed) {
        for entry in &router.entry_points {
            let known = best.entry(entry).or_insert(router);
            if priority(router) > priority(known) {
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
    let winners = winners(&doors);
    let narrow = doors.iter().copied().filter(|router| Rule::of(&router.rule).narrowed);
    let taking = winners.iter().copied().chain(narrow);
    let open = taking.filter(|router| !is_guarded(facts, router));
    open.map(|router| unguarded(facts, site, host, router)).collect()
}

fn unguarded(facts: &Facts, site: &Site, host: &str, router: &Router) -> Finding {
    let what = format!("{host} is reached without the middleware (router {})", router.name);
    let partly = Rule::of(&router.rule).narrowed;
    let finding = match partly && site.open_paths {
        true => Finding::warning(TOPIC, what)
            .why("right only if these are the paths that are declared open"),
        false => Finding::error(TOPIC, what)
            .why(format!("nobody asks Doorward, so everybody gets into {}", site.app)),
    };
    let bare = router.name.split('@').next().unwrap_or(&router.name);
    let line = match router.provider.as_str() {
        "docker" | "swarm" => format!(
            "labels:\n  - \"traefik.http.routers.{bare}.middlewares={}@file\"",
            facts.middleware
        ),
        _ => format!("{bare}:\n  middlewares: [\"{}@file\"]   # first of all", facts.middleware),
    };
    finding.at(&site.place).change(line)
}

/// Our paths on an app's host must not be taken by the app's own router.
fn own_path(facts: &Facts, host: &str) -> Option<Finding> {
    let covers =
        |router: &&Router| router.status != "disabled" && Rule::of(&router.rule).covers(host);
    let own = facts.routers.iter().filter(covers).find(|router| is_own_path(router))?;
    let doors = doors(facts, host);
    let above = doors.iter().find(|router| {
        priority(router) >= priority(own)
            && router.entry_points.iter().any(|entry| own.entry_points.contains(entry))
    })?;
    Some(
        Finding::warning(TOPIC, format!("the router {} stands above {}", above.name, own.name))
            .why("requests for /.doorward/ go to the application instead; they still work through the middleware, and only through it")
            .change(format!("{}:\n  priority: {}", own.name, priority(above).saturating_add(1))),
    )
}

fn is_own_path(router: &Router) -> bool {
    let rule = router.rule.replace("!PathPrefix(`/outpost.goauthentik.io/", "");
    rule.contains("PathPrefix(`/.doorward/")
        || rule.contains("PathPrefix(`/outpost.goauthentik.io/")
}

/// Traefik counts the letters of a rule where no priority is written.
fn priority(router: &Router) -> i64 {
    match router.priority {
        0 => i64::try_from(router.rule.len()).unwrap_or(i64::MAX),
        written => written,
    }
}

fn is_guarded(facts: &Facts, router: &Router) -> bool {
    reaches(facts, router, &asks_us)
}

fn is_redirect(facts: &Facts, router: &Router) -> bool {
    reaches(facts, router, &|middleware| {
        ["redirectScheme", "redirectRegex"].iter().any(|kind| middleware.get(kind).is_some())
    })
}

fn asks_us(middleware: &Value) -> bool {
    let address = middleware.pointer("/forwardAuth/address").and_then(Value::as_str);
    let url = address.and_then(|address| url::Url::parse(address).ok());
    url.is_some_and(|url| Reader::of_path(url.path()).is_some())
}

fn reaches(facts: &Facts, router: &Router, wanted: &dyn Fn(&Value) -> bool) -> bool {
    let names = router.middlewares.iter();
    names.into_iter().any(|name| leads(facts, name, &router.provider, wanted, 0))
}

fn leads(
    facts: &Facts,
    name: &str,
    provider: &str,
    wanted: &dyn Fn(&Value) -> bool,
    depth: usize,
) -> bool {
    let full = if name.contains('@') { name.to_owned() } else { format!("{name}@{provider}") };
    let Some(middleware) = facts.middlewares.get(&full).filter(|_| depth < DEEPEST) else {
        return false;
    };
    // Switched off, it guards nothing.
    if middleware.get("status").and_then(Value::as_str) == Some("disabled") {
        return false;
    }
    let provider = full.rsplit('@').next().unwrap_or(provider);
    let inner = middleware.pointer("/chain/middlewares").and_then(Value::as_array);
    let mut inner = inner.into_iter().flatten().filter_map(Value::as_str);
    wanted(middleware)
        || inner.any(|name| leads(facts, name, provider, wanted, depth.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;

    fn router(name: &str, rule: &str, middlewares: &[&str]) -> Router {
        Router {
            name: name.to_owned(),
            provider: name.rsplit('@').next().unwrap_or("file").to_owned(),
            rule: rule.to_owned(),
            entry_points: vec!["websecure".to_owned()],
            middlewares: middlewares.iter().map(ToString::to_string).collect(),
            service: "x".to_owned(),
            status: "enabled".to_owned(),
            ..Router::default()
        }
    }

    fn facts(routers: Vec<Router>) -> Facts {
        let middlewares = [
            ("doorward@file", serde_json::json!({ "chain": { "middlewares": ["doorward.ask"] } })),
            (
                "doorward.ask@file",
                serde_json::json!({ "forwardAuth": { "address": "http://d:9000/auth/traefik" } }),
            ),
            (
                "other@file",
                serde_json::json!({ "forwardAuth": { "address": "http://d:9000/verify" } }),
            ),
            ("https@docker", serde_json::json!({ "redirectScheme": { "scheme": "https" } })),
        ];
        let host = HostPattern::parse("wiki.example.com").expect("a host");
        let site = Site {
            app: "wiki".into(),
            hosts: vec![host],
            place: "wiki.kdl:2".into(),
            open_paths: false,
        };
        Facts {
            routers: [vec![router("auth@file", "Host(`auth.example.com`)", &[])], routers].concat(),
            middlewares: middlewares.map(|(name, value)| (name.to_owned(), value)).into(),
            sites: vec![site],
            sign_in: "auth.example.com".into(),
            middleware: "doorward".into(),
        }
    }

    fn bad(facts: &Facts) -> Vec<Finding> {
        judge(facts).into_iter().filter(|each| each.level != Level::Ok).collect()
    }

    const WIKI: &str = "Host(`wiki.example.com`)";

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
