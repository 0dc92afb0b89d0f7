//! What the files say about proxies and addresses, before anything is asked.

use super::Case;
use super::finding::Finding;
use crate::blueprint::app::Reach;
use crate::blueprint::source::Span;
use crate::model::host::is_localhost;
use crate::model::web_url::WebUrl;

const PROXIES: &str = "trusted-proxies";
const ADDRESSES: &str = "addresses";

/// Says what the files mean.
pub(crate) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut found = trusted(case);
    found.extend(reach(case));
    found.extend(schemes(case));
    found
}

/// `http://traefik-side-name:9000` as it is declared, with its place.
pub(crate) fn reach_at<'a>(case: &'a Case<'_>) -> Option<(&'a WebUrl, Span)> {
    let traefik = case.blueprint.traefik.as_ref()?;
    traefik.reach_doorward_at.as_ref().map(|url| (&url.value, url.span))
}

/// Whether a host is this machine as it calls itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn trusted(case: &Case<'_>) -> Vec<Finding> {
    let trusted = &case.blueprint.server.trusted_proxies;
    let Some(first) = trusted.first() else { return vec![nobody_trusted(case)] };
    let mut found = Vec::new();
    for everything in trusted.iter().filter(|network| network.value.is_everything()) {
        found.push(
            Finding::error(PROXIES, format!("{} trusts everybody as a proxy", everything.value))
                .why("anybody who reaches the listener may say which address they come from")
                .at(case.place(everything.span))
                .change("trusted-proxies \"10.0.20.2\"   // the address of Traefik alone"),
        );
    }
    let loopback = trusted.iter().all(|network| is_loopback_network(&network.value.to_string()));
    if let Some((reach, _)) = reach_at(case).filter(|(url, _)| loopback && !is_loopback(url.host()))
    {
        let host = reach.host();
        found.push(
            Finding::error(PROXIES, format!("only this machine is trusted, but Traefik comes to {host}"))
                .why("a request to that name comes from the address of Traefik (in Docker: of its network) and would be refused with 403")
                .at(case.place(first.span))
                .change("trusted-proxies \"172.18.0.0/16\"   // docker network inspect NAME tells the subnet"),
        );
    }
    if found.is_empty() {
        let list: Vec<String> = trusted.iter().map(|network| network.value.to_string()).collect();
        found.push(Finding::ok(PROXIES, format!("trusted proxies: {}", list.join(", "))));
    }
    found
}

fn nobody_trusted(case: &Case<'_>) -> Finding {
    if case.options.dev {
        return Finding::ok(PROXIES, "the development server trusts loopback alone");
    }
    let public = case.blueprint.traefik.is_some()
        || hosts(case).iter().any(|(url, _)| !is_localhost(url.host()));
    if !public {
        return Finding::ok(PROXIES, "no proxy is trusted, and none is needed for *.localhost");
    }
    let at = case.blueprint.server.at.map(|at| case.place(at));
    let address = match reach_at(case) {
        Some((reach, _)) if is_loopback(reach.host()) => "127.0.0.1",
        _ => "10.0.20.2",
    };
    let finding = Finding::error(PROXIES, "no proxy is trusted")
        .why("every question of a proxy is refused with 403")
        .change(format!("server {{\n    trusted-proxies \"{address}\"   // the address that Traefik comes from\n}}"));
    Finding { at, ..finding }
}

fn is_loopback_network(network: &str) -> bool {
    is_loopback(network.split('/').next().unwrap_or(network))
}

/// Whether Traefik can come in where it is told to.
fn reach(case: &Case<'_>) -> Option<Finding> {
    let (url, span) = reach_at(case)?;
    if is_loopback(url.host()) || !case.places.loopback_only() || case.options.dev {
        return None;
    }
    let port = url.port();
    let listen: Vec<String> = case.places.listen.iter().map(ToString::to_string).collect();
    Some(
        Finding::error(
            ADDRESSES,
            format!("Traefik is sent to {}, but the listener is {}", url.host(), listen.join(", ")),
        )
        .why("a loopback address is not reachable from another machine or container")
        .at(case.place(span))
        .change(format!("server {{\n    listen \"0.0.0.0:{port}\"\n}}")),
    )
}

fn schemes(case: &Case<'_>) -> Vec<Finding> {
    let external = &case.blueprint.settings.external_host;
    let place = case.place(external.span);
    let host = external.value.host();
    let mut found = Vec::new();
    if case.options.dev || is_localhost(host) {
        return found;
    }
    if !external.value.is_secure() {
        found.push(
            Finding::error(ADDRESSES, format!("people sign in at http://{host}"))
                .why("passwords and cookies travel in the clear, and browsers drop the protected cookies")
                .at(place.clone())
                .change(format!("external-host \"https://{host}\"")),
        );
    }
    for (url, span) in hosts(case) {
        if external.value.is_secure() && !url.is_secure() && !is_localhost(url.host()) {
            found.push(
                Finding::warning(ADDRESSES, format!("{} is declared with http, the sign-in host with https", url.host()))
                    .why("its session cookie goes without `Secure`: whoever listens on the way can take it")
                    .at(case.place(span))
                    .change(format!("proxy \"https://{}\"", url.host())),
            );
        }
    }
    if found.is_empty() {
        let count = hosts(case).len();
        let text = format!("{host} and {count} app addresses use https");
        found.push(Finding::ok(ADDRESSES, text).at(place));
    }
    found
}

fn hosts<'a>(case: &'a Case<'_>) -> Vec<(&'a WebUrl, Span)> {
    let proxies = case.blueprint.apps.iter().flat_map(|app| &app.proxies);
    let hosts = proxies.filter_map(|proxy| match &proxy.reach {
        Reach::Address(url) => Some((&url.value, url.span)),
        Reach::Domain { .. } => None,
    });
    hosts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;
    use crate::app::doctor::sample::Sample;

    const AT_HOME: &str = "reach-doorward-at \"http://127.0.0.1:9000\"";
    const APP: &str =
        "app wiki { proxy \"https://wiki.example.com\"; access { allow group:admins; }; }";

    fn bad(sample: &Sample) -> Vec<(Level, String)> {
        let found = judge(&sample.case()).into_iter().filter(|each| each.level != Level::Ok);
        found.map(|each| (each.level, each.change.unwrap_or_default())).collect()
    }

    #[test]
    fn a_tidy_home_is_fine() {
        let sample = Sample::home("trusted-proxies \"127.0.0.1\"", AT_HOME, APP);
        assert_eq!(bad(&sample), []);
    }

    #[test]
    fn without_a_trusted_proxy_the_line_to_add_is_named() {
        let found = bad(&Sample::home("listen \"127.0.0.1:9000\"", AT_HOME, APP));
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("trusted-proxies \"127.0.0.1\""), "{found:?}");
    }

    #[test]
    fn a_container_name_needs_a_network_and_a_listener_that_can_be_reached() {
        let reach = "reach-doorward-at \"http://doorward:9000\"";
        let found = bad(&Sample::home("trusted-proxies \"127.0.0.0/8\" \"::1\"", reach, APP));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].1.starts_with("trusted-proxies \"172.18.0.0/16\""), "{found:?}");
        assert!(found[1].1.contains("listen \"0.0.0.0:9000\""), "{found:?}");
        let server = "listen \"0.0.0.0:9000\"; trusted-proxies \"172.18.0.0/16\"";
        assert_eq!(bad(&Sample::home(server, reach, APP)), []);
    }

    #[test]
    fn an_app_without_tls_is_named_with_its_line() {
        let app = APP.replace("https", "http");
        let found = judge(&Sample::home("trusted-proxies \"127.0.0.1\"", AT_HOME, &app).case());
        let found: Vec<_> = found.iter().filter(|each| each.level == Level::Warning).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].at.as_deref(), Some("home.kdl:6"));
        assert_eq!(found[0].change.as_deref(), Some("proxy \"https://wiki.example.com\""));
    }
}
