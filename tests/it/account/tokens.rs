//! App passwords that people make for themselves (`security.md` R15).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::server::{Answer, Browser, EXTERNAL, Server};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

use super::{WIKI, alice, served, shown_token};

const WANTED: [(&str, &str); 5] = [
    ("do", "make"),
    ("kind", "app-password"),
    ("name", "Calendar"),
    ("app-wiki", "1"),
    ("days", "90"),
];

/// The value of a hidden field of the page.
fn hidden(page: &Answer, name: &str) -> String {
    let (_, rest) = page
        .body
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name}: {}", page.body));
    rest.split('"').next().unwrap_or("").to_owned()
}

fn make(walk: &mut Walk<'_>, fields: &[(&str, &str)]) {
    let once = hidden(&walk.page, "once");
    walk.post(&[fields, &[("once", once.as_str())]].concat());
}

fn ask(server: &Server, url: &str, password: &str) -> u16 {
    let credential = format!("Basic {}", STANDARD.encode(format!("alice:{password}")));
    server.ask(&server.url(url)).with("Authorization", credential).send().status
}

#[test]
fn a_person_makes_uses_and_revokes_an_app_password() {
    on_both_servers(|state| {
        let server = served("", state);
        let mut walk = alice(&server, "/tokens");
        walk.shows("You have none yet")
            .go("/tokens?new=1")
            .shows("Which applications may it open?");
        assert!(walk.page.body.contains("app-wiki"), "an open app");
        assert!(!walk.page.body.contains("app-files"), "a closed app");
        assert!(!walk.page.body.contains("app-vault"), "one that asks for a second factor");
        make(&mut walk, &WANTED);
        walk.shows("“Calendar” is ready");
        let token = shown_token(&walk.page.body);
        assert_eq!(ask(&server, WIKI, &token), 200);
        assert_eq!(ask(&server, "http://files.localhost:9000/", &token), 403);

        walk.go("/tokens").shows("Calendar").shows("Wiki");
        assert!(!walk.page.body.contains(&token), "it is shown once");
        let id = hidden(&walk.page, "id");
        walk.post(&[("do", "revoke"), ("id", &id)]).shows("You have none yet");
        assert_eq!(ask(&server, WIKI, &token), 401, "revoked on the next request");
    });
}

#[test]
fn a_form_sent_twice_makes_one_and_wrong_ones_make_none() {
    let server = served("", &[]);
    let mut walk = alice(&server, "/tokens?new=1");
    let (form, url) = (walk.page.clone(), walk.url.clone());
    let once = hidden(&form, "once");
    let fields = [&WANTED[..], &[("once", once.as_str())]].concat();
    walk.post(&fields).shows("is ready");
    let again = walk.browser.submit(&url, &form, &fields);
    assert_eq!((again.status, again.location()), (303, "/tokens"));

    walk.go("/tokens?new=1");
    make(&mut walk, &[("do", "make"), ("kind", "app-password"), ("name", "x"), ("days", "90")]);
    walk.shows("Choose at least one application");
    make(&mut walk, &[&WANTED[..2], &WANTED[3..], &[("name", " ")]].concat());
    walk.shows("Give it a name");
    make(&mut walk, &[&WANTED[..4], &[("days", "7")]].concat());
    assert_eq!(walk.page.status, 400);
    // What the form did not offer is not had by naming it.
    walk.go("/tokens?new=1");
    make(
        &mut walk,
        &[&WANTED[..3], &[("app-vault", "1"), ("app-files", "1"), ("days", "90")]].concat(),
    );
    walk.shows("Choose at least one application");
    assert_eq!(walk.go("/tokens").page.body.matches("value=\"revoke\"").count(), 1);
}

/// `security.md` R9: a session that somebody left open makes no token.
#[test]
fn nobody_makes_one_without_a_fresh_proof_and_nobody_revokes_anothers() {
    let mut server = served("", &[]);
    server.set_password("anna", PASSWORD);
    let mut walk = alice(&server, "/tokens?new=1");
    make(&mut walk, &WANTED);
    let token = shown_token(&walk.page.body);
    let id = hidden(&walk.go("/tokens").page, "id");

    let mut anna = Walk::at(&server, Browser::at(&server), "/tokens?new=1");
    anna.password("anna");
    anna.post(&[("do", "revoke"), ("id", &id)]);
    assert_eq!(ask(&server, WIKI, &token), 200);

    let url = server.url(&format!("{EXTERNAL}/tokens"));
    let cookies = anna.browser.cookies(&url);
    age_proofs(&mut server);
    let browser = Browser::at(&server).with_cookies_of(&url, &cookies);
    let late = Walk::at(&server, browser.clone(), "/tokens?new=1");
    assert!(late.url.contains("/step-up?next="), "{}", late.url);
    let mut list = Walk::at(&server, browser, "/tokens");
    let posted = list.browser.submit(&url, &list.page, &WANTED);
    assert!(posted.location().starts_with("/step-up?next="), "{}", posted.location());
}

/// Everything was proven an hour ago; sessions in memory do not know it yet.
fn age_proofs(server: &mut Server) {
    server.stop();
    let state = rusqlite::Connection::open(server.path().join("state/doorward.db"));
    let sql = "UPDATE sessions SET proofs = json_set(proofs, '$.first', \
        json_extract(proofs, '$.first') - 3600000)";
    state.expect("the store").execute(sql, []).expect("changed");
    server.start();
}

#[test]
fn where_the_files_say_so_people_make_none() {
    let server = served("", &[]);
    server.edit(
        "home.kdl",
        &crate::support::server::household(super::APPS)
            .replace("settings {", "settings { runtime-objects users invitations memberships;"),
    );
    assert_eq!(server.reload().0, 0);
    let mut walk = alice(&server, "/tokens?new=1");
    walk.shows("made by the person who runs this place");
    walk.post(&[&WANTED[..], &[("once", "x")]].concat());
    assert_eq!(walk.page.status, 400);
}
