use super::{NONE, complaints};

fn rules(rules: &str) -> Vec<String> {
    complaints(&format!(
        "app wiki \"Wiki\" {{ proxy \"https://wiki.example.com\"; access {{ {rules} }} }}
         user bob \"Bob\" {{ in family }}
         service-account robot \"Robot\""
    ))
}

#[test]
fn a_rule_below_one_that_decides_the_same_requests_is_unreachable() {
    assert_eq!(rules("allow everyone; deny group:users"), ["unreachable-rule: deny group:users"]);
    assert_eq!(
        rules("allow group:users; deny user:bob"),
        ["unreachable-rule: deny user:bob"],
        "bob is in family, family is in users"
    );
    assert_eq!(
        rules("deny group:users; allow group:family"),
        ["unreachable-rule: allow group:family"]
    );
    assert_eq!(
        rules("allow group:admins; allow group:family; deny group:admins group:family"),
        ["unreachable-rule: deny group:admins group:family"]
    );
    assert_eq!(
        rules(r#"allow group:users path="/*"; deny group:family path="/admin""#),
        [r#"unreachable-rule: deny group:family path="/admin""#]
    );
    assert_eq!(
        rules("allow group:users if=on-lan; allow group:users if=on-lan unless=at-work"),
        ["unreachable-rule: allow group:users if=on-lan unless=at-work"]
    );
}

#[test]
fn one_subject_of_a_rule_may_be_out_of_reach() {
    assert_eq!(
        rules("deny group:family; allow group:users group:family"),
        ["unreachable-subject: group:family"]
    );
}

#[test]
fn special_cases_above_the_general_one_are_right() {
    assert_eq!(rules("deny group:family; allow group:users"), NONE);
    assert_eq!(rules(r#"deny everyone path="/admin/*"; allow group:users"#), NONE);
    assert_eq!(rules("deny everyone unless=on-lan; allow group:users"), NONE);
    assert_eq!(rules("allow group:users method=GET; deny group:users; allow everyone"), NONE);
    assert_eq!(rules("allow everyone; deny service-account:robot"), NONE);
}

#[test]
fn a_conditional_allow_does_not_hide_a_deny_that_its_error_would_reach() {
    assert_eq!(
        rules("allow group:users if=on-lan; deny group:users if=on-lan; allow group:admins"),
        NONE
    );
}

#[test]
fn an_access_without_allow_lets_nobody_in() {
    assert_eq!(rules("deny group:users"), ["nobody-may-enter: access"]);
}

#[test]
fn a_path_needs_a_proxy() {
    assert_eq!(
        complaints(
            r#"app wiki "Wiki" {
                oidc { redirect-uri "https://wiki.example.com/cb"; scopes openid }
                access { allow group:users path="/x" }
            }"#
        ),
        [r#"path-without-proxy: "/x""#]
    );
}

#[test]
fn a_bypass_names_public_paths_and_says_why() {
    let bypass = |line: &str| {
        complaints(&super::app(&format!("proxy \"https://wiki.example.com\" {{ {line} }}")))
    };
    assert_eq!(bypass(r#"bypass "/*" reason="all of it""#), [r#"bypass-everything: "/*""#]);
    assert_eq!(bypass(r#"bypass "/public/*""#), [r#"bypass-without-reason: bypass "/public/*""#]);
    assert_eq!(
        bypass(r#"bypass "/api/websocket/*" reason="has its own token""#),
        [r#"bypass-websocket: "/api/websocket/*""#]
    );
    assert_eq!(bypass(r#"bypass "/public/*" reason="shared by link""#), NONE);
    assert_eq!(bypass(r#"protect-only "/*""#), [r#"protect-everything: "/*""#]);
}

#[test]
fn two_access_blocks_are_one_too_many_even_through_a_template() {
    assert_eq!(
        complaints(
            r#"template strict { access { allow group:admins } }
               app wiki "Wiki" {
                   proxy "https://wiki.example.com"
                   use strict
                   access { allow group:users }
               }"#
        ),
        ["given-twice: access"]
    );
}
