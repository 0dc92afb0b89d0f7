//! The names under which an identity is told to applications (`forward-auth.md` 5).
//!
//! The front that answers proxies and the configuration of those proxies read the same lists, so no
//! name can be served and not protected. Values are not known here.

use crate::blueprint::Blueprint;
use crate::blueprint::app::{App, IdentityHeaders, Proxy};

/// The default set.
pub const REMOTE: [&str; 4] = ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"];

/// The set of people who come from authentik.
pub const AUTHENTIK: [&str; 12] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-entitlements",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-app",
    "X-authentik-meta-version",
];

/// Request headers that the application gets from our 2xx instead of from the client.
///
/// Proxies delete the client's own value, so a 2xx repeats what should pass: `Authorization` unless
/// we accepted it (`security.md` R15), `Cookie` less our own (R12), `X-Forwarded-Host` always,
/// because the Traefik file deletes it before it asks.
pub const REPEATED: [&str; 3] = ["Authorization", "Cookie", "X-Forwarded-Host"];

/// What a client may not send to us or to an application (`security.md` R1, R7).
///
/// Traefik 3.7.9 rebuilds the first three from the request that it routes (`forward.go`,
/// `writeHeader`), so they may be deleted before it asks.
pub const NOT_FROM_CLIENTS: [&str; 9] = [
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Uri",
    "X-HTTP-Method-Override",
    "X-Original-Host",
    "X-Original-Method",
    "X-Original-URI",
    "X-Original-URL",
    "X-Rewrite-URL",
];

/// The names of a set. `unsaid` is what the endpoint asked is known for.
#[must_use]
pub fn set(chosen: IdentityHeaders, unsaid: IdentityHeaders) -> &'static [&'static str] {
    match (chosen, unsaid) {
        (IdentityHeaders::None, _) | (IdentityHeaders::Unsaid, IdentityHeaders::None) => &[],
        (IdentityHeaders::Authentik, _) | (IdentityHeaders::Unsaid, IdentityHeaders::Authentik) => {
            &AUTHENTIK
        }
        (IdentityHeaders::Remote | IdentityHeaders::Unsaid, _) => &REMOTE,
    }
}

/// Every name that a 2xx for this address carries, empty when unknown: its set, then its own lines.
#[must_use]
pub fn names(proxy: &Proxy, unsaid: IdentityHeaders) -> Vec<String> {
    let mut names = Vec::new();
    add_names(&mut names, proxy, unsaid);
    names
}

/// The names of several addresses, each once.
#[must_use]
pub fn union<'a>(apps: impl IntoIterator<Item = &'a App>, unsaid: IdentityHeaders) -> Vec<String> {
    let mut names = Vec::new();
    for proxy in apps.into_iter().flat_map(|app| &app.proxies) {
        add_names(&mut names, proxy, unsaid);
    }
    names
}

/// The names of all addresses of a blueprint, sets first, in an order that files cannot change.
#[must_use]
pub fn of_blueprint(blueprint: &Blueprint) -> Vec<String> {
    let mut names = union(&blueprint.apps, IdentityHeaders::Remote);
    names.sort_by_key(|name| (rank(name), name.to_ascii_lowercase(), name.clone()));
    names
}

/// `Remote_User` for `Remote-User`; nothing for a name without a hyphen.
///
/// Servers in the manner of CGI read both as one variable (`security.md` row 2).
#[must_use]
pub fn alias(name: &str) -> Option<String> {
    name.contains('-').then(|| name.replace('-', "_"))
}

/// The aliases of several names, in their order.
#[must_use]
pub fn aliases<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    names.into_iter().filter_map(|name| alias(name)).collect()
}

/// Whether a server in the manner of CGI would take `received`, which has a `_`, for `name`.
#[must_use]
pub fn is_alias_of(received: &str, name: &str) -> bool {
    received.contains('_') && received.replace('_', "-").eq_ignore_ascii_case(name)
}

/// Why a `header` line may not bear this name; nothing if it may.
#[must_use]
pub fn objection(name: &str) -> Option<&'static str> {
    let token = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(token) {
        return Some("a header name begins with a letter and has only letters, digits and `-`");
    }
    let name = name.to_ascii_lowercase();
    let reserved = RESERVED.contains(&name.as_str())
        || RESERVED_BEGINNINGS.iter().any(|begin| name.starts_with(begin));
    reserved.then_some("this header belongs to the connection or to the proxy")
}

const RESERVED: [&str; 16] = [
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "location",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method-override",
    "x-real-ip",
    "x-rewrite-url",
];
const RESERVED_BEGINNINGS: [&str; 4] = ["proxy-", "sec-", "x-forwarded-", "x-original-"];

fn add_names(names: &mut Vec<String>, proxy: &Proxy, unsaid: IdentityHeaders) {
    let set = set(proxy.identity_headers, unsaid).iter().copied();
    let own = proxy.headers.iter().map(|line| line.name.value.as_str());
    for name in set.chain(own) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
}

fn rank(name: &str) -> usize {
    let set = REMOTE.iter().chain(&AUTHENTIK);
    set.clone().position(|known| *known == name).unwrap_or_else(|| set.count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy_config::fixture;

    #[test]
    fn an_app_that_says_nothing_gets_what_the_endpoint_is_known_for() {
        let unsaid = IdentityHeaders::Unsaid;
        assert_eq!(set(unsaid, IdentityHeaders::Remote), REMOTE);
        assert_eq!(set(unsaid, IdentityHeaders::Authentik), AUTHENTIK);
        assert_eq!(set(unsaid, unsaid), REMOTE);
    }

    #[test]
    fn an_app_that_says_its_set_gets_it_everywhere() {
        for endpoint in [IdentityHeaders::Remote, IdentityHeaders::Authentik] {
            assert_eq!(set(IdentityHeaders::Authentik, endpoint), AUTHENTIK);
            assert_eq!(set(IdentityHeaders::Remote, endpoint), REMOTE);
            assert!(set(IdentityHeaders::None, endpoint).is_empty());
        }
    }

    #[test]
    fn own_lines_follow_the_set_and_no_name_stands_twice() {
        let mut proxy = fixture::proxy("https://a.example.com", None);
        proxy.headers = ["X-WEBAUTH-USER", "remote-user", "x-webauth-user"]
            .map(|name| fixture::header(name, "user.username"))
            .into();
        let names = names(&proxy, IdentityHeaders::Remote);
        assert_eq!(names, [REMOTE.as_slice(), &["X-WEBAUTH-USER"]].concat());
    }

    #[test]
    fn the_order_of_apps_does_not_change_the_names_of_a_blueprint() {
        let mut blueprint = fixture::homelab();
        let before = of_blueprint(&blueprint);
        blueprint.apps.reverse();
        assert_eq!(of_blueprint(&blueprint), before);
        assert!(before.contains(&"X-WEBAUTH-USER".to_owned()));
    }

    #[test]
    fn aliases_are_recognised_in_every_mixture_of_case_and_underscore() {
        for received in ["Remote_User", "REMOTE_USER", "remote_user"] {
            assert!(is_alias_of(received, "Remote-User"), "{received}");
        }
        assert!(is_alias_of("X-authentik_meta-app", "X-authentik-meta-app"));
        assert!(!is_alias_of("Remote-User", "Remote-User"));
        assert!(!is_alias_of("remote-user", "Remote-User"));
        assert!(!is_alias_of("Remote_Users", "Remote-User"));
    }

    #[test]
    fn names_of_the_connection_are_refused() {
        for name in ["Host", "cookie", "X-Forwarded-For", "X_Forwarded_For", "Sec-Fetch-Mode"] {
            assert!(objection(name).is_some(), "{name}");
        }
        for name in ["", "9", "a b", "a:b", "a\nb", "é", "-a", "My_Name"] {
            assert!(objection(name).is_some(), "{name}");
        }
        for name in ["X-WEBAUTH-USER", "Authorization", "Remote-User"] {
            assert_eq!(objection(name), None, "{name}");
        }
    }
}
