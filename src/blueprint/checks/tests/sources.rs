use super::{BASE, Mode, NONE, complaints, complaints_over};

const CLIENT: &str = "client-id a; client-secret (credential)a";

fn source(issuer: &str, more: &str) -> Vec<String> {
    complaints(&format!(
        "source work {{ oidc {{ issuer \"{issuer}\"; {CLIENT} }}; {more} }}
         flow f for=authentication {{ identification {{ sources work }}; password; login }}
         flow e for=enrollment {{ prompt {{ field n type=username required }}; user-write; login }}"
    ))
}

#[test]
fn a_source_is_called_by_https_or_in_a_network_of_ones_own() {
    assert_eq!(source("https://id.example.org", ""), NONE);
    assert_eq!(source("http://127.0.0.1:8000", ""), ["http-call: \"http://127.0.0.1:8000\""]);
    assert_eq!(source("http://127.0.0.1:8000", "may-reach \"127.0.0.1:8000\""), NONE);
}

#[test]
fn somebody_can_come_for_the_first_time() {
    assert_eq!(
        source("https://id.example.org", "link never"),
        ["source-without-people: source work"]
    );
    assert_eq!(source("https://id.example.org", "link never; enroll e"), NONE);
}

#[test]
fn an_issuer_is_not_the_place_of_its_discovery() {
    let place = "https://id.example.org/realms/x/.well-known/openid-configuration";
    assert_eq!(source(place, ""), [format!("not-an-issuer: {place:?}")]);
}

#[test]
fn whoever_runs_the_place_can_get_in() {
    let base = BASE.replacen("settings {", "settings { default-flows { authentication f };", 1);
    let said = |asked: &str| {
        let text = format!(
            "source work {{ oidc {{ issuer \"https://id.example.org\"; {CLIENT} }} }}
             flow f for=authentication {{ identification {{ {asked} }}; login }}"
        );
        complaints_over(&base, &text, Mode::default())
    };
    let complaint = ["no-way-for-admins: identification"];
    assert_eq!(said("accept nothing; sources work"), complaint);
    assert_eq!(said("accept nothing; sources work; passkey-autofill"), NONE);
}

fn flow(purpose: &str, stages: &str) -> Vec<String> {
    complaints(&format!(
        "source work {{ oidc {{ issuer \"https://id.example.org\"; {CLIENT} }} }}
         email {{ smtp \"smtps://mail.example.com\"; from \"a@example.com\" }}
         flow f for={purpose} {{ {stages} }}"
    ))
}

/// `security.md` R8.
#[test]
fn where_nothing_is_typed_nobody_gets_past_without_a_proof() {
    let only = "identification { accept nothing; sources work }; login";
    assert_eq!(flow("authentication", only), NONE);
    let both = "identification { accept nothing username; sources work }; login";
    assert_eq!(flow("authentication", both), ["contradiction: identification"]);
    let neither = "identification { accept nothing }; login";
    assert_eq!(flow("authentication", neither), ["no-way-in: identification"]);
    let some = "identification { accept nothing; sources work; if on-lan }; login";
    assert_eq!(flow("authentication", some), ["login-without-proof: login"]);
    let typed = "identification { sources work }; login";
    assert_eq!(flow("authentication", typed), ["login-without-proof: login"]);
    let recovery = "identification { sources work }; email-link; login";
    assert_eq!(flow("recovery", recovery), ["source-out-of-place: work"]);
}
