use super::{NONE, app, complaints, complaints_in};
use crate::blueprint::validate::Mode;

fn oidc(body: &str) -> Vec<String> {
    complaints(&app(&format!(
        "oidc {{ redirect-uri \"https://wiki.example.com/cb\"; scopes openid offline_access; {body} }}"
    )))
}

#[test]
fn claims_leave_the_protocol_alone() {
    assert_eq!(oidc("claim sub \"user.username\""), ["reserved-claim: sub"]);
    assert_eq!(oidc("claim email \"user.username\""), ["shadowed-claim: email"]);
    assert_eq!(oidc("claim role \"user.username\""), NONE);
}

#[test]
fn a_client_is_consistent() {
    assert_eq!(
        oidc("redirect-uri \"https://wiki.example.com/cb\""),
        ["given-twice: \"https://wiki.example.com/cb\""]
    );
    assert_eq!(oidc("refresh-token days=30"), NONE);
    assert_eq!(
        complaints(&app(
            "oidc { redirect-uri \"https://w.example.com/\"; scopes openid; refresh-token days=1 }"
        )),
        ["no-offline-access: openid"]
    );
    assert_eq!(
        complaints(&app(
            "oidc public { redirect-uri \"https://w.example.com/\"; client-secret generated }"
        )),
        ["public-secret: generated"]
    );
    assert_eq!(
        complaints(&app(
            "oidc { redirect-uri \"https://w.example.com/\"; client-secret (credential)x rotate=2 }"
        )),
        ["not-generated: rotate"]
    );
    assert_eq!(complaints(&app("oidc { redirect-uri \"com.example.app:/cb\" }")), NONE);
}

#[test]
fn a_secret_is_never_written_out() {
    let secret = |value: &str| oidc(&format!("client-secret {value}"));
    assert_eq!(secret("\"hunter2\""), ["secret-in-git: \"hunter2\""]);
    assert_eq!(secret("hunter2"), ["secret-in-git: hunter2"]);
    assert_eq!(secret("(credential)wiki"), NONE);
    assert_eq!(secret("(file)\"/run/secrets/wiki\""), NONE);
    assert_eq!(secret("(file)\"/run/../etc/wiki\""), ["bad-secret: \"/run/../etc/wiki\""]);
    assert_eq!(secret("(env)WIKI"), ["bad-secret: WIKI"]);
    assert_eq!(
        secret("(env)DOORWARD_SECRET_WIKI"),
        ["secret-in-environment: DOORWARD_SECRET_WIKI"]
    );
    assert_eq!(secret("(credentials)wiki"), ["unknown-annotation: (credentials)"]);
    assert_eq!(
        complaints("user a \"A\" { initial-password generated }"),
        ["cannot-generate: generated"]
    );
    let dev = Mode { dev: true, ..Mode::default() };
    let text = "user a \"A\" { initial-password \"letmein\" }";
    assert_eq!(complaints_in(text, dev), ["secret-in-git: \"letmein\""]);
    assert_eq!(complaints("brand b { title (file)\"x\" }"), ["unexpected-annotation: (file)"]);
}

#[test]
fn people_may_bring_a_hash_that_is_verified_here() {
    let hash = |head: &str| {
        let rest = "$bm9ib2R5IGhhcyB0aGlz$c5aHqPvk1p6D0q1qkVbV3p0uJcMnZ3cR2rYf4nB7x9E";
        complaints(&format!("user a \"A\" {{ initial-password (argon2id)\"{head}{rest}\" }}"))
    };
    let [one] = hash("$argon2id$v=19$m=65536,t=3,p=4").try_into().expect("one warning");
    assert!(one.starts_with("password-hash-in-files: "), "{one}");
    for bad in
        ["$argon2i$v=19$m=65536,t=3,p=4", "$argon2id$v=19$m=4194304,t=3,p=4", "$6$rounds=5000"]
    {
        let found = hash(bad);
        assert!(found.iter().any(|each| each.starts_with("bad-secret: ")), "{bad}: {found:?}");
    }
}

#[test]
fn no_complaint_holds_the_secret() {
    use crate::blueprint::diagnostic::Diagnostics;
    use crate::blueprint::{sample, understand};
    let text = app("oidc { redirect-uri \"https://w.example.com/\"; client-secret \"hunter2\" }");
    let (nodes, sources) = sample::expanded(&[("base.kdl", super::BASE), ("case.kdl", &text)]);
    let mut out = Diagnostics::default();
    understand::understand(&nodes, &sources, Mode::default(), &mut out);
    for each in out.iter() {
        let said = format!("{} {:?} {:?} {:?}", each.message, each.labels, each.help, each.fix);
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn the_master_key_is_used_for_nothing_else() {
    let text = "settings { external-host \"https://auth.example.com\" }
        server { trusted-proxies \"127.0.0.1/32\"; master-key (credential)key }
        user a \"A\" { initial-password (credential)key }";
    let (nodes, sources) = crate::blueprint::sample::expanded(&[("one.kdl", text)]);
    let mut out = crate::blueprint::diagnostic::Diagnostics::default();
    crate::blueprint::understand::understand(&nodes, &sources, Mode::default(), &mut out);
    let codes: Vec<&str> = out.iter().map(|each| each.code).collect();
    assert_eq!(codes, ["blueprint::master-key-reused"]);
}

#[test]
fn ldap_is_not_spoken_in_clear_text() {
    let front =
        |line: &str| complaints(&format!("ldap {{ base-dn \"dc=example,dc=com\"; {line} }}"));
    assert_eq!(front("listen \"127.0.0.1:3389\""), NONE);
    assert_eq!(front("listen \"10.0.0.1:389\""), ["ldap-in-clear: \"10.0.0.1:389\""]);
    assert_eq!(
        front("listen-tls \"10.0.0.1:636\""),
        ["ldap-without-certificate: \"10.0.0.1:636\""]
    );
    assert_eq!(front(""), ["ldap-without-listener: ldap"]);
}

#[test]
fn a_bind_can_give_what_it_is_asked_for() {
    let bind = |stages: &str, account: &str, access: &str| {
        complaints(&format!(
            "ldap {{ base-dn \"dc=example,dc=com\"; listen \"127.0.0.1:3389\"; search everyone }}
             service-account robot \"Robot\" {{ {account} }}
             flow bind for=authentication {{ identification; password; {stages}
                 login }}
             app wiki \"Wiki\" {{ ldap {{ bind-as robot; flow bind }}; access {{ {access} }} }}"
        ))
    };
    let validate = "authenticator-validate { device-classes totp; not-configured-action deny";
    let token = "token ldap-bind";
    assert_eq!(bind("", "token api", "allow group:users"), ["no-bind-token: robot"]);
    assert_eq!(
        bind("", token, "require mfa; allow group:users"),
        ["require-over-ldap: require mfa"]
    );
    let code = format!("{validate}; code-in-password }}");
    assert_eq!(bind(&code, token, "require mfa; allow group:users"), NONE);
    assert_eq!(
        bind(&format!("{validate} }}"), token, "allow group:users"),
        ["stage-over-ldap: authenticator-validate"]
    );
    let lan = format!("{validate}; code-in-password; unless on-lan }}");
    assert_eq!(bind(&lan, token, "allow group:users"), ["network-over-ldap: on-lan"]);
    assert_eq!(
        complaints("app wiki \"Wiki\" { ldap; access { allow group:users } }"),
        ["no-ldap-front: ldap"]
    );
}

/// Hosts give files away by numbers.
#[test]
fn nobody_is_root_by_a_number_in_the_files() {
    let people = |lines: &str| {
        let ldap = "ldap { base-dn \"dc=example,dc=com\"; listen \"127.0.0.1:3389\" }";
        complaints(&format!("{ldap}\n{lines}"))
    };
    let one = |number: &str| people(&format!("user a \"A\" {{ attribute uidNumber {number} }}"));
    assert_eq!(one("\"2000\""), NONE);
    for bad in ["\"0\"", "\"999\"", "\"-1\"", "\"100000\"", "\"2000\" \"0\"", "root"] {
        assert_eq!(one(bad), ["posix-number: uidNumber"], "{bad}");
    }
    let two = "user a \"A\" { attribute uidNumber \"2000\" }\nuser b \"B\" { attribute UIDNumber \"2000\" }";
    assert_eq!(people(two), ["posix-number: UIDNumber"]);
    let both = "user a \"A\" { attribute uidNumber \"2000\" }\ngroup g \"G\" { attribute gidNumber \"2000\" }";
    assert_eq!(people(both), ["posix-number: gidNumber"], "her own group would be that group");
    let own = "user a \"A\" { attribute gidNumber \"2000\" }";
    assert_eq!(people(own), ["posix-number: gidNumber"]);
    let spelled = "user a \"A\" { attribute floor \"1\"; attribute Floor \"2\" }";
    assert_eq!(people(spelled), ["attribute-twice: Floor"]);
}

#[test]
fn an_app_has_a_part_of_the_directory_and_an_account_that_finds_somebody() {
    let ldap = |search: &str, app: &str| {
        complaints(&format!(
            "ldap {{ base-dn \"dc=example,dc=com\"; listen \"127.0.0.1:3389\"; {search} }}
             service-account robot \"Robot\" {{ in family; token ldap-bind }}
             app {app} \"Wiki\" {{ ldap {{ bind-as robot }}; access {{ allow group:users }} }}"
        ))
    };
    assert_eq!(ldap("", "wiki"), ["ldap-cannot-search: service-account robot"]);
    assert_eq!(ldap("search group:users", "wiki"), NONE);
    assert_eq!(ldap("search service-account:robot", "wiki"), NONE);
    assert_eq!(ldap("search everyone", "people"), ["ldap-branch: people"]);
}

#[test]
fn settings_fit_together() {
    assert_eq!(
        complaints(
            "app w \"W\" { proxy \"https://w.example.com\"; session { idle days=2; absolute days=1 }; access { allow group:users } }"
        ),
        ["idle-longer: session"]
    );
    assert_eq!(complaints("brand a { title A }\nbrand b { title B }"), ["brand-twice: b"]);
    assert_eq!(complaints("notify n { events config.rejected }"), ["one-of: notify n"]);
    assert_eq!(complaints("source s { link ask }"), ["one-of: source s"]);
}
