//! Apps that are careful after many failures (`security.md` 17).

use std::time::{Duration, Instant};

use crate::support::server::{Browser, Server, household};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

const WIKI: &str = "http://wiki.localhost:9000/";
const VAULT: &str = "http://vault.localhost:9000/";

const APPS: &str = r#"app wiki "Wiki" {
    proxy "http://wiki.localhost:9000"
    access { allow everyone }
}
app vault "Vault" {
    proxy "http://vault.localhost:9000"
    access {
        deny everyone unless=good-standing
        allow everyone
    }
}
policy good-standing { reputation min=-2 }
"#;

fn fails(server: &Server, client: &str, name: &str, times: usize) {
    let mut walk = Walk::at(server, Browser::through_proxy(server, client), "/sign-in");
    walk.post(&[("username", name)]);
    for _ in 0..times {
        walk.post(&[("password", "not-my-password-at-all")]).shows("password is not right");
    }
}

/// Whether somebody at this address gets into the app, once signed in.
fn status(server: &Server, client: &str, name: &str, app: &str) -> u16 {
    let mut walk = Walk::to(server, Browser::through_proxy(server, client), app);
    walk.password(name);
    walk.page.status
}

#[test]
fn an_account_with_many_failures_stays_out_of_apps_that_mind() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(APPS), state);
        for name in ["alice", "root"] {
            server.set_password(name, PASSWORD);
        }
        fails(&server, "198.51.100.1", "alice", 2);
        assert_eq!(status(&server, "198.51.100.2", "alice", VAULT), 200, "two are forgiven");
        fails(&server, "198.51.100.1", "alice", 1);
        // From another address: what was looked up for this one may be gone by for a moment.
        assert_eq!(status(&server, "198.51.100.3", "alice", VAULT), 403, "whoever made them");
        assert_eq!(status(&server, "198.51.100.2", "alice", WIKI), 200);
        assert_eq!(status(&server, "198.51.100.2", "root", VAULT), 200);
    });
}

#[test]
fn an_address_with_many_failures_stays_out_whoever_signs_in() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(APPS), state);
        for name in ["alice", "root"] {
            server.set_password(name, PASSWORD);
        }
        fails(&server, "198.51.100.1", "nobody-of-that-name", 3);
        assert_eq!(status(&server, "198.51.100.1", "root", VAULT), 403);
        assert_eq!(status(&server, "198.51.100.1", "root", WIKI), 200);
        assert_eq!(status(&server, "198.51.100.2", "root", VAULT), 200);
    });
}

/// A session that was there before the failures is judged by them within two seconds.
#[test]
fn failures_count_for_whoever_is_signed_in() {
    let server = Server::with(&household(APPS));
    server.set_password("alice", PASSWORD);
    let mut walk = Walk::to(&server, Browser::at(&server), VAULT);
    walk.password("alice").is_in(VAULT);
    fails(&server, "198.51.100.1", "alice", 3);
    let end = Instant::now() + Duration::from_secs(10);
    while walk.browser.ask(&server.url(VAULT)).status != 403 {
        assert!(Instant::now() < end, "the failures do not count");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
