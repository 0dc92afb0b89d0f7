//! Authelia's files, through the binary.

use tempfile::TempDir;

use super::{doorward, imported, passes_check, says, text, written};
use crate::support::server::{Browser, EXTERNAL, Server};

const FILES: [&str; 2] = ["configuration.yml", "users_database.yml"];
const ADA: &str = "ada-likes-engines-1843";
const GRETA: &str = "grete-paints-at-night";

fn household() -> (TempDir, String) {
    let directory = TempDir::new().expect("a directory");
    let said = imported(directory.path(), "authelia", &FILES, &["--admin-group", "admins"]);
    (directory, said)
}

#[test]
fn what_is_written_passes_check_and_is_planned() {
    let (directory, _) = household();
    passes_check(directory.path());
    let written = written(directory.path());
    for line in [
        "external-host \"https://auth.hill.example\"",
        "user \"ada\" #\"Ada \"Countess\" ${title}\"# email=\"ada@hill.example\" {",
        "user \"carl\" \"Carl\" disabled",
        "group guests-of-the-house \"Guests of the house\"",
        "lockout after=5 minutes=10",
        "stay-signed-in days=30",
        "hosts \"*.lab.hill.example\"",
        "bypass \"/api\" \"/api/*\"",
        "smtp \"smtp://mail.hill.example:587\" username=\"door\" password=(credential)smtp-password",
        "client-id \"Forge\"",
        "oidc public {",
        "refresh-token days=30",
    ] {
        assert!(written.contains(line), "{line}\n{written}");
    }
    let plan = doorward(directory.path(), &["plan", "--state", "sqlite://./state.db"]);
    let said = text(&plan.stdout) + &text(&plan.stderr);
    assert!(!said.contains("mend them first"), "{said}");
}

#[test]
fn no_secret_is_written_and_none_is_told() {
    let (directory, said) = household();
    let all = written(directory.path()) + &said;
    for secret in [
        "this-is-no-secret-of-anybody",
        "also-no-secret",
        "no-secret-either-but-long-enough",
        "mail-password-in-the-clear",
        "not-a-secret",
        "$pbkdf2",
        "$2b$12",
        "$6$rounds",
    ] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn every_line_that_does_not_carry_is_told_with_its_place() {
    let (_directory, said) = household();
    let configuration = "configuration.yml";
    for (line, words) in [
        (3, "not carried: `theme`"),
        (4, "not carried: `server`"),
        (11, "`totp.period`"),
        (36, "all of it is public"),
        (72, "queries take no part"),
        (82, "the sign-in host lies in it"),
        (94, "`session.redis`"),
        (98, "`find_time`"),
        (109, "to do: `password`"),
        (132, "PBKDF2 is not verified here"),
        (138, "http://10.20.0.9/oauth/callback"),
        (139, "scope `address`"),
    ] {
        assert!(says(&said, configuration, line, words), "{line} {words}\n{said}");
    }
    for (line, words) in [
        (19, "it is called `guests-of-the-house` here"),
        (22, "bcrypt is not verified here"),
        (23, "somebody above has the same address"),
        (28, "SHA-512-crypt"),
        (29, "not an address"),
        (31, "names of people have letters"),
        (33, "compared without case"),
    ] {
        assert!(says(&said, "users_database.yml", line, words), "{line} {words}\n{said}");
    }
}

/// People, on a server of the tests.
fn served() -> Server {
    let directory = TempDir::new().expect("a directory");
    let users = ["users_database.yml"];
    imported(directory.path(), "authelia", &users, &["--admin-group", "admins"]);
    Server::with(&format!(
        "server {{ listen \"127.0.0.1:9000\"; trusted-proxies \"127.0.0.1/32\" }}\n\
         settings {{ external-host \"{EXTERNAL}\" }}\n{}",
        written(directory.path())
    ))
}

#[test]
fn people_sign_in_by_the_password_that_they_had() {
    let server = served();
    for (name, password) in [("ada", ADA), ("greta", GRETA)] {
        let wrong =
            Browser::at(&server).try_sign_in(name, "another-password-5").expect("an answer");
        assert_eq!(wrong.status, 422, "{}", wrong.body);
        let mut browser = Browser::at(&server);
        browser.sign_in(name, password);
        // No password has to be changed in between: the portal opens.
        let portal = browser.open(&server.url(&format!("{EXTERNAL}/")));
        assert_eq!(portal.status, 200, "{}", portal.body);
    }
    for name in ["bertha", "carl"] {
        let refused = Browser::at(&server).try_sign_in(name, GRETA).expect("an answer");
        assert_eq!(refused.status, 422, "{name}: {}", refused.body);
    }
}

#[test]
fn a_hash_is_taken_up_once_and_never_again() {
    let server = served();
    server.set_password("greta", "a-new-lantern-on-the-hill");
    let people = std::fs::read_to_string(server.path().join("blueprints/home.kdl")).expect("text");
    server.edit("home.kdl", &format!("{people}\ngroup later\n"));
    let (code, said) = server.reload();
    assert_eq!(code, 0, "{said}");
    let old = Browser::at(&server).try_sign_in("greta", GRETA).expect("an answer");
    assert_eq!(old.status, 422, "{}", old.body);
    Browser::at(&server).sign_in("greta", "a-new-lantern-on-the-hill");
    // The lines are used up, and may go.
    let without = people.lines().filter(|line| !line.contains("initial-password"));
    server.edit("home.kdl", &without.collect::<Vec<_>>().join("\n"));
    let (code, said) = server.reload();
    assert_eq!(code, 0, "{said}");
    Browser::at(&server).sign_in("ada", ADA);
}
