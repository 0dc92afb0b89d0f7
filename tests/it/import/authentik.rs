//! authentik's blueprints, through the binary.

use tempfile::TempDir;

use super::{imported, passes_check, says, written};

const FILE: &str = "blueprint.yaml";

fn house() -> (TempDir, String) {
    let directory = TempDir::new().expect("a directory");
    let host = ["--external-host", "https://door.hill.example"];
    let said = imported(directory.path(), "authentik", &[FILE], &host);
    (directory, said)
}

#[test]
fn what_is_written_passes_check() {
    let (directory, _) = house();
    passes_check(directory.path());
    let written = written(directory.path());
    for line in [
        "external-host \"https://door.hill.example\"",
        "group hill-admins \"Hill Admins\" {",
        "user \"ada\" #\"Ada \"Countess\" ${x}\"# email=\"ada@hill.example\" {",
        "user \"greta\" \"Greta\" disabled",
        "service-account \"nas-bind\" \"NAS\" {",
        "in ldap-readers",
        "client-id \"forge-client\"",
        "client-secret (credential)oidc-forge",
        "post-logout-redirect-uri \"https://forge.hill.example/\"",
        "consent builtin.explicit-consent",
        "bypass \"/public\" \"/public/*\"",
        "unless in-hill-admins",
        "base-dn \"dc=ldap,dc=hill,dc=example\"",
        "client-secret (credential)source-hub",
        "last-validation-threshold days=14",
        "title \"Hill House\"",
    ] {
        assert!(written.contains(line), "{line}\n{written}");
    }
    // Not what was to be gone, or hung on a condition.
    assert!(!written.contains("app old") && !written.contains("app maybe"), "{written}");
}

#[test]
fn no_secret_is_written_and_none_is_told() {
    let (directory, said) = house();
    let all = written(directory.path()) + &said;
    for secret in ["a-client-secret-in-the-clear", "pbkdf2_sha256", "HUB_SECRET"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn every_line_that_does_not_carry_is_told_with_its_place() {
    let (_directory, said) = house();
    for (line, words) in [
        (21, "attribute `limits`"),
        (36, "`doorward user link ada`"),
        (53, "write a `claim` line by hand"),
        (66, "`invalidation_flow`"),
        (74, "compared letter by letter"),
        (84, "`signing_key`"),
        (120, "`^/[a-z]+/raw$`"),
        (140, "`internal_host`"),
        (147, "nobody is let in"),
        (165, "`consumer_secret`"),
        (189, "`sms`"),
        (205, "policies of stages are written by hand"),
        (215, "what is to be gone is left out"),
        (218, "depends on conditions"),
    ] {
        assert!(says(&said, FILE, line, words), "{line} {words}\n{said}");
    }
}

/// What cannot be said of who may enter closes the app.
#[test]
fn an_app_with_a_policy_that_does_not_carry_is_closed() {
    let (directory, _) = house();
    let written = written(directory.path());
    let vault = written.split("app vault").nth(1).and_then(|rest| rest.split("\napp ").next());
    let vault = vault.expect("the app");
    assert!(vault.contains("deny everyone") && !vault.contains("allow"), "{vault}");
}
