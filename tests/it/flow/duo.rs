//! Duo as a second factor, against a stand-in (`security.md` R14).

use serde_json::json;

use crate::support::duo::{Duo, SECRET_KEY};
use crate::support::server::{Browser, EXTERNAL, Server, household};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

const VAULT: &str = "http://vault.localhost:9000/";

const APPS: &str = r#"app vault "Vault" {
    proxy "http://vault.localhost:9000"
    access { allow everyone; require mfa }
}
flow strict for=authentication {
    identification
    password
    authenticator-validate {
        device-classes duo
        not-configured-action configure
        configure-with by-duo
        last-validation-threshold days=30
    }
    login
}
flow by-duo for=setup title="Duo" { authenticator-duo }
"#;

fn served(state: &[&str]) -> (Duo, Server) {
    let duo = Duo::start();
    let settings =
        format!("settings {{ default-flows {{ authentication strict }}; {};", duo.declared());
    let text = household(APPS).replace("settings {", &settings);
    let mut server = Server::stopped(&text, state);
    std::fs::write(server.path().join("ca.pem"), &duo.ca).expect("written");
    server.tell("DOORWARD_SECRET_DUO", SECRET_KEY);
    let ca = server.path().join("ca.pem").display().to_string();
    server.tell("SSL_CERT_FILE", &ca);
    server.start();
    for name in ["alice", "root"] {
        server.set_password(name, PASSWORD);
    }
    (duo, server)
}

/// Presses the button that leads to Duo, and gives where the browser is sent.
fn leave(walk: &mut Walk<'_>) -> String {
    let answer = walk.browser.submit(&walk.url, &walk.page, &[("with", "duo"), ("remember", "1")]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.location().to_owned()
}

fn begun<'a>(server: &'a Server, name: &str) -> Walk<'a> {
    let mut walk = Walk::to(server, Browser::at(server), VAULT);
    walk.password(name).shows("Confirm with Duo").shows("Continue to Duo");
    walk
}

#[test]
fn duo_is_set_up_and_proves_and_a_browser_remembers_it() {
    on_both_servers(|state| {
        let (duo, server) = served(state);
        let mut walk = begun(&server, "alice");
        let sent_to = leave(&mut walk);
        assert_eq!(duo.asked_about(&sent_to), "alice");
        walk.go(&duo.confirm(&sent_to));
        walk.is_in(VAULT);
        assert_eq!(server.some_events("factor.added", 1).len(), 1);

        let mut other = begun(&server, "alice");
        let sent_to = leave(&mut other);
        other.go(&duo.confirm(&sent_to));
        other.is_in(VAULT);
        // The same browser is not asked again within thirty days.
        other.go("/sign-out").post(&[]);
        let mut again = Walk::to(&server, other.browser.clone(), VAULT);
        again.password("alice").is_in(VAULT);
    });
}

#[test]
fn an_answer_that_is_not_a_yes_for_this_person_proves_nothing() {
    let (duo, server) = served(&[]);
    let mut first = begun(&server, "alice");
    let sent_to = leave(&mut first);
    first.go(&duo.confirm(&sent_to));
    first.is_in(VAULT);
    for change in [
        ("preferred_username", json!("root")),
        ("nonce", json!("another")),
        ("aud", json!("another")),
        ("iss", json!("https://another/oauth/v1/token")),
        ("exp", json!(1)),
        ("auth_result", json!({ "result": "deny", "status": "deny", "status_msg": "Denied" })),
    ] {
        let mut walk = begun(&server, "alice");
        let sent_to = leave(&mut walk);
        walk.go(&duo.answer(&sent_to, Some(change.clone())));
        walk.shows("Duo did not confirm it").shows("Continue to Duo");
        assert_eq!(walk.page.status, 422, "{change:?}");
        assert_eq!(walk.browser.ask(&server.url(VAULT)).status, 302, "{change:?}");
    }
    assert_eq!(server.some_events("factor.failed", 6).len(), 6);
}

/// Nobody is signed in by an answer that another browser fetched, and none is worth anything twice.
#[test]
fn an_answer_is_for_one_browser_and_once() {
    let (duo, server) = served(&[]);
    let mut alice = begun(&server, "alice");
    let sent_to = leave(&mut alice);
    let answer = duo.confirm(&sent_to);
    // Somebody else's browser, without a flow and with one of its own.
    let url = server.url(&format!("{EXTERNAL}{answer}"));
    let stranger = Browser::at(&server).open(&url);
    assert_eq!(stranger.status, 403, "{}", stranger.body);
    let mut root = begun(&server, "root");
    leave(&mut root);
    root.go(&answer).shows("Continue to Duo");
    assert_eq!(root.browser.ask(&server.url(VAULT)).status, 302);
    alice.go(&answer);
    alice.is_in(VAULT);
    alice.go(&answer);
    assert_ne!(alice.page.status, 500, "{}", alice.page.body);
    // A state that was never given.
    let mut again = begun(&server, "alice");
    let sent_to = leave(&mut again);
    let forged = duo.confirm(&sent_to).replace("state=", "state=x");
    again.go(&forged).shows("Continue to Duo");
    assert_eq!(again.browser.ask(&server.url(VAULT)).status, 302);
}

#[test]
fn nobody_is_sent_to_a_duo_that_is_not_there() {
    let (duo, server) = served(&[]);
    let mut walk = begun(&server, "alice");
    let sent_to = leave(&mut walk);
    duo.goes_down();
    walk.go(&duo.confirm(&sent_to)).shows("Duo cannot be reached right now");
    walk.go("/sign-in").post(&[("with", "duo")]).shows("Duo cannot be reached right now");
    assert!(duo.asked().contains(&"/oauth/v1/health_check".to_owned()));
    assert_eq!(walk.browser.ask(&server.url(VAULT)).status, 302);
}

#[test]
fn a_flow_that_asks_duo_needs_an_account_there() {
    let server = Server::stopped(&household(APPS), &[]);
    let checked = server.command(&["check"]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{text}");
    assert!(text.contains("no `duo` stands in `settings`"), "{text}");
}
