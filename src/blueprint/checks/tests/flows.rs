use super::{NONE, complaints};

fn flow(purpose: &str, stages: &str) -> Vec<String> {
    complaints(&format!(
        "email {{ smtp \"smtps://mail.example.com\"; from \"a@example.com\" }}
         flow f for={purpose} {{ {stages} }}"
    ))
}

#[test]
fn a_login_comes_after_a_proof() {
    assert_eq!(flow("authentication", "identification; password; login"), NONE);
    assert_eq!(flow("authentication", "identification; login"), ["login-without-proof: login"]);
    assert_eq!(
        flow("authentication", "identification { passkey-autofill }; login"),
        ["login-without-proof: login"]
    );
    assert_eq!(flow("authentication", "password; login"), ["nobody-identified: password"]);
    let passkey = "identification; authenticator-validate { device-classes webauthn; \
                   not-configured-action deny }; login";
    assert_eq!(flow("authentication", passkey), NONE);
    let skipped = "identification; authenticator-validate { device-classes webauthn; \
                   not-configured-action skip }; login";
    assert_eq!(flow("authentication", skipped), ["login-without-proof: login"]);
}

#[test]
fn a_condition_on_the_proof_leaves_a_way_around_it() {
    assert_eq!(
        flow("authentication", "identification; password { if on-lan }; login"),
        ["login-without-proof: login"]
    );
    assert_eq!(
        flow("authentication", "identification; password { if on-lan }; login { if on-lan }"),
        NONE
    );
    assert_eq!(
        flow(
            "authentication",
            "identification; password { if on-lan }; email-link { unless on-lan }; login"
        ),
        NONE
    );
    assert_eq!(
        flow(
            "authentication",
            "identification; deny \"No.\" { unless on-lan }; password { if on-lan }; login"
        ),
        NONE
    );
    assert_eq!(
        flow("authentication", "identification { if on-lan }; password; login"),
        ["nobody-identified: password"]
    );
}

/// A stage for administrators alone would be skipped for everybody if nobody were known.
#[test]
fn a_condition_on_the_person_comes_after_a_proof() {
    let flow = |stages: &str| {
        complaints(&format!(
            "policy staff {{ group users }}; flow f for=authentication {{ {stages} }}"
        ))
    };
    let validate = "authenticator-validate { if staff; device-classes totp; \
                    not-configured-action deny }";
    assert_eq!(
        flow(&format!("identification; {validate}; password; login")),
        ["condition-before-proof: staff"]
    );
    assert_eq!(flow(&format!("identification; password; {validate}; login")), NONE);
}

#[test]
fn a_login_is_there_and_comes_last() {
    assert_eq!(flow("authentication", "identification; password"), ["no-login: flow f"]);
    assert_eq!(
        flow("authentication", "identification; password; login; terms \"terms.md\""),
        [r#"login-not-last: terms "terms.md""#]
    );
}

#[test]
fn an_account_is_proven_before_it_is_written() {
    let prompt = "prompt { field username type=username; field email type=email; \
                  field password type=new-password }";
    assert_eq!(
        flow("recovery", &format!("identification; {prompt}; user-write; email-link; login")),
        ["write-without-proof: user-write"]
    );
    assert_eq!(
        flow("recovery", &format!("identification; email-link; {prompt}; user-write")),
        NONE
    );
    assert_eq!(
        flow(
            "enrollment",
            &format!("{prompt}; user-write {{ in users; inactive-until-verified }}; login")
        ),
        ["login-unverified: login"]
    );
    assert_eq!(flow("enrollment", &format!("{prompt}; user-write {{ in users }}; login")), NONE);
}

#[test]
fn a_recovery_is_no_way_around_the_second_factor() {
    let both = |recovery: &str| {
        complaints(&format!(
            "email {{ smtp \"smtps://mail.example.com\"; from \"a@example.com\" }}
             flow in for=authentication {{
                 identification; password
                 authenticator-validate {{ device-classes totp; not-configured-action configure }}
                 login
             }}
             flow back for=recovery {{ identification; email-link; {recovery}; user-write }}"
        ))
    };
    assert_eq!(
        both("prompt { field password type=new-password }"),
        ["recovery-skips-factor: user-write"]
    );
    let validate = "authenticator-validate { device-classes totp; not-configured-action skip";
    assert_eq!(both(&format!("{validate} }}")), NONE);
    assert_eq!(both(&format!("{validate}; if on-lan }}")), ["recovery-skips-factor: user-write"]);
}

#[test]
fn stages_stand_in_flows_of_their_purpose() {
    assert_eq!(
        flow("authentication", "identification; password; consent; login"),
        ["stage-out-of-place: consent"]
    );
    assert_eq!(flow("setup", "password"), ["setup-without-factor: flow f"]);
    assert_eq!(
        flow(
            "authentication",
            "identification; prompt { field a type=email }; email-verify; password; login"
        ),
        ["verify-without-proof: email-verify"]
    );
    let proven = "identification; password; prompt { field a type=email }; email-verify; login";
    assert_eq!(flow("authentication", proven), NONE);
    assert_eq!(flow("setup", "email-verify"), ["setup-without-factor: flow f"]);
    let asks =
        |field: &str| flow("setup", &format!("prompt {{ field a type={field} }}; email-verify"));
    assert_eq!(asks("email"), NONE);
    assert_eq!(asks("text"), ["setup-without-factor: flow f", "field-goes-nowhere: a"]);
    assert_eq!(flow("setup", "authenticator-totp"), NONE);
    assert_eq!(flow("step-up", "password"), ["step-up-without-factor: flow f"]);
}

#[test]
fn flows_are_used_for_what_they_are_for() {
    assert_eq!(
        complaints(
            "app wiki \"Wiki\" { proxy \"https://wiki.example.com\"; authorization builtin.setup; access { allow group:users } }"
        ),
        ["wrong-purpose: builtin.setup"]
    );
    assert_eq!(
        flow("authentication", "identification { link builtin.setup }; password; login"),
        ["wrong-purpose: builtin.setup"]
    );
}

#[test]
fn nobody_writes_themselves_into_a_console_group() {
    let prompt = "prompt { field username type=username; field email type=email; \
                  field password type=new-password }";
    assert_eq!(
        flow("enrollment", &format!("{prompt}; user-write {{ in admins }}; login")),
        ["console-group-given: admins"]
    );
}

#[test]
fn access_never_rests_on_what_people_fill_in() {
    let enrollment = "flow f for=enrollment {
        prompt { field username type=username; field department type=text; field secret type=hidden }
        user-write { in users }
    }";
    let with = |reader: &str| complaints(&format!("{enrollment}\n{reader}"));
    assert_eq!(
        with("policy it { attribute department equals=it }"),
        ["attribute-written-by-people: department"]
    );
    for cel in [
        "'it' in user.attributes.department",
        "'it' in user.attributes['department']",
        "'department' in user.attributes",
        "user.attributes.exists(k, k == 'department')",
    ] {
        assert_eq!(
            with(&format!("policy it {{ cel \"{cel}\" }}")),
            ["attribute-written-by-people: department"],
            "{cel}"
        );
    }
    assert_eq!(with("policy it { attribute floor equals=\"3\" }"), NONE);
    assert_eq!(with("policy it { attribute secret equals=x }"), NONE);
}

#[test]
fn an_enrollment_asks_for_what_an_account_needs() {
    let flow = |prompt: &str, rest: &str| {
        complaints(&format!("flow new for=enrollment {{ prompt {{ {prompt} }}; {rest}; login }}"))
    };
    let (name, mail) = ("field username type=username; ", "field email type=email");
    let (write, waits) = ("user-write", "user-write { inactive-until-verified }; email-verify");
    let codes = |found: Vec<String>| {
        let code = |line: &String| line.split(':').next().unwrap_or("").to_owned();
        found.iter().map(code).filter(|code| code != "no-mail-server").collect::<Vec<_>>()
    };
    assert_eq!(codes(flow(name, write)), NONE);
    assert_eq!(codes(flow(&format!("{name}{mail}"), waits)), NONE);
    assert_eq!(codes(flow(mail, write)), ["enrollment-without-username"]);
    assert_eq!(codes(flow(name, waits)), ["enrollment-without-email"]);
    let early = "user-write { inactive-until-verified }; authenticator-setup { any-of builtin.setup }; email-verify";
    assert_eq!(codes(flow(&format!("{name}{mail}"), early)), ["setup-before-account"]);
    let choice = format!("{name}field size type=choice");
    assert_eq!(codes(flow(&choice, write)), ["choice-without-options"]);
    let options = format!("{name}field size type=text {{ option small }}");
    assert_eq!(codes(flow(&options, write)), ["options-without-choice"]);
}
