//! Terms and consent, and apps that keep people for so long and no longer.

use doorward::store::Terms;

use crate::support::server::{Browser, EXTERNAL, Server, household};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

const WIKI: &str = "http://wiki.localhost:9000/";
const BANK: &str = "http://bank.localhost:9000/";

const APPS: &str = r#"app wiki "Wiki" {
    proxy "http://wiki.localhost:9000"
    authorization asked
    access { allow group:users }
}
flow asked for=consent {
    terms "rules.txt" version=1
    consent { remember days=30 }
}
app files "Files" {
    proxy "http://files.localhost:9000" { identity-headers none }
    authorization once
    access { allow group:users }
}
flow once for=consent { consent }
"#;

fn served(apps: &str, state: &[&str]) -> Server {
    let mut server = Server::stopped(&household(apps), state);
    let rules = "# House rules\n\nBe kind.\n- no <b>shoes</b>\n";
    std::fs::write(server.path().join("blueprints/rules.txt"), rules).expect("written");
    server.start();
    server.set_password("alice", PASSWORD);
    server
}

#[test]
fn an_app_is_told_nothing_before_its_person_agrees() {
    on_both_servers(|state| {
        let server = served(APPS, state);
        let mut walk = Walk::to(&server, Browser::at(&server), WIKI);
        walk.password("alice").shows("<h2>House rules</h2>").shows("no &lt;b&gt;shoes&lt;");
        assert!(walk.url.contains("/authorize?next="), "{}", walk.url);
        walk.post(&[("agree", "")]).shows("Tick this box to go on");
        walk.post(&[("agree", "1")])
            .shows("Let Wiki know who you are?")
            .shows("your e-mail address");
        // Whoever refuses is not let in, and is asked again.
        let asked = walk.url.clone();
        walk.post(&[("do", "refuse")]).shows("Hello, Alice Example");
        assert_eq!(walk.browser.ask(&server.url(WIKI)).status, 302);
        let mut again = Walk::to(&server, walk.browser.clone(), WIKI);
        assert_eq!(again.url.split("nonce").next(), asked.split("nonce").next());
        again.shows("Let Wiki know").post(&[("do", "allow")]).is_in(WIKI);
        // It is remembered: another browser is not asked.
        let mut other = Walk::to(&server, Browser::at(&server), WIKI);
        other.password("alice").is_in(WIKI);

        other.go("/security").shows("Applications that you let know").shows("your e-mail address");
        let (_, rest) = other.page.body.split_once("value=\"take-back\"").expect("a consent");
        let (_, rest) = rest.split_once("name=\"id\" value=\"").expect("an id");
        let id = rest.split('"').next().unwrap_or("").to_owned();
        other.post(&[("do", "take-back"), ("id", &id)]);
        assert_eq!(other.browser.ask(&server.url(WIKI)).status, 302, "its session there is over");
        let mut back = Walk::to(&server, other.browser, WIKI);
        back.shows("Let Wiki know who you are?");
        for kind in ["terms.agreed", "consent.refused", "consent.given", "consent.revoked"] {
            assert_eq!(server.some_events(kind, 1).len(), 1, "{kind}");
        }
    });
}

/// The text itself is read again, without a change of the blueprints.
#[test]
fn a_text_that_changes_is_shown() {
    let server = served(APPS, &[]);
    let rules = server.path().join("blueprints/rules.txt");
    std::fs::write(rules, "# Stricter rules\n").expect("written");
    server.log_with("a text that the blueprints name was read again");
    let mut walk = Walk::to(&server, Browser::at(&server), WIKI);
    walk.password("alice").shows("<h2>Stricter rules</h2>");
}

#[test]
fn new_terms_are_asked_for_and_a_new_share_as_well() {
    let server = served(APPS, &[]);
    let mut walk = Walk::to(&server, Browser::at(&server), WIKI);
    walk.password("alice").post(&[("agree", "1")]).post(&[("do", "allow")]).is_in(WIKI);
    let edited = APPS.replace("version=1", "version=2").replace(
        "9000\"\n    authorization",
        "9000\" { header X-Dept \"user.username\" }\n    authorization",
    );
    server.edit("home.kdl", &household(&edited));
    assert_eq!(server.reload().0, 0);
    let mut other = Walk::to(&server, Browser::at(&server), WIKI);
    other.password("alice").shows("Version 2").post(&[("agree", "1")]);
    other.shows("more from your account").post(&[("do", "allow")]).is_in(WIKI);
    let terms = server.look(async |read| {
        let alice = read.find_user_by_username("alice").await.expect("asked").expect("alice");
        read.list_agreements_of(&alice.id).await.expect("asked")
    });
    let version = |version: &str| Terms { file: "rules.txt".into(), version: version.into() };
    assert_eq!(terms, [version("1"), version("2")]);
}

#[test]
fn consent_without_a_time_is_good_for_one_sign_in() {
    on_both_servers(|state| {
        let server = served(APPS, state);
        let url = "http://files.localhost:9000/";
        let mut walk = Walk::to(&server, Browser::at(&server), url);
        walk.password("alice").shows("nothing else about you").post(&[("do", "allow")]).is_in(url);
        let mut same = Walk::at(&server, walk.browser.clone(), "/");
        same.shows("Hello, Alice Example");
        let mut other = Walk::to(&server, Browser::at(&server), url);
        other.password("alice").shows("nothing else about you");
    });
}

/// The rules come first: nobody is asked about an app that is closed to them.
#[test]
fn nobody_is_asked_for_an_app_that_is_closed_to_them() {
    let server = served(APPS, &[]);
    server.set_password("root", PASSWORD);
    let mut walk = Walk::to(&server, Browser::at(&server), WIKI);
    walk.password("root");
    assert_eq!((walk.page.status, walk.url.as_str()), (403, server.url(WIKI).as_str()));
    // Nor does a posted form make a consent.
    let url = server.url(&format!("{EXTERNAL}/authorize?next=%2F"));
    let page = walk.browser.open(&url);
    assert_eq!(page.status, 404, "{}", page.body);
}

const BANK_APP: &str = r#"app bank "Bank" {
    proxy "http://bank.localhost:9000"
    session { idle minutes=5; absolute hours=1 }
    access { allow group:users }
}
app wiki "Wiki" { proxy "http://wiki.localhost:9000"; access { allow group:users } }
"#;

/// Makes everything in the store older; sessions in memory do not know it yet.
fn age(server: &mut Server, column: &str, minutes: u32) {
    server.stop();
    let state = rusqlite::Connection::open(server.path().join("state/doorward.db"));
    let lasts = i64::from(minutes) * 60_000;
    let sql = match column {
        "proofs" => format!(
            "UPDATE sessions SET proofs = json_set(proofs, '$.first', \
            json_extract(proofs, '$.first') - {lasts})"
        ),
        column => format!("UPDATE app_sessions SET {column} = {column} - {lasts}"),
    };
    state.expect("the store").execute(&sql, []).expect("changed");
    server.start();
}

/// The browser that had these cookies.
fn kept<'a>(server: &'a Server, jars: &[(String, String)]) -> Browser<'a> {
    let empty = Browser::at(server);
    jars.iter().fold(empty, |browser, (url, cookies)| browser.with_cookies_of(url, cookies))
}

#[test]
fn an_app_keeps_people_for_as_long_as_it_says() {
    let mut server = served(BANK_APP, &[]);
    let mut walk = Walk::to(&server, Browser::at(&server), BANK);
    walk.password("alice").is_in(BANK);
    let wiki = Walk::to(&server, walk.browser, WIKI);
    wiki.is_in(WIKI);
    let (bank, other, external) = (server.url(BANK), server.url(WIKI), server.url(EXTERNAL));
    let jars = [&bank, &other, &external].map(|url| (url.clone(), wiki.browser.cookies(url)));

    // Unused for too long, but its person showed up just now: nobody is asked for anything.
    age(&mut server, "seen_at", 6);
    assert_eq!(kept(&server, &jars).ask(&bank).status, 302);
    let again = Walk::to(&server, kept(&server, &jars), BANK);
    again.is_in(BANK);
    // Nor is anybody kept out of an app without such a limit.
    assert_eq!(kept(&server, &jars).ask(&other).status, 200);

    age(&mut server, "created_at", 61);
    assert_eq!(kept(&server, &jars).ask(&bank).status, 302);
    age(&mut server, "proofs", 6);
    let mut late = Walk::to(&server, kept(&server, &jars), BANK);
    assert!(late.url.contains("/step-up?next="), "{}", late.url);
    late.post(&[("password", PASSWORD)]).is_in(BANK);
}
