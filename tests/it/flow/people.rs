//! Accounts that are made and recovered over HTTP, with real mail: forms, invitations, links
//! (`security.md` R10 and 18).

use doorward::store::{Owner, User};

use crate::support::server::{Browser, EXTERNAL, Server, basic, household};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk, code};

const NEW: &str = "amber-violin-77-harbour";
const RECOVERY: &str = "Set a new password for Doorward";
const VERIFY: &str = "Confirm your address for Doorward";

const FLOW: &str = r#"
group family "Family"
app wiki "Wiki" { proxy "http://wiki.localhost:9000"; access { allow group:users } }
flow enrollment for=enrollment title="Create your account" {
    invitation required
    prompt {
        field username type=username label="User name" pattern="[a-z]+" required
        field name type=text label="Display name"
        field email type=email label="E-mail" required
        field size type=choice label="Size" { option small "Small"; option large }
        field rules type=checkbox label="I keep the rules" required
        field source type=hidden
        field password type=new-password label="Password" required
    }
    user-write { in users; inactive-until-verified }
    email-verify { expires minutes=30 }
    login
}
"#;

struct House {
    smtp: Smtp,
    server: Server,
}

fn served(state: &[&str]) -> House {
    let smtp = Smtp::speaking(Speaks::Plain);
    let port = smtp.address.port();
    let mail =
        format!("email {{ smtp \"smtp://127.0.0.1:{port}\"; from \"door@home.example\" }}\n");
    let server = Server::with_arguments(&household(&format!("{FLOW}{mail}")), state);
    server.set_password("alice", PASSWORD);
    House { smtp, server }
}

impl House {
    /// The texts of mails to somebody about something, once there are so many.
    fn mails(&self, to: &str, subject: &str, wanted: usize) -> Vec<String> {
        let mut found = Vec::new();
        for _ in 0..200 {
            let all = self.smtp.received().into_iter();
            let texts = all.filter(|each| each.to == to).map(|each| decoded(&each.text));
            found = texts.filter(|text| text.contains(&format!("Subject: {subject}"))).collect();
            if found.len() >= wanted {
                break;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        assert_eq!(found.len(), wanted, "mails to {to} about {subject}");
        found
    }

    /// The path of the link in a mail.
    fn link(&self, to: &str, subject: &str) -> String {
        let text = self.mails(to, subject, 1).remove(0);
        let external = self.server.url(EXTERNAL);
        let (_, rest) = text.split_once(&external).unwrap_or_else(|| panic!("no link in {text}"));
        rest.chars().take_while(|c| !c.is_whitespace()).collect()
    }

    fn invite(&self, arguments: &[&str]) -> String {
        let mut all = vec!["invite", "create"];
        all.extend(arguments);
        let output = self.server.command(&all);
        let text = String::from_utf8(output.stdout).expect("text");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let external = self.server.url(EXTERNAL);
        text.trim().strip_prefix(&external).unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    fn user(&self, name: &str) -> Option<User> {
        self.server.look(async |read| read.find_user_by_username(name).await.expect("asked"))
    }

    fn walk(&self, path: &str) -> Walk<'_> {
        Walk::at(&self.server, Browser::at(&self.server), path)
    }
}

/// Quoted-printable text (RFC 2045 §6.7), as far as mails of ours need it.
fn decoded(text: &str) -> String {
    text.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")
}

#[test]
fn a_lost_password_is_replaced_by_a_link_that_another_browser_confirms() {
    on_both_servers(|state| {
        let house = served(state);
        let mut asking = house.walk("/sign-in");
        asking.shows("Forgot your password?").go("/recover").post(&[("username", "alice")]);
        asking.shows("Look into your mail").shows("If alice has an account here");
        let link = house.link("alice@example.com", RECOVERY);
        // Reloading sends nothing more; another one is sent after a minute.
        asking.go("/recover").shows("Look into your mail");
        asking.post(&[("again", "1")]).shows("Wait a minute");

        // Looking uses nothing up, however often, and the browser that asked does not go on.
        let mut other = house.walk(&link);
        other.shows("Choose a new password?").go(&link).shows("Choose a new password?");
        asking.go("/recover").shows("Look into your mail");
        let host = format!("auth.localhost:{}", house.server.port);
        let forged = house.server.request("POST", &host, &link).navigating();
        assert_eq!(forged.form(&[("csrf", "x")]).send().status, 403);
        other.post(&[]).shows("New password");
        other.post(&[("new-password", "short"), ("new-password-again", "short")]);
        assert_eq!(other.page.status, 422);
        other.post(&[("new-password", NEW), ("new-password-again", NEW)]);
        other.shows("Alice Example");
        asking.go("/recover").shows("Look into your mail");

        // The link is used up, the old password is none, the new one is.
        house.walk(&link).shows("has expired");
        let browser = || Browser::at(&house.server);
        let failed = browser().try_sign_in("alice", PASSWORD).expect("an answer");
        assert_eq!(failed.status, 422);
        browser().sign_in("alice", NEW);
        house.mails("alice@example.com", "Your password for Doorward was changed", 2);
    });
}

#[test]
fn nobody_learns_from_a_recovery_who_has_an_account() {
    let house = served(&[]);
    let mut pages = Vec::new();
    for name in ["alice", "nobody"] {
        let mut walk = house.walk("/recover");
        walk.post(&[("username", name)]).shows("Look into your mail");
        let body = walk.page.body.replace(name, "NAME").replace(&walk.page.csrf(), "TOKEN");
        pages.push((walk.page.status, body));
    }
    assert_eq!(pages[0], pages[1]);
    house.link("alice@example.com", RECOVERY);
    // Neither does a link that is made up.
    house.walk("/recover?link=abc").shows("has expired");
}

/// `security.md` R9: a mail account alone is not enough for somebody who has a second factor.
#[test]
fn a_recovery_asks_for_the_second_factor() {
    let house = served(&[]);
    let mut walk = house.walk("/sign-in");
    walk.password("alice").go("/set-up?flow=builtin.setup");
    let (secret, codes) = walk.set_up();
    house.walk("/recover").post(&[("username", "alice@example.com")]);
    let mut other = house.walk(&house.link("alice@example.com", RECOVERY));
    other.post(&[]).shows("Enter the code of your app");
    other.post(&[("new-password", NEW), ("new-password-again", NEW)]);
    other.shows("Enter the code of your app");
    other.post(&[("with", "recovery-code"), ("code", &codes[0])]).shows("New password");
    other.post(&[("new-password", NEW), ("new-password-again", NEW)]).shows("Alice Example");
    let mut after = house.walk("/sign-in");
    after.post(&[("username", "alice")]).post(&[("password", NEW)]);
    after.shows("Enter the code of your app");
    after.post(&[("with", "totp"), ("code", &code(&secret, 1))]).shows("Alice Example");
}

#[test]
fn a_link_does_not_outlive_the_password_that_it_was_asked_for() {
    let house = served(&[]);
    house.walk("/recover").post(&[("username", "alice")]);
    let mut opened = house.walk(&house.link("alice@example.com", RECOVERY));
    opened.shows("Choose a new password?");
    house.server.set_password("alice", NEW);
    opened.post(&[]).shows("has expired");
}

fn filled<'a>(name: &'a str, email: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("username", name),
        ("name", "Bob Example"),
        ("email", email),
        ("size", "small"),
        ("rules", "1"),
        ("source", "forged"),
        ("new-password", NEW),
        ("new-password-again", NEW),
    ]
}

#[test]
fn an_invitation_leads_to_an_account_once_its_address_is_verified() {
    on_both_servers(|state| {
        let house = served(state);
        house
            .walk("/enroll?flow=enrollment")
            .shows("begins with an invitation")
            .post(&[("invitation", "made-up")])
            .shows("not known here");
        let invitation =
            house.invite(&["--flow", "enrollment", "--group", "family", "--uses", "2"]);
        let mut bob = house.walk(&invitation);
        bob.shows("Create your account").shows("User name");
        // Everything that is wrong is said at its field, and nothing typed is lost.
        let mut wrong = filled("Bob!", "no address");
        wrong[3] = ("size", "huge");
        wrong.retain(|(name, _)| *name != "rules");
        bob.post(&wrong);
        assert_eq!(bob.page.status, 422);
        for words in ["64 letters", "not an e-mail address", "one of what is offered", "Tick"] {
            bob.shows(words);
        }
        bob.shows("value=\"Bob Example\"");
        bob.post(&filled("BOB", "bob@example.net")).shows("does not look as it should");
        bob.post(&filled("alice", "bob@example.net")).shows("Somebody has this name");
        bob.post(&filled("bob", "bob@example.net")).shows("is on its way to bob@example.net");
        assert_eq!(house.user("bob"), None, "nobody is made before the address is verified");

        let link = house.link("bob@example.net", VERIFY);
        house.walk(&link).shows("browser where you began");
        bob.go(&link).shows("Is this address yours?");
        assert_eq!(house.user("bob"), None, "looking is not enough");
        bob.post(&[]).shows("Bob Example");
        let user = house.user("bob").expect("made");
        assert_eq!(user.email.as_deref(), Some("bob@example.net"));
        assert_eq!((user.name.as_str(), user.declared), ("Bob Example", false));
        let own: Vec<_> = user.own_attributes.keys().map(String::as_str).collect();
        assert_eq!(own, ["rules", "size"], "hidden fields take nothing from a request");
        let groups = house.server.look(async |read| {
            let all = read.list_memberships_of(&user.id).await.expect("listed");
            all.into_iter().map(|each| (each.group, each.owner)).collect::<Vec<_>>()
        });
        let run_time = |group: &str| (group.to_owned(), Owner::Runtime);
        assert_eq!(groups, [run_time("family"), run_time("users")]);
        Browser::at(&house.server).sign_in("bob", NEW);
        Browser::at(&house.server).sign_in("bob@example.net", NEW);

        // The address of somebody: they are told, and whoever asked sees what everybody sees.
        let mut thief = house.walk(&invitation);
        thief.post(&filled("mallory", "bob@example.net")).shows("is on its way to bob@example.net");
        house.mails("bob@example.net", "You have an account at Doorward already", 1);
        let mut carol = house.walk(&invitation);
        carol.post(&filled("carol", "carol@example.net"));
        carol.go(&house.link("carol@example.net", VERIFY)).post(&[]).shows("Bob Example");
        // It was good for two people.
        house.walk(&invitation).shows("not known here");
        assert_eq!(house.server.some_events("user.enrolled", 2).len(), 2);
    });
}

/// `security.md` 18: an invitation that ran out while somebody filled the form in gives nothing.
#[test]
fn an_invitation_is_looked_at_again_when_the_account_is_made() {
    let house = served(&[]);
    let invitation = house.invite(&["--flow", "enrollment"]);
    let mut all = ["bob", "mallory"].map(|name| (name, house.walk(&invitation)));
    for (name, walk) in &mut all {
        walk.post(&filled(name, &format!("{name}@example.net"))).shows("Look into your mail");
    }
    for (name, walk) in &mut all {
        let link = house.link(&format!("{name}@example.net"), VERIFY);
        let words = if *name == "bob" { "Bob Example" } else { "has expired" };
        walk.go(&link).post(&[]).shows(words);
    }
    assert!(house.user("bob").is_some());
    assert_eq!(house.user("mallory"), None);
}

/// Whoever makes an invitation vouches for the address in it, and nobody changes that.
#[test]
fn an_invitation_may_say_the_address() {
    let house = served(&[]);
    let invitation = house.invite(&["--flow", "enrollment", "--email", "bob@example.net"]);
    let mut walk = house.walk(&invitation);
    walk.shows("readonly").post(&filled("bob", "mallory@example.net")).shows("Bob Example");
    assert_eq!(house.user("bob").expect("made").email.as_deref(), Some("bob@example.net"));
    let mut late = house.walk(&invitation);
    late.shows("or has run out").post(&filled("mallory", "mallory@example.net"));
    assert_eq!(house.user("mallory"), None);
}

#[test]
fn invitations_give_nobody_power() {
    let house = served(&[]);
    for (arguments, words) in [
        (["--group", "admins"], "opens the admin console"),
        (["--group", "nowhere"], "no file declares it"),
        (["--field", "colour=red"], "no form of flow"),
        (["--email", "nothing"], "cannot stand"),
        (["--flow", "builtin.recovery"], "no flow"),
    ] {
        let output = house.server.command(&["invite", "create", arguments[0], arguments[1]]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains(words), "{words}: {errors}");
    }
    let made = house.invite(&["--note", "the party"]);
    assert!(made.starts_with("/enroll?flow=builtin.enrollment&invitation="), "{made}");
    let listed = house.server.command(&["invite", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(listed[0]["note"], "the party");
    let id = listed[0]["id"].as_str().expect("an id");
    assert!(house.server.command(&["invite", "revoke", id]).status.success());
    house.walk(&made).shows("not known here");
}

#[test]
fn without_a_mail_server_the_pages_say_so() {
    let server = Server::with(&household(""));
    let walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    assert!(!walk.page.body.contains("Forgot your password?"));
    let mut walk = Walk::at(&server, Browser::at(&server), "/recover");
    walk.post(&[("username", "alice")]).shows("No mail is sent from here");
    assert_eq!(walk.page.status, 503);
}

/// What stands in a field to begin with comes from an expression; a hidden one has it whatever is posted.
#[test]
fn fields_begin_with_what_expressions_give() {
    const ASKED: &str = r#"app wiki "Wiki" { proxy "http://wiki.localhost:9000"; authentication asked; access { allow everyone } }
flow asked for=authentication {
    identification
    password
    prompt {
        field nickname type=text label="Nickname" default="user.username + '-at-' + app.slug"
        field missing type=text label="Missing" default="user.attributes['none'][0]"
        field door type=hidden default="'by-' + app.slug"
    }
    user-write
    login
}
"#;
    let server = Server::with(&household(ASKED));
    server.set_password("alice", PASSWORD);
    let wiki = "http://wiki.localhost:9000/";
    let mut walk = Walk::to(&server, Browser::at(&server), wiki);
    walk.password("alice").shows("value=\"alice-at-wiki\"");
    assert!(!walk.page.body.contains("by-wiki"), "{}", walk.page.body);
    walk.post(&[("nickname", "Al"), ("missing", ""), ("door", "forged")]).is_in(wiki);
    let alice = server.look(async |read| {
        read.find_user_by_username("alice").await.expect("asked").expect("alice")
    });
    assert_eq!(alice.own_attributes["nickname"], ["Al"]);
    assert_eq!(alice.own_attributes["door"], ["by-wiki"]);
}

const CHANGE: &str = "/set-up?flow=builtin.email&next=%2Fprofile%3Fdone%3Demail";

/// Somebody whom no file names, signed in at their profile.
fn guest(house: &House) -> Walk<'_> {
    let link = house.invite(&[
        "--flow",
        "enrollment",
        "--field",
        "username=greta",
        "--email",
        "greta@old.example",
    ]);
    let mut walk = house.walk(&link);
    let form = [
        ("name", "Greta"),
        ("size", "small"),
        ("rules", "1"),
        ("new-password", NEW),
        ("new-password-again", NEW),
    ];
    walk.post(&form).shows("Greta");
    walk
}

/// `security.md` R9 and R10: an address is replaced by whoever has proven their presence, in the browser
/// that began, and the old address hears of it.
#[test]
fn an_address_of_ones_own_is_replaced_once_the_new_one_is_verified() {
    on_both_servers(|state| {
        let house = served(state);
        let mut greta = guest(&house);
        let recovery = {
            let mut asking = house.walk("/recover");
            asking.post(&[("username", "greta")]).shows("Look into your mail");
            house.link("greta@old.example", RECOVERY)
        };
        greta.go("/profile").shows("greta@old.example").shows("builtin.email");
        greta.go(CHANGE).shows("New e-mail address").post(&[("email", "not an address")]);
        assert_eq!(greta.page.status, 422);
        greta.post(&[("email", "greta@new.example")]).shows("Look into your mail");
        let link = house.link("greta@new.example", VERIFY);

        // Another browser, signed in or not, cannot use it, and until then nothing changed.
        house.walk(&link).shows("Sign in");
        let mut other = house.walk("/sign-in");
        other
            .post(&[("username", "greta")])
            .post(&[("password", NEW)])
            .go(&link)
            .shows("belongs to the browser");
        assert_eq!(
            house.user("greta").and_then(|user| user.email).as_deref(),
            Some("greta@old.example")
        );

        greta.go(&link).shows("greta@new.example").post(&[]).shows("Your address is changed");
        assert_eq!(
            house.user("greta").and_then(|user| user.email).as_deref(),
            Some("greta@new.example")
        );
        house.mails("greta@old.example", "The address of your account at Doorward was changed", 1);
        greta.go("/activity").shows("Changed the e-mail address");
        // A link that lies in the old mailbox leads nowhere.
        house.walk(&recovery).shows("Choose a new password?").post(&[]).shows("has expired");
    });
}

#[test]
fn an_address_is_not_replaced_by_a_stale_session_nor_by_whom_files_declare_nor_by_a_taken_one() {
    let house = served(&[]);
    let mut alice = house.walk("/sign-in");
    alice.password("alice").go("/profile");
    assert!(!alice.page.body.contains("builtin.email"), "files own alice's address");
    alice.go(CHANGE).post(&[("email", "alice@evil.example")]).shows("stands in the files");

    // Whose the address is already hears of it; whoever asked sees no difference.
    let mut greta = guest(&house);
    greta.go(CHANGE).post(&[("email", "Alice@example.com")]).shows("Look into your mail");
    house.mails("Alice@example.com", "You have an account at Doorward already", 1);

    // Whoever has the password alone is no match for a factor that was added meanwhile.
    let mut thief = house.walk("/sign-in");
    thief.post(&[("username", "greta")]).post(&[("password", NEW)]).go(CHANGE);
    thief.shows("New e-mail address");
    greta.go("/set-up?flow=builtin.email&restart=1").go("/set-up?flow=builtin.setup");
    greta.set_up();
    thief.post(&[("email", "greta@evil.example")]).go(CHANGE);
    assert!(!thief.page.body.contains("evil.example"), "{}", thief.page.body);
    house.mails("greta@evil.example", VERIFY, 0);
}

/// `doorward user` closes, opens and deletes whom no file declares, in a server that runs.
#[test]
fn an_account_in_no_file_is_closed_opened_and_deleted_on_the_host() {
    on_both_servers(|state| {
        let house = served(state);
        let greta = guest(&house);
        let url = house.server.url(EXTERNAL);
        let token = house.server.command(&["token", "create", "greta", "--app", "wiki"]);
        let token = String::from_utf8_lossy(&token.stdout).trim().to_owned();
        let shown = said(&house, &["show", "greta"], 0);
        for words in ["in no file", "greta@old.example", "users*", "seen 20", "(app-password)"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(said(&house, &["list"], 0).contains("in no file"));

        said(&house, &["disable", "greta"], 0);
        said(&house, &["disable", "greta"], 1);
        let mut browser = greta.browser;
        becomes(|| browser.open(&format!("{url}/profile")).status == 303);
        let ask = |password: &str| {
            let asked = house.server.ask("http://wiki.localhost:9000/");
            asked.with("Authorization", basic("greta", password)).send().status
        };
        becomes(|| ask(&token) == 403);
        let failed = Browser::at(&house.server).try_sign_in("greta", NEW).expect("an answer");
        assert_eq!(failed.status, 422);
        assert!(said(&house, &["show", "greta"], 0).contains("no: disabled"));
        said(&house, &["link", "greta"], 1);

        said(&house, &["enable", "greta"], 0);
        becomes(|| ask(&token) == 200);
        let mut browser = Browser::at(&house.server);
        browser.sign_in("greta", NEW);
        said(&house, &["sign-out", "greta"], 0);
        becomes(|| browser.open(&format!("{url}/profile")).status == 303);

        let mut browser = Browser::at(&house.server);
        browser.sign_in("greta", NEW);
        let held = house.server.command(&["user", "delete", "greta"]);
        assert_eq!(held.status.code(), Some(3));
        said(&house, &["delete", "greta", "--yes"], 0);
        assert_eq!(house.user("greta"), None);
        becomes(|| browser.open(&format!("{url}/profile")).status == 303);
        becomes(|| ask(&token) == 401 || ask(&token) == 403);
        said(&house, &["show", "greta"], 1);
    });
}

#[test]
fn an_account_that_files_declare_is_changed_there() {
    let house = served(&[]);
    for command in ["disable", "enable", "delete"] {
        let errors = said(&house, &[command, "alice"], 1);
        assert!(errors.contains("`alice` is declared at home.kdl:"), "{errors}");
    }
    let json = said(&house, &["show", "alice", "--json"], 0);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["place"].as_str().is_some_and(|place| place.starts_with("home.kdl:")));
    assert_eq!((&json["declared"], &json["disabled"]), (&true.into(), &false.into()));
}

/// What `doorward user` prints, or its errors if it fails.
fn said(house: &House, arguments: &[&str], code: i32) -> String {
    let done = house.server.command(&[&["user"], arguments].concat());
    let text = if code == 0 { &done.stdout } else { &done.stderr };
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(code), "{arguments:?}: {errors}");
    String::from_utf8_lossy(text).into_owned()
}

/// The server hears of a change within two seconds.
fn becomes(mut is_so: impl FnMut() -> bool) {
    for _ in 0..60 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    panic!("it never became so");
}
