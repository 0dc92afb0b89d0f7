//! Visits an application without a session, as a browser and as `curl` would, and judges the answer.

use super::Case;
use super::ask::{Answer, AskError, Asker};
use super::finding::Finding;
use crate::access::path::{Strictness, canonical};
use crate::blueprint::app::{App, Proxy, Reach};
use crate::forward_auth::handover::START;
use crate::model::host::same_or_below;
use crate::model::web_url::WebUrl;

const TOPIC: &str = "visit";

type Asked = Result<Answer, AskError>;

/// What came back.
#[derive(Debug)]
pub struct Facts {
    pub url: String,
    pub host: String,
    pub app: String,
    pub place: String,
    /// The path needs no login.
    pub open: bool,
    /// Where people sign in.
    pub external: String,
    /// As a browser asks for a page.
    pub browser: Asked,
    /// As `curl` asks.
    pub plain: Asked,
    pub middleware: String,
}

pub(crate) async fn look(case: &Case<'_>, asker: &Asker, url: Option<&WebUrl>) -> Vec<Finding> {
    let Some(url) = url else { return Vec::new() };
    let external =
        case.places.addressing.public(&case.blueprint.settings.external_host.value.origin());
    if url.host() == external.host {
        // The examination of the sign-in host has asked there already.
        return Vec::new();
    }
    let declared = case.places.addressing.declared(url.host());
    let Some((app, proxy)) = find(&case.blueprint.apps, declared) else {
        return vec![unknown(url.host(), declared)];
    };
    let page =
        [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let (browser, plain) =
        tokio::join!(asker.get(url.as_str(), &page), asker.get(url.as_str(), &[("accept", "*/*")]));
    let middleware =
        case.blueprint.traefik.as_ref().and_then(|traefik| traefik.forward_auth.as_ref());
    judge(&Facts {
        url: url.as_str().to_owned(),
        host: declared.to_owned(),
        app: app.slug.value.clone(),
        place: case.place(proxy.at),
        open: is_open(proxy, url.path()),
        external: external.to_string(),
        browser,
        plain,
        middleware: middleware.map_or("doorward".to_owned(), |name| name.value.clone()),
    })
}

/// The app of a host: its own address first, then the longest domain.
fn find<'a>(apps: &'a [App], host: &str) -> Option<(&'a App, &'a Proxy)> {
    let all = || apps.iter().flat_map(|app| app.proxies.iter().map(move |proxy| (app, proxy)));
    let exact = all()
        .find(|(_, proxy)| matches!(&proxy.reach, Reach::Address(url) if url.value.host() == host));
    exact.or_else(|| {
        all()
            .filter_map(|each| Some((domain_of(each.1, host)?, each)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, each)| each)
    })
}

fn domain_of(proxy: &Proxy, host: &str) -> Option<usize> {
    let Reach::Domain { domain, .. } = &proxy.reach else { return None };
    let domain = domain.value.as_str();
    same_or_below(host, domain).then_some(domain.len())
}

fn is_open(proxy: &Proxy, path: &str) -> bool {
    let Ok(path) = canonical(path, Strictness::Strict) else { return false };
    let for_get =
        |methods: &[String]| methods.is_empty() || methods.iter().any(|method| method == "GET");
    let bypassed = proxy.bypass.iter().any(|bypass| {
        for_get(&bypass.methods) && bypass.paths.iter().any(|glob| glob.value.matches(&path))
    });
    let guarded = proxy.protect_only.is_empty()
        || proxy.protect_only.iter().any(|glob| glob.value.matches_folded(&path));
    bypassed || !guarded
}

fn unknown(host: &str, declared: &str) -> Finding {
    let slug = declared.split('.').next().unwrap_or(declared);
    Finding::error(TOPIC, format!("no app is declared for {host}"))
        .why("a proxy that asks about it is told 404")
        .change(format!("app {slug} {{\n    proxy \"https://{declared}\"\n    access {{\n        allow group:…\n    }}\n}}"))
}

/// Says what the answers mean.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    match &facts.browser {
        Err(error) => vec![
            Finding::error(TOPIC, format!("{} gives no answer from here", facts.url))
                .why(error.to_string())
                .at(&facts.place)
                .change(format!(
                    "{}. IN A 203.0.113.7   ; the address of your Traefik, if the name is new",
                    facts.host
                )),
        ],
        Ok(answer) => {
            let page = browser(facts, answer).at(&facts.place);
            let fine = page.level == super::finding::Level::Ok;
            let plain = facts.plain.as_ref().ok().filter(|_| fine && !facts.open);
            [Some(page), plain.and_then(|answer| curl(facts, answer))]
                .into_iter()
                .flatten()
                .collect()
        }
    }
}

fn browser(facts: &Facts, answer: &Answer) -> Finding {
    let (url, app) = (&facts.url, &facts.app);
    let location = answer.location.as_deref().unwrap_or("");
    match answer.status {
        300..=399 if is_login(facts, location) => match facts.open {
            false => Finding::ok(TOPIC, format!("{url} (app {app}) sends visitors to sign in")),
            true => Finding::warning(TOPIC, format!("{url} sends visitors to sign in, though the path is declared open"))
                .why("the files in force may be older than these")
                .change("doorward reload --wait"),
        },
        300..=399 if is_itself(url, location) => Finding::error(TOPIC, format!("{url} redirects to itself"))
            .why("the application and the proxy want different schemes or hosts of each other")
            .change("tell the application its address and that TLS ends before it; see docs/traefik.md"),
        300..=399 if is_upgrade(url, location) => Finding::ok(TOPIC, format!("{url} redirects to https"))
            .change(format!("doorward doctor {location}")),
        status if facts.open => Finding::ok(TOPIC, format!("{url} (app {app}) needs no login, and gave {status}")),
        401 => Finding::warning(TOPIC, format!("{url} gives a browser 401 instead of the sign-in page"))
            .why("the proxy passes no `Accept` or `Sec-Fetch-Mode`, or it is nginx without its error page")
            .change(format!("doorward snippet nginx app:{app}")),
        403 => Finding::error(TOPIC, format!("{url} is refused before anybody is asked to sign in (403)"))
            .why(first_line(&answer.body, "the proxy may not be trusted"))
            .change("server {\n    trusted-proxies \"10.0.20.2\"   // the address that Traefik comes from\n}"),
        404 => Finding::error(TOPIC, format!("{url} is not found (404)"))
            .why("Traefik has no router for this host, or the server in force knows no app for it")
            .change("doorward doctor --traefik-api http://127.0.0.1:8080"),
        500..=599 => Finding::error(TOPIC, format!("{url} gave {}", answer.status))
            .why(first_line(&answer.body, "the proxy reaches neither Doorward nor the application"))
            .change("doorward status"),
        status => Finding::error(TOPIC, format!("{url} answers without a login ({status})"))
            .why(format!("the router of {app} lacks the middleware: everybody gets in"))
            .change(format!("middlewares: [\"{}@file\"]   # on the router with Host(`{}`)", facts.middleware, facts.host)),
    }
}

fn curl(facts: &Facts, answer: &Answer) -> Option<Finding> {
    (answer.status != 401).then(|| {
        Finding::warning(TOPIC, format!("{} gives programs {} instead of 401", facts.url, answer.status))
            .why("scripts and apps on phones take a redirect for content; the middleware may pass too few headers")
            .at(&facts.place)
            .change("authRequestHeaders: []   # none: then Traefik passes all of them")
    })
}

fn is_login(facts: &Facts, location: &str) -> bool {
    let start = location.strip_prefix(&facts.external).is_some_and(|path| path.starts_with(START));
    // Through the proxies that know no redirect the login begins on the app's own host.
    start || location.contains("/.doorward/start?")
}

fn is_itself(url: &str, location: &str) -> bool {
    let same = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    same(url) == same(location)
}

fn is_upgrade(url: &str, location: &str) -> bool {
    let insecure = url.strip_prefix("http://");
    let secure = location.strip_prefix("https://");
    insecure.zip(secure).is_some_and(|(from, to)| {
        let host = |text: &str| text.split(['/', ':']).next().unwrap_or("").to_owned();
        host(from) == host(to)
    })
}

fn first_line(body: &str, otherwise: &str) -> String {
    let line = body.lines().next().unwrap_or("").trim();
    let readable = !line.is_empty() && !line.starts_with('<');
    if readable { line.chars().take(200).collect() } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;
    use crate::app::doctor::sample::Sample;

    fn answer(status: u16, location: &str) -> Asked {
        let location = Some(location.to_owned()).filter(|location| !location.is_empty());
        Ok(Answer { status, location, ..Answer::default() })
    }

    fn facts(browser: Asked) -> Facts {
        Facts {
            url: "https://wiki.example.com/".into(),
            host: "wiki.example.com".into(),
            app: "wiki".into(),
            place: "wiki.kdl:2".into(),
            open: false,
            external: "https://auth.example.com".into(),
            browser,
            plain: answer(401, ""),
            middleware: "doorward".into(),
        }
    }

    fn levels(facts: &Facts) -> Vec<Level> {
        judge(facts).iter().map(|each| each.level).collect()
    }

    const LOGIN: &str = "https://auth.example.com/forward-auth/start?app=wiki";

    #[test]
    fn a_redirect_to_the_login_is_right() {
        assert_eq!(levels(&facts(answer(302, LOGIN))), [Level::Ok]);
    }

    #[test]
    fn content_without_a_login_is_an_error_unless_the_path_is_open() {
        let found = judge(&facts(answer(200, "")));
        assert_eq!(found[0].level, Level::Error);
        assert!(found[0].change.as_deref().is_some_and(|line| line.contains("doorward@file")));
        assert_eq!(levels(&Facts { open: true, ..facts(answer(200, "")) }), [Level::Ok]);
    }

    #[test]
    fn loops_unknown_hosts_and_refused_proxies_are_told_apart() {
        let what = |asked| judge(&facts(asked)).swap_remove(0).what;
        assert!(what(answer(302, "https://wiki.example.com")).ends_with("redirects to itself"));
        assert!(what(answer(404, "")).ends_with("is not found (404)"));
        assert!(what(answer(403, "")).contains("is refused before"));
        assert!(what(answer(302, "https://elsewhere.example.com/")).contains("without a login"));
    }

    #[test]
    fn a_program_that_is_redirected_is_a_warning() {
        let found = Facts { plain: answer(302, LOGIN), ..facts(answer(302, LOGIN)) };
        assert_eq!(levels(&found), [Level::Ok, Level::Warning]);
    }

    #[test]
    fn http_leads_to_https_on_the_same_host_only() {
        assert!(is_upgrade("http://a.example/x", "https://a.example/x"));
        assert!(!is_upgrade("http://a.example/x", "https://b.example/x"));
        assert!(!is_upgrade("https://a.example/x", "https://a.example/x"));
    }

    #[test]
    fn the_app_and_its_open_paths_are_found_in_the_files() {
        let app = "app wiki { proxy \"https://wiki.example.com\" { bypass \"/public/*\" reason=\"pictures\"; }; \
                   access { allow group:admins; }; }";
        let sample = Sample::home(
            "trusted-proxies \"127.0.0.1\"",
            "reach-doorward-at \"http://127.0.0.1:9000\"",
            app,
        );
        let case = sample.case();
        let (found, proxy) = find(&case.blueprint.apps, "wiki.example.com").expect("the app");
        assert_eq!(found.slug.value, "wiki");
        assert!(
            is_open(proxy, "/public/x.png")
                && !is_open(proxy, "/")
                && !is_open(proxy, "/public/../x")
        );
        assert!(find(&case.blueprint.apps, "other.example.com").is_none());
    }
}
