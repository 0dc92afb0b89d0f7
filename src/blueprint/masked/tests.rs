use super::*;

#[test]
fn quoted_text_after_telling_names_is_hidden() {
    assert_eq!(mask(r#"client-secret "hunter2-hunter2""#), r#"client-secret "***************""#);
    assert_eq!(mask(r##"master-key #"abc"#; x "y""##), r##"master-key #"***"#; x "y""##);
    assert_eq!(
        mask(r#"smtp "smtps://mail" username="me" password="abc""#),
        r#"smtp "smtps://mail" username="me" password="***""#
    );
    assert_eq!(mask(r#"let smtp-password "abc""#), r#"let smtp-password "***""#);
    assert_eq!(mask(r#"apiKey "abc""#), r#"apiKey "***""#);
    assert_eq!(mask(r#"/- token "abc""#), r#"/- token "***""#);
    assert_eq!(mask("client-secret \\\n  \"abc\""), "client-secret \\\n  \"***\"");
    assert_eq!(mask(r#"client-secret (sealed)"abc""#), r#"client-secret (sealed)"***""#);
}

#[test]
fn names_titles_and_references_stay_readable() {
    for text in [
        r#"client-secret generated deliver="/run/doorward/gitea-oidc""#,
        "initial-password (credential)bootstrap-admin-password",
        r#"token (file)"/run/secrets/scim""#,
        r#"smtp "smtps://mail" username="me" password=(env)SMTP_PASSWORD"#,
        r#"service-account ci "Token runner" { token api { expires days=365 } }"#,
        r#"policy hardware-key { mfa webauthn }"#,
        r#"field password type=new-password label="Password" required"#,
        r#"app vault-secrets "Vault" { access { allow group:admins } }"#,
        "runtime-objects users invitations tokens memberships",
        "default-token-lifetime minutes=60",
    ] {
        assert_eq!(mask(text), text);
    }
}

#[test]
fn text_that_does_not_parse_is_hidden_too() {
    assert_eq!(mask("client-secret \"abc {\n x"), "client-secret \"*****\n x");
    assert_eq!(mask("client-secret 'abc' }"), "client-secret '***' }");
    assert_eq!(mask("client-secret = \"abc\""), "client-secret = \"***\"");
    assert_eq!(mask("password: hunter2"), "password: *******");
    assert_eq!(mask("x password: hunter2"), "x password: *******");
    assert_eq!(mask("client-secret hunter2"), "client-secret *******");
    assert_eq!(mask("x password=hunter2"), "x password=*******");
    assert_eq!(mask("secret “abc”"), "secret “***”");
    assert_eq!(mask("secret \"\"\"\n a\n \"\"\""), "secret \"\"\"\n**\n*\"\"\"");
    assert_eq!(mask("title \"x secret \"hunter\""), "title \"x secret \"******\"");
}

#[test]
fn comments_and_addresses_may_hold_secrets() {
    assert_eq!(mask("// client-secret \"abc\""), "// client-secret \"***\"");
    assert_eq!(mask("# password: 'abc'"), "# password: '***'");
    assert_eq!(mask(r#"state "postgres://d:pw@db/x""#), r#"state "postgres://d:**@db/x""#);
}

#[test]
fn the_json_form_is_hidden_too() {
    assert_eq!(
        mask(r#"[{"node": "client-secret", "args": ["abc"]}, {"node": "title", "args": ["b"]}]"#),
        r#"[{"node": "client-secret", "args": ["***"]}, {"node": "title", "args": ["b"]}]"#
    );
}

proptest::proptest! {
    #[test]
    fn a_masked_text_has_the_same_bytes_in_the_same_lines(text in r#"(secret|"|'|#|\{|\}|=|:|
|/|\*|-|key| |a|ä|\\|\(file\)|“|”){0,40}"#) {
        let masked = mask(&text);
        proptest::prop_assert_eq!(masked.len(), text.len());
        proptest::prop_assert_eq!(masked.lines().count(), text.lines().count());
    }

    #[test]
    fn a_quoted_secret_never_survives(before in "[a-z {}\n;]{0,20}", after in "[a-z {}\n\"']{0,20}") {
        let text = format!("{before}\nclient-secret \"Hunter2Zz\" {after}");
        proptest::prop_assert!(!mask(&text).contains("Hunter2Zz"));
    }
}
