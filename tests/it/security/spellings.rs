//! Spellings: of hosts, which all mean one, and of paths, which never mean more than the plain one;
//! and of addresses to go back to, which must be exactly ours.

use super::{FILES, WIKI, alice, household, served};
use crate::support::server::{EXTERNAL, Server};

/// `security.md` 7: letter case, a trailing dot and the port change no decision.
#[test]
fn all_spellings_of_a_host_are_one_host() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let port = server.port;
    for spelling in [
        format!("wiki.localhost:{port}"),
        format!("WIKI.localhost:{port}"),
        format!("Wiki.LocalHost.:{port}"),
        format!("wiki.localhost.:{port}"),
        format!("\u{ff57}iki.localhost:{port}"),
    ] {
        let at = |path: &str| {
            let asked = server.ask(&server.url(WIKI)).instead("X-Forwarded-Host", &spelling);
            asked.instead("X-Forwarded-Uri", path)
        };
        let known = |path: &str| at(path).with("Cookie", &cookies).send().status;
        // A host that is not plain ASCII may be refused; it may not be let in.
        if spelling.is_ascii() {
            assert_eq!((at("/").send().status, known("/")), (401, 200), "{spelling}");
            assert_eq!(at("/public/x").send().status, 200, "{spelling}");
            assert_eq!(known("/hidden/x"), 403, "{spelling}");
        } else {
            assert!(matches!(at("/").send().status, 400 | 401), "{spelling}");
            assert_ne!(known("/hidden/x"), 200, "{spelling}");
        }
    }
    for strange in [
        "",
        ".",
        "wiki..localhost",
        "wiki.localhost:0",
        "wiki.localhost:99999",
        "wiki.localhost@evil.example",
        "wiki.localhost/x",
        "wiki.localhost:80:80",
        "[wiki.localhost]",
        "evil.example",
        "wiki.localhost.evil.example",
        "xwiki.localhost",
    ] {
        let asked = server.ask(&server.url(WIKI)).instead("X-Forwarded-Host", strange);
        let status = asked.with("Cookie", &cookies).send().status;
        assert!(matches!(status, 400 | 404), "{status} for {strange:?}");
    }
}

/// `security.md` 8, 9, 10, R7: an odd spelling is refused, or means no more than the plain path.
#[test]
fn no_spelling_of_a_path_opens_more_than_the_plain_one() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let at = |uri: &str| server.ask(&server.url(WIKI)).instead("X-Forwarded-Uri", uri);
    assert_eq!(at("/public/x").send().status, 200);
    // Never anybody's without a session: none of these is the bypass.
    for uri in [
        "/public/../x",
        "/public/%2e%2e/x",
        "/public/%2E%2E%2Fx",
        "/public/..%2fx",
        "/public/./../x",
        "/public/..;/x",
        "/public;/../x",
        "/public/..\\x",
        "/public/%5c..%5cx",
        "//public/x",
        "/public//x",
        "/%70ublic/../x",
        "/x?/public/x",
        "/x#/public/x",
        "/x%23/public/x",
        "/x%3f/public/x",
        "/x;/public/x",
        "/public/%252e%252e/x",
        "/public/%00",
        "/public/%zz",
        "/public/%",
        "/public/\u{7f}",
        "public/x",
        "http://wiki.localhost/public/x",
        "*",
        "",
        "/public/%2f..%2fx",
        "/PUBLIC/x",
        "/public",
        "/publicx/",
        "\\public\\x",
        "/.doorward/../public/x",
        "/public/%c0%ae%c0%ae/x",
        "/public/x/%2e%2e/%2e%2e/hidden/x",
    ] {
        let answer = at(uri).send();
        assert!(!answer.is_2xx(), "{uri} is open to everybody");
    }
    // Never alice's: all of these may be read as the path that is denied to everybody.
    for uri in [
        "/hidden/x",
        "/hidden/",
        "/hidden",
        "/HIDDEN/x",
        "/Hidden/x",
        "/%68idden/x",
        "/hidden/./x",
        "//hidden/x",
        "/./hidden/x",
        "/x/../hidden/x",
        "/x/%2e%2e/hidden/x",
        "/hidden;a=b/x",
        "/hidden%2fx",
        "/hidden%5cx",
        "/hidden\\x",
        "/hidden//x",
        "/;/hidden/x",
        "/%2568idden/x",
        "/hidden/x?y",
        "/hidden/x%00",
        "/hidden%3b/x",
    ] {
        let answer = at(uri).with("Cookie", &cookies).send();
        assert!(!answer.is_2xx(), "{uri} is open to alice");
    }
}

/// `security.md` R7: a client's overrides of path and method change no decision.
#[test]
fn overrides_from_a_client_decide_nothing() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let hidden = server.ask(&server.url("http://wiki.localhost:9000/hidden/x"));
    let hidden = hidden.with("Cookie", cookies);
    for (name, value) in [
        ("X-Original-URL", "http://wiki.localhost/public/x"),
        ("X-Rewrite-URL", "/public/x"),
        ("X-HTTP-Method-Override", "OPTIONS"),
        ("X-Original-URI", "/public/x"),
    ] {
        assert!(!hidden.clone().with(name, value).send().is_2xx(), "{name}");
    }
}

/// Addresses that are not exactly a declared one.
fn evil(server: &Server) -> Vec<String> {
    let port = server.port;
    let mut evil: Vec<String> = [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "",
        "/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http:evil.example",
        "http:///evil.example",
        " http://evil.example/",
        "http://evil.example\t/",
    ]
    .map(str::to_owned)
    .to_vec();
    evil.extend(
        [
            "http://wiki.localhost:PORT@evil.example/",
            "http://evil.example@wiki.localhost:PORT/",
            "http://user:x@wiki.localhost:PORT/",
            "http://wiki.localhost.evil.example:PORT/",
            "http://evil.wiki.localhost:PORT/",
            "http://wikiXlocalhost:PORT/",
            "https://wiki.localhost:PORT/",
            "HTTP://wiki.localhost:PORT\\@evil.example/",
            "http://wiki.localhost:PORT\\.evil.example/",
            "http://wiki.localhost:PORT",
            "http://wiki.localhost:PORT?x",
            "http://wiki.localhost:PORT#/",
            "http://wiki.localhost:1/",
            "http://wiki.localhost/",
            "http://wiki.localhost:PORT/\r\nX: y",
            "http://wiki.localhost:PORT/\t",
            "http://wiki.localhost:PORT/ x",
            "http://wiki.localhost:PORT/\\x",
            "http://wiki.localhost%2eevil.example:PORT/",
            "http://wiki.localhost:PORT%40evil.example/",
            "ftp://wiki.localhost:PORT/",
            "http://\u{ff57}iki.localhost:PORT/",
            "http://auth.localhost:PORT/",
        ]
        .map(|url| url.replace("PORT", &port.to_string())),
    );
    evil
}

/// `security.md` 12: a start on the sign-in host leads to a declared address or nowhere.
#[test]
fn a_start_leads_only_to_declared_addresses() {
    let server = served();
    let mut browser = alice(&server, &[]);
    let nonce = "A".repeat(43);
    let start = |rd: &str, app: &str| {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("app", app), ("rd", rd), ("nonce", &nonce)])
            .finish();
        format!("{}/forward-auth/start?{query}", server.url(EXTERNAL))
    };
    let good = browser.open(&start(&server.url(WIKI), "wiki"));
    assert!(good.location().starts_with(&server.url("http://wiki.localhost:9000/.doorward/")));
    for rd in evil(&server) {
        let answer = browser.open(&start(&rd, "wiki"));
        assert_eq!((answer.status, answer.location()), (400, ""), "{rd:?}");
    }
    let other = browser.open(&start(&server.url(FILES), "wiki"));
    assert_eq!((other.status, other.location()), (400, ""), "the app and its address are one");
    let twice = format!("{}&rd=http%3A%2F%2Fevil.example%2F", start(&server.url(WIKI), "wiki"));
    assert_eq!(browser.open(&twice).status, 400);
}

/// `security.md` 12: a start on an app's host comes back to this very host.
#[test]
fn a_start_at_an_app_comes_back_to_that_app() {
    let server = Server::with(&household());
    let at = |rd: &str| {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("rd", rd).finish();
        format!("{}.doorward/start?{query}", server.url(WIKI))
    };
    let expected = server.url("http://auth.localhost:9000/forward-auth/start?");
    let good = server.ask(&at(&server.url("http://wiki.localhost:9000/page"))).navigating().send();
    assert!(good.location().starts_with(&expected), "{}", good.location());
    for rd in evil(&server).into_iter().chain([server.url(FILES)]) {
        for answer in [
            server.ask(&at(&rd)).navigating().send(),
            server
                .get(
                    &format!("wiki.localhost:{}", server.port),
                    at(&rd).split_at(server.url(WIKI).len() - 1).1,
                )
                .send(),
        ] {
            assert_eq!((answer.status, answer.location()), (400, ""), "{rd:?}");
        }
    }
}

/// `security.md` 12: what follows a sign-in is a path of the sign-in host.
#[test]
fn a_sign_in_goes_on_only_to_the_sign_in_host() {
    let server = served();
    let mut browser = alice(&server, &[]);
    for next in evil(&server).into_iter().chain(["//evil.example".to_owned(), "/\\evil".to_owned()])
    {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("next", &next)
            .finish();
        let answer = browser.open(&format!("{}/sign-in?{query}", server.url(EXTERNAL)));
        assert_eq!((answer.status, answer.location()), (303, "/"), "{next:?}");
    }
}
