//! The authorization endpoint: what is answered, to whom, and what is not.

use super::*;
use crate::support::walk::PASSWORD;

/// `security.md` 13: nobody is sent to an address that is not declared.
#[test]
fn what_names_no_client_or_another_address_leads_nowhere() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    for changes in [
        [("client_id", "nobody")],
        [("client_id", "")],
        [("redirect_uri", "")],
        [("redirect_uri", "https://wiki.example.com/cb/")],
        [("redirect_uri", "https://evil.example/cb")],
        [("redirect_uri", "https://wiki.example.com.evil.example/cb")],
        [("redirect_uri", "https://wiki.example.com@evil.example/cb")],
        [("redirect_uri", "https://other.example.com/cb")],
    ] {
        let answer = browser.open(&asking(&server, &changes));
        assert_eq!((answer.status, answer.location()), (400, ""), "{changes:?}");
    }
    let twice = asking(&server, &[]) + "&client_id=wiki";
    assert_eq!(browser.open(&twice).status, 400);
    let damaged = format!("{}/oauth2/authorize?asked=abc", issuer(&server));
    assert_eq!(browser.open(&damaged).status, 400);
}

#[test]
fn every_error_is_told_to_the_app_by_its_name() {
    let server = served(&[]);
    let mut browser = Browser::at(&server);
    for (changes, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_mode", "web_message")], "invalid_request"),
        (vec![("scope", "everything")], "invalid_scope"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge", "short")], "invalid_request"),
        (vec![("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("prompt", "dance")], "invalid_request"),
        (vec![("max_age", "soon")], "invalid_request"),
        (vec![("claims", "[]")], "invalid_request"),
        (vec![("id_token_hint", "x")], "invalid_request"),
        (vec![("request", "x")], "invalid_request_object"),
        (vec![("request_uri", "https://x")], "request_uri_not_supported"),
        (vec![("registration", "{}")], "registration_not_supported"),
        (vec![("prompt", "none")], "login_required"),
    ] {
        let answer = browser.open(&asking(&server, &changes));
        let told = told(&answer);
        assert_eq!(told.get("error").map(String::as_str), Some(error), "{changes:?}");
        assert_eq!(told.get("state").map(String::as_str), Some("the state"), "{changes:?}");
        assert_eq!(told.get("iss"), Some(&issuer(&server)));
        assert!(answer.location().starts_with("https://wiki.example.com/cb?"));
    }
    // Nothing was written by any of this.
    let states = server.look(async |read| {
        let now = doorward::clock::Clock::machine().now();
        read.list_live_sessions(now).await.expect("asked").len()
    });
    assert_eq!(states, 0);
}

#[test]
fn a_sign_in_leads_back_to_the_app_with_what_it_asked() {
    let server = served(&[]);
    let mut browser = Browser::at(&server);
    let turned = browser.open(&asking(&server, &[("state", "a&b=c d")]));
    assert_eq!(turned.status, 303, "{}", turned.body);
    assert!(turned.location().starts_with("/sign-in?next="), "{}", turned.location());
    assert!(!turned.location().contains("wiki"), "the request travels sealed");
    let mut at = issuer(&server) + turned.location();
    let page = browser.open(&at);
    assert!(page.body.contains("Wiki"), "{}", page.body);
    let named = browser.submit(&at, &page, &[("username", "alice")]);
    at = issuer(&server) + named.location();
    let page = browser.open(&at);
    let given = browser.submit(&at, &page, &[("password", PASSWORD)]);
    let done = browser.open(&(issuer(&server) + given.location()));
    let back = browser.open(&(issuer(&server) + done.location()));
    let told = told(&back);
    assert_eq!(told["state"], "a&b=c d");
    assert_eq!(exchange(&server, &told["code"]).status, 200);

    // By POST as well, from another site and so without a cookie.
    let query = asking(&server, &[]);
    let query = query.split_once('?').expect("a query").1.to_owned();
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let posted = post(&server, "/oauth2/authorize", None, &pairs);
    assert_eq!(posted.status, 303, "{}", posted.body);
    let back = browser.open(&(issuer(&server) + posted.location()));
    assert!(
        back.location().starts_with("https://wiki.example.com/cb?code="),
        "{}",
        back.location()
    );
}

#[test]
fn the_answer_travels_as_the_app_wants_it() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    let fragment = browser.open(&asking(&server, &[("response_mode", "fragment")]));
    assert!(
        fragment.location().starts_with("https://wiki.example.com/cb#code="),
        "{}",
        fragment.location()
    );
    let form = browser.open(&asking(&server, &[("response_mode", "form_post")]));
    assert_eq!(form.status, 200);
    assert!(form.body.contains("action=\"https://wiki.example.com/cb\""), "{}", form.body);
    assert!(form.body.contains("name=\"code\"") && form.body.contains("value=\"the state\""));
    assert!(!form.body.contains("csrf"), "our own token goes nowhere else");
    let policy = form.header("content-security-policy").expect("a policy");
    assert!(!policy.contains("form-action"), "{policy}");
}

#[test]
fn whoever_showed_up_too_long_ago_is_asked_again() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    for changes in [[("prompt", "login")], [("max_age", "0")]] {
        let turned = browser.open(&asking(&server, &changes));
        assert!(turned.location().starts_with("/step-up?next="), "{}", turned.location());
        let at = issuer(&server) + turned.location();
        let page = browser.open(&at);
        let given = browser.submit(&at, &page, &[("password", PASSWORD)]);
        assert_eq!(given.status, 303, "{}", given.body);
        let back = browser.open(&(issuer(&server) + given.location()));
        assert!(told(&back).contains_key("code"), "{}", back.location());
    }
    let long = browser.open(&asking(&server, &[("max_age", "3600")]));
    assert!(told(&long).contains_key("code"));
    let silent = browser.open(&asking(&server, &[("max_age", "0"), ("prompt", "none")]));
    assert_eq!(told(&silent)["error"], "login_required");
}

#[test]
fn a_demanded_second_factor_is_asked_for() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    // A wish is for whoever can meet it.
    let wished = browser.open(&asking(&server, &[("acr_values", "mfa")]));
    assert!(told(&wished).contains_key("code"), "{}", wished.location());
    let claims = r#"{"id_token":{"acr":{"essential":true,"values":["mfa"]}}}"#;
    let demanded = browser.open(&asking(&server, &[("claims", claims)]));
    assert!(demanded.location().starts_with("/step-up?next="), "{}", demanded.location());
    let silent = browser.open(&asking(&server, &[("claims", claims), ("prompt", "none")]));
    assert_eq!(told(&silent)["error"], "interaction_required");
}

#[test]
fn the_document_says_what_is_there() {
    let server = served(&[]);
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let answer = server.get(&host(&server), path).send();
        let told = json(&answer);
        assert_eq!(told["issuer"], serde_json::json!(issuer(&server)));
        for name in [
            "backchannel_logout_supported",
            "backchannel_logout_session_supported",
            "frontchannel_logout_supported",
            "frontchannel_logout_session_supported",
            "request_parameter_supported",
            "claims_parameter_supported",
            "authorization_response_iss_parameter_supported",
        ] {
            assert_eq!(told[name], serde_json::json!(true), "{name}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        for (name, value) in told.as_object().expect("an object") {
            let Some(url) = value.as_str().filter(|_| name.ends_with("endpoint")) else { continue };
            let path = url.strip_prefix(&issuer(&server)).expect("ours");
            let asked = server.get(&host(&server), path).send();
            assert_ne!(asked.status, 404, "{name}");
        }
    }
    let keys = json(&server.get(&host(&server), "/oauth2/jwks").send());
    let keys = keys["keys"].as_array().expect("keys").clone();
    assert_eq!(keys.len(), 3, "one for each way that apps are signed for");
    for key in keys {
        for private in ["d", "p", "q", "k"] {
            assert_eq!(key.get(private), None);
        }
    }
}

#[test]
fn the_app_may_say_whom_it_expects_and_what_they_read() {
    let server = served(&[]);
    let mut browser = Browser::at(&server);
    let hinted = asking(&server, &[("login_hint", "alice\"><b>"), ("ui_locales", "xx fr")]);
    let turned = browser.open(&hinted);
    let page = browser.open(&(issuer(&server) + turned.location()));
    assert!(
        page.body.contains("value=\"alice&#34;&gt;&lt;b&gt;\"")
            || page.body.contains("value=\"alice&quot;&gt;&lt;b&gt;\""),
        "{}",
        page.body
    );
    assert_eq!(page.header("content-language"), Some("fr"));
    // Somebody else is signed in than the one whom the app expects.
    let mut other = signed_in(&server);
    let claims = r#"{"id_token":{"sub":{"value":"usr_another"}}}"#;
    assert_eq!(
        told(&other.open(&asking(&server, &[("claims", claims)])))["error"],
        "login_required"
    );
}
