//! Named tests for the rows and rules of `security.md` that HTTP can show.

use super::support::server::{PASSWORD, Server};

const BASE: &str = r#"
settings { external-host "http://auth.localhost:PORT" }
server { trusted-proxies "127.0.0.1/32" }
group users "Household"
user alice "Alice" email="alice@example.com" { in users }
app open "Open" {
    proxy "http://open.localhost:PORT" {
        header X-Role "'plain'"
        bypass "/public/*" reason="shared by link"
    }
    access { allow group:users }
}
app lan "From the network" {
    proxy "http://lan.localhost:PORT"
    access { allow group:users if=home }
}
policy home { network "10.0.0.0/8" }
"#;

/// `security.md` 1: forged headers from a peer that is not trusted decide nothing.
#[test]
fn without_trusted_proxies_nobody_is_answered() {
    let server = Server::start(&BASE.replace("127.0.0.1/32", "10.9.9.9/32"));
    for path in ["/public/x", "/"] {
        assert_eq!(server.ask("open", path, &[]).status, 403);
    }
}

/// `security.md` 4: missing metadata is a denial.
#[test]
fn missing_metadata_is_a_denial() {
    let server = Server::start(BASE);
    for name in ["Method", "Proto", "Host", "Uri"] {
        let name = format!("X-Forwarded-{name}");
        assert_eq!(server.ask("open", "/public/x", &[(&name, "")]).status, 400, "{name}");
    }
}

/// `security.md` 3, 2: a 2xx carries every name, and no alias of one passes.
#[test]
fn every_pass_carries_every_declared_header_and_aliases_are_refused() {
    let server = Server::start(BASE);
    let answer = server.ask("open", "/public/x", &[("Remote-User", "root")]);
    assert_eq!(answer.status, 200);
    for name in ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "X-Role"] {
        assert_eq!(answer.header(name), Some(""), "{name}");
    }
    for alias in ["Remote_User", "X_Role", "x_role", "X_ROLE"] {
        assert_eq!(server.ask("open", "/public/x", &[(alias, "root")]).status, 400, "{alias}");
    }
    assert_eq!(server.ask("open", "/public/x", &[("X_Other", "root")]).status, 200);
}

/// `security.md` 5, R12: no malformed or doubled cookie is a session; ours do not travel.
#[test]
fn cookies_that_cannot_be_read_are_nobody_and_ours_stay_here() {
    let server = Server::start(BASE);
    server.set_password("alice");
    let mut visitor = server.visitor();
    visitor.sign_in("open", "alice", PASSWORD).expect("signed in");
    let good = visitor.cookie("open");
    let mixed = format!("theme=dark; {good}");
    let answer = server.ask("open", "/", &[("Cookie", &mixed)]);
    assert_eq!((answer.status, answer.header("Cookie")), (200, Some("theme=dark")));
    assert_eq!(answer.header("Remote-User"), Some("alice"));
    let doubled = format!("{good}; {good}");
    let foreign = good.replace('=', "=x");
    for bad in [";", "=", "doorward", "doorward-app=", "a=b=c;;=", &doubled, &foreign] {
        assert_eq!(server.ask("open", "/", &[("Cookie", bad)]).status, 401, "{bad}");
    }
    assert_ne!(server.ask("lan", "/", &[("Cookie", &good)]).status, 200);
}

/// `security.md` 6, R6: no value of `X-Forwarded-For` widens access.
#[test]
fn a_client_address_that_cannot_be_read_meets_no_network() {
    let server = Server::start(BASE);
    server.set_password("alice");
    let mut visitor = server.visitor();
    visitor.sign_in("open", "alice", PASSWORD).expect("signed in");
    visitor.open(&server.host("lan"), "/").expect("an answer");
    let cookie = visitor.cookie("lan");
    let ask = |from: &str| {
        server.ask("lan", "/", &[("Cookie", &cookie), ("X-Forwarded-For", from)]).status
    };
    assert_eq!(ask("10.1.2.3"), 200);
    assert_eq!(ask("::ffff:10.1.2.3, 127.0.0.1"), 200);
    let long = vec!["10.1.2.3"; 17].join(",");
    for from in ["", "10.1.2.3, 8.8.8.8", "garbage", "10.1.2.3,", "127.0.0.1", &long, "10.1.2.3:80"]
    {
        assert_eq!(ask(from), 403, "{from}");
    }
}

/// `security.md` 7, 9, R7: spellings of host and path never open more than the plain ones.
#[test]
fn spellings_of_hosts_and_paths_open_nothing() {
    let server = Server::start(BASE);
    let host = server.host("open");
    let dotted = host.replace("localhost:", "localhost.:");
    for host in [host.to_uppercase(), dotted] {
        assert_eq!(server.ask("open", "/", &[("X-Forwarded-Host", &host)]).status, 401, "{host}");
    }
    for path in ["/?/public/x", "/x?a=/public/", "/publicx", "/private;/public/x"] {
        assert_eq!(server.ask("open", path, &[]).status, 401, "{path}");
    }
    for path in [
        "/public/../x",
        "/public/%2e%2e/x",
        "/public%2fx",
        "//public/x",
        "/public/%252e%252e/x",
        "/public\\..\\x",
        "/public/%00",
        "/public/%zz",
        "/public/x#y",
        "public/x",
        "/public/./x",
    ] {
        assert_eq!(server.ask("open", path, &[]).status, 400, "{path}");
    }
}

/// `security.md` 11: nothing depends on who the client says it is.
#[test]
fn a_user_agent_decides_nothing() {
    let server = Server::start(BASE);
    for agent in ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0"] {
        assert_eq!(server.ask("open", "/", &[("User-Agent", agent)]).status, 401);
    }
}

/// `security.md` 12: no start leads elsewhere.
#[test]
fn no_way_back_leads_to_another_place() {
    let server = Server::start(BASE);
    let (auth, open) = (server.host("auth"), server.host("open"));
    for rd in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "http://OPEN@evil.example/",
        "http://evil.example@OPEN/",
        "http://OPEN.evil.example/",
        "https://OPEN/",
        "http://OPEN\\@x/",
        "http://OPEN/\t",
        "http://OPEN/\r\nx: y",
        "javascript:alert(1)",
        "http://open.localhost:1/",
        "http://xOPEN/",
        " http://OPEN/",
    ] {
        let rd = rd.replace("OPEN", &open);
        let nonce = "A".repeat(43);
        let pairs = [("app", "open"), ("nonce", nonce.as_str()), ("rd", rd.as_str())];
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        for (host, path) in [(&auth, "/forward-auth/start"), (&open, "/.doorward/start")] {
            let answer = server.send("GET", &format!("{path}?{query}"), &[("Host", host)]);
            assert_eq!((answer.status, answer.header("location")), (400, None), "{path} {rd}");
        }
    }
}

/// `security.md` 17: one counter, however the name is spelled.
#[test]
fn a_lockout_holds_for_every_spelling_of_the_name() {
    let server = Server::start(BASE);
    server.set_password("alice");
    let spellings = ["alice", "ALICE", "Alice", "alice@example.com", "ALICE@example.com"];
    for name in spellings.iter().cycle().take(10) {
        let end = server.visitor().sign_in("open", name, "wrong wrong wrong").expect("an answer");
        assert_eq!(end.status, 422, "{name}");
    }
    for name in spellings {
        let end = server.visitor().sign_in("open", name, PASSWORD).expect("an answer");
        assert_eq!(end.status, 429, "{name}");
    }
}

/// `security.md` R13: a form that another host posts is not ours.
#[test]
fn a_sibling_host_posts_nothing() {
    let server = Server::start(BASE);
    let host = server.host("auth");
    for site in ["same-site", "cross-site", "none"] {
        let headers = [
            ("Host", host.as_str()),
            ("Sec-Fetch-Site", site),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let answer = server.try_send("POST", "/sign-in", &headers, "username=alice");
        assert!(answer.is_some_and(|answer| (400..500).contains(&answer.status)), "{site}");
    }
}

/// `security.md` R16: decisions are private to proxies.
#[test]
fn a_decision_is_not_asked_for_through_a_public_host() {
    let server = Server::start(BASE);
    for host in [server.host("auth"), server.host("open"), "example.com".to_owned()] {
        let answer = server.ask("open", "/public/x", &[("Host", &host)]);
        assert_eq!((answer.status, answer.header("Remote-User")), (404, None), "{host}");
    }
}

/// `security.md` R17: a trace of a proxy ends the stand-in, and looking uses up no link.
#[test]
fn a_stand_in_never_answers_for_a_proxy() {
    let server = Server::start(BASE);
    let host = server.host("open");
    assert_eq!(server.send("GET", "/public/x", &[("Host", &host)]).status, 200);
    for trace in ["X-Forwarded-For", "Via", "Forwarded", "X-Real-IP", "X-Forwarded-Host"] {
        let answer = server.send("GET", "/public/x", &[("Host", &host), (trace, "10.0.0.1")]);
        assert_eq!(answer.status, 502, "{trace}");
    }
}

/// `security.md` R20: pages load nothing from elsewhere and run no script.
#[test]
fn pages_carry_a_closed_content_policy() {
    let server = Server::start(BASE);
    let host = server.host("auth");
    let answer = server.send("GET", "/sign-in", &[("Host", &host), ("Accept", "text/html")]);
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("base-uri 'none'"));
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
}
