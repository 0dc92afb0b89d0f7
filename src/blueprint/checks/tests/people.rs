use super::{NONE, app, complaints, complaints_in};
use crate::blueprint::validate::{Kinds, Mode};

#[test]
fn two_people_have_two_names_and_two_addresses() {
    assert_eq!(complaints("user bob \"Bob\"\nuser Bob \"Robert\""), ["names-alike: Bob"]);
    assert_eq!(complaints("user bob \"Bob\"\nservice-account BOB \"Robot\""), ["names-alike: BOB"]);
    assert_eq!(
        complaints("user a \"A\" email=\"x@example.com\"\nuser b \"B\" email=\"X@example.com\""),
        ["email-twice: \"X@example.com\""]
    );
    assert_eq!(complaints("user bob \"Bob\"\nuser bob \"Robert\""), ["declared-twice: bob"]);
}

#[test]
fn groups_and_policies_never_lie_in_themselves() {
    assert_eq!(complaints("group a \"A\" { in b }\ngroup b \"B\" { in a }"), ["cycle: a"]);
    assert_eq!(complaints("group a \"A\" { in a }"), ["cycle: a"]);
    assert_eq!(
        complaints("policy a { any { use b; use on-lan } }\npolicy b { not { use a } }"),
        ["cycle: a"]
    );
}

#[test]
fn a_console_group_is_declared() {
    assert_eq!(
        complaints("group staff \"Staff\" { console admin; membership runtime }"),
        ["console-membership: membership runtime"]
    );
}

#[test]
fn a_policy_asks_for_something() {
    assert_eq!(complaints("policy p"), ["empty-policy: policy p"]);
    assert_eq!(complaints("policy p { not }"), ["empty-policy: not"]);
    assert_eq!(complaints("policy p { attribute a }"), ["attribute-test: attribute a"]);
    assert_eq!(complaints("policy p { mfa within hours=1; mfa webauthn totp }"), NONE);
    assert_eq!(complaints("policy p { mfa hours=1 }"), ["bare-duration: hours=1"]);
    assert_eq!(complaints("policy p { mfa within }"), ["missing-duration: mfa within"]);
}

#[test]
fn a_window_opens_at_some_time() {
    assert_eq!(
        complaints("policy p { time mon from=\"09:00\" to=\"09:00\" tz=UTC }"),
        ["empty-window: time mon from=\"09:00\" to=\"09:00\" tz=UTC"]
    );
    assert_eq!(
        complaints("policy p { time mon tz=UTC; time tue tz=UTC }"),
        ["empty-window: time mon tz=UTC"]
    );
    assert_eq!(
        complaints(
            "policy p { time mon from=\"22:00\" to=\"02:00\" tz=UTC; time tue to=\"06:00\" tz=UTC }"
        ),
        NONE,
        "the night from Monday to Tuesday"
    );
    assert_eq!(
        complaints("policy p { time mon-fry tz=\"Europe/Berlim\" }"),
        ["unknown-value: fry", "unknown-zone: \"Europe/Berlim\""]
    );
}

#[test]
fn a_network_that_is_every_address_opens_nothing_unseen() {
    let text = "policy anywhere { network \"0.0.0.0/0\" \"::/0\" }";
    assert_eq!(complaints(text), NONE, "no allow rests on it");
    let used = format!(
        "{text}\npolicy mine {{ use anywhere }}
         app wiki \"Wiki\" {{ proxy \"https://wiki.example.com\"; access {{ allow group:users if=mine }} }}"
    );
    assert_eq!(
        complaints(&used),
        ["network-everywhere: \"0.0.0.0/0\"", "network-everywhere: \"::/0\""]
    );
}

#[test]
fn a_name_that_is_gone_leads_to_the_new_one() {
    let text = "app dns \"DNS\" formerly=pihole { proxy \"https://dns.example.com\"; access { allow group:users } }
                test \"t\" { expect allow anonymous app:pihole }";
    assert_eq!(complaints(text), ["unknown-app: pihole"]);
    let both = "group b \"B\" formerly=a\ngroup a \"A\"\ngroup c \"C\" formerly=users";
    assert_eq!(complaints(both), ["formerly-exists: a", "formerly-exists: users"]);
}

#[test]
fn names_that_could_not_be_read_are_not_missed() {
    let text =
        "app wiki \"Wiki\" { proxy \"https://wiki.example.com\"; access { allow group:nobody } }";
    assert_eq!(complaints(text), ["unknown-group: nobody"]);
    let unparsed = Mode { incomplete: true, ..Mode::default() };
    assert_eq!(complaints_in(text, unparsed), NONE);
    let (nodes, _) = crate::blueprint::sample::expanded(&[]);
    let apps = Mode { missing: Kinds::of_templates(&nodes), ..Mode::default() };
    assert_eq!(complaints_in(text, apps), ["unknown-group: nobody"]);
}

#[test]
fn one_slip_is_one_complaint() {
    assert_eq!(
        complaints(&format!(
            "gruop kids \"Kids\"\n{}",
            app("proxy \"https://wiki.example.com\"").replace("users", "kids")
        )),
        ["unknown-node: gruop"]
    );
}

#[test]
fn built_in_names_are_reserved() {
    assert_eq!(complaints("flow builtin.consent for=consent"), ["reserved-name: builtin.consent"]);
    assert_eq!(complaints("persona anonymous"), ["reserved-name: anonymous"]);
}

#[test]
fn a_test_asks_about_something_that_exists() {
    let base = app("proxy \"https://wiki.example.com\"");
    let test = |line: &str| {
        complaints(&format!("{base}\npersona ann {{ in users }}\ntest \"t\" {{ {line} }}"))
    };
    assert_eq!(test("expect allow ann \"https://wiki.example.com/x\""), NONE);
    assert_eq!(
        test("expect allow ann \"https://wikki.example.com/\""),
        ["unknown-host: \"https://wikki.example.com/\""]
    );
    assert_eq!(test("expect allow anne app:wiki"), ["unknown-persona: anne"]);
    assert_eq!(test("expect allow ann \"wiki\""), ["bad-url: \"wiki\""]);
    assert_eq!(test("expect claim ann app:wiki name=a value=b"), ["claim-test: app:wiki"]);
    assert_eq!(test(""), ["empty-test: test \"t\""]);
}
