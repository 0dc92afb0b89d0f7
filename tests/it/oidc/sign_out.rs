//! Signing out by a link of an app's (OIDC RP-Initiated Logout).

use super::*;

fn leaving(server: &Server, pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("{}/oauth2/sign-out?{}", issuer(server), query.extend_pairs(pairs).finish())
}

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://wiki.example.com/bye");

#[test]
fn an_app_that_shows_a_token_of_this_sign_in_signs_out_and_is_gone_back_to() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    let given = exchange(&server, &code(&server, &mut browser, &[]));
    let hint = text(&given, "id_token");
    let done = browser.open(&leaving(&server, &[("id_token_hint", &hint), BYE, ("state", "x y")]));
    assert_eq!((done.status, done.location()), (303, "https://wiki.example.com/bye?state=x+y"));
    let after = browser.open(&asking(&server, &[("prompt", "none")]));
    assert_eq!(told(&after)["error"], "login_required");
    assert_eq!(userinfo(&server, &text(&given, "access_token")).status, 401);
}

/// `security.md` R13: a link from elsewhere signs nobody out by itself.
#[test]
fn a_link_that_shows_no_token_of_this_sign_in_is_asked_about() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    let old = exchange(&server, &code(&server, &mut browser, &[]));
    let old = text(&old, "id_token");
    let url = server.url("http://auth.localhost:9000/sign-out");
    let page = browser.open(&url);
    assert_eq!(browser.submit(&url, &page, &[]).status, 303);
    browser.sign_in("alice", PASSWORD);
    for pairs in [
        vec![],
        vec![("client_id", "wiki"), BYE],
        vec![("id_token_hint", old.as_str()), BYE],
        vec![("id_token_hint", "x")],
    ] {
        let asked = browser.open(&leaving(&server, &pairs));
        assert_eq!((asked.status, asked.location()), (200, ""), "{pairs:?}");
    }
    let still = browser.open(&asking(&server, &[("prompt", "none")]));
    assert!(told(&still).contains_key("code"));
    let url = leaving(&server, &[("client_id", "wiki"), BYE]);
    let page = browser.open(&url);
    let done = browser.submit(&url, &page, &[]);
    assert_eq!((done.status, done.location()), (303, "https://wiki.example.com/bye"));
}

#[test]
fn nobody_is_sent_to_an_address_that_is_not_declared() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    let hint = text(&exchange(&server, &code(&server, &mut browser, &[])), "id_token");
    for pairs in [
        vec![
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", "https://evil.example/"),
        ],
        vec![
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", "https://wiki.example.com/bye?more=1"),
        ],
        vec![("client_id", "other"), BYE],
        vec![("id_token_hint", hint.as_str()), ("client_id", "other"), BYE],
        vec![BYE],
    ] {
        let answer = browser.open(&leaving(&server, &pairs));
        assert_eq!((answer.status, answer.location()), (400, ""), "{pairs:?}");
    }
    assert!(told(&browser.open(&asking(&server, &[]))).contains_key("code"), "still signed in");
}
