//! Devices without a keyboard (RFC 8628).

use serde_json::json;

use super::*;
use crate::support::stores::on_both_servers;

const APPS: &str = r#"
app tv "Television" {
    oidc public {
        grants device-code
        scopes openid profile offline_access
        refresh-token days=30
    }
    access { allow group:users }
}
app radio "Radio" {
    oidc {
        client-secret (env)DOORWARD_SECRET_WIKI
        grants device-code
    }
    access { allow group:admins }
}
app careful "Careful" {
    oidc public { grants device-code }
    access { allow group:users; require mfa within hours=1 }
}
app browser "Browser" {
    oidc public { redirect-uri "https://browser.example.com/cb" }
    access { allow everyone }
}
"#;

fn begin(server: &Server, client: &str) -> Answer {
    post(
        server,
        "/oauth2/device",
        None,
        &[("client_id", client), ("scope", "openid profile offline_access")],
    )
}

fn poll(server: &Server, client: Option<(&str, &str)>, id: &str, code: &str) -> Answer {
    let kind = "urn:ietf:params:oauth:grant-type:device_code";
    let mut form = vec![("grant_type", kind), ("device_code", code)];
    if client.is_none() {
        form.push(("client_id", id));
    }
    post(server, "/oauth2/token", client, &form)
}

fn page(server: &Server) -> String {
    format!("{}/device", issuer(server))
}

/// Types a code, and gives the address of what is asked then.
fn type_in(server: &Server, browser: &mut Browser<'_>, code: &str) -> Answer {
    let url = page(server);
    let shown = browser.open(&url);
    assert_eq!(shown.status, 200, "{}", shown.body);
    browser.submit(&url, &shown, &[("code", code)])
}

fn answer(server: &Server, browser: &mut Browser<'_>, typed: &Answer, word: &str) -> Answer {
    let url = issuer(server) + typed.location();
    let shown = browser.open(&url);
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.body.contains("127.0.0.1"), "where it asked from: {}", shown.body);
    browser.submit(&url, &shown, &[("do", word)])
}

#[test]
fn a_device_is_let_in_by_what_is_typed() {
    on_both_servers(|state| {
        let server = served_with(APPS, state);
        let mut browser = signed_in(&server);
        let begun = begin(&server, "tv");
        assert_eq!(begun.status, 200, "{}", begun.body);
        assert_eq!(text(&begun, "verification_uri"), page(&server));
        // `security.md` R19: no link types the code.
        assert!(json(&begun).get("verification_uri_complete").is_none());
        let (device, user) = (text(&begun, "device_code"), text(&begun, "user_code"));
        assert_eq!(
            error(&poll(&server, None, "tv", &device)),
            (400, "authorization_pending".to_owned())
        );
        assert_eq!(error(&poll(&server, None, "tv", &device)), (400, "slow_down".to_owned()));
        let typed = type_in(&server, &mut browser, &user.to_lowercase().replace('-', " "));
        assert_eq!(typed.status, 303, "{}", typed.body);
        let answered = answer(&server, &mut browser, &typed, "allow");
        assert!(answered.body.contains("The device is connected"), "{}", answered.body);
        // What was answered is answered.
        let again = type_in(&server, &mut browser, &user);
        assert_eq!(again.status, 422);
        let other = poll(&server, None, "careful", &device);
        assert_eq!(
            (error(&other).1, reason(&server, &other)),
            ("invalid_grant".to_owned(), "other-client".to_owned())
        );
        let given = poll(&server, None, "tv", &device);
        assert_eq!(given.status, 200, "{}", given.body);
        let token = text(&given, "access_token");
        assert_eq!(json(&userinfo(&server, &token))["preferred_username"], json!("alice"));
        // The browser goes; the device stays.
        let leaving = format!("{}/sign-out", issuer(&server));
        let shown = browser.open(&leaving);
        let _ = browser.submit(&leaving, &shown, &[]);
        let refresh = text(&given, "refresh_token");
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", refresh.as_str()),
        ];
        assert_eq!(post(&server, "/oauth2/token", None, &form).status, 200);
        // Its person sees it, and may take it away.
        let mut later = signed_in(&server);
        let security = format!("{}/security", issuer(&server));
        let shown = later.open(&security);
        assert!(shown.body.contains("Television"), "{}", shown.body);
        let id = server.look(async |read| {
            let known = read.find_user_by_username("alice").await.expect("asked").expect("alice");
            let now = doorward::clock::Clock::machine().now();
            read.list_grants_of(&known.id, now).await.expect("asked").remove(0).app_uid
        });
        let _ = later.submit(&security, &shown, &[("do", "take-back"), ("id", &id)]);
        let after = text(&given, "access_token");
        assert_eq!(userinfo(&server, &after).status, 401);
    });
}

/// `security.md` 14: two that hold the code, and neither keeps anything.
#[test]
fn a_device_code_is_good_once() {
    let server = served_with(APPS, &[]);
    let mut browser = signed_in(&server);
    let begun = begin(&server, "tv");
    let device = text(&begun, "device_code");
    let typed = type_in(&server, &mut browser, &text(&begun, "user_code"));
    let _ = answer(&server, &mut browser, &typed, "allow");
    let token = text(&poll(&server, None, "tv", &device), "access_token");
    assert_eq!(userinfo(&server, &token).status, 200);
    let twice = poll(&server, None, "tv", &device);
    assert_eq!(reason(&server, &twice), "reused");
    assert_eq!(userinfo(&server, &token).status, 401);
}

/// `security.md` 15, R19: the rules are asked when somebody agrees and when tokens are given.
#[test]
fn rules_and_refusals_hold_for_devices() {
    let server = served_with(APPS, &[]);
    let mut browser = signed_in(&server);
    // Not a client with this grant, and not one that is not known.
    assert_eq!(error(&begin(&server, "browser")), (400, "unauthorized_client".to_owned()));
    assert_eq!(error(&begin(&server, "nobody")), (401, "invalid_client".to_owned()));
    assert_eq!(error(&begin(&server, "radio")), (401, "invalid_client".to_owned()));
    // Refused.
    let begun = begin(&server, "tv");
    let typed = type_in(&server, &mut browser, &text(&begun, "user_code"));
    let answered = answer(&server, &mut browser, &typed, "refuse");
    assert!(answered.body.contains("turned away"), "{}", answered.body);
    let refused = poll(&server, None, "tv", &text(&begun, "device_code"));
    assert_eq!(error(&refused), (400, "access_denied".to_owned()));
    // Not for this person.
    let radio = Some(("radio", SECRET));
    let begun = post(&server, "/oauth2/device", radio, &[]);
    let typed = type_in(&server, &mut browser, &text(&begun, "user_code"));
    let denied = browser.open(&(issuer(&server) + typed.location()));
    assert_eq!(denied.status, 403, "{}", denied.body);
    let typing = browser.open(&page(&server));
    let forced = issuer(&server) + typed.location();
    let forced = browser.form(&forced, &typing, &[("do", "allow")]).send();
    assert_eq!(forced.status, 403, "{}", forced.body);
    assert_eq!(
        error(&poll(&server, radio, "radio", &text(&begun, "device_code"))).1,
        "authorization_pending"
    );
    // Another proof first.
    let begun = post(&server, "/oauth2/device", None, &[("client_id", "careful")]);
    let typed = type_in(&server, &mut browser, &text(&begun, "user_code"));
    let turned = browser.open(&(issuer(&server) + typed.location()));
    assert!(
        turned.location().starts_with("/step-up?next=%2Fdevice"),
        "{} {}",
        turned.status,
        turned.location()
    );
    // The rules at the time of giving: alice is let in, and out of the group before the device asks again.
    let begun = begin(&server, "tv");
    let typed = type_in(&server, &mut browser, &text(&begun, "user_code"));
    let _ = answer(&server, &mut browser, &typed, "allow");
    let apps = APPS.replacen("access { allow group:users }", "access { allow group:admins }", 1);
    server.edit("home.kdl", &crate::support::server::household(&apps));
    let (code, told) = server.reload();
    assert!(code == 0 || code == 3, "{told}");
    server.command(&["apply", "--yes"]);
    let late = poll(&server, None, "tv", &text(&begun, "device_code"));
    assert_eq!(
        (error(&late).1, reason(&server, &late)),
        ("invalid_grant".to_owned(), "rules".to_owned())
    );
}

#[test]
fn what_was_typed_is_one_persons_and_wrong_codes_are_counted() {
    let server = served_with(APPS, &[]);
    server.set_password("root", crate::support::walk::PASSWORD);
    let mut browser = signed_in(&server);
    let begun = begin(&server, "tv");
    let typed = type_in(&server, &mut browser, &text(&begun, "user_code"));
    // The address where one person goes on is nothing to another.
    let mut other = Browser::at(&server);
    other.sign_in("root", crate::support::walk::PASSWORD);
    let shown = other.open(&(issuer(&server) + typed.location()));
    assert!(shown.body.contains("Type the code"), "{}", shown.body);
    // Nobody is signed in: first that, then the page.
    let nobody = Browser::at(&server).open(&page(&server));
    assert_eq!(nobody.location(), "/sign-in?next=%2Fdevice");
    // A form of another site is none of ours.
    let url = page(&server);
    let shown = browser.open(&url);
    let foreign = browser.form(&url, &shown, &[("code", "AAAA-AAAA")]);
    let foreign = foreign
        .instead("Origin", "https://evil.example")
        .instead("Sec-Fetch-Site", "cross-site")
        .send();
    assert_eq!(foreign.status, 403, "{}", foreign.body);
    // Guesses end.
    let ended = (0..100)
        .map(|_| type_in(&server, &mut browser, "BBBB-BBBB").status)
        .find(|status| *status != 422);
    assert_eq!(ended, Some(429));
    // And an address has so many open codes.
    let ended = (0..40).map(|_| begin(&server, "tv")).find(|answer| answer.status != 200);
    assert_eq!(ended.as_ref().map(error), Some((429, "slow_down".to_owned())));
}
