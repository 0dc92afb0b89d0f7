//! Requests that clients sign (RFC 9101), and the profile that asks for the most.

use serde_json::json;

use super::*;
use crate::support::signer::{Signer, now};

fn apps(signer: &Signer, lines: &str) -> String {
    let keys = signer.jwks();
    APPS.replacen("refresh-token days=30", &format!("jwks #\"{keys}\"#\n {lines}"), 1)
}

fn object(server: &Server) -> Value {
    json!({
        "iss": "wiki", "aud": issuer(server), "client_id": "wiki", "exp": now() + 60,
        "redirect_uri": REDIRECT, "response_type": "code", "scope": "openid", "state": "signed",
        "code_challenge": challenge(VERIFIER), "code_challenge_method": "S256", "max_age": 3600,
        "claims": { "userinfo": { "email": null } },
    })
}

fn with(server: &Server, object: &str) -> String {
    asking(
        server,
        &[("request", object), ("state", "beside"), ("redirect_uri", "https://evil.example/")],
    )
}

#[test]
fn what_is_signed_counts_and_nothing_beside_it() {
    let signer = Signer::new("one");
    let server = served_with(&apps(&signer, ""), &[]);
    let mut browser = signed_in(&server);
    let token = signer.sign(&json!({ "typ": "oauth-authz-req+jwt" }), &object(&server));
    let back = told(&browser.open(&with(&server, &token)));
    assert_eq!(back["state"], "signed");
    let answer = exchange(&server, &back["code"]);
    assert_eq!((answer.status, text(&answer, "scope")), (200, "openid".to_owned()));
}

#[test]
fn a_signed_request_is_the_clients_for_us_and_now() {
    let (signer, other) = (Signer::new("one"), Signer::new("one"));
    let server = served_with(&apps(&signer, ""), &[]);
    let mut browser = signed_in(&server);
    let header = json!({ "kid": "one" });
    let mut bad = Vec::new();
    for (name, value) in [
        ("iss", json!("other")),
        ("client_id", json!("other")),
        ("aud", json!("https://other.example")),
        ("exp", json!(now() - 5)),
        ("nbf", json!(now() + 100)),
        ("exp", json!((now() + 60).to_string())),
        ("nbf", json!(null)),
        ("request", json!("x")),
    ] {
        let mut claims = object(&server);
        claims[name] = value;
        bad.push(signer.sign(&header, &claims));
    }
    bad.push(other.sign(&header, &object(&server)));
    bad.push(signer.sign(&json!({ "typ": "dpop+jwt" }), &object(&server)));
    bad.push("x".to_owned());
    for token in bad {
        let answer = browser.open(&asking(&server, &[("request", &token)]));
        assert_eq!(told(&answer)["error"], "invalid_request_object", "{token}");
        // Nobody is sent to an address that only stands beside it.
        assert_eq!(browser.open(&with(&server, &token)).status, 400);
    }
    // The address in the signed request is compared as any.
    let mut claims = object(&server);
    claims["redirect_uri"] = json!("https://evil.example/");
    let token = signer.sign(&header, &claims);
    let answer = browser.open(&asking(&server, &[("request", &token)]));
    assert_eq!((answer.status, answer.location()), (400, ""));
}

#[test]
fn a_client_that_has_to_sign_is_not_answered_otherwise() {
    let signer = Signer::new("one");
    let server = served_with(&apps(&signer, "signed-requests required"), &[]);
    let mut browser = signed_in(&server);
    assert_eq!(told(&browser.open(&asking(&server, &[])))["error"], "invalid_request");
    let token = signer.sign(&json!({}), &object(&server));
    let pushed = post(&server, "/oauth2/par", WIKI, &[("request", &token)]);
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let plain = [("redirect_uri", REDIRECT), ("response_type", "code"), ("scope", "openid")];
    assert_eq!(
        error(&post(&server, "/oauth2/par", WIKI, &plain)),
        (400, "invalid_request".to_owned())
    );
}

/// FAPI 2.0 Security Profile §5.3.2: pushed, signed for by a key, bound to a key, never rotated.
#[test]
fn the_profile_holds() {
    let (signer, bound) = (Signer::new("one"), Signer::new("two"));
    let keys = signer.jwks();
    let bank = format!(
        "app bank \"Bank\" {{\n oidc {{\n profile fapi2\n jwks #\"{keys}\"#\n redirect-uri \"{REDIRECT}\"\n \
         scopes openid offline_access\n refresh-token days=1\n }}\n access {{ allow everyone }}\n}}\n"
    );
    let server = served_with(&bank, &[]);
    let assertion = |id: &str, audience: &str| {
        signer.sign(
            &json!({ "kid": "one" }),
            &json!({ "iss": "bank", "sub": "bank", "aud": audience, "jti": id, "exp": now() + 60 }),
        )
    };
    let proof = |id: &str, nonce: &str, path: &str| {
        let mut jwk = bound.jwk();
        jwk.as_object_mut().expect("a key").remove("kid");
        let claims = json!({
            "htm": "POST", "htu": format!("{}{path}", issuer(&server)), "jti": id, "iat": now(), "nonce": nonce,
        });
        bound.sign(&json!({ "typ": "dpop+jwt", "jwk": jwk }), &claims)
    };
    let send = |path: &str, proof: Option<String>, assertion: &str, form: &[(&str, &str)]| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let mut all = vec![("client_assertion_type", kind), ("client_assertion", assertion)];
        all.extend(form);
        let request = server.request("POST", &host(&server), path).form(&all);
        match proof {
            Some(proof) => request.with("DPoP", proof).send(),
            None => request.send(),
        }
    };
    let us = issuer(&server);
    let digest = challenge(VERIFIER);
    let wanted = [
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid offline_access"),
        ("code_challenge", digest.as_str()),
        ("code_challenge_method", "S256"),
    ];
    // An assertion for an endpoint is none here, and a browser brings no request.
    let lured = send("/oauth2/par", None, &assertion("a", &format!("{us}/oauth2/par")), &wanted);
    assert_eq!(reason(&server, &lured), "assertion-audience");
    let mut browser = signed_in(&server);
    let direct = browser.open(&asking(&server, &[("client_id", "bank"), ("scope", "openid")]));
    assert_eq!(told(&direct)["error"], "invalid_request");
    let pushed = send("/oauth2/par", None, &assertion("b", &us), &wanted);
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let uri = text(&pushed, "request_uri");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", "bank").append_pair("request_uri", &uri);
    let back = told(&browser.open(&format!("{us}/oauth2/authorize?{}", query.finish())));
    let code = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let plain = send("/oauth2/token", None, &assertion("c", &us), &code);
    assert_eq!(error(&plain), (400, "invalid_dpop_proof".to_owned()));
    let first =
        send("/oauth2/token", Some(proof("1", "", "/oauth2/token")), &assertion("d", &us), &code);
    assert_eq!(error(&first), (400, "use_dpop_nonce".to_owned()));
    let nonce = first.header("dpop-nonce").expect("a nonce");
    let answer = send(
        "/oauth2/token",
        Some(proof("2", nonce, "/oauth2/token")),
        &assertion("e", &us),
        &code,
    );
    assert_eq!(
        (answer.status, text(&answer, "token_type")),
        (200, "DPoP".to_owned()),
        "{}",
        answer.body
    );
    assert_eq!(
        Compact::read(&text(&answer, "id_token")).expect("a token").algorithm(),
        Some(Algorithm::Es256)
    );
    // The refresh token stays what it is, however often it comes.
    let refresh = text(&answer, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    for id in ["3", "4"] {
        let answer = send(
            "/oauth2/token",
            Some(proof(id, nonce, "/oauth2/token")),
            &assertion(id, &us),
            &form,
        );
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(json(&answer).get("refresh_token").is_none(), "{}", answer.body);
    }
}
