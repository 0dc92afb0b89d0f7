//! `security.md` R3 and R5, `blueprints.md` 4.4.3: each fixture is held under its code, and
//! exactly the argument that the plan prints lets it through.

use super::{HOME, codes, edit, edited, plan_of, plan_with};
use crate::reconcile::plan::{Given, Outcome, Question};
use crate::reconcile::{Confirmations, plan, sample};

/// Holds under `code`, and is let through by `argument` and by nothing less.
fn held(edits: &[(&str, &str)], code: &str, argument: &str) {
    let before = sample::runtime(HOME);
    let after = sample::runtime(&edited(edits));
    let plan = plan_of(&before, &after);
    let reason = plan.held.iter().find(|reason| reason.code == code);
    let reason = reason.unwrap_or_else(|| panic!("{edits:?}: no {code} in {:?}", plan.held));
    assert_eq!(plan.outcome().exit_code(), 3);
    assert_eq!(reason.confirm, [argument], "{code}");
    let all: Vec<&str> =
        plan.held.iter().flat_map(|reason| &reason.confirm).map(String::as_str).collect();
    let others = all.iter().copied().filter(|each| *each != argument);
    let stored = sample::stored(&before);
    let given = |list: Vec<&str>| Confirmations::parse(list).expect("parsed");
    let without = plan_with(&before, &after, &stored, &given(others.collect()));
    assert!(codes(&without).contains(&reason.code), "{code}");
    let with = plan_with(&before, &after, &stored, &given(all));
    assert_eq!(with.outcome(), Outcome::Changes, "{:?}", with.held);
}

#[test]
fn a_protected_object_is_not_removed() {
    let vault = HOME.lines().find(|line| line.starts_with("app vault")).expect("vault");
    held(&[(vault, "")], "protected", "--allow-prune app:vault");
}

#[test]
fn a_large_part_of_a_kind_is_not_removed_at_once() {
    let many: String =
        (0..10).map(|n| format!("app a{n} {{ access {{ allow group:users }} }}\n")).collect();
    let before = sample::runtime(&format!("{HOME}{many}"));
    let plan = plan_of(&before, &sample::runtime(HOME));
    assert_eq!(codes(&plan), ["prune-guard"]);
    assert_eq!(plan.held[0].confirm.len(), 10);
    let three: String = many.lines().skip(3).map(|line| format!("{line}\n")).collect();
    let plan = plan_of(&before, &sample::runtime(&format!("{HOME}{three}")));
    assert_eq!(plan.outcome(), Outcome::Changes);
    // Raising the guard in the same breath does not help.
    let settings = "settings { external-host \"https://auth.example.com\"
        reconcile { prune-guard percent=100 count=100 } }\n";
    let after = sample::runtime_of(&[("home.kdl", &format!("{settings}{HOME}"))]);
    assert_eq!(codes(&plan_of(&before, &after)), ["prune-guard", "weaker-reconcile"]);
}

#[test]
fn nobody_comes_to_read_the_whole_directory_unseen() {
    let ldap =
        "ldap { base-dn \"dc=example,dc=com\"; listen \"127.0.0.1:3389\"; search group:users }\n";
    let group = HOME.lines().find(|line| line.starts_with("group users")).expect("users");
    held(&[(group, &format!("{group}\n{ldap}"))], "ldap-search", "--allow ldap.search");
}

#[test]
fn a_hash_for_somebody_who_is_there_is_not_taken_up_unseen() {
    let with =
        |line: &str| sample::runtime(&format!("{HOME}user zoe \"Zoe\" {{ in users; {line} }}\n"));
    let hash = "initial-password (argon2id)\"$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5IGhhcyB0aGlz$c5aHqPvk1p6D0q1qkVbV3p0uJcMnZ3cR2rYf4nB7x9E\"";
    let plan = plan_of(&with(""), &with(hash));
    assert_eq!(codes(&plan), ["password-hash"]);
    assert_eq!(plan.held[0].confirm, ["--allow user:zoe.initial-password"]);
    assert_eq!(plan_of(&sample::runtime(HOME), &with(hash)).outcome(), Outcome::Changes);
}

#[test]
fn a_number_in_posix_is_not_another_persons_unseen() {
    let with = |line: &str| {
        let ldap = "ldap { base-dn \"dc=example,dc=com\"; listen \"127.0.0.1:3389\" }\n";
        sample::runtime(&format!("{HOME}{ldap}user zoe \"Zoe\" {{ in users; {line} }}\n"))
    };
    let plan = plan_of(&with(""), &with("attribute uidNumber \"2000\""));
    assert_eq!(codes(&plan), ["posix"]);
    assert_eq!(plan.held[0].confirm, ["--allow user:zoe.uidNumber"]);
    let plan =
        plan_of(&with("attribute uidNumber \"2000\""), &with("attribute uidNumber \"2000\""));
    assert_eq!(plan.outcome(), Outcome::Nothing);
}

#[test]
fn a_vanished_root_is_never_taken_for_empty() {
    let before = sample::runtime(HOME);
    let plan = plan(&Question {
        before: Some(&before),
        after: &before,
        stored: &sample::stored(&before),
        confirmations: &Confirmations::default(),
        given: &Given { vanished_roots: vec!["sites/home".to_owned()], ..Given::default() },
    });
    assert_eq!(codes(&plan), ["vanished-root"]);
}

#[test]
fn somebody_must_remain_who_can_administer() {
    held(
        &[
            ("in admins; initial-password (credential)root", "initial-password (credential)root"),
            ("in admins users", "in users"),
        ],
        "no-console-admin",
        "--allow no-console-admin",
    );
    let before = sample::runtime(HOME);
    let after = sample::runtime(&edited(&[("in admins users", "in users")]));
    assert_eq!(codes(&plan_of(&before, &after)), Vec::<&str>::new());
    // With nobody who could sign in before, nothing is lost.
    let mut stored = sample::stored(&before);
    for user in &mut stored.users {
        user.has_password = false;
        user.initial_password_applied = true;
    }
    let nobody = sample::runtime(&edited(&[("console admin; ", "")]));
    let plan = plan_with(&before, &nobody, &stored, &Confirmations::default());
    assert!(!codes(&plan).contains(&"no-console-admin"), "{:?}", plan.held);
}

/// `security.md` R5.
#[test]
fn a_new_console_role_is_held() {
    held(
        &[("group users\n", "group users { console viewer }\n")],
        "console-role",
        "--allow group:users.console",
    )
}

/// `security.md` R5.
#[test]
fn a_new_member_of_a_console_group_is_held() {
    let plan = edit(&[("in family", "in family admins")]);
    assert_eq!(plan.held[0].confirm, ["--allow user:bob.console"]);
    let nested = edit(&[("group family { in users }", "group family { in users admins }")]);
    let arguments: Vec<&String> = nested.held.iter().flat_map(|r| &r.confirm).collect();
    assert_eq!(arguments, ["--allow group:family.console", "--allow user:bob.console"]);
}

#[test]
fn a_new_user_with_a_role_is_held() {
    let plan = edit(&[("group readonly", "user eve { in admins }\ngroup readonly")]);
    assert_eq!(plan.held[0].confirm, ["--allow user:eve.console"]);
}

/// `security.md` R5.
#[test]
fn an_admins_address_is_held_and_nobody_elses() {
    held(&[("root@example.com", "eve@example.com")], "console-email", "--allow user:root.email");
    let plan = edit(&[("user bob {", "user bob email=\"bob@example.com\" {")]);
    assert_eq!(plan.outcome(), Outcome::Changes);
}

#[test]
fn another_first_password_of_an_admin_is_held_until_one_was_applied() {
    let before = sample::runtime(HOME);
    let after = sample::runtime(&edited(&[("(credential)root", "(credential)mine")]));
    let mut stored = sample::stored(&before);
    for user in &mut stored.users {
        user.initial_password_applied = false;
    }
    let plan = plan_with(&before, &after, &stored, &Confirmations::default());
    assert_eq!(codes(&plan), ["console-password"]);
}

/// `security.md` R5.
#[test]
fn another_sign_in_host_is_held() {
    let before = sample::runtime(HOME);
    let other = format!("settings {{ external-host \"https://evil.example.com\" }}\n{HOME}");
    let plan = plan_of(&before, &sample::runtime_of(&[("home.kdl", &other)]));
    assert_eq!(plan.held[0].confirm, ["--allow settings.external-host"]);
}

/// `security.md` R5.
#[test]
fn wider_trusted_proxies_are_held_and_narrower_ones_are_not() {
    held(
        &[("\"10.0.20.2/32\"", "\"10.0.20.2/32\" \"10.0.21.0/24\"")],
        "trusted-proxies",
        "--allow server.trusted-proxies",
    );
    let wide = sample::runtime(&edited(&[("10.0.20.2/32", "10.0.20.0/24")]));
    assert!(plan_of(&wide, &sample::runtime(HOME)).held.is_empty());
}

/// What holds a change from one content of `settings` to another.
fn settings_edit(from: &str, to: &str) -> Vec<String> {
    let home = |more: &str| {
        let settings = format!("settings {{ external-host \"https://auth.example.com\"; {more} }}");
        sample::runtime_of(&[("home.kdl", &format!("{settings}\n{HOME}"))])
    };
    let plan = plan_of(&home(from), &home(to));
    plan.held.iter().flat_map(|reason| reason.confirm.clone()).collect()
}

/// `security.md` R5.
#[test]
fn sessions_that_last_longer_are_held_and_shorter_ones_are_not() {
    let session = ["--allow settings.session"];
    let month = "session { idle hours=12; absolute days=30 }";
    assert_eq!(settings_edit("", "session { idle hours=12; absolute days=3650 }"), session);
    assert_eq!(settings_edit("", "session { idle days=10; absolute days=14 }"), session);
    assert_eq!(settings_edit("session { idle hours=1; absolute days=1 }", ""), session);
    assert_eq!(settings_edit(month, ""), Vec::<String>::new());
    assert_eq!(
        settings_edit("", "default-token-lifetime hours=9"),
        ["--allow settings.default-token-lifetime"]
    );
    let own = |text: &'static str| [("app wiki {", text)];
    held(
        &own("app wiki { session { idle days=9; absolute days=14 };"),
        "longer-session",
        "--allow app:wiki.session",
    );
    assert!(edit(&own("app wiki { session { idle hours=1; absolute days=1 };")).held.is_empty());
}

/// `security.md` R5.
#[test]
fn weaker_passwords_are_held_and_stronger_ones_are_not() {
    let password = ["--allow settings.password"];
    assert_eq!(settings_edit("", "password { min-length 8; min-score 3 }"), password);
    assert_eq!(settings_edit("", "password { min-length 12; min-score 2 }"), password);
    assert_eq!(settings_edit("password { min-length 16; min-score 3 }", ""), password);
    assert_eq!(settings_edit("", "password { min-length 16; min-score 4 }"), [""; 0]);
}

fn with_flow() -> (String, String) {
    let chosen = "settings { external-host \"https://auth.example.com\"
        default-flows { authentication sign-in } }\n";
    (chosen.to_owned(), format!("{chosen}{HOME}"))
}

fn flow_edit(from: &str, to: &str) -> Vec<String> {
    let (_, home) = with_flow();
    assert!(home.contains(from), "{from}");
    let before = sample::runtime_of(&[("home.kdl", &home)]);
    let after = sample::runtime_of(&[("home.kdl", &home.replace(from, to))]);
    let plan = plan_of(&before, &after);
    plan.held.iter().flat_map(|reason| reason.confirm.clone()).collect()
}

/// `security.md` R5.
#[test]
fn a_weaker_sign_in_is_held() {
    let flow = ["--allow flow:sign-in"];
    let more = "        unless on-lan\n        if on-lan\n";
    assert_eq!(flow_edit("        unless on-lan\n", more), flow);
    let second = super::HOME.split_once("    authenticator-validate {").expect("a stage").1;
    let second = format!(
        "    authenticator-validate {{{}    }}\n",
        second.split_once("    }\n").expect("its end").0
    );
    assert_eq!(flow_edit(&second, ""), flow);
    assert_eq!(flow_edit("action configure", "action skip"), flow);
    assert_eq!(flow_edit("device-classes totp", "device-classes totp email-code"), flow);
    assert_eq!(flow_edit("days=30", "days=90"), flow);
    assert_eq!(flow_edit("    login\n", "    login { stay-signed-in days=365 }\n"), flow);
    let chosen = flow_edit("authentication sign-in", "authentication builtin.authentication");
    assert!(!chosen.is_empty());
    assert!(chosen.iter().all(|each| each == "--allow settings.default-flows.authentication"));
    let weak = "flow weak for=authentication { identification; password; login }\ngroup readonly\n";
    assert_eq!(flow_edit("group readonly\n", weak).len(), 0);
}

/// `security.md` R5 and R14: by whose word people come in.
#[test]
fn another_provider_that_people_come_in_by_is_held() {
    let source = |issuer: &str, link: &str| {
        format!(
            "source work {{ oidc {{ issuer \"https://{issuer}\"; client-id a; client-secret (credential)a }}
             link {link} }}\ngroup readonly\n"
        )
    };
    let with = |text: &str| {
        let (_, home) = with_flow();
        let flow = home.replace("    identification\n", "    identification { sources work }\n");
        assert_ne!(flow, home, "the stage is there");
        sample::runtime_of(&[("home.kdl", &flow.replace("group readonly\n", text))])
    };
    let held = |before: &crate::runtime::Runtime, after: &crate::runtime::Runtime| {
        let plan = plan_of(before, after);
        plan.held.iter().flat_map(|reason| reason.confirm.clone()).collect::<Vec<_>>()
    };
    let plain = sample::runtime_of(&[("home.kdl", &with_flow().1)]);
    let ask = with(&source("id.example.org", "ask"));
    assert_eq!(held(&plain, &ask), ["--allow flow:sign-in"]);
    assert_eq!(held(&ask, &plain), [""; 0], "fewer ways in are no more power");
    let loose = with(&source("id.example.org", "verified-email"));
    assert_eq!(held(&ask, &loose), ["--allow source:work.link"]);
    assert_eq!(held(&loose, &ask), [""; 0]);
    let other = held(&ask, &with(&source("id.evil.example", "ask")));
    assert!(other.contains(&"--allow source:work.provider".to_owned()), "{other:?}");
    assert_eq!(other.len(), 2, "and the secret would go there: {other:?}");
    let client = source("id.example.org", "ask").replace("client-id a", "client-id b");
    assert_eq!(held(&ask, &with(&client)), ["--allow source:work.provider"]);
    let never = with(&source("id.example.org", "never"));
    assert_eq!(held(&never, &ask), ["--allow source:work.link"]);
    let plain_oauth = |fields: &str| {
        with(&format!(
            "source work {{ oauth2 {{ authorize \"https://o.example.org/a\"; token \"https://o.example.org/t\"
             userinfo \"https://o.example.org/u\"; client-id a; client-secret (credential)a; fields {fields} }} }}
             group readonly\n"
        ))
    };
    let (number, words) = (plain_oauth("subject=uuid"), plain_oauth("subject=bio"));
    assert_eq!(held(&number, &words), ["--allow source:work.provider"]);
}

/// `security.md` R5: an app that comes with a way in of its own.
#[test]
fn a_new_app_with_a_weaker_sign_in_is_held() {
    let weak = "flow weak for=authentication { identification; password; login }\n";
    let app = |more: &str| {
        format!("app notes {{ authentication {more}; access {{ allow group:users }} }}\n{weak}")
    };
    let held = flow_edit("group readonly\n", &format!("{}group readonly\n", app("weak")));
    assert_eq!(held, ["--allow app:notes.authentication"]);
    let same = flow_edit("group readonly\n", &format!("{}group readonly\n", app("sign-in")));
    assert_eq!(same.len(), 0);
}

#[test]
fn a_stricter_sign_in_is_not_held() {
    for (from, to) in [
        ("days=30", "days=7"),
        ("action configure", "action deny"),
        ("        unless on-lan\n", ""),
    ] {
        assert_eq!(flow_edit(from, to), Vec::<String>::new(), "{from} → {to}");
    }
}

#[test]
fn a_policy_on_which_a_proof_depends_is_held() {
    assert_eq!(flow_edit("\"10.0.0.0/8\"", "\"0.0.0.0/0\""), ["--allow policy:on-lan"]);
}

#[test]
fn choosing_a_weaker_flow_is_held() {
    let (chosen, home) = with_flow();
    let weak = "flow weak for=authentication { identification; password; login }\n";
    let before = sample::runtime_of(&[("home.kdl", &format!("{home}{weak}"))]);
    let other = chosen.replace("authentication sign-in", "authentication weak");
    let after = sample::runtime_of(&[("home.kdl", &format!("{other}{HOME}{weak}"))]);
    let plan = plan_of(&before, &after);
    assert_eq!(plan.held[0].confirm, ["--allow settings.default-flows.authentication"]);
    let app = home.replace("app wiki {", "app wiki { authentication weak;");
    let after = sample::runtime_of(&[("home.kdl", &format!("{app}{weak}"))]);
    assert_eq!(plan_of(&before, &after).held[0].confirm, ["--allow app:wiki.authentication"]);
}

/// `security.md` R5.
#[test]
fn removed_checks_are_held() {
    held(
        &[("test \"who may read\" { expect allow reader \"https://wiki.example.com/\" }", "")],
        "removed-test",
        "--allow 'test:who may read'",
    );
    held(
        &[("expect allow reader", "expect deny reader")],
        "removed-test",
        "--allow 'test:who may read'",
    );
    held(
        &[("invariant \"secure\" { cel \"app.hosts.size() > 0\" }", "")],
        "removed-invariant",
        "--allow invariant:secure",
    );
    let retitled = edit(&[("\"who may read\"", "\"readers\"")]);
    assert_eq!(retitled.outcome(), Outcome::Changes, "{:?}", retitled.held);
}

/// `security.md` R5.
#[test]
fn weaker_rules_of_reconciling_are_held() {
    let settings = |reconcile: &str| {
        let text = format!(
            "settings {{ external-host \"https://auth.example.com\"; reconcile {{ {reconcile} }} }}\n{HOME}"
        );
        sample::runtime_of(&[("home.kdl", &text)])
    };
    for (old, new, field) in [
        ("tests gate", "tests warn", "tests"),
        ("prune-guard count=3 percent=20", "prune-guard count=30 percent=20", "prune-guard"),
        ("drift enforce", "drift report", "drift"),
    ] {
        let plan = plan_of(&settings(old), &settings(new));
        assert_eq!(plan.held[0].confirm, [format!("--allow settings.reconcile.{field}")]);
        assert_eq!(plan_of(&settings(new), &settings(old)).held, []);
    }
}

/// `security.md` R3.
#[test]
fn a_secret_that_moves_is_held() {
    let mail = |host: &str| {
        let text = format!(
            "email {{ smtp \"smtps://{host}:465\" username=door password=(credential)smtp; from \"a@b.c\" }}\n{HOME}"
        );
        sample::runtime(&text)
    };
    let plan = plan_of(&mail("smtp.example.com"), &mail("evil.example.com"));
    assert_eq!(codes(&plan), ["secret-moved"]);
    assert!(plan.held[0].sentence.contains("(credential)smtp → host evil.example.com:465"));
    assert_eq!(plan.held[0].confirm, ["--allow secret:credential/smtp@evil.example.com:465"]);

    let open = |security: &str| {
        sample::runtime(&format!(
            "email {{ smtp \"smtp://smtp.example.com:25\" security={security} username=door password=(credential)smtp; from \"a@b.c\" }}\n{HOME}"
        ))
    };
    let plan = plan_of(&open("starttls"), &open("plain"));
    assert_eq!(codes(&plan), ["secret-moved"], "everyone on the way reads it");

    let before = sample::runtime(HOME);
    let scim = r#"app wiki { scim "https://evil.example.com/" { token (credential)root };"#;
    let after = sample::runtime(&edited(&[("app wiki {", scim)]));
    assert_eq!(codes(&plan_of(&before, &after)), ["secret-moved"]);
}

/// `security.md` R3: leaving a secret out for one generation does not make it forgotten.
#[test]
fn a_secret_is_remembered_after_it_left_the_files() {
    let mail = "email { smtp \"smtps://smtp.example.com\" username=door password=(credential)smtp; from \"a@b.c\" }\n";
    let used = sample::runtime(&format!("{mail}{HOME}"));
    let without = sample::runtime(HOME);
    let first = plan_of(&used, &without);
    assert_eq!(first.outcome(), Outcome::Changes);
    let stored =
        crate::reconcile::Stored { secret_uses: first.secret_uses, ..sample::stored(&without) };
    let evil = sample::runtime(&format!("{}{HOME}", mail.replace("smtp.example", "evil.example")));
    let plan = plan_with(&without, &evil, &stored, &Confirmations::default());
    assert_eq!(codes(&plan), ["secret-moved"]);
    let back = plan_with(&without, &used, &stored, &Confirmations::default());
    assert_eq!(back.outcome(), Outcome::Changes);
}

#[test]
fn a_confirmation_of_something_else_is_named() {
    let before = sample::runtime(HOME);
    let given = Confirmations::parse(["--allow-prune app:nothing"]).expect("parsed");
    let plan = plan_with(&before, &before, &sample::stored(&before), &given);
    assert_eq!(plan.warnings, ["`--allow-prune app:nothing` confirms nothing here"]);
}

#[test]
fn a_generation_that_cannot_be_read_lets_nothing_pass_unseen() {
    let running = sample::runtime(HOME);
    let vault = HOME.lines().find(|line| line.starts_with("app vault")).expect("vault");
    let after = sample::runtime(&edited(&[(vault, "")]));
    let plan = plan(&Question {
        before: None,
        after: &after,
        stored: &sample::stored(&running),
        confirmations: &Confirmations::default(),
        given: &Given::default(),
    });
    assert_eq!(codes(&plan), ["protected", "unknown-base"]);
}
