//! Client addresses: read from the right, and unreadable ones satisfy nothing.

use super::{LAN, PASSWORD, alice, household, served};
use crate::support::server::Server;

/// `security.md` 6, R6: only the entry that the proxy added counts, and what cannot be read fails.
#[test]
fn no_value_of_forwarded_for_widens_access() {
    let server = served();
    let mut browser = alice(&server, &[]);
    let lan = server.url(LAN);
    browser.enter(&lan);
    let asked = server.ask(&lan).with("Cookie", browser.cookies(&lan)).without("X-Forwarded-For");
    let from = |value: &str| asked.clone().with("X-Forwarded-For", value).send().status;
    assert_eq!(from("192.168.1.7"), 200);
    assert_eq!(from("::ffff:192.168.1.7"), 200, "an IPv4 address in IPv6 clothes");
    assert_eq!(from("192.168.1.7, 10.9.0.4"), 200, "behind another trusted proxy");
    let hops = format!("192.168.1.7{}", ", 10.9.0.4".repeat(20));
    for value in [
        "203.0.113.7",
        "192.168.1.7, 203.0.113.7",
        "192.168.1.7, garbage",
        "garbage, 192.168.1.7x",
        "192.168.1.7:80",
        "\"192.168.1.7\"",
        "[192.168.1.7]",
        "192.168.1.7,",
        ", 192.168.1.7,",
        "192.168.001.007",
        "3232235783",
        "0xc0a80107",
        "unknown",
        "",
        "10.9.0.4",
        "10.9.0.4, 10.9.0.5",
        "127.0.0.1",
        &hops,
    ] {
        assert_eq!(from(value), 403, "{value:?}");
    }
    assert_eq!(asked.send().status, 403, "no header at all");
    let twice = asked.with("X-Forwarded-For", "203.0.113.7").with("X-Forwarded-For", "192.168.1.7");
    assert_eq!(twice.send().status, 403, "two lists are none");
}

/// `security.md` R6: other headers say nothing about the client.
#[test]
fn no_other_header_names_the_client() {
    let server = served();
    let mut browser = alice(&server, &[]);
    let lan = server.url(LAN);
    browser.enter(&lan);
    let asked = server.ask(&lan).with("Cookie", browser.cookies(&lan));
    for name in ["X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"] {
        for value in ["192.168.1.7", "for=192.168.1.7"] {
            assert_eq!(asked.clone().with(name, value).send().status, 403, "{name}: {value}");
        }
    }
}

/// `security.md` R6: a trusted proxy that names no client is none itself, also where Doorward is
/// asked directly. A peer that is no proxy is its own client.
#[test]
fn a_proxy_that_names_nobody_satisfies_no_address_rule() {
    let at_home = household().replace("network \"192.168.0.0/16\"", "network \"127.0.0.0/8\"");
    let server = Server::with(&at_home);
    server.set_password("alice", PASSWORD);
    let mut browser = alice(&server, &[]);
    let lan = server.url(LAN);
    browser.enter(&lan);
    let asked = server.get(&format!("lan.localhost:{}", server.port), "/");
    let asked = asked.with("Cookie", browser.cookies(&lan));
    assert_eq!(asked.send().status, 403, "127.0.0.1 is a trusted proxy");
    server.edit("home.kdl", &at_home.replace("\"127.0.0.1/32\" ", ""));
    assert_eq!(server.reload().0, 0);
    assert_eq!(asked.send().status, 200, "127.0.0.1 is a visitor");
}
