//! The rules of an app, at every grant (`security.md` 15, 18).

use super::*;
use crate::support::stores::on_both_servers;

fn with_wiki(server: &Server, from: &str, to: &str) {
    let text = household(APPS).replacen(from, to, 1);
    server.edit("home.kdl", &text);
    let done = server.command(&["apply", "--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Somebody whom the rules let in no more gets no code, no token for the code they have, and no new
/// token for the one they have.
#[test]
fn the_rules_are_asked_at_approval_and_at_issue() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let held = exchange(&server, &code(&server, &mut browser, &[]));
        let waiting = code(&server, &mut browser, &[]);
        with_wiki(
            &server,
            "access { allow group:users group:admins }",
            "access { allow group:admins }",
        );
        let page = browser.open(&asking(&server, &[]));
        assert_eq!((page.status, page.location()), (403, ""));
        let silent = browser.open(&asking(&server, &[("prompt", "none")]));
        assert_eq!(told(&silent)["error"], "access_denied");
        assert_eq!(error(&exchange(&server, &waiting)), (400, "invalid_grant".to_owned()));
        let token = text(&held, "refresh_token");
        assert_eq!(error(&refresh(&server, &token)), (400, "invalid_grant".to_owned()));
        // Let in again, they go on: a refusal by the rules used nothing up.
        with_wiki(&server, "nothing", "nothing");
        assert_eq!(refresh(&server, &token).status, 200);
        assert_eq!(exchange(&server, &waiting).status, 200);
    });
}

/// RFC 9700 §4.14.2: a stolen token ends the family, whatever the rules say at that moment.
#[test]
fn a_token_brought_late_ends_the_family_of_somebody_who_is_kept_out() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let first = exchange(&server, &code(&server, &mut browser, &[]));
        let stolen = text(&first, "refresh_token");
        let held = refresh(&server, &stolen);
        let (token, access) = (text(&held, "refresh_token"), text(&held, "access_token"));
        server.tamper("UPDATE refresh_tokens SET used_at = used_at - 31000;");
        let before = "access { allow group:users group:admins }";
        with_wiki(&server, before, "access { allow group:admins }");
        let late = refresh(&server, &stolen);
        assert_eq!(reason(&server, &late), "reused");
        assert_eq!(userinfo(&server, &access).status, 401);
        with_wiki(&server, "nothing", "nothing");
        assert_eq!(error(&refresh(&server, &token)), (400, "invalid_grant".to_owned()));
    });
}

#[test]
fn a_second_factor_that_the_app_requires_is_required_of_every_grant() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    let held = exchange(&server, &code(&server, &mut browser, &[]));
    let before = "access { allow group:users group:admins }";
    with_wiki(&server, before, "access { require mfa; allow group:users group:admins }");
    let turned = browser.open(&asking(&server, &[]));
    assert!(turned.location().starts_with("/step-up?next="), "{}", turned.location());
    let answer = refresh(&server, &text(&held, "refresh_token"));
    assert_eq!(error(&answer), (400, "invalid_grant".to_owned()));
    assert!(answer.body.contains("another proof"), "{}", answer.body);
}

/// `security.md` 18: a disabled account, an ended sign-in and a removed app are over everywhere.
#[test]
fn what_a_grant_hangs_on_ends_it() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let bound = exchange(&server, &code(&server, &mut browser, &[]));
        let offline = [("scope", "openid offline_access")];
        let offline = exchange(&server, &code(&server, &mut browser, &offline));
        let url = server.url("http://auth.localhost:9000/sign-out");
        let page = browser.open(&url);
        assert_eq!(browser.submit(&url, &page, &[]).status, 303);
        let (of_bound, of_offline) =
            (text(&bound, "refresh_token"), text(&offline, "refresh_token"));
        assert_eq!(error(&refresh(&server, &of_bound)), (400, "invalid_grant".to_owned()));
        assert_eq!(error(&userinfo(&server, &text(&bound, "access_token"))).0, 401);
        let going_on = refresh(&server, &of_offline);
        assert_eq!(going_on.status, 200, "{}", going_on.body);

        with_wiki(&server, "user alice \"Alice Example\"", "user alice \"Alice Example\" disabled");
        let token = text(&going_on, "refresh_token");
        assert_eq!(error(&refresh(&server, &token)), (400, "invalid_grant".to_owned()));
        assert_eq!(error(&userinfo(&server, &text(&going_on, "access_token"))).0, 401);
    });
}

/// Who ends all sessions of a person ends what outlives them, too (`security.md` R9).
#[test]
fn a_sign_out_by_command_ends_what_would_outlive_the_sign_in() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let offline = [("scope", "openid offline_access")];
        let offline = exchange(&server, &code(&server, &mut browser, &offline));
        let done = server.command(&["user", "sign-out", "alice"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let refused = refresh(&server, &text(&offline, "refresh_token"));
        assert_eq!(error(&refused), (400, "invalid_grant".to_owned()));
        assert_eq!(error(&userinfo(&server, &text(&offline, "access_token"))).0, 401);
    });
}
