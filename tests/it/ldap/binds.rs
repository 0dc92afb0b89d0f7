//! Who is bound by what, and whom the rules of the app let in.

use super::*;

#[test]
fn a_password_binds_whom_the_rules_let_in() {
    let directory = Directory::inhabited("", APP);
    assert_eq!(directory.code(ALICE, PASSWORD), 0);
    assert_eq!(directory.code("UID=Alice, OU=People, dc=EXAMPLE,dc=com", PASSWORD), 0);
    assert_eq!(
        directory.code("cn=alice,ou=users,dc=example,dc=com", PASSWORD),
        0,
        "as authentik has it"
    );
    assert_eq!(directory.code("uid=alice,ou=people,ou=nas,dc=example,dc=com", PASSWORD), 0);
    assert_eq!(directory.code("uid=carol,ou=people,dc=example,dc=com", PASSWORD), 0, "by nesting");
    assert_eq!(directory.code("uid=root,ou=people,dc=example,dc=com", PASSWORD), 50, "not a user");
    assert_eq!(directory.server.events("access.denied").len(), 1);
    assert!(!directory.server.events("bind.succeeded").is_empty());
}

/// One answer for everything that is wrong, and none that tells a name.
#[test]
fn what_is_wrong_binds_nobody() {
    let directory = Directory::inhabited("", APP);
    for (dn, secret, code) in [
        (ALICE, "wrong-wrong-wrong", 49),
        ("uid=nobody,ou=people,dc=example,dc=com", PASSWORD, 49),
        ("uid=alice,ou=groups,dc=example,dc=com", PASSWORD, 49),
        ("uid=alice,dc=example,dc=com", PASSWORD, 49),
        ("uid=alice,ou=people,dc=example,dc=org", PASSWORD, 49),
        ("uid=alice,ou=people,ou=other,dc=example,dc=com", PASSWORD, 49),
        ("mail=alice@example.com,ou=people,dc=example,dc=com", PASSWORD, 49),
        ("alice", PASSWORD, 34),
        ("alice@example.com", PASSWORD, 34),
        ("uid=alice+cn=b,ou=people,dc=example,dc=com", PASSWORD, 34),
        // RFC 4513 §5.1.2: no name goes without a secret.
        (ALICE, "", 53),
    ] {
        assert_eq!(directory.code(dn, secret), code, "{dn} {secret}");
    }
    let (code, mut nobody) = directory.bind("", "");
    assert_eq!(code, 0, "anonymous");
    let (_, code) = search(&mut nobody, (BASE, Scope::Subtree, "(objectClass=*)"), &[]);
    assert_eq!(code, 50);
    // Another bind that fails leaves nobody.
    let (_, mut bound) = directory.bind(ALICE, PASSWORD);
    assert_eq!(bound.simple_bind(ALICE, "wrong-wrong-wrong").expect("an answer").rc, 49);
    let (_, code) = search(&mut bound, (BASE, Scope::Subtree, "(objectClass=*)"), &[]);
    assert_eq!(code, 50);
}

/// `security.md` 17: one counter for forms and binds.
#[test]
fn guesses_at_binds_lock_the_form_too_and_what_was_right_is_not_said_to_be() {
    let directory = Directory::inhabited("", APP);
    assert_eq!(directory.code(ALICE, PASSWORD), 0, "known to be right from here on");
    for _ in 0..10 {
        assert_eq!(directory.code(ALICE, "wrong-wrong-wrong"), 49);
    }
    assert_eq!(directory.code(ALICE, "wrong-wrong-wrong"), 51);
    assert_eq!(directory.code(ALICE, PASSWORD), 51, "locked is locked");
    let mut walk = Walk::at(&directory.server, Browser::at(&directory.server), "/sign-in");
    walk.password("alice");
    assert_eq!(walk.page.status, 429, "{}", walk.page.body);
}

/// `security.md` R15.
#[test]
fn an_app_password_opens_its_app_for_its_owner() {
    let directory = Directory::inhabited(
        "",
        &format!(
            "{APP}\napp other \"Other\" {{ proxy \"http://other.localhost:9000\"; access {{ allow group:users }} }}"
        ),
    );
    let (right, elsewhere) =
        (directory.app_password("alice", "nas"), directory.app_password("alice", "other"));
    let (code, mut alice) = directory.bind(ALICE, &right);
    assert_eq!(code, 0);
    assert_eq!(directory.code(ALICE, &elsewhere), 49, "another app's");
    assert_eq!(directory.code("uid=carol,ou=people,dc=example,dc=com", &right), 49, "another's");
    let (own, code) = search(&mut alice, (ALICE, Scope::Base, "(objectClass=*)"), &["uid"]);
    assert_eq!((own.len(), code), (1, 0));
    let list = directory.server.command(&["token", "list", "alice", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let all = list.as_array().or_else(|| list["tokens"].as_array()).expect("a list");
    for token in all {
        let id = token["id"].as_str().expect("an id");
        assert!(directory.server.command(&["token", "revoke", id]).status.success());
    }
    wait_until("a revoked token ends its bind", || {
        search(&mut alice, (ALICE, Scope::Base, "(objectClass=*)"), &["uid"]).1 == 50
    });
    assert_eq!(directory.code(ALICE, &right), 49);
}

/// Where several apps sign people in, a name that says none enters all of them or nothing.
#[test]
fn a_name_below_an_app_is_for_that_app_alone() {
    let vault = r#"app vault "Vault" { launch-url "https://vault.example.com/"; ldap; access { allow group:family } }"#;
    let directory = Directory::inhabited("", &format!("{APP}\n{vault}"));
    let at = |app: &str, name: &str| {
        directory.code(&format!("uid={name},ou=people,ou={app},dc=example,dc=com"), PASSWORD)
    };
    assert_eq!((at("nas", "alice"), at("vault", "alice")), (0, 50));
    assert_eq!((at("nas", "carol"), at("vault", "carol")), (0, 0));
    assert_eq!(directory.code(ALICE, PASSWORD), 50, "not into the vault by the rules of the NAS");
    assert_eq!(directory.code("uid=carol,ou=people,dc=example,dc=com", PASSWORD), 0);
}

#[test]
fn a_service_account_binds_by_its_token_alone_and_by_the_newest() {
    let directory = Directory::inhabited("", APP);
    let old = directory.token_of("nas");
    assert_eq!(directory.code(NAS, &old), 0);
    assert_eq!(directory.code("uid=nas,ou=people,dc=example,dc=com", &old), 0);
    assert_eq!(directory.code(NAS, &directory.token_of("idle")), 49);
    assert_eq!(directory.code(NAS, PASSWORD), 49);
    assert_eq!(directory.code(ALICE, &old), 49);
    let text =
        std::fs::read_to_string(directory.server.path().join("blueprints/home.kdl")).expect("text");
    directory
        .server
        .edit("home.kdl", &text.replacen("token ldap-bind", "token ldap-bind rotate=2", 1));
    let (code, said) = directory.server.reload();
    assert_eq!(code, 0, "{said}");
    let new = directory.token_of("nas");
    assert_ne!(old, new);
    assert_eq!(directory.code(NAS, &new), 0);
    assert_eq!(directory.code(NAS, &old), 0, "the one before it for a day");
}

#[test]
fn without_an_app_nobody_is_bound() {
    let directory = Directory::inhabited("", "");
    assert_eq!(directory.code(ALICE, PASSWORD), 53);
}
