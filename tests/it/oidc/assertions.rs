//! Clients that sign what they say of themselves (RFC 7523, OIDC Core §9).

use serde_json::json;

use super::*;
use crate::support::hook::Hook;
use crate::support::signer::{Signer, now, sign_with, unsigned};
use crate::support::stores::on_both_servers;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Clients that ask for themselves, by a key, by keys at an address, by a secret.
fn apps(signer: &Signer, address: &str) -> String {
    let machine = |slug: &str, lines: &str| {
        format!(
            "app {slug} \"{slug}\" {{\n oidc {{\n grants client-credentials\n acts-as runner\n {lines}\n }}\n \
             access {{ allow service-account:runner }}\n}}\n"
        )
    };
    let keys = signer.jwks();
    [
        "service-account runner \"Runner\" { in users }\n".to_owned(),
        machine("keyed", &format!("client-auth private-key-jwt\n jwks #\"{keys}\"#")),
        machine(
            "remote",
            &format!(
                "client-auth private-key-jwt\n jwks-uri \"http://{address}/jwks\"\n may-reach \"{address}\""
            ),
        ),
        machine("secret", "client-auth secret-jwt\n client-secret (env)DOORWARD_SECRET_WIKI"),
        machine("plain", "client-secret (env)DOORWARD_SECRET_OTHER"),
    ]
    .concat()
}

fn claims_of(server: &Server, client: &str, id: &str) -> serde_json::Value {
    json!({
        "iss": client, "sub": client, "aud": issuer(server), "jti": id,
        "iat": now(), "exp": now() + 60,
    })
}

fn ask(server: &Server, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    post(server, "/oauth2/token", None, &form)
}

#[test]
fn a_client_is_known_by_its_key_or_by_its_secret() {
    on_both_servers(|state| {
        let signer = Signer::new("one");
        let hook = Hook::saying(&signer.jwks());
        let server = served_with(&apps(&signer, &hook.address.to_string()), state);
        for client in ["keyed", "remote"] {
            let answer = ask(
                &server,
                &signer.sign(&json!({ "kid": "one" }), &claims_of(&server, client, "a")),
            );
            assert_eq!(answer.status, 200, "{client}: {}", answer.body);
        }
        let answer = ask(&server, &sign_with(SECRET, &claims_of(&server, "secret", "a")));
        assert_eq!(answer.status, 200, "{}", answer.body);
        // The address is asked once for many, and for a key that is new there.
        for id in ["b", "c"] {
            let token = signer.sign(&json!({ "kid": "one" }), &claims_of(&server, "remote", id));
            assert_eq!(ask(&server, &token).status, 200);
        }
        assert_eq!(hook.posted(1).len(), 1);
    });
}

/// `security.md` 13 to 16: one thing wrong, and nobody is let in.
#[test]
fn an_assertion_is_for_us_now_and_once() {
    let (signer, other) = (Signer::new("one"), Signer::new("one"));
    let hook = Hook::answering(&[500, 500, 500]);
    let server = served_with(&apps(&signer, &hook.address.to_string()), &[]);
    let good = || claims_of(&server, "keyed", "good");
    let changed = |name: &str, value: serde_json::Value| {
        let mut claims = good();
        claims[name] = value;
        claims
    };
    let header = json!({ "kid": "one", "typ": "JWT" });
    let nothing = serde_json::Value::Null;
    let cases = [
        ("assertion-audience", changed("aud", json!("https://other.example"))),
        ("assertion-audience", changed("aud", json!([issuer(&server), "https://other.example"]))),
        ("assertion-audience", changed("aud", json!([]))),
        ("assertion-audience", changed("aud", json!(format!("{}.evil.example", issuer(&server))))),
        ("assertion-expired", changed("exp", json!(now() - 120))),
        ("assertion-too-long", changed("exp", json!(now() + 86_400))),
        ("assertion-without-exp", changed("exp", nothing.clone())),
        ("assertion-early", changed("nbf", json!(now() + 600))),
        ("assertion-time", changed("nbf", json!((now() - 60).to_string()))),
        ("assertion-subject", changed("iss", json!("plain"))),
        ("assertion-without-jti", changed("jti", nothing)),
    ];
    for (why, claims) in cases {
        let answer = ask(&server, &signer.sign(&header, &claims));
        assert_eq!(error(&answer), (401, "invalid_client".to_owned()), "{why}: {claims}");
        assert_eq!(reason(&server, &answer), why, "{claims}");
    }
    // Signed by somebody else, by nobody, by the wrong means, or for something else.
    let hs256 = sign_with(&signer.jwks(), &good());
    let none = format!("{}.", unsigned(&json!({ "alg": "none", "kid": "one" }), &good()));
    let embedded = other.sign(&json!({ "jwk": other.jwk() }), &good());
    for (why, token) in [
        ("assertion-signature", other.sign(&header, &good())),
        ("assertion-signature", embedded),
        ("assertion-signature", none),
        ("other-method", hs256),
        ("assertion-type", signer.sign(&json!({ "kid": "one", "typ": "dpop+jwt" }), &good())),
    ] {
        let answer = ask(&server, &token);
        assert_eq!(error(&answer), (401, "invalid_client".to_owned()), "{why}");
        assert_eq!(reason(&server, &answer), why);
    }
    // Keys that nobody gives are no keys.
    let answer = ask(&server, &signer.sign(&header, &claims_of(&server, "remote", "x")));
    assert_eq!(reason(&server, &answer), "keys-unknown");
    // All of that is counted, and after many nothing is looked at for a while.
    let forged = other.sign(&header, &good());
    let slow = (0..100).map(|_| ask(&server, &forged)).find(|answer| answer.status != 401);
    assert_eq!(slow.as_ref().map(error), Some((429, "slow_down".to_owned())));
    assert_eq!(ask(&server, &signer.sign(&header, &good())).status, 429);
}

#[test]
fn an_assertion_is_used_once_and_in_the_place_of_a_secret() {
    let signer = Signer::new("one");
    let server = served_with(&apps(&signer, "127.0.0.1:9"), &[]);
    let header = json!({ "kid": "one" });
    let token = signer.sign(&header, &claims_of(&server, "keyed", "only"));
    assert_eq!(ask(&server, &token).status, 200);
    let again = ask(&server, &token);
    assert_eq!(reason(&server, &again), "assertion-reused");
    // The endpoint may stand for us, and the name of an assertion is one client's.
    let mut claims = claims_of(&server, "secret", "only");
    claims["aud"] = json!([format!("{}/oauth2/token", issuer(&server))]);
    assert_eq!(ask(&server, &sign_with(SECRET, &claims)).status, 200);
    // Two ways at once are none, and a type without an assertion is a mistake.
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", token.as_str()),
    ];
    let plain = Some(("plain", "another-secret-that-is-long"));
    assert_eq!(
        error(&post(&server, "/oauth2/token", plain, &form)),
        (400, "invalid_request".to_owned())
    );
    let form = [("grant_type", "client_credentials"), ("client_assertion_type", TYPE)];
    assert_eq!(
        error(&post(&server, "/oauth2/token", None, &form)),
        (400, "invalid_request".to_owned())
    );
    // Who is declared with a secret is not let in by a signature made with it, nor the other way round.
    let signed = sign_with("another-secret-that-is-long", &claims_of(&server, "plain", "z"));
    assert_eq!(reason(&server, &ask(&server, &signed)), "other-method");
    let secret = post(
        &server,
        "/oauth2/token",
        Some(("secret", SECRET)),
        &[("grant_type", "client_credentials")],
    );
    assert_eq!(reason(&server, &secret), "other-method");
}
