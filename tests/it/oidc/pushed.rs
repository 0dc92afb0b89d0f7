//! Requests that a client hands in itself (RFC 9126).

use super::*;
use crate::support::stores::on_both_servers;

fn pushed(server: &Server, changes: &[(&str, &str)]) -> Answer {
    let address = asking(server, changes);
    let query = address.split_once('?').expect("a query").1.as_bytes();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query).into_owned().collect();
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    post(server, "/oauth2/par", WIKI, &pairs)
}

fn going(server: &Server, client: &str, uri: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", client).append_pair("request_uri", uri);
    format!("{}/oauth2/authorize?{}", issuer(server), query.finish())
}

#[test]
fn a_pushed_request_is_answered_once_and_for_its_client() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let answer = pushed(&server, &[]);
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(json(&answer)["expires_in"], serde_json::json!(90));
        let uri = text(&answer, "request_uri");
        assert!(!uri.contains("wiki.example.com"));
        // Not another client's, and nobody uses it up by trying.
        let other = browser.open(&going(&server, "other", &uri));
        assert_eq!((other.status, other.location()), (400, ""));
        // Looked at in advance, and by nobody who is signed in: nothing is used up.
        let looked = Browser::at(&server).open(&going(&server, "wiki", &uri));
        assert!(looked.location().starts_with("/sign-in?next="), "{}", looked.location());
        let back = told(&browser.open(&going(&server, "wiki", &uri)));
        assert_eq!(back["state"], "the state");
        assert_eq!(exchange(&server, &back["code"]).status, 200);
        let again = browser.open(&going(&server, "wiki", &uri));
        assert_eq!((again.status, again.location()), (400, ""));
        // Nor by the way that somebody else had begun to go.
        let next = looked.location().split_once("next=").expect("a way").1;
        let next = percent_encoding::percent_decode_str(next).decode_utf8().expect("text");
        let late = browser.open(&format!("{}{next}", issuer(&server)));
        assert_eq!(told(&late)["error"], "invalid_request_uri");
        // What travels in addresses is no pushed request, and the other way round.
        let sealed = uri.rsplit_once(':').expect("a name").1;
        let asked = format!("{}/oauth2/authorize?asked={sealed}", issuer(&server));
        assert_eq!(browser.open(&asked).status, 400);
    });
}

#[test]
fn what_is_wrong_with_a_pushed_request_is_told_to_the_client() {
    let server = served(&[]);
    for (changes, code) in [
        (vec![("redirect_uri", "https://evil.example/")], "invalid_request"),
        (vec![("redirect_uri", "")], "invalid_request"),
        (vec![("client_id", "other")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("scope", "everything")], "invalid_scope"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("request_uri", "urn:x")], "request_uri_not_supported"),
    ] {
        assert_eq!(error(&pushed(&server, &changes)), (400, code.to_owned()), "{changes:?}");
    }
    let nobody = post(&server, "/oauth2/par", Some(("wiki", "wrong")), &[]);
    assert_eq!(error(&nobody), (401, "invalid_client".to_owned()));
}

#[test]
fn a_client_that_has_to_push_is_not_answered_otherwise() {
    let apps = APPS.replacen("refresh-token days=30", "pushed-requests required", 1);
    let server = served_with(&apps, &[]);
    let mut browser = signed_in(&server);
    assert_eq!(told(&browser.open(&asking(&server, &[])))["error"], "invalid_request");
    let uri = text(&pushed(&server, &[]), "request_uri");
    assert!(told(&browser.open(&going(&server, "wiki", &uri))).contains_key("code"));
}
