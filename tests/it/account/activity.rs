//! What happened to an account, as its person sees it.

use crate::support::server::Browser;
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

use super::{alice, served};

#[test]
fn people_see_what_happened_to_their_account_and_nobody_elses() {
    on_both_servers(|state| {
        let server = served("", state);
        server.set_password("anna", PASSWORD);
        let mut failed = Walk::at(&server, Browser::at(&server), "/");
        failed.post(&[("username", "alice")]).post(&[("password", "wrong-wrong-wrong")]);
        let mut anna = Walk::at(&server, Browser::at(&server), "/");
        anna.password("anna");
        server.some_events("login.succeeded", 1);
        let done = server.command(&["token", "create", "alice", "--app", "wiki", "--name", "Git"]);
        assert!(done.status.success());
        let mut walk = alice(&server, "/");
        server.some_events("login.succeeded", 2);
        walk.go("/activity").shows("Failed to sign in").shows("Signed in").shows("127.0.0.1");
        walk.shows("“Git”").shows("by command line").shows("Set a new password");
        assert_eq!(walk.page.body.matches("<b>Signed in</b>").count(), 1);
        anna.go("/activity");
        assert!(!anna.page.body.contains("Failed to sign in"));
    });
}

/// Names of apps and of the machine are no names of people: whoever is called so sees nothing of others.
#[test]
fn a_name_that_means_something_else_shows_nothing_of_others() {
    let more = r#"user wiki "Wiki" { in users }
user server "Server" { in users }
app notes "Notes" {
    proxy "http://notes.localhost:9000"; authorization asked
    access { allow group:users }
}
user notes "Notes" { in users }
flow asked for=consent { consent { remember days=1 } }
"#;
    let server = served(more, &[]);
    let mut walk = Walk::to(&server, Browser::at(&server), "http://notes.localhost:9000/");
    walk.password("alice").post(&[("do", "allow")]);
    assert_eq!(server.some_events("consent.given", 1).len(), 1);
    for name in ["wiki", "server", "notes"] {
        server.set_password(name, PASSWORD);
        let mut other = Walk::at(&server, Browser::at(&server), "/");
        other.password(name).go("/activity").shows("Set a new password");
        for word in ["alice", "root", "Let an application know"] {
            assert!(!other.page.body.contains(word), "{name} sees {word}");
        }
    }
}

#[test]
fn a_page_of_it_leads_on_to_what_was_before() {
    let server = served("", &[]);
    for number in 0..60 {
        let name = format!("Number {number}");
        let done = server.command(&["token", "create", "alice", "--app", "wiki", "--name", &name]);
        assert!(done.status.success());
    }
    let mut walk = alice(&server, "/activity");
    walk.shows("Number 59");
    assert!(!walk.page.body.contains("“Number 1”"));
    let (_, rest) = walk.page.body.split_once("href=\"/activity?before=").expect("a link");
    let before = rest.split('"').next().unwrap_or("").to_owned();
    walk.go(&format!("/activity?before={before}")).shows("“Number 1”").shows("Newest");
    assert!(!walk.page.body.contains("Older"));
}
