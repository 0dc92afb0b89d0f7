//! Headers: whose word counts, and what a 2xx always carries.

use super::{DECLARED, FILES, WIKI, alice, household, served};
use crate::support::server::{Request, Server};

const FORGED: [(&str, &str); 6] = [
    ("X-Forwarded-Uri", "/public/x"),
    ("X-Forwarded-Host", "wiki.localhost"),
    ("X-Forwarded-Method", "OPTIONS"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Original-URL", "http://wiki.localhost/public/x"),
];

const ENDPOINTS: [&str; 8] = [
    "/auth/traefik",
    "/auth/caddy",
    "/auth/nginx",
    "/outpost.goauthentik.io/auth/traefik",
    "/outpost.goauthentik.io/auth/caddy",
    "/outpost.goauthentik.io/auth/nginx",
    "/api/authz/forward-auth",
    "/api/authz/auth-request",
];

fn own(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port)
}

/// `security.md` 1: without a list nobody is trusted, and a stranger's headers decide nothing.
#[test]
fn only_a_listed_proxy_is_answered() {
    for list in ["", "trusted-proxies \"192.0.2.0/24\";"] {
        let listed = "trusted-proxies \"127.0.0.1/32\" \"10.9.0.0/16\"";
        let server = Server::with(&household().replace(listed, list));
        for endpoint in ENDPOINTS {
            let asked = server.get(&own(&server), endpoint);
            assert_eq!(asked.send().status, 403, "{endpoint}");
            let mut forged: Request = asked;
            for (name, value) in FORGED {
                forged = forged.with(name, value);
                let answer = forged.send();
                assert_eq!(answer.status, 403, "{endpoint} with {name}");
                assert!(answer.body.contains("trusted-proxies"), "{}", answer.body);
            }
        }
        assert_eq!(
            server.ask(&server.url("http://wiki.localhost:9000/public/x")).send().status,
            403
        );
    }
}

/// A 2xx to a proxy lets the request pass, whatever its path: our own `ping` is no way in.
#[test]
fn ping_through_a_decision_endpoint_is_decided_like_any_path() {
    let server = served();
    let browser = alice(&server, &[WIKI]);
    for path in ["/.doorward/ping", "/outpost.goauthentik.io/ping"] {
        let url = server.url(&format!("http://wiki.localhost:9000{path}"));
        for endpoint in ENDPOINTS {
            let asked = server.ask(&url).at(endpoint).with("X-Original-Method", "GET");
            let status = asked.with("X-Original-URL", &url).send().status;
            assert!(!(200..300).contains(&status), "{endpoint} for {path}: {status}");
        }
        let known = server.ask(&url).with("Cookie", browser.cookies(&server.url(WIKI))).send();
        assert_eq!((known.status, known.header("remote-user")), (200, Some("alice")), "{path}");
        let direct = server.get(&format!("wiki.localhost:{}", server.port), path);
        assert_eq!(direct.send().status, 204, "{path} of Doorward itself");
    }
}

/// `security.md` 3: no 2xx leaves a name to the client, whoever it is for.
#[test]
fn every_2xx_sets_every_declared_header() {
    let server = served();
    let browser = alice(&server, &[WIKI, FILES]);
    let bypassed = server.ask(&server.url("http://wiki.localhost:9000/public/x"));
    for name in DECLARED {
        let spoofed = bypassed.clone().with(name, "root").send();
        assert_eq!((spoofed.status, spoofed.header(name)), (200, Some("")), "{name}");
    }
    let cookies = browser.cookies(&server.url(WIKI));
    let with_session = bypassed.clone().with("Cookie", &cookies).send();
    let known = server.ask(&server.url(WIKI)).with("Cookie", &cookies).with("Remote-User", "root");
    let known = known.send();
    for name in DECLARED {
        assert_eq!(with_session.header(name), Some(""), "{name}");
        assert!(known.header(name).is_some(), "{name}");
    }
    assert_eq!(known.header("remote-user"), Some("alice"));
    assert_eq!(known.header("x-webauth-user"), Some("alice"));
    assert_eq!(known.header("x-team"), Some(""), "another app's header says nothing here");
    let files = server.ask(&server.url(FILES)).with("Cookie", browser.cookies(&server.url(FILES)));
    let files = files.send();
    assert_eq!((files.header("x-team"), files.header("x-webauth-user")), (Some("red"), Some("")));
}

/// `security.md` 2: an alias of any header that an app declares is refused, not passed on.
#[test]
fn aliases_of_declared_headers_are_refused() {
    let server = served();
    let browser = alice(&server, &[WIKI]);
    for alias in [
        "Remote_User",
        "remote_groups",
        "X_WEBAUTH_USER",
        "X-WEBAUTH_USER",
        "X_Team",
        "X_Forwarded_Host",
        "X_HTTP_Method_Override",
        "X_Rewrite-URL",
    ] {
        let asked =
            server.ask(&server.url(WIKI)).with("Cookie", browser.cookies(&server.url(WIKI)));
        assert_eq!(asked.send().status, 200);
        assert_eq!(asked.with(alias, "root").send().status, 400, "{alias}");
    }
    let harmless = server.ask(&server.url(WIKI)).with("Cookie", browser.cookies(&server.url(WIKI)));
    assert_eq!(harmless.with("my_own_header", "x").send().status, 200);
}

/// `security.md` 4: missing metadata is a denial and never the request's own host.
#[test]
fn missing_metadata_is_a_denial() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let whole = server.ask(&server.url(WIKI)).with("Cookie", cookies);
    assert_eq!(whole.send().status, 200);
    for name in ["X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Proto"] {
        assert_eq!(whole.clone().without(name).send().status, 400, "{name}");
        assert_eq!(whole.clone().instead(name, "").send().status, 400, "empty {name}");
        assert_eq!(whole.clone().with(name, "GET").send().status, 400, "doubled {name}");
    }
    let denied = server.ask(&server.url("http://wiki.localhost:9000/hidden/x"));
    let prefixed = denied.with("X-Forwarded-Prefix", "/public").send();
    assert_eq!(prefixed.status, 401, "a prefix counts for nothing");
}

/// `security.md` 11: no decision depends on who a client says it is.
#[test]
fn a_user_agent_opens_nothing() {
    let server = Server::with(&household());
    for agent in ["GoogleHC/1.0", "kube-probe/1.31", "ELB-HealthChecker/2.0", "Traefik", ""] {
        let asked = server.ask(&server.url(WIKI)).with("User-Agent", agent);
        assert_eq!(asked.send().status, 401, "{agent}");
        for path in ["/healthz", "/healthz/live"] {
            let health = server.get(&own(&server), path).with("User-Agent", agent).send();
            assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
        }
    }
    let detail = server.get(&own(&server), "/healthz/config").send();
    assert!(!detail.is_2xx(), "detail is with the metrics");
}

/// `security.md` R16: through a public host there are no decision endpoints.
#[test]
fn decisions_are_not_asked_for_through_public_hosts() {
    let server = served();
    let browser = alice(&server, &[WIKI]);
    let cookies = browser.cookies(&server.url(WIKI));
    for endpoint in ENDPOINTS {
        for host in
            ["auth.localhost:9000", "wiki.localhost:9000", "doorward.example.com", "10.9.0.1"]
        {
            let host = server.url(&format!("http://{host}")).replace("http://", "");
            let asked = server.ask(&server.url(WIKI)).without("Host").with("Host", &host);
            let answer = asked.with("Cookie", &cookies).at(endpoint).send();
            assert_eq!(answer.status, 404, "{endpoint} at {host}");
            for name in DECLARED {
                assert_eq!(answer.header(name), None, "{name}");
            }
        }
    }
}
