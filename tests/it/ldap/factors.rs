//! Never the password alone where a second factor is required (`security.md` R9, R15).

use super::*;

const FLOW: &str = r#"
flow bind for=authentication {
    identification { accept username }
    password
    authenticator-validate { device-classes totp recovery-code; not-configured-action deny; code-in-password }
    login
}
app nas "NAS" { launch-url "https://nas.example.com/"; ldap { flow bind }; access { require mfa; allow group:users } }
"#;

/// Somebody's secret and recovery codes.
fn set_up(server: &Server, name: &str) -> (String, Vec<String>) {
    let mut walk = Walk::at(server, Browser::at(server), "/sign-in");
    walk.password(name).go("/set-up?flow=builtin.setup");
    walk.set_up()
}

#[test]
fn a_code_stands_behind_the_password_and_is_good_once() {
    let directory = Directory::inhabited("", FLOW);
    assert_eq!(directory.code(ALICE, PASSWORD), 49, "no factor, no bind");
    let (secret, codes) = set_up(&directory.server, "alice");
    assert_eq!(directory.code(ALICE, PASSWORD), 49, "never the password alone");
    assert_eq!(directory.code(ALICE, &format!("{PASSWORD};000000")), 49);
    let right = format!("{PASSWORD};{}", code(&secret, 1));
    assert_eq!(directory.code(ALICE, &right), 0);
    assert_eq!(directory.code(ALICE, &right), 49, "a code is good once");
    let recovery = format!("{PASSWORD};{}", codes[0]);
    assert_eq!(directory.code(ALICE, &recovery), 0);
    assert_eq!(directory.code(ALICE, &recovery), 49);
    assert_eq!(directory.code(ALICE, &format!("wrong-wrong-wrong;{}", code(&secret, 1))), 49);
    // An app password meets no requirement.
    let password = directory.app_password("alice", "nas");
    assert_eq!(directory.code(ALICE, &password), 8);
}

/// Whoever holds a second factor is asked for it by the flow that everybody signs in by, and a bind cannot
/// give it.
#[test]
fn without_a_flow_for_codes_whoever_has_a_factor_binds_with_an_app_password() {
    let directory = Directory::inhabited("", APP);
    assert_eq!(directory.code(ALICE, PASSWORD), 0);
    set_up(&directory.server, "alice");
    assert_eq!(directory.code(ALICE, PASSWORD), 49);
    assert_eq!(directory.code(ALICE, &directory.app_password("alice", "nas")), 0);
}

#[test]
fn a_password_that_ends_like_a_code_is_a_password() {
    let directory = Directory::inhabited("", APP);
    directory.server.set_password("alice", "quiet-lantern-river;123456");
    assert_eq!(directory.code(ALICE, "quiet-lantern-river;123456"), 0);
}
