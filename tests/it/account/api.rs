//! `/api/v1`: invitations made by programs, and what a token is not enough for (`security.md` R15).

use doorward::token::{Look, look};
use serde_json::{Value, json};

use crate::support::server::{Answer, Browser, Server, basic, household};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

use super::{shown_token, with_app};

const PATH: &str = "/api/v1/invitations";

fn token(server: &Server, arguments: &[&str]) -> Result<String, String> {
    let made = server.command(&[&["token", "create"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if made.status.success() { Ok(text(&made.stdout)) } else { Err(text(&made.stderr)) }
}

fn call(server: &Server, method: &str, path: &str, authorization: &str, body: &str) -> Answer {
    let host = format!("auth.localhost:{}", server.port);
    let request = server.request(method, &host, path);
    let request = request.with("Authorization", authorization);
    match body {
        "" => request.send(),
        body => request.with("Content-Type", "application/json").body(body).send(),
    }
}

/// A well-formed token that nobody has.
fn other_than(token: &str) -> String {
    let letters = "0123456789abcdefghjkmnpqrstvwxyz";
    let start = &token[..token.len() - 2];
    let mut start = start.to_owned();
    let last = start.pop().expect("a letter");
    start.push(if last == '0' { '1' } else { '0' });
    let pairs = letters.chars().flat_map(|a| letters.chars().map(move |b| [a, b]));
    let mut texts = pairs.map(|pair| start.clone() + &pair.iter().collect::<String>());
    texts
        .find(|text| text != token && matches!(look(text), Some(Look::Whole(..))))
        .expect("a whole text")
}

fn detail(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body.get("status"), Some(&json!(answer.status)));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    body.get("detail").and_then(Value::as_str).expect("a detail").to_owned()
}

#[test]
fn a_program_invites_lists_and_takes_back() {
    on_both_servers(|state| {
        let smtp = Smtp::speaking(Speaks::Plain);
        let port = smtp.address.port();
        let mail = format!("email {{ smtp \"smtp://127.0.0.1:{port}\"; from \"d@home.example\" }}");
        let server = Server::with_arguments(&household(&with_app(&mail)), state);
        let token = token(&server, &["root", "--api", "--scope", "invitations"]).expect("a token");
        let bearer = format!("Bearer {token}");

        let asked = json!({
            "groups": ["users"], "fields": { "email": "bob@example.net" }, "days": 3, "note": "Bob", "mail": true,
        });
        let made = call(&server, "POST", PATH, &bearer, &asked.to_string());
        assert_eq!(made.status, 201, "{}", made.body);
        let made: Value = serde_json::from_str(&made.body).expect("JSON");
        assert_eq!((&made["by"], &made["uses-left"]), (&json!("root"), &json!(1)));
        let url = made["url"].as_str().expect("a link").to_owned();
        let sent = smtp.received_all(1);
        assert_eq!(sent[0].to, "bob@example.net");

        let path = url.strip_prefix(&server.url("http://auth.localhost:9000")).expect("ours");
        let mut bob = Walk::at(&server, Browser::at(&server), path);
        bob.shows("bob@example.net");

        let listed = call(&server, "GET", PATH, &bearer, "");
        let listed: Value = serde_json::from_str(&listed.body).expect("JSON");
        assert_eq!((&listed[0]["note"], &listed[0]["url"]), (&json!("Bob"), &Value::Null));
        let id = listed[0]["id"].as_str().expect("an id");
        let one = format!("{PATH}/{id}");
        assert_eq!(call(&server, "DELETE", &one, &bearer, "").status, 204);
        assert_eq!(call(&server, "DELETE", &one, &bearer, "").status, 404);
        Walk::at(&server, Browser::at(&server), path).shows("not known here");
        let events = server.some_events("invitation.made", 1);
        assert_eq!(events[0].actor.as_deref(), Some("root"));
    });
}

/// Whatever comes that is not right says what is, and changes nothing.
#[test]
fn what_is_wrong_with_a_call_is_said() {
    let server = Server::with(&household(&with_app("")));
    let token = token(&server, &["root", "--api", "--scope", "invitations"]).expect("a token");
    let bearer = format!("Bearer {token}");
    for (body, status, words) in [
        ("{", 400, "EOF"),
        ("[]", 400, "invalid"),
        (r#"{"group": ["users"]}"#, 400, "unknown field `group`, expected one of"),
        (r#"{"groups": ["admins"]}"#, 422, "opens the admin console"),
        (r#"{"groups": ["nowhere"]}"#, 422, "no file declares it"),
        (r#"{"flow": "none"}"#, 422, "no flow `none` for enrollment"),
        (r#"{"days": 0}"#, 422, "from 1 to 365"),
        (r#"{"uses": 1001}"#, 422, "from 1 to 1000"),
        (r#"{"note": "a\nb"}"#, 422, "one line"),
        (r#"{"mail": true}"#, 422, "there is none"),
        (r#"{"mail": true, "fields": {"email": "a@example.net"}}"#, 422, "declare `email`"),
    ] {
        let answer = call(&server, "POST", PATH, &bearer, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(detail(&answer).contains(words), "{body}: {}", answer.body);
    }
    let host = format!("auth.localhost:{}", server.port);
    let form = server.request("POST", &host, PATH).with("Authorization", &bearer);
    assert_eq!(form.form(&[("days", "3")]).send().status, 415);
    let long = format!(r#"{{"note": "{}"}}"#, "a".repeat(20_000));
    assert_eq!(call(&server, "POST", PATH, &bearer, &long).status, 413);
    let put = call(&server, "PUT", PATH, &bearer, "");
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD, POST")));
    assert_eq!(call(&server, "GET", "/api/v1/people", &bearer, "").status, 404);
    assert_eq!(call(&server, "GET", PATH, &bearer, "").body, "[]", "nothing was made");
}

/// `security.md` 19 and R15: the API is for tokens with the scope, of people who rule, and for nothing else.
#[test]
fn nothing_but_a_token_with_the_scope_of_an_admin_opens_the_api() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(&with_app("")), state);
        for name in ["alice", "root", "ruth"] {
            server.set_password(name, PASSWORD);
        }
        let refused = token(&server, &["alice", "--api", "--scope", "invitations"]);
        assert!(refused.expect_err("refused").contains("in no group with `console admin`"));
        let refused = token(&server, &["root", "--app", "wiki", "--scope", "invitations"]);
        assert!(refused.expect_err("refused").contains("--api"));

        let password = token(&server, &["root", "--app", "wiki"]).expect("an app password");
        let plain = token(&server, &["root", "--app", "wiki", "--api"]).expect("a token");
        let scoped = token(&server, &["root", "--api", "--scope", "invitations"]).expect("a token");
        let basic = basic("root", &password);
        for (authorization, status) in [
            (basic.as_str(), 401),
            (format!("Bearer {password}").as_str(), 401),
            (format!("Bearer {scoped}x").as_str(), 401),
            ("Bearer eyJhbGciOi.e30.x", 401),
            (format!("Bearer {plain}").as_str(), 403),
            (format!("Bearer {scoped}").as_str(), 200),
        ] {
            let answer = call(&server, "GET", PATH, authorization, "");
            assert_eq!(answer.status, status, "{authorization}: {}", answer.body);
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert_eq!(challenge.starts_with("Bearer realm=\"api\""), status != 200);
        }

        let unknown = call(&server, "GET", PATH, &format!("Bearer {}", other_than(&scoped)), "");
        assert_eq!(unknown.status, 401);
        let refused = server.some_events("token.refused", 1);
        assert_eq!(refused[0].subject.as_deref(), Some("api"));

        // A browser that is signed in as an admin can do nothing by it, and another host has no API.
        let mut browser = Browser::at(&server);
        browser.sign_in("root", PASSWORD);
        let url = server.url(&format!("http://auth.localhost:9000{PATH}"));
        assert_eq!(browser.open(&url).status, 401);
        let elsewhere = server.request("GET", &format!("wiki.localhost:{}", server.port), PATH);
        let elsewhere = elsewhere.with("Authorization", format!("Bearer {scoped}")).send();
        assert_ne!(elsewhere.status, 200);
        // It opens no app.
        let app = server.ask("http://wiki.localhost:9000/");
        let app = app.with("Authorization", format!("Bearer {scoped}")).send();
        assert_eq!(app.status, 403);

        // Whoever rules no more invites no more, at once.
        let root = "user root \"Root\" email=\"root@example.com\" { in admins }";
        let fewer = household(&with_app("")).replace(root, &root.replace("admins", "users"));
        server.edit("home.kdl", &fewer);
        let reloaded = server.reload();
        assert_eq!(reloaded.0, 0, "{reloaded:?} {}", server.log());
        assert_eq!(call(&server, "GET", PATH, &format!("Bearer {scoped}"), "").status, 403);
    });
}

#[test]
fn only_admins_are_offered_scopes_in_the_portal() {
    let server = Server::with(&household(&with_app("")));
    for name in ["alice", "root", "ruth"] {
        server.set_password(name, PASSWORD);
    }
    let mut alice = Walk::at(&server, Browser::at(&server), "/tokens?new=1");
    alice.password("alice").shows("New app password");
    assert!(!alice.page.body.contains("scope-invitations"));
    let form = |kind, once| {
        let name = ("name", "Inviter");
        [
            ("do", "make"),
            name,
            ("kind", kind),
            ("days", "30"),
            ("scope-invitations", "1"),
            ("once", once),
        ]
    };
    alice.post(&form("api-token", "a")).shows("Choose at least one application");

    let mut root = Walk::at(&server, Browser::at(&server), "/tokens?new=1");
    root.password("root").shows("scope-invitations");
    root.post(&form("app-password", "b")).shows("Only an API token can do that");
    root.post(&form("api-token", "c")).shows("is ready");
    let token = shown_token(&root.page.body);
    root.go("/tokens").shows("make, list and take back invitations");
    assert_eq!(call(&server, "GET", PATH, &format!("Bearer {token}"), "").status, 200);
}
