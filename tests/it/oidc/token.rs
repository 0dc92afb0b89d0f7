//! The token endpoint and what tokens open.

use serde_json::json;

use super::*;
use crate::support::stores::on_both_servers;

#[test]
fn a_code_becomes_tokens_that_say_who_signed_in() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let answer = exchange(&server, &code(&server, &mut browser, &[]));
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(text(&answer, "token_type"), "Bearer");
        assert_eq!(text(&answer, "scope"), "openid profile email groups");
        let told = claims(&server, &text(&answer, "id_token"));
        assert_eq!(told["iss"], json!(issuer(&server)));
        assert_eq!((&told["aud"], &told["nonce"]), (&json!("wiki"), &json!("the nonce")));
        assert_eq!(
            (&told["email"], &told["email_verified"]),
            (&json!("alice@example.com"), &json!(true))
        );
        assert_eq!((&told["groups"], &told["role"]), (&json!(["users"]), &json!("user")));
        assert_eq!(
            (&told["preferred_username"], &told["name"]),
            (&json!("alice"), &json!("Alice Example"))
        );
        assert_eq!((&told["amr"], &told["acr"]), (&json!(["pwd"]), &json!("pwd")));
        let access = text(&answer, "access_token");
        let said = claims(&server, &access);
        assert_eq!((&said["sub"], &said["client_id"]), (&told["sub"], &json!("wiki")));

        let known = userinfo(&server, &access);
        assert_eq!(known.status, 200, "{}", known.body);
        let known = json(&known);
        assert_eq!((&known["sub"], &known["role"]), (&told["sub"], &json!("user")));
        assert_eq!(known["email"], json!("alice@example.com"));

        let like_github = server.get(&host(&server), "/user");
        let user = json(&like_github.with("Authorization", format!("token {access}")).send());
        assert_eq!(
            (&user["login"], &user["email"]),
            (&json!("alice"), &json!("alice@example.com"))
        );
        assert!(user["id"].as_u64().is_some_and(|id| id > 0 && id < 1 << 53), "{user}");

        // The token may come in a form, in one way only, and never in the address.
        let path = "/oauth2/userinfo";
        assert_eq!(post(&server, path, None, &[("access_token", &access)]).status, 200);
        let twice = server.request("POST", &host(&server), path).form(&[("access_token", &access)]);
        let twice = twice.with("Authorization", format!("Bearer {access}")).send();
        assert_eq!(error(&twice), (400, "invalid_request".to_owned()));
        let address = server.get(&host(&server), &format!("{path}?access_token={access}")).send();
        assert_eq!(address.status, 401);

        // An ID token opens nothing.
        assert_eq!(
            error(&userinfo(&server, &text(&answer, "id_token"))),
            (401, "invalid_token".to_owned())
        );
    });
}

/// `security.md` 14: of client, redirect URI, verifier and age only the right cells succeed.
#[test]
fn a_code_is_for_one_client_one_address_and_one_verifier() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let code = code(&server, &mut browser, &[]);
        let other = Some(("other", "another-secret-that-is-long"));
        let wrong_verifier = "x".repeat(43);
        for client in [WIKI, other, Some(("wiki", "wrong")), None] {
            for redirect in [REDIRECT, "https://wiki.example.com/other", ""] {
                for verifier in [VERIFIER, &wrong_verifier, ""] {
                    if (client, redirect, verifier) == (WIKI, REDIRECT, VERIFIER) {
                        continue;
                    }
                    let form = [
                        ("grant_type", "authorization_code"),
                        ("code", code.as_str()),
                        ("redirect_uri", redirect),
                        ("code_verifier", verifier),
                    ];
                    let answer = post(&server, "/oauth2/token", client, &form);
                    let wanted = match client {
                        Some(("wiki", SECRET)) => (400, "invalid_grant".to_owned()),
                        Some(("other", _)) => (400, "invalid_grant".to_owned()),
                        _ => (401, "invalid_client".to_owned()),
                    };
                    assert_eq!(error(&answer), wanted, "{client:?} {redirect} {verifier}");
                }
            }
        }
        // None of that used it up; once it is, it takes everything along.
        let answer = exchange(&server, &code);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let access = text(&answer, "access_token");
        assert_eq!(userinfo(&server, &access).status, 200);
        let again = exchange(&server, &code);
        assert_eq!(error(&again), (400, "invalid_grant".to_owned()));
        assert_eq!(error(&userinfo(&server, &access)), (401, "invalid_token".to_owned()));
        assert_eq!(
            error(&refresh(&server, &text(&answer, "refresh_token"))),
            (400, "invalid_grant".to_owned())
        );

        // Whoever has to find out why asks by the name of the refusal.
        let name = text(&again, "ref");
        assert!(again.body.contains("used before"), "{}", again.body);
        assert_eq!(text(&exchange(&server, &code), "ref"), name, "one thing has one name");
        assert!(!server.events("token.refused").is_empty());
        let explained = server.command(&["explain", "--ref", &name]);
        let told = String::from_utf8(explained.stdout).expect("text");
        for part in ["used before", "app:wiki", "alice", "code-reused", "grant.given"] {
            assert!(told.contains(part), "no {part} in:\n{told}");
        }
        let unknown = server.command(&["explain", "--ref", "evt_nothing"]);
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("nothing is kept under"));
    });
}

/// `security.md` 14: two at once get one answer between them.
#[test]
fn a_code_is_worth_one_answer_however_many_bring_it() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let code = code(&server, &mut browser, &[]);
        let given = std::thread::scope(|scope| {
            let asked = || scope.spawn(|| exchange(&server, &code).status);
            let all: Vec<_> = (0..8).map(|_| asked()).collect();
            all.into_iter().map(|one| one.join().expect("asked")).filter(|s| *s == 200).count()
        });
        assert_eq!(given, 1);
    });
}

#[test]
fn a_refresh_token_is_good_once_and_its_reuse_ends_the_family() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let first = exchange(&server, &code(&server, &mut browser, &[]));
        let first = text(&first, "refresh_token");
        let answer = refresh(&server, &first);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = claims(&server, &text(&answer, "id_token"));
        assert_eq!(told.get("nonce"), None);
        // The answer was lost: once more, and the first answer is worth nothing.
        let lost = text(&answer, "refresh_token");
        let again = refresh(&server, &first);
        assert_eq!(again.status, 200, "{}", again.body);
        let second = text(&again, "refresh_token");
        assert_eq!(refresh(&server, &second).status, 200);
        // Somebody has the lost one: nobody keeps anything.
        assert_eq!(error(&refresh(&server, &lost)), (400, "invalid_grant".to_owned()));
        assert_eq!(error(&userinfo(&server, &text(&again, "access_token"))).0, 401);
        assert_eq!(error(&refresh(&server, &second)), (400, "invalid_grant".to_owned()));

        let other = Some(("other", "another-secret-that-is-long"));
        let fresh = exchange(&server, &code(&server, &mut browser, &[]));
        let token = text(&fresh, "refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let stolen = post(&server, "/oauth2/token", other, &form);
        assert_eq!(error(&stolen), (400, "invalid_grant".to_owned()));
        let wider = [form.as_slice(), &[("scope", "openid everything")]].concat();
        let wider = post(&server, "/oauth2/token", WIKI, &wider);
        assert_eq!(error(&wider), (400, "invalid_scope".to_owned()));
        let less = [form.as_slice(), &[("scope", "openid")]].concat();
        let less = post(&server, "/oauth2/token", WIKI, &less);
        assert_eq!(text(&less, "scope"), "openid");
    });
}

#[test]
fn an_app_asks_for_itself_as_the_account_that_it_acts_as() {
    on_both_servers(|state| {
        let server = served(state);
        let machine = Some(("machine", "a-machine-has-a-secret-too"));
        let form = [("grant_type", "client_credentials"), ("scope", "things:read openid")];
        let answer = post(&server, "/oauth2/token", machine, &form);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(text(&answer, "scope"), "things:read");
        let access = text(&answer, "access_token");
        assert_eq!(claims(&server, &access)["sub"], json!("machine"));
        assert_eq!(error(&userinfo(&server, &access)), (403, "insufficient_scope".to_owned()));
        let wiki = post(&server, "/oauth2/token", WIKI, &form);
        assert_eq!(error(&wiki), (400, "unauthorized_client".to_owned()));

        let asked = post(&server, "/oauth2/introspect", machine, &[("token", &access)]);
        assert_eq!(
            (&json(&asked)["active"], &json(&asked)["client_id"]),
            (&json!(true), &json!("machine"))
        );
        // Of another's token a client learns nothing.
        let asked = post(&server, "/oauth2/introspect", WIKI, &[("token", &access)]);
        assert_eq!(json(&asked), json!({ "active": false }));
        let called = post(&server, "/oauth2/revoke", machine, &[("token", &access)]);
        assert_eq!(called.status, 200);
        let asked = post(&server, "/oauth2/introspect", machine, &[("token", &access)]);
        assert_eq!(json(&asked), json!({ "active": false }));

        // The rules judge the account.
        let closed = household(APPS).replace("allow service-account:runner", "allow group:admins");
        server.edit("home.kdl", &closed);
        server.command(&["apply"]);
        let answer = post(&server, "/oauth2/token", machine, &form);
        assert_eq!(error(&answer), (400, "unauthorized_client".to_owned()));
    });
}

#[test]
fn an_opaque_token_is_looked_up_and_called_back() {
    on_both_servers(|state| {
        let server = served(state);
        let mut browser = signed_in(&server);
        let asked = [
            ("client_id", "other"),
            ("redirect_uri", "https://other.example.com/cb"),
            ("code_challenge", ""),
            ("code_challenge_method", ""),
        ];
        let code = code(&server, &mut browser, &asked);
        let other = Some(("other", "another-secret-that-is-long"));
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", "https://other.example.com/cb"),
        ];
        // `security.md` 15: a verifier without a challenge is no less a mistake.
        let with = [form.as_slice(), &[("code_verifier", VERIFIER)]].concat();
        assert_eq!(error(&post(&server, "/oauth2/token", other, &with)).1, "invalid_grant");
        let answer = post(&server, "/oauth2/token", other, &form);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let access = text(&answer, "access_token");
        assert!(access.starts_with("dwa_"), "{access}");
        assert_eq!(text(&answer, "scope"), "openid email", "only what is declared");
        assert_eq!(json(&answer).get("refresh_token"), None);
        let known = json(&userinfo(&server, &access));
        assert_eq!((&known["email"], known.get("name")), (&json!("alice@example.com"), None));
        let asked = json(&post(&server, "/oauth2/introspect", other, &[("token", &access)]));
        assert_eq!((&asked["active"], &asked["username"]), (&json!(true), &json!("alice")));
        // Another client's word calls nothing back.
        assert_eq!(post(&server, "/oauth2/revoke", WIKI, &[("token", &access)]).status, 200);
        assert_eq!(userinfo(&server, &access).status, 200);
        assert_eq!(post(&server, "/oauth2/revoke", other, &[("token", &access)]).status, 200);
        assert_eq!(error(&userinfo(&server, &access)), (401, "invalid_token".to_owned()));
    });
}

#[test]
fn a_public_client_has_no_secret_and_its_person_is_always_asked() {
    let server = served(&[]);
    let mut browser = signed_in(&server);
    let changes = [
        ("client_id", "native"),
        ("redirect_uri", "http://127.0.0.1:51234/cb"),
        ("scope", "openid"),
    ];
    let turned = browser.open(&asking(&server, &changes));
    assert_eq!(turned.status, 303, "{}", turned.body);
    let consent = server.url("http://auth.localhost:9000") + turned.location();
    assert!(turned.location().starts_with("/authorize?next="), "{}", turned.location());
    let page = browser.open(&consent);
    assert!(page.body.contains("Native") && page.body.contains("127.0.0.1"), "{}", page.body);
    let agreed = browser.submit(&consent, &page, &[("do", "allow")]);
    assert_eq!(agreed.status, 303, "{}", agreed.body);
    let back = browser.open(&(server.url("http://auth.localhost:9000") + agreed.location()));
    assert!(back.location().starts_with("http://127.0.0.1:51234/cb?code="), "{}", back.location());
    let code = told(&back)["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "native"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:51234/cb"),
        ("code_verifier", VERIFIER),
    ];
    let with_secret = [form.as_slice(), &[("client_secret", "x")]].concat();
    assert_eq!(error(&post(&server, "/oauth2/token", None, &with_secret)).0, 401);
    let answer = post(&server, "/oauth2/token", None, &form);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let subject = claims(&server, &text(&answer, "id_token"))["sub"].clone();
    assert!(!subject.as_str().expect("a text").starts_with("usr_"), "{subject}");

    // The next time it is asked again, and a refusal is told.
    let turned = browser.open(&asking(&server, &changes));
    let consent = server.url("http://auth.localhost:9000") + turned.location();
    let page = browser.open(&consent);
    let refused = browser.submit(&consent, &page, &[("do", "refuse")]);
    assert_eq!(told(&refused)["error"], "access_denied");
}

/// `security.md` 16.
#[test]
fn what_comes_twice_or_is_not_understood_is_refused_by_name() {
    let server = served(&[]);
    let post = |form: &[(&str, &str)]| error(&post(&server, "/oauth2/token", WIKI, form));
    let wanted = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(post(&[]), wanted(400, "invalid_request"));
    assert_eq!(post(&[("grant_type", "password")]), wanted(400, "unsupported_grant_type"));
    assert_eq!(post(&[("grant_type", "authorization_code")]), wanted(400, "invalid_request"));
    assert_eq!(post(&[("grant_type", "refresh_token")]), wanted(400, "invalid_request"));
    let twice = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")];
    assert_eq!(post(&twice), wanted(400, "invalid_request"));
    let two_ways = [("grant_type", "refresh_token"), ("client_secret", SECRET)];
    assert_eq!(post(&two_ways), wanted(400, "invalid_request"));
    let unknown = [("grant_type", "authorization_code"), ("code", "x")];
    assert_eq!(post(&unknown), wanted(400, "invalid_grant"));
    let get = server.get(&host(&server), "/oauth2/token").send();
    assert_eq!((get.status, text(&get, "error")), (405, "invalid_request".to_owned()));
    let none = server.get(&host(&server), "/oauth2/userinfo").send();
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (401, Some("Bearer realm=\"doorward\""))
    );
}

#[test]
fn wrong_secrets_are_counted_for_each_client_and_address() {
    let server = served(&[]);
    let form = [("grant_type", "client_credentials")];
    let wrong = Some(("machine", "wrong"));
    let mut answers = (0..60).map(|_| post(&server, "/oauth2/token", wrong, &form).status);
    assert!(answers.any(|status| status == 429), "nobody is told to wait");
    let machine = Some(("machine", "a-machine-has-a-secret-too"));
    assert_eq!(post(&server, "/oauth2/token", machine, &form).status, 429);
    let unknown = [("grant_type", "authorization_code"), ("code", "x")];
    assert_eq!(
        post(&server, "/oauth2/token", WIKI, &unknown).status,
        400,
        "another client goes on"
    );
}
