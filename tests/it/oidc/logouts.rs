//! Applications are told that a sign-in has ended (OIDC Back-Channel and Front-Channel Logout).

use serde_json::json;

use super::*;
use crate::support::hook::Hook;
use crate::support::stores::on_both_servers;

fn apps(address: &str, lines: &str) -> String {
    let told = format!(
        "refresh-token days=30\n back-channel-logout-uri \"http://{address}/bye\"\n {lines}"
    );
    APPS.replacen("refresh-token days=30", &told, 1)
}

fn reachable(hook: &Hook) -> String {
    let address = hook.address.to_string();
    apps(&address, &format!("may-reach \"{address}\""))
}

fn leave(server: &Server, browser: &mut Browser<'_>) -> Answer {
    let url = format!("{}/sign-out", issuer(server));
    let shown = browser.open(&url);
    browser.submit(&url, &shown, &[])
}

/// The token that was posted.
fn posted(hook: &Hook, wanted: usize) -> String {
    let all = hook.posted(wanted);
    let last = all.last().expect("a post");
    assert_eq!(last.line, "POST /bye");
    let form: HashMap<String, String> =
        url::form_urlencoded::parse(last.body.as_bytes()).into_owned().collect();
    form.get("logout_token").expect("a token").clone()
}

#[test]
fn an_app_is_told_by_a_token_that_is_nothing_else() {
    on_both_servers(|state| {
        let hook = Hook::answering(&[500]);
        let server = served_with(&reachable(&hook), state);
        let mut browser = signed_in(&server);
        let given = exchange(&server, &code(&server, &mut browser, &[]));
        let id = claims(&server, &text(&given, "id_token"));
        assert_eq!(leave(&server, &mut browser).status, 303);
        // The first one was not taken: it comes again.
        let token = posted(&hook, 2);
        let read = Compact::read(&token).expect("a token");
        assert_eq!(read.header_text("typ"), Some("logout+jwt"));
        let told = claims(&server, &token);
        assert_eq!((&told["iss"], &told["aud"]), (&json!(issuer(&server)), &json!("wiki")));
        assert_eq!((&told["sub"], &told["sid"]), (&id["sub"], &id["sid"]));
        let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        assert_eq!(told["events"], events);
        assert!(told.get("nonce").is_none() && told.get("jti").is_some(), "{told:?}");
        // It opens nothing, and says nothing to whoever asks with it.
        assert_eq!(userinfo(&server, &token).status, 401);
        let hint = browser.open(&asking(&server, &[("id_token_hint", &token), ("prompt", "none")]));
        assert_ne!(super::told(&hint).get("error"), None);
    });
}

#[test]
fn every_end_is_told_once_and_only_to_who_was_entered() {
    let hook = Hook::answering(&[]);
    let server = served_with(&reachable(&hook), &[]);
    // Nobody entered the app: nothing is told.
    let mut idle = signed_in(&server);
    assert_eq!(leave(&server, &mut idle).status, 303);
    // Two codes in one sign-in are one end; ended from another browser, by a command.
    let mut browser = signed_in(&server);
    let _ = exchange(&server, &code(&server, &mut browser, &[]));
    let _ = exchange(&server, &code(&server, &mut browser, &[]));
    let done = server.command(&["user", "sign-out", "alice"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    posted(&hook, 1);
    std::thread::park_timeout(std::time::Duration::from_secs(3));
    assert_eq!(hook.posted(1).len(), 1);
}

/// `security.md` R19: files may name a place in the private network, and nothing calls it until the
/// administrator allows it by host and port.
#[test]
fn a_private_place_that_nobody_named_is_not_called() {
    let hook = Hook::answering(&[]);
    let address = hook.address.to_string();
    let secure = apps(&address, "").replacen("http://127", "https://127", 1);
    let server = served_with(&secure, &[]);
    let mut browser = signed_in(&server);
    let _ = exchange(&server, &code(&server, &mut browser, &[]));
    assert_eq!(leave(&server, &mut browser).status, 303);
    let log = server.log_with("is not a public address");
    assert!(log.contains("may-reach"), "{log}");
    // Without https it does not even pass the check.
    server.edit("home.kdl", &crate::support::server::household(&apps(&address, "")));
    let (code, told) = server.reload();
    assert_ne!(code, 0, "{told}");
}

#[test]
fn a_browser_tells_the_apps_that_want_it_to() {
    let page = "front-channel-logout-uri \"https://wiki.example.com/gone?x=1\"";
    let apps =
        APPS.replacen("refresh-token days=30", &format!("refresh-token days=30\n {page}"), 1);
    let server = served_with(&apps, &[]);
    let mut browser = signed_in(&server);
    let given = exchange(&server, &code(&server, &mut browser, &[]));
    let id = claims(&server, &text(&given, "id_token"));
    let hint = text(&given, "id_token");
    // What was given is taken back; the session that the app made of it is not.
    let token = text(&given, "refresh_token");
    assert_eq!(post(&server, "/oauth2/revoke", WIKI, &[("token", &token)]).status, 200);
    let bye = "https://wiki.example.com/bye";
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("id_token_hint", &hint).append_pair("post_logout_redirect_uri", bye);
    let done = browser.open(&format!("{}/oauth2/sign-out?{}", issuer(&server), query.finish()));
    assert_eq!(done.status, 200, "{}", done.body);
    let mut wanted = url::form_urlencoded::Serializer::new(String::new());
    let session = id["sid"].as_str().expect("a sid");
    wanted.append_pair("iss", &issuer(&server)).append_pair("sid", session);
    let frame = format!(
        "src=\"https://wiki.example.com/gone?x=1&amp;{}\"",
        wanted.finish().replace('&', "&amp;")
    );
    assert!(done.body.contains(&frame), "{frame}\n{}", done.body);
    assert!(done.body.contains(&format!("href=\"{bye}\"")), "{}", done.body);
    let policy = done.header("content-security-policy").expect("a policy");
    assert!(policy.contains("frame-src https://wiki.example.com;"), "{policy}");
    // Who is signed out already sees no frames.
    let again = format!("{}/sign-out", issuer(&server));
    assert!(!browser.open(&again).body.contains("<iframe"));
}
