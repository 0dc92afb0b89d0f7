//! Envoy: it sends the client's own path and the target's `Host`, so it asks at a listener that no
//! stranger reaches, and gets the answers that every other proxy gets.

use super::{DECLARED, FILES, LAN, WIKI, alice, household};
use crate::support::server::{Browser, Request, Server, free_port, parts};

/// What Envoy is told to write before a path: ours, authentik's, Authelia's.
const PREFIXES: [&str; 3] =
    ["/auth/envoy", "/outpost.goauthentik.io/auth/envoy", "/api/authz/ext-authz/"];

/// The household's server, and the port at which Envoy asks.
struct Door {
    server: Server,
    port: u16,
}

impl Door {
    fn open() -> Self {
        let door = Self::with(&household(), &[]);
        door.server.set_password("alice", super::PASSWORD);
        door
    }

    fn with(blueprint: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let text = with_listener(blueprint, &format!("127.0.0.1:{port}"));
        Self { server: Server::with_arguments(&text, arguments), port }
    }

    /// What Envoy asks about a request for this address.
    fn ask(&self, url: &str) -> Request {
        self.ask_below("GET", "/auth/envoy", url)
    }

    fn ask_below(&self, method: &str, prefix: &str, url: &str) -> Request {
        let url = self.server.url(url);
        let (scheme, authority, path) = parts(&url);
        self.server
            .request(method, authority, &format!("{prefix}{path}"))
            .on_port(self.port)
            .with("X-Forwarded-Proto", scheme)
            .with("X-Forwarded-For", "203.0.113.7")
    }
}

fn with_listener(blueprint: &str, at: &str) -> String {
    let line = "server { ";
    assert!(blueprint.contains(line));
    blueprint.replacen(line, &format!("{line}listen-envoy \"{at}\"; "), 1)
}

/// `security.md` R16: whatever host and path a client writes, the main listener decides nothing.
#[test]
fn the_main_listener_does_not_know_envoy() {
    let door = Door::open();
    let server = &door.server;
    let cookies = alice(server, &[WIKI]).cookies(&server.url(WIKI));
    let port = server.port;
    for prefix in PREFIXES {
        for host in [
            format!("127.0.0.1:{port}"),
            format!("localhost:{port}"),
            format!("127.0.0.1:{}", door.port),
            format!("auth.localhost:{port}"),
            format!("wiki.localhost:{port}"),
            "wiki.localhost".to_owned(),
            "doorward.example.com".to_owned(),
        ] {
            for path in ["", "/", "/public/x", "/hidden/x", "/.doorward/start"] {
                let asked = server.get(&host, &format!("{prefix}{path}"));
                let asked = asked.with("X-Forwarded-Proto", "http").with("Cookie", &cookies);
                for asked in [asked.clone(), asked.navigating()] {
                    let answer = asked.send();
                    assert_eq!(answer.status, 404, "{prefix}{path} at {host}");
                    for name in DECLARED {
                        assert_eq!(answer.header(name), None, "{name}");
                    }
                    assert!(answer.headers("set-cookie").is_empty());
                }
            }
        }
    }
}

/// `security.md` R16: and Envoy's listener knows nothing else.
#[test]
fn envoys_listener_has_nothing_but_decisions() {
    let door = Door::open();
    for host in ["127.0.0.1", "auth.localhost", "wiki.localhost"] {
        for path in [
            "/",
            "/sign-in",
            "/forward-auth/start",
            "/.doorward/callback",
            "/healthz/config",
            "/metrics",
            "/auth/traefik",
            "/auth/nginx",
            "/outpost.goauthentik.io/auth/traefik",
            "/outpost.goauthentik.io/ping",
            "/api/authz/forward-auth",
            "/auth/envoyx",
            "/auth/envoy%2fpublic/x",
            "/x/auth/envoy/public/x",
        ] {
            let host = format!("{host}:{}", door.server.port);
            let asked = door.server.get(&host, path).on_port(door.port);
            let asked = asked.with("X-Forwarded-Proto", "http");
            assert_eq!(asked.send().status, 404, "{path} at {host}");
        }
    }
    let live = door.server.get("127.0.0.1", "/healthz/live").on_port(door.port).send();
    assert_eq!((live.status, live.body.as_str()), (200, "ok\n"));
}

/// `security.md` 1: without a list nobody is trusted, not even from this machine.
#[test]
fn only_a_listed_envoy_is_answered() {
    let listed = "trusted-proxies \"127.0.0.1/32\" \"10.9.0.0/16\"";
    for list in ["", "trusted-proxies \"192.0.2.0/24\""] {
        let door = Door::with(&household().replace(listed, list), &[]);
        for prefix in PREFIXES {
            let asked = door.ask_below("GET", prefix, "http://wiki.localhost:9000/public/x");
            let answer = asked.with("X-Forwarded-For", "127.0.0.1").send();
            assert_eq!(answer.status, 403, "{prefix}");
            assert!(answer.body.contains("trusted-proxies"), "{}", answer.body);
        }
    }
}

/// One decision, whoever asks.
#[test]
fn envoy_is_answered_as_traefik_is() {
    let door = Door::open();
    let browser = alice(&door.server, &[WIKI, FILES, LAN]);
    let kinds: [fn(Request) -> Request; 5] = [
        |asked| asked,
        Request::navigating,
        |asked| asked.with("Accept", "application/json"),
        |asked| asked.with("Sec-WebSocket-Key", "x").with("Origin", "http://evil.localhost"),
        |asked| {
            asked.with("Origin", "http://x.localhost").with("Access-Control-Request-Method", "GET")
        },
    ];
    let mut statuses = std::collections::BTreeSet::new();
    for url in [
        WIKI,
        "http://wiki.localhost:9000/d?x=%2f..",
        "http://wiki.localhost:9000/public/x",
        "http://wiki.localhost:9000/hidden/x",
        "http://wiki.localhost:9000/a//b",
        "http://files.localhost:9000/a//b",
        "http://files.localhost:9000/.doorward/nothing",
        FILES,
        LAN,
        "http://nobody.localhost:9000/",
    ] {
        let url = door.server.url(url);
        for method in ["GET", "PUT", "POST", "OPTIONS", "PROPFIND"] {
            for cookies in [String::new(), browser.cookies(&url)] {
                for kind in kinds {
                    let shaped = |asked: Request| kind(asked.with("Cookie", &cookies)).send();
                    let envoy = shaped(door.ask_below(method, "/auth/envoy", &url));
                    let traefik = shaped(door.server.ask_as(method, &url));
                    let case = format!("{method} {url} {cookies}: {}", envoy.body);
                    assert_eq!(envoy.status, traefik.status, "{case}");
                    let to = |answer: &str| answer.split('?').next().unwrap_or("").to_owned();
                    assert_eq!(to(envoy.location()), to(traefik.location()), "{case}");
                    for name in DECLARED {
                        assert_eq!(envoy.header(name), traefik.header(name), "{name}: {case}");
                    }
                    statuses.insert(envoy.status);
                }
            }
        }
    }
    for status in [200, 302, 303, 400, 401, 403, 404] {
        assert!(statuses.contains(&status), "no case led to {status}: {statuses:?}");
    }
}

/// The way in, with every answer handed on by Envoy.
#[test]
fn a_person_signs_in_behind_envoy() {
    let door = Door::open();
    let mut browser = Browser::at(&door.server);
    let wanted = door.server.url("http://wiki.localhost:9000/d/home?x=1");
    let sent = browser.exchange(&wanted, door.ask(&wanted).navigating());
    assert_eq!(sent.status, 302, "{}", sent.body);
    browser.sign_in("alice", super::PASSWORD);
    let start = browser.open(sent.location());
    let back = start.location().to_owned();
    assert!(back.contains("/.doorward/callback?"), "{back}");
    let landed = browser.exchange(&back, door.ask(&back).navigating());
    assert_eq!((landed.status, landed.location()), (303, wanted.as_str()), "{}", landed.body);
    let inside = browser.exchange(&wanted, door.ask(&wanted).navigating());
    assert_eq!((inside.status, inside.header("remote-user")), (200, Some("alice")));
    for (prefix, name) in
        PREFIXES.into_iter().zip(["remote-user", "x-authentik-username", "remote-user"])
    {
        let asked = door.ask_below("GET", prefix, &wanted);
        let known = browser.exchange(&wanted, asked);
        assert_eq!((known.status, known.header(name)), (200, Some("alice")), "{prefix}");
    }
}

/// `security.md` 2, 4, R16: the target is the request itself, told once; nothing stands in for it.
#[test]
fn headers_do_not_move_the_target() {
    let door = Door::open();
    let cookies = alice(&door.server, &[WIKI]).cookies(&door.server.url(WIKI));
    let hidden = door.ask("http://wiki.localhost:9000/hidden/x").with("Cookie", &cookies);
    assert_eq!(hidden.send().status, 403);
    for (name, value) in [
        ("X-Forwarded-Host", "files.localhost"),
        ("X-Forwarded-Method", "OPTIONS"),
        ("X-Forwarded-Prefix", "/public"),
        ("X-Envoy-Original-Path", "/public/x"),
        ("X-HTTP-Method-Override", "OPTIONS"),
        ("X-Rewrite-URL", "/public/x"),
        ("X-Original-URI", "/public/x"),
    ] {
        assert_eq!(hidden.clone().with(name, value).send().status, 403, "{name}");
    }
    for (name, value) in
        [("X-Forwarded-Uri", "/public/x"), ("X-Original-URL", "http://wiki.localhost/public/x")]
    {
        assert_eq!(hidden.clone().with(name, value).send().status, 400, "{name}");
    }
    let open = door.ask("http://wiki.localhost:9000/public/x");
    assert_eq!(open.send().status, 200);
    for asked in [
        open.clone().without("X-Forwarded-Proto"),
        open.clone().instead("X-Forwarded-Proto", ""),
        open.clone().instead("X-Forwarded-Proto", "https,http"),
        open.clone().with("X-Forwarded-Proto", "http"),
        open.clone().with("Host", "files.localhost"),
        open.clone().without("Host"),
        open.clone().instead("Host", ""),
        open.clone().instead("Host", "wiki.localhost@evil.example"),
        open.clone().with("Remote_User", "root"),
        open.clone().with("x_forwarded_proto", "http"),
        open.clone().at("http://wiki.localhost/auth/envoy/public/x"),
    ] {
        let answer = asked.send();
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    for name in DECLARED {
        let spoofed = open.clone().with(name, "root").send();
        assert_eq!((spoofed.status, spoofed.header(name)), (200, Some("")), "{name}");
    }
}

/// `security.md` 8, R7: what follows the prefix is read as strictly as what a header says.
#[test]
fn no_spelling_below_a_prefix_opens_more() {
    let door = Door::open();
    let cookies = alice(&door.server, &[WIKI]).cookies(&door.server.url(WIKI));
    let at = |prefix: &str, path: &str| door.ask(WIKI).at(&format!("{prefix}{path}"));
    for prefix in PREFIXES {
        assert_eq!(at(prefix, "/public/x").send().status, 200, "{prefix}");
        for path in [
            "/public/../x",
            "/../public/x",
            "/../envoy/public/x",
            "/public/%2e%2e/x",
            "/public/..%2fx",
            "/public/..;/x",
            "//public/x",
            "/public//x",
            "/x?/public/x",
            "/x%23/public/x",
            "/public/%252e%252e/x",
            "/public/%00",
            "/public\\..\\x",
            "public/x",
            "",
            "?/public/x",
        ] {
            let answer = at(prefix, path).send();
            assert!(!answer.is_2xx(), "{prefix}{path} is open to everybody");
        }
        for path in
            ["/hidden/x", "//hidden/x", "/x/../hidden/x", "/HIDDEN/x", "/%68idden/x", "/hidden;a/x"]
        {
            let answer = at(prefix, path).with("Cookie", &cookies).send();
            assert!(!answer.is_2xx(), "{prefix}{path} is open to alice");
        }
    }
    // With a slash more or less, this could be `/public/x` or `//public/x`: it is neither.
    assert_eq!(at("/api/authz/ext-authz", "/public/x").send().status, 400);
    assert_eq!(at("/auth/envoy/", "/public/x").send().status, 400);
}

/// `security.md` R6: an older Envoy adds its own address; trusted, it is not taken for the client's.
#[test]
fn an_envoy_that_names_itself_is_not_the_client() {
    let door = Door::open();
    let cookies = alice(&door.server, &[LAN]).cookies(&door.server.url(LAN));
    let from = |chain: &str| {
        let asked = door.ask(LAN).with("Cookie", &cookies);
        asked.instead("X-Forwarded-For", chain).send().status
    };
    assert_eq!(from("192.168.0.9"), 200);
    assert_eq!(from("203.0.113.7"), 403);
    assert_eq!(from("203.0.113.7, 10.9.0.4"), 403);
    assert_eq!(from("192.168.0.9, 10.9.0.4"), 200);
    assert_eq!(from("10.9.0.4"), 403);
}

#[test]
fn a_development_server_answers_envoy_on_this_machine_alone() {
    let port = free_port();
    let listed = "trusted-proxies \"127.0.0.1/32\" \"10.9.0.0/16\"";
    let text = with_listener(&household().replace(listed, ""), &format!("192.0.2.1:{port}"));
    let door = Door { server: Server::with_arguments(&text, &["--dev"]), port };
    assert_eq!(door.ask("http://wiki.localhost:9000/public/x").send().status, 200);
}

#[test]
fn a_taken_address_is_told_by_the_name_of_its_setting() {
    let server = Server::stopped("", &[]);
    let at = format!("127.0.0.1:{}", server.port);
    server.edit("home.kdl", &with_listener(&household(), &at));
    let done = server.command(&["serve"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success());
    assert!(said.contains(&at) && said.contains("such as listen-envoy 127.0.0.1:"), "{said}");
}

/// `security.md` R15: Envoy keeps what an answer does not name, so it is told that there is none.
#[test]
fn a_credential_of_ours_is_replaced_by_an_empty_one() {
    let door = Door::open();
    let done = door.server.command(&["token", "create", "alice", "--api", "--app", "wiki"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let token = String::from_utf8(done.stdout).expect("text");
    let with = |url: &str, credential: &str| {
        door.ask(url).with("Accept", "*/*").with("Authorization", credential).send()
    };
    let ours = format!("Bearer {}", token.trim());
    for url in [WIKI, "http://wiki.localhost:9000/public/x"] {
        let answer = with(url, &ours);
        assert_eq!((answer.status, answer.header("authorization")), (200, Some("")), "{url}");
    }
    let foreign = with("http://wiki.localhost:9000/public/x", "Bearer theirs");
    assert_eq!((foreign.status, foreign.header("authorization")), (200, Some("Bearer theirs")));
}
