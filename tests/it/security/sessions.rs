//! What a session is good for, and that nothing outlives its end.

use std::sync::Barrier;
use std::thread;

use super::{FILES, PASSWORD, WIKI, alice, household, served, served_with};
use crate::support::server::{Answer, Browser, EXTERNAL, Server};
use crate::support::stores::on_both_servers;

const OTHER: &str = "another-lantern-43-harbour";

/// The first requests after a restart come at once; the sign-out ends what each of them found.
#[test]
fn a_sign_out_ends_what_requests_looked_up_at_the_same_moment() {
    let mut server = served();
    for round in 0..5 {
        let (jar, home) = {
            let browser = alice(&server, &[WIKI, FILES]);
            let cookies = |url: &str| browser.cookies(&server.url(url));
            ([(WIKI, cookies(WIKI)), (FILES, cookies(FILES))], cookies(EXTERNAL))
        };
        server.restart();
        let start = Barrier::new(jar.len());
        let ask = |url: &str, cookies: &str| {
            server.ask(&server.url(url)).with("Cookie", cookies).send().status
        };
        thread::scope(|scope| {
            for (url, cookies) in &jar {
                scope.spawn(|| {
                    start.wait();
                    assert_eq!(ask(url, cookies), 200, "round {round}");
                });
            }
        });
        let url = server.url(&format!("{EXTERNAL}/sign-out"));
        let mut browser = Browser::at(&server).with_cookies_of(&url, &home);
        let page = browser.open(&url);
        assert_eq!(browser.submit(&url, &page, &[]).status, 303);
        for (url, cookies) in &jar {
            assert_eq!(ask(url, cookies), 401, "round {round}");
        }
    }
}

/// Apps with a flow of their own: one asks for less than the default, one lets nobody in.
fn own_flows() -> String {
    let flow = |name: &str, more: &str| {
        format!("flow {name} for=authentication {{ identification; password; {more} login }}\n")
    };
    format!(
        "{}{}{}{}",
        household(),
        flow("short", ""),
        flow("closed", "deny \"This door is closed.\";"),
        r#"app notes "Notes" {
    proxy "http://notes.localhost:9000"; authentication short
    access { allow group:users }
}
app vault "Vault" {
    proxy "http://vault.localhost:9000"; authentication closed
    access { allow group:users }
}
"#
    )
}

const NOTES: &str = "http://notes.localhost:9000/";
const VAULT: &str = "http://vault.localhost:9000/";

/// Follows an app to the place where somebody signs in, or back to the app.
fn sent_to(browser: &mut Browser<'_>, server: &Server, app: &str) -> String {
    let sent = browser.ask(&server.url(app));
    assert_eq!(sent.status, 302, "{}", sent.body);
    browser.open(sent.location()).location().to_owned()
}

/// Signs in where an app leads to, with whatever flow it has, and gives the last page.
fn sign_in_at(browser: &mut Browser<'_>, url: &str) -> Answer {
    for field in [("username", "alice"), ("password", PASSWORD)] {
        let page = browser.open(url);
        assert_eq!(browser.submit(url, &page, &[field]).status, 303);
    }
    browser.open(url)
}

/// `security.md` R5: a sign-in opens the apps whose flow it came by, and no others.
#[test]
fn a_sign_in_is_good_where_its_flow_is() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&own_flows(), state);
        server.set_password("alice", PASSWORD);
        let mut browser = Browser::at(&server);
        let place = sent_to(&mut browser, &server, NOTES);
        let url = format!("{}{place}", server.url(EXTERNAL));
        assert!(place.starts_with("/sign-in?next="), "{place}");
        assert_eq!(sign_in_at(&mut browser, &url).status, 303);
        browser.enter(&server.url(NOTES));

        let home = browser.open(&server.url(EXTERNAL));
        assert_eq!((home.status, home.location()), (303, "/sign-in"), "the portal is no app");
        for other in [WIKI, VAULT] {
            let place = sent_to(&mut browser, &server, other);
            assert!(place.starts_with("/sign-in?"), "{other}: {place}");
        }
        // The default flow adds to what is there.
        browser.sign_in("alice", PASSWORD);
        for open in [WIKI, NOTES] {
            browser.enter(&server.url(open));
        }
        // A stricter flow is not passed by any other.
        let place = sent_to(&mut browser, &server, VAULT);
        let url = format!("{}{place}", server.url(EXTERNAL));
        let end = sign_in_at(&mut browser, &url);
        assert_eq!(end.status, 403, "{}", end.body);
        assert!(end.body.contains("This door is closed."));
        assert!(sent_to(&mut browser, &server, VAULT).starts_with("/sign-in?"));
    });
}

/// A form of one flow does not go on under the address of another.
#[test]
fn a_flow_under_way_is_not_taken_to_an_app_with_another() {
    let server = Server::with(&own_flows());
    server.set_password("alice", PASSWORD);
    let mut browser = Browser::at(&server);
    let notes = sent_to(&mut browser, &server, NOTES);
    let vault = sent_to(&mut browser, &server, VAULT);
    let own = |place: &str| format!("{}{place}", server.url(EXTERNAL));
    let page = browser.open(&own(&notes));
    assert_eq!(browser.submit(&own(&notes), &page, &[("username", "alice")]).status, 303);
    let page = browser.open(&own(&notes));
    let answer = browser.submit(&own(&vault), &page, &[("password", PASSWORD)]);
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let end = sign_in_at(&mut browser, &own(&vault));
    assert_eq!(end.status, 403, "{}", end.body);
}

/// A password that is no longer the password signs nobody in, however far they had come by it.
#[test]
fn a_changed_password_ends_flows_under_way() {
    on_both_servers(|state| {
        let server = served_with(state);
        let url = server.url(&format!("{EXTERNAL}/sign-in"));
        let mut thief = Browser::at(&server);
        for field in [("username", "alice"), ("password", PASSWORD)] {
            let page = thief.open(&url);
            assert_eq!(thief.submit(&url, &page, &[field]).status, 303);
        }
        server.set_password("alice", OTHER);
        let end = thief.open(&url);
        assert!((400..500).contains(&end.status), "{}", end.status);
        let home = thief.open(&server.url(EXTERNAL));
        assert_eq!((home.status, home.location()), (303, "/sign-in"));
        let mut browser = Browser::at(&server);
        browser.sign_in("alice", OTHER);
    });
}

/// `security.md` 17: guesses that come at once are no more than guesses one after the other.
#[test]
fn guesses_at_once_are_counted_before_they_are_compared() {
    on_both_servers(|state| {
        let server = served_with(state);
        let url = server.url(&format!("{EXTERNAL}/sign-in"));
        let guessers: Vec<_> = (0..40)
            .map(|number| {
                let address = format!("203.0.113.{number}");
                let mut browser = Browser::through_proxy(&server, &address);
                let page = browser.open(&url);
                assert_eq!(browser.submit(&url, &page, &[("username", "alice")]).status, 303);
                let page = browser.open(&url);
                (browser, page)
            })
            .collect();
        let start = Barrier::new(guessers.len());
        let statuses: Vec<u16> = thread::scope(|scope| {
            let guesses: Vec<_> = guessers
                .into_iter()
                .map(|(mut browser, page)| {
                    let (start, url) = (&start, &url);
                    scope.spawn(move || {
                        start.wait();
                        browser.submit(url, &page, &[("password", "not this one")]).status
                    })
                })
                .collect();
            guesses.into_iter().map(|guess| guess.join().expect("joined")).collect()
        });
        let compared = statuses.iter().filter(|status| **status == 422).count();
        assert_eq!(compared, 10, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 422 | 429)), "{statuses:?}");
    });
}
