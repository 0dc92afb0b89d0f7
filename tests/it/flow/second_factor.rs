//! Second factors over HTTP: set up at the first sign-in, asked for after that, remembered, and asked
//! for by an app's rules (`security.md` R9).

use doorward::flow::attempts::{Guesses, Taken};
use doorward::store::Factor;

use crate::support::server::{Browser, EXTERNAL, Server, household};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::{NOON, on_both_servers, on_both_stores};
use crate::support::walk::{PASSWORD, Walk, code};

const VAULT: &str = "http://vault.localhost:9000/";
const LAX: &str = "http://lax.localhost:9000/";
const NOTES: &str = "http://notes.localhost:9000/";

const APPS: &str = r#"user anna "Anna Example" { in users }
app vault "Vault" {
    proxy "http://vault.localhost:9000"
    access { require mfa within hours=12; allow group:users }
}
app notes "Notes" {
    proxy "http://notes.localhost:9000"; authentication strict
    access { allow group:users }
}
flow strict for=authentication {
    identification
    password
    authenticator-validate {
        device-classes totp recovery-code
        not-configured-action configure
        configure-with mfa
        last-validation-threshold days=30
    }
    login
}
app lax "Lax" {
    proxy "http://lax.localhost:9000"; authentication lax
    access { allow group:users }
}
flow lax for=authentication {
    identification
    password
    authenticator-validate { device-classes totp; not-configured-action skip }
    authenticator-setup { any-of mfa }
    login
}
flow mfa for=setup { authenticator-totp { issuer "Lab" }; recovery-codes { count 4 } }
"#;

fn served(state: &[&str]) -> Server {
    let server = Server::with_arguments(&household(APPS), state);
    server.set_password("alice", PASSWORD);
    server
}

fn factors(server: &Server, name: &str) -> Vec<Factor> {
    server.look(async |read| {
        let user = read.find_user_by_username(name).await.expect("asked").expect("known");
        read.list_factors_of(&user.id).await.expect("listed")
    })
}

#[test]
fn the_first_sign_in_sets_a_factor_up_and_every_other_asks_for_it() {
    on_both_servers(|state| {
        let server = served(state);
        let mut first = Walk::to(&server, Browser::at(&server), NOTES);
        first.password("alice");
        let secret = first.shows("Set up an authenticator app").secret();
        let (again, codes) = first.set_up();
        assert_eq!((again, codes.len()), (secret.clone(), 4));
        first.is_in(NOTES);
        assert_eq!(factors(&server, "alice").len(), 1);

        // With the password alone another browser is asked for what the account holds.
        let mut second = Walk::to(&server, Browser::at(&server), NOTES);
        second.password("alice").shows("Enter the code of your app");
        second.post(&[("with", "totp"), ("code", &code(&secret, 0))]).shows("used already");
        second.post(&[("with", "totp"), ("code", &code(&secret, 1))]).is_in(NOTES);

        // A recovery code is good once.
        let mut third = Walk::to(&server, Browser::at(&server), NOTES);
        third
            .password("alice")
            .post(&[("with", "recovery-code"), ("code", &codes[0])])
            .is_in(NOTES);
        let mut fourth = Walk::to(&server, Browser::at(&server), NOTES);
        fourth.password("alice").post(&[("with", "recovery-code"), ("code", &codes[0])]);
        fourth.shows("That is not right");
        let typed = codes[1].to_uppercase().replace('-', " ");
        fourth.post(&[("with", "recovery-code"), ("code", &typed)]).is_in(NOTES);
        assert_eq!(factors(&server, "alice").len(), 1);
        let kinds: Vec<_> = ["factor.added", "recovery-codes.made"]
            .map(|kind| server.some_events(kind, 1).len())
            .to_vec();
        assert_eq!(kinds, [1, 1]);
    });
}

#[test]
fn nobody_adds_a_factor_to_an_account_that_has_one_by_its_password() {
    let server = served(&[]);
    // Two browsers with the password stand before the set-up: one of them adds the first factor.
    let mut owner = Walk::to(&server, Browser::at(&server), NOTES);
    owner.password("alice").shows("Set up an authenticator app");
    let mut thief = Walk::to(&server, Browser::at(&server), NOTES);
    thief.password("alice").shows("Set up an authenticator app");
    let stolen = thief.secret();
    owner.set_up();
    owner.is_in(NOTES);
    thief.post(&[("code", &code(&stolen, 0))]);
    thief.shows("Enter the code of your app");
    assert_eq!(factors(&server, "alice").len(), 1);
    // Nor by the address of a set-up in a session of the password alone.
    let mut session = Browser::at(&server);
    let url = server.url(&format!("{EXTERNAL}/set-up?flow=mfa"));
    assert!(session.open(&url).location().starts_with("/sign-in?next="));
}

#[test]
fn a_rule_that_asks_for_a_factor_is_met_in_the_session_that_is_there() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = Browser::at(&server);
        browser.sign_in("alice", PASSWORD);
        let mut walk = Walk::to(&server, browser, VAULT);
        // The account has no factor: its password is asked for before the first is added.
        assert!(walk.url.contains("/step-up?"), "{}", walk.url);
        walk.shows("Enter your password").post(&[("password", PASSWORD)]);
        walk.shows("Add a second factor").post(&[("with", "builtin.setup")]);
        let (secret, _) = walk.set_up();
        walk.is_in(VAULT);

        // Another browser: the sign-in asks for the factor, and the rule is content.
        let mut other = Walk::to(&server, Browser::at(&server), VAULT);
        other.password("alice").shows("Enter the code of your app");
        other.post(&[("with", "totp"), ("code", &code(&secret, 1))]).is_in(VAULT);
    });
}

#[test]
fn a_browser_remembers_if_the_person_lets_it_and_no_longer_than_the_password() {
    let server = served(&[]);
    let mut walk = Walk::to(&server, Browser::at(&server), NOTES);
    walk.password("alice");
    let (_, codes) = walk.set_up();
    walk.is_in(NOTES);
    let again = |walk: &mut Walk<'_>, code: &str, remember: bool| {
        walk.password("alice").shows("Enter the code of your app");
        let mut fields = vec![("with", "recovery-code"), ("code", code)];
        fields.extend(remember.then_some(("remember", "1")));
        walk.post(&fields).is_in(NOTES);
    };
    let mut stranger = Walk::to(&server, Browser::at(&server), NOTES);
    again(&mut stranger, &codes[0], false);
    let mut forgetful = Walk::to(&server, signed_out(stranger), NOTES);
    again(&mut forgetful, &codes[1], true);
    let mut known = Walk::to(&server, signed_out(forgetful), NOTES);
    known.password("alice").is_in(NOTES);
    // For somebody else it remembers nothing.
    server.set_password("anna", PASSWORD);
    let mut anna = Walk::to(&server, signed_out(known), NOTES);
    anna.password("anna").shows("Set up an authenticator app");
    // A new password ends it.
    let browser = anna.browser;
    server.set_password("alice", PASSWORD);
    let mut after = Walk::to(&server, browser, NOTES);
    after.url = server.url(&format!("{EXTERNAL}/sign-in?restart=1"));
    after.page = after.browser.open(&after.url);
    let mut after = Walk::to(&server, after.browser, NOTES);
    after.password("alice").shows("Enter the code of your app");
}

/// The browser after signing out everywhere.
fn signed_out(mut walk: Walk<'_>) -> Browser<'_> {
    let url = walk.server.url(&format!("{EXTERNAL}/sign-out"));
    let page = walk.browser.open(&url);
    assert_eq!(walk.browser.submit(&url, &page, &[]).status, 303);
    walk.browser
}

#[test]
fn guesses_at_a_factor_run_out_and_the_password_gives_no_new_ones() {
    let server = served(&[]);
    let mut walk = Walk::to(&server, Browser::at(&server), NOTES);
    walk.password("alice");
    let (_, codes) = walk.set_up();
    let mut thief = Walk::to(&server, Browser::at(&server), NOTES);
    thief.password("alice");
    for _ in 0..10 {
        thief
            .post(&[("with", "recovery-code"), ("code", "aaaaa-aaaaa")])
            .shows("That is not right");
    }
    thief.post(&[("with", "recovery-code"), ("code", &codes[0])]);
    assert_eq!(thief.page.status, 429, "{}", thief.page.body);
    let mut again = Walk::to(&server, Browser::at(&server), NOTES);
    again.password("alice").post(&[("with", "recovery-code"), ("code", &codes[0])]);
    assert_eq!(again.page.status, 429, "{}", again.page.body);
}

#[tokio::test]
async fn a_lockout_lasts_twice_as_long_as_the_one_before() {
    on_both_stores(async |store| {
        let guesses = Guesses::at_code("usr_1", "address:x".to_owned());
        let (mut now, mut waits) = (NOON, Vec::new());
        for round in 0..7_u64 {
            for at in 1..=10 {
                let taken = guesses.take(store, now).await.expect("counted");
                let wanted = if at < 10 { Taken::One } else { Taken::Last };
                assert_eq!(taken, wanted, "{round} {at}");
            }
            let Taken::Wait(wait) = guesses.take(store, now).await.expect("counted") else {
                panic!("not locked in round {round}");
            };
            waits.push(wait.as_secs() / 60);
            now = now.plus(wait);
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 240, 240]);
        // What was not compared is given back, with the block that it led to.
        for _ in 0..10 {
            guesses.take(store, now).await.expect("counted");
        }
        guesses.give_back(store).await.expect("told");
        assert_eq!(guesses.take(store, now).await.expect("counted"), Taken::Last);
        guesses.succeeded(store).await.expect("told");
        assert_eq!(guesses.take(store, now).await.expect("counted"), Taken::One);
    })
    .await;
}

/// A flow that was let past because the account had no factor asks for the one that it got since.
#[test]
fn a_flow_that_was_let_past_asks_for_the_factor_that_came_meanwhile() {
    let server = served(&[]);
    let mut thief = Walk::to(&server, Browser::at(&server), LAX);
    thief.password("alice").shows("Set up an authenticator app");
    let mut owner = Walk::to(&server, Browser::at(&server), NOTES);
    owner.password("alice").set_up();
    owner.is_in(NOTES);
    thief.post(&[("leave", "1")]).shows("Enter the code of your app");
    thief.post(&[("with", "totp"), ("code", "")]).shows("Enter the code of your app");
    assert_eq!(server.some_events("login.succeeded", 1).len(), 1);
}

/// A proof that grew too old, or a rule that came later, in the middle of using an app.
#[test]
fn programs_and_web_sockets_are_told_that_a_factor_is_missing_and_nothing_redirects_them() {
    let open = household(APPS).replace("require mfa within hours=12; ", "");
    let server = Server::with(&open);
    server.set_password("alice", PASSWORD);
    let mut browser = Browser::at(&server);
    browser.sign_in("alice", PASSWORD);
    let url = server.url(VAULT);
    browser.enter(&url);
    assert_eq!(browser.ask(&url).status, 200);
    server.edit("home.kdl", &household(APPS));
    assert_eq!(server.reload().0, 0);
    let cookies = browser.cookies(&url);
    let ask = |name: &str, value: &str| {
        server.ask(&url).with("Cookie", &cookies).with(name, value).send()
    };
    let program = ask("Accept", "application/json");
    assert_eq!(program.status, 401);
    assert!(program.body.contains("\"step-up-required\""), "{}", program.body);
    assert!(program.location().contains("/.doorward/start?rd="), "{}", program.location());
    let socket = ask("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!((socket.status, socket.location()), (401, ""));
    let person = browser.ask(&url);
    assert_eq!(person.status, 302);
    assert!(person.location().contains("/forward-auth/start?"), "{}", person.location());
}

/// The page where people manage what proves their account: each change needs a fresh proof.
#[test]
fn people_name_and_remove_their_factors_and_end_their_sessions() {
    on_both_servers(|state| {
        let server = served(state);
        let mut walk = Walk::to(&server, Browser::at(&server), NOTES);
        walk.password("alice");
        let (secret, codes) = walk.set_up();
        let url = server.url(&format!("{EXTERNAL}/security"));

        // The sign-in to the portal has a flow of its own, and asks for the factor.
        walk.url = url.clone();
        walk.page = walk.browser.open(&url);
        walk.follow();
        walk.password("alice").post(&[("with", "totp"), ("code", &code(&secret, 1))]);
        walk.shows("Sign-in and security").shows("Authenticator app").shows("4 codes are left");
        let id = factors(&server, "alice")[0].id.clone();
        walk.post(&[("do", "rename"), ("id", &id), ("name", "")]).shows("1 to 64 characters");
        walk.post(&[("do", "rename"), ("id", &id), ("name", "Old <phone>")]);
        walk.shows("Old &lt;phone&gt;");
        walk.post(&[("do", "remove"), ("id", &id)]).shows("asks for a second factor");
        assert_eq!(factors(&server, "alice").len(), 1, "the vault asks for one");
        walk.post(&[("do", "new-codes")]);
        let fresh = walk.shows("Save your recovery codes").codes();
        walk.post(&[("saved", "1")]).shows("Sign-in and security").shows("10 codes are left");
        assert!(!fresh.contains(&codes[1]));

        // Nobody touches what is somebody else's.
        server.set_password("anna", PASSWORD);
        let mut anna = Walk::to(&server, Browser::at(&server), NOTES);
        anna.password("anna");
        let (secret, _) = anna.set_up();
        anna.url = url.clone();
        anna.page = anna.browser.open(&url);
        anna.follow();
        anna.password("anna").post(&[("with", "totp"), ("code", &code(&secret, 1))]);
        let theirs = factors(&server, "alice")[0].clone();
        anna.shows("Sign-in and security").post(&[("do", "remove"), ("id", &theirs.id)]);
        anna.post(&[("do", "rename"), ("id", &theirs.id), ("name", "mine")]);
        assert_eq!(factors(&server, "alice"), [theirs]);
        assert_eq!(factors(&server, "anna").len(), 1);
    });
}

#[test]
fn a_factor_that_comes_or_goes_is_told_to_its_owner_by_mail() {
    on_both_servers(|state| {
        let smtp = Smtp::speaking(Speaks::Plain);
        let (before, after) = APPS.split_once("app vault").expect("a vault");
        let (_, after) = after.split_once("app notes").expect("notes");
        let port = smtp.address.port();
        let apps = format!(
            "{before}app notes{after}\nemail {{ smtp \"smtp://127.0.0.1:{port}\"; from \"door@home.example\" }}"
        );
        let server = Server::with_arguments(&household(&apps), state);
        server.set_password("alice", PASSWORD);
        let mut walk = Walk::to(&server, Browser::at(&server), NOTES);
        walk.password("alice");
        let (secret, _) = walk.set_up();
        let url = server.url(&format!("{EXTERNAL}/security"));
        walk.url = url.clone();
        walk.page = walk.browser.open(&url);
        walk.follow();
        walk.password("alice").post(&[("with", "totp"), ("code", &code(&secret, 1))]);
        let id = factors(&server, "alice")[0].id.clone();
        walk.post(&[("do", "remove"), ("id", &id)]);
        assert_eq!(factors(&server, "alice"), []);
        let received = smtp.received_all(3);
        let about: Vec<&str> = received.iter().filter_map(|each| subject(&each.text)).collect();
        assert_eq!(
            about,
            [
                "Your password for Doorward was changed",
                "A second factor was added to your account at Doorward",
                "A second factor was removed from your account at Doorward",
            ]
        );
        assert!(received.iter().all(|each| each.to == "alice@example.com"));
    });
}

/// `doorward recover --forget-factors`: the way back in for somebody who lost device and codes.
#[test]
fn whoever_rules_the_host_forgets_somebodys_factors_and_they_are_told() {
    on_both_servers(|state| {
        let smtp = Smtp::speaking(Speaks::Plain);
        let port = smtp.address.port();
        let email =
            format!("email {{ smtp \"smtp://127.0.0.1:{port}\"; from \"d@home.example\" }}");
        let server = Server::with_arguments(&household(&format!("{APPS}{email}")), state);
        server.set_password("alice", PASSWORD);
        let mut walk = Walk::to(&server, Browser::at(&server), NOTES);
        walk.password("alice");
        let (_, codes) = walk.set_up();
        walk.is_in(NOTES);

        let plain = server.command(&["recover", "alice"]);
        assert!(plain.status.success());
        assert_eq!(factors(&server, "alice").len(), 1, "a link alone takes no factor away");
        let done = server.command(&["recover", "alice", "--forget-factors"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success() && said.contains("removed: Authenticator app"), "{said}");
        let url = String::from_utf8(done.stdout).expect("text").trim().to_owned();
        assert_eq!(factors(&server, "alice"), []);
        for _ in 0..100 {
            if walk.browser.ask(&server.url(NOTES)).status != 200 {
                break;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        assert_eq!(walk.browser.ask(&server.url(NOTES)).status, 302, "its sessions are over");

        let mut again = Walk::at(&server, Browser::at(&server), "/");
        again.url.clone_from(&url);
        again.page = again.browser.open(&url);
        again.post(&[("new-password", PASSWORD), ("new-password-again", PASSWORD)]);
        let mut fresh = Walk::to(&server, again.browser, NOTES);
        fresh.password("alice").shows("Set up an authenticator app");
        assert!(!codes.is_empty());
        let mails = smtp.received_all(4);
        let last = mails.iter().filter_map(|each| subject(&each.text)).next_back();
        assert!(mails.iter().any(|each| each.text.contains("the host itself")), "{last:?}");
        let events = server.some_events("factors.forgotten", 1);
        assert_eq!(events[0].actor.as_deref(), Some("command line"));
        let made = server.some_events("link.made", 3);
        let alices = made.iter().filter(|each| each.subject.as_deref() == Some("alice"));
        assert_eq!(alices.count(), 3);
    });
}

fn subject(letter: &str) -> Option<&str> {
    letter.lines().find_map(|line| line.strip_prefix("Subject: "))
}
