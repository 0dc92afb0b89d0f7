//! The first run: stand-ins for apps, and links for the first password.

use std::os::unix::fs::PermissionsExt;

use super::{PASSWORD, WIKI, alice, household, served};
use crate::support::server::{Browser, EXTERNAL, Server};

/// `security.md` R17: a trace of a proxy, any trace, and no stand-in is shown.
#[test]
fn a_stand_in_is_never_shown_through_a_proxy() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let host = format!("wiki.localhost:{}", server.port);
    let direct = server.get(&host, "/").navigating().with("Cookie", cookies);
    let shown = direct.send();
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("alice"), "{}", shown.body);
    for (name, value) in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Host", "wiki.localhost"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Uri", "/"),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Server", "traefik"),
        ("X-Real-IP", "203.0.113.7"),
        ("X-Original-URL", "http://wiki.localhost/"),
        ("X-Original-Method", "GET"),
        ("Forwarded", "for=203.0.113.7"),
        ("Via", "1.1 proxy"),
    ] {
        let answer = direct.clone().with(name, value).send();
        assert_eq!(answer.status, 502, "{name}");
        assert!(!answer.body.contains("alice"), "{name}");
        assert_eq!(answer.header("remote-user"), None);
    }
}

/// `security.md` R17: a listener that others reach shows no stand-in.
#[test]
fn a_stand_in_needs_a_loopback_listener() {
    let server = Server::listening_everywhere(&household());
    let host = format!("wiki.localhost:{}", server.port);
    assert_eq!(server.get(&host, "/public/x").navigating().send().status, 502);
    let server = Server::with(&household());
    let host = format!("wiki.localhost:{}", server.port);
    assert_eq!(server.get(&host, "/public/x").navigating().send().status, 200);
}

/// `security.md` R17: looking at a link uses nothing up; one POST does.
#[test]
fn a_link_is_worth_one_use() {
    let server = Server::with(&household());
    let link = server.link("alice");
    let mut browser = Browser::at(&server);
    for _ in 0..3 {
        assert_eq!(browser.open(&link).status, 200, "a look");
    }
    let page = browser.open(&link);
    let fields = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
    let foreign = browser.form(&link, &page, &fields).with("Sec-Fetch-Site", "cross-site").send();
    assert!((400..500).contains(&foreign.status), "{}", foreign.status);
    assert_eq!(browser.submit(&link, &page, &fields).status, 303);
    let again = browser.submit(&link, &page, &fields);
    assert!((400..500).contains(&again.status), "{}", again.status);
    assert!((400..500).contains(&browser.open(&link).status));
    browser.sign_in("alice", PASSWORD);
}

/// `security.md` R17: a newer link ends an older one.
#[test]
fn an_earlier_link_is_worth_nothing() {
    let server = Server::with(&household());
    let (first, second) = (server.link("alice"), server.link("alice"));
    let mut browser = Browser::at(&server);
    assert!((400..500).contains(&browser.open(&first).status));
    assert_eq!(browser.open(&second).status, 200);
}

/// `security.md` R17: the first link lies in a private file and in no log, and no new one is made
/// once somebody could sign in, not even when that administrator is gone.
#[test]
fn the_first_link_is_private_and_made_only_once() {
    let mut server = Server::with(&household());
    let file = server.path().join("state/set-password-link");
    let link = std::fs::read_to_string(&file).expect("the link's file");
    let mode = std::fs::metadata(&file).expect("the link's file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = link.trim().split("token=").nth(1).expect("a token").to_owned();
    assert!(!server.log().contains(&token), "the link is in the log");

    let link = link.trim();
    let mut browser = Browser::at(&server);
    let page = browser.open(link);
    let fields = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
    assert_eq!(browser.submit(link, &page, &fields).status, 303);
    // The administrator goes before the server is started again, and another has no password yet.
    let other = household().replace("user root \"Root\"", "user second \"Second\"");
    server.edit("home.kdl", &other);
    let flags = ["apply", "--allow", "no-console-admin", "--allow", "user:second.console"];
    let applied = server.command(&flags);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    server.restart();
    assert!(!file.exists(), "an administrator had a password: no link is made at a start");
    assert!(server.link("second").contains("/set-password?token="), "only on the host");
}

/// `security.md` R17: until it is used, each start makes the link anew and the old one is over.
#[test]
fn the_first_link_is_made_anew_until_it_is_used() {
    let mut server = Server::with(&household());
    let file = server.path().join("state/set-password-link");
    let first = std::fs::read_to_string(&file).expect("the link's file");
    server.restart();
    let second = std::fs::read_to_string(&file).expect("the link's file");
    let mut browser = Browser::at(&server);
    assert!((400..500).contains(&browser.open(first.trim()).status));
    assert_eq!(browser.open(second.trim()).status, 200);
}

/// `security.md` R17: secrets are in no log, whatever people do.
#[test]
fn no_secret_is_logged() {
    let server = served();
    let browser = alice(&server, &[WIKI]);
    let _ = Browser::at(&server).try_sign_in("alice", "not-this-one-4711");
    server.log_with("signed in");
    let log = server.log_with("a sign-in failed");
    for secret in [PASSWORD, "not-this-one-4711"] {
        assert!(!log.contains(secret));
    }
    for url in [EXTERNAL, WIKI] {
        for pair in browser.cookies(&server.url(url)).split("; ") {
            let value = pair.split_once('=').expect("a cookie").1;
            assert!(!log.contains(value), "{pair}");
        }
    }
}
