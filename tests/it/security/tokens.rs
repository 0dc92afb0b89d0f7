//! App passwords and API tokens: where they are good, and what nobody gets by them.

use std::thread;
use std::time::{Duration, Instant};

use doorward::store::EventFilter;
use doorward::token::{Look, look};

use super::{FILES, LAN, PASSWORD, WIKI, alice, household, served};
use crate::support::server::{Answer, Browser, Request, Server, basic};
use crate::support::stores::on_both_servers;

const VAULT: &str = "http://vault.localhost:9000/";
/// Whom `Server::ask` names as the client.
const CLIENT: &str = "203.0.113.7";

/// The household with an app that requires a second factor.
fn with_vault() -> String {
    let vault = r#"app vault "Vault" {
    proxy "http://vault.localhost:9000"
    access { require mfa; allow group:users }
}
"#;
    format!("{}{vault}", household())
}

fn create(server: &Server, more: &[&str]) -> String {
    let done = server.command(&[&["token", "create"], more].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

/// The tokens that `doorward token list` shows.
fn listed(server: &Server) -> Vec<serde_json::Value> {
    let done = server.command(&["token", "list", "--json"]);
    serde_json::from_slice(&done.stdout).expect("a list")
}

fn only_id(server: &Server) -> String {
    let tokens = listed(server);
    let [token] = tokens.as_slice() else { panic!("not one: {tokens:?}") };
    token.get("id").and_then(|id| id.as_str()).expect("an id").to_owned()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn request(server: &Server, url: &str, credential: &str) -> Request {
    server.ask(&server.url(url)).with("Accept", "*/*").with("Authorization", credential)
}

fn ask(server: &Server, url: &str, credential: &str) -> Answer {
    request(server, url, credential).send()
}

/// A well-formed token that nobody has.
fn made_up(prefix: &str, number: usize) -> String {
    let letters = "0123456789abcdefghjkmnpqrstvwxyz";
    let body = format!("{number:0>26}");
    let pairs = letters.chars().flat_map(|a| letters.chars().map(move |b| (a, b)));
    let mut texts = pairs.map(|(a, b)| format!("{prefix}{body}{a}{b}"));
    texts.find(|text| matches!(look(text), Some(Look::Whole(..)))).expect("a text")
}

fn failures(server: &Server) -> u64 {
    let key = format!("address:{CLIENT}");
    let found = server.look(async |read| read.find_attempts(&key).await.expect("asked"));
    found.map_or(0, |attempts| attempts.failures)
}

/// Changes a SQLite store past the server, as another process would.
fn tamper(server: &Server, sql: &str) {
    let state = rusqlite::Connection::open(server.path().join("state/doorward.db"));
    state.expect("opened").execute_batch(sql).expect("tampered");
}

/// Asks until it is refused, and says how long that took.
fn until_refused(ask: impl Fn() -> Answer) -> Duration {
    let start = Instant::now();
    while ask().status == 200 {
        assert!(start.elapsed() < Duration::from_secs(10), "still let in");
        thread::park_timeout(Duration::from_millis(20));
    }
    start.elapsed()
}

/// `security.md` R15: credential × app × `require`.
#[test]
fn a_credential_opens_the_apps_it_names_and_none_that_requires_a_second_factor() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&with_vault(), state);
        let password = create(&server, &["alice", "--app", "wiki", "--app", "vault", "lan"]);
        let token = create(&server, &["alice", "--api", "--app", "files", "vault"]);
        let of_bob = create(&server, &["bob", "--app", "wiki", "files"]);
        let (password, token) = (basic("alice", &password), bearer(&token));
        let of_bob = basic("bob", &of_bob);
        for (credential, url, status, code) in [
            (&password, WIKI, 200, ""),
            (&password, FILES, 403, "token-not-for-app"),
            (&password, VAULT, 403, "token-without-second-factor"),
            (&password, LAN, 403, "access-denied"),
            (&token, WIKI, 403, "token-not-for-app"),
            (&token, FILES, 200, ""),
            (&token, VAULT, 403, "token-without-second-factor"),
            (&of_bob, WIKI, 403, "access-denied"),
            (&of_bob, FILES, 200, ""),
        ] {
            let answer = ask(&server, url, credential);
            assert_eq!(answer.status, status, "{url}: {}", answer.body);
            assert!(answer.body.starts_with(code), "{url}: {}", answer.body);
            assert_eq!(answer.location(), "", "{url}: nothing leads to a page");
        }
        let hidden = format!("{WIKI}hidden/page");
        assert_eq!(ask(&server, &hidden, &password).status, 403, "rules hold for tokens");
    });
}

#[test]
fn an_accepted_credential_tells_the_app_who_it_is() {
    let server = served();
    let password = create(&server, &["alice", "--app", "wiki"]);
    let answer = ask(&server, WIKI, &basic("alice", &password));
    assert_eq!(answer.header("remote-user"), Some("alice"));
    assert_eq!(answer.header("remote-groups"), Some("users"));
    assert_eq!(answer.header("remote-email"), Some("alice@example.com"));
    assert_eq!(answer.header("x-webauth-user"), Some("alice"));
    assert!(answer.headers("set-cookie").is_empty());
}

/// What is remembered of one app is not told to another.
#[test]
fn one_token_tells_each_app_what_that_app_gets() {
    let more = r#"app inbox "Inbox" {
    proxy "http://inbox.localhost:9000" { identity-headers authentik }
    access { allow group:users }
}
"#;
    let server = Server::with(&format!("{}{more}", household().replace("if=on-lan", "")));
    let made = create(&server, &["alice", "--app", "lan", "inbox"]);
    let credential = basic("alice", &made);
    for _ in 0..2 {
        let lan = ask(&server, LAN, &credential);
        assert_eq!((lan.status, lan.header("remote-user")), (200, Some("alice")));
        assert_eq!(lan.header("x-authentik-meta-app"), Some(""));
        let inbox = ask(&server, "http://inbox.localhost:9000/", &credential);
        assert_eq!((inbox.status, inbox.header("remote-user")), (200, Some("")));
        assert_eq!(inbox.header("x-authentik-meta-app"), Some("inbox"));
    }
}

/// `security.md` R15: what is ours stops here on every way through, and what is not passes.
#[test]
fn a_credential_of_ours_never_reaches_the_application_and_a_foreign_one_does() {
    let server = served();
    let password = create(&server, &["alice", "--app", "wiki"]);
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let open = format!("{WIKI}public/page");
    let mistyped = password.replace('-', "").replace("dwp_", "dwp_0");
    for ours in
        [basic("alice", &password), basic("x", &mistyped), bearer("dwt_0"), bearer(&password)]
    {
        let opened = ask(&server, &open, &ours);
        assert_eq!((opened.status, opened.header("authorization")), (200, None), "{ours}");
        let signed_in = request(&server, WIKI, &ours).with("Cookie", &cookies).send();
        assert_eq!((signed_in.status, signed_in.header("authorization")), (200, None), "{ours}");
    }
    let used = ask(&server, WIKI, &basic("alice", &password));
    assert_eq!((used.status, used.header("authorization")), (200, None));
    for foreign in [basic("alice", "hunter2"), bearer("eyJhbGciOi.e30.x"), "Digest a=b".to_owned()]
    {
        let opened = ask(&server, &open, &foreign);
        assert_eq!(opened.header("authorization"), Some(foreign.as_str()));
        let signed_in = request(&server, WIKI, &foreign).with("Cookie", &cookies).send();
        assert_eq!(signed_in.header("authorization"), Some(foreign.as_str()));
        let nobody = ask(&server, WIKI, &foreign);
        assert_eq!((nobody.status, nobody.body.as_str()), (401, "login required\n"));
    }
    assert_eq!(failures(&server), 0, "none of it was a guess");
}

/// `security.md` R15: the session of a browser counts before any token.
#[test]
fn a_session_counts_before_a_token() {
    let server = served();
    let of_bob = create(&server, &["bob", "--app", "files"]);
    let cookies = alice(&server, &[FILES]).cookies(&server.url(FILES));
    let both = request(&server, FILES, &basic("bob", &of_bob)).with("Cookie", cookies).send();
    assert_eq!(both.header("remote-user"), Some("alice"));
    let stale = request(&server, FILES, &basic("bob", &of_bob)).with("Cookie", "doorward-app=x");
    assert_eq!(stale.send().header("remote-user"), Some("bob"));
}

#[test]
fn a_revoked_token_fails_on_the_next_request() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(), state);
        let credential = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
        let id = only_id(&server);
        for known in [false, true] {
            assert_eq!(ask(&server, WIKI, &credential).status, 200, "known: {known}");
        }
        let done = server.command(&["token", "revoke", &id]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let refused = ask(&server, WIKI, &credential);
        assert_eq!((refused.status, refused.body.as_str()), (401, "invalid-credential\n"));
        assert!(listed(&server).is_empty());
        assert!(!server.command(&["token", "revoke", &id]).status.success(), "a second time");
    });
}

/// Several threads look a token up for the first time while it is revoked.
#[test]
fn a_token_revoked_while_it_is_looked_up_is_not_remembered() {
    let mut server = served();
    for round in 0..5 {
        let credential = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
        let id = only_id(&server);
        server.restart();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| ask(&server, WIKI, &credential).status);
            }
            assert!(server.command(&["token", "revoke", &id]).status.success());
            assert_eq!(ask(&server, WIKI, &credential).status, 401, "round {round}");
        });
        assert_eq!(ask(&server, WIKI, &credential).status, 401, "round {round}");
    }
}

#[test]
fn what_another_process_revokes_is_noticed_within_two_seconds() {
    let server = served();
    let credential = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
    assert_eq!(ask(&server, WIKI, &credential).status, 200);
    let now = doorward::clock::Clock::machine().now();
    tamper(&server, &format!("UPDATE tokens SET revoked_at = {}", now.0));
    let took = until_refused(|| ask(&server, WIKI, &credential));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_token_revoked_without_a_server_stays_so() {
    let mut server = served();
    let credential = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
    let id = only_id(&server);
    server.kill();
    assert!(server.command(&["token", "revoke", &id]).status.success());
    server.start();
    assert_eq!(ask(&server, WIKI, &credential).status, 401);
}

#[test]
fn an_expired_token_is_worth_nothing() {
    let server = served();
    let made = create(&server, &["alice", "--app", "wiki", "--expires", "1"]);
    let credential = basic("alice", &made);
    assert_eq!(ask(&server, WIKI, &credential).status, 200);
    let late = create(&server, &["alice", "--app", "wiki", "--expires", "1", "--name", "late"]);
    tamper(&server, "UPDATE tokens SET expires_at = 1 WHERE name = 'late'");
    assert_eq!(ask(&server, WIKI, &basic("alice", &late)).status, 401);
}

/// `security.md` 18: a disabled account × tokens.
#[test]
fn a_disabled_account_is_denied_with_every_token() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(), state);
        let password = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
        let token = bearer(&create(&server, &["alice", "--api", "--app", "wiki"]));
        for credential in [&password, &token] {
            assert_eq!(ask(&server, WIKI, credential).status, 200);
        }
        let disabled = household()
            .replace("user alice \"Alice Example\"", "user alice \"Alice Example\" disabled");
        server.edit("home.kdl", &disabled);
        let (code, said) = server.reload();
        assert_eq!(code, 0, "{said}");
        for credential in [&password, &token] {
            let answer = ask(&server, WIKI, credential);
            assert_eq!((answer.status, answer.header("remote-user")), (403, None));
        }
        let more = server.command(&["token", "create", "alice", "--app", "wiki"]);
        assert!(!more.status.success(), "a disabled account gets no new one");
    });
}

#[test]
fn basic_names_the_account_by_name_or_address_in_any_case() {
    let server = served();
    let password = create(&server, &["alice", "--app", "wiki"]);
    for name in ["alice", "ALICE", "alice@example.com", "Alice@Example.COM"] {
        assert_eq!(ask(&server, WIKI, &basic(name, &password)).status, 200, "{name}");
    }
    for name in ["", "bob", "alice2", "alice@example.org", "Alice Example", "*"] {
        let refused = ask(&server, WIKI, &basic(name, &password));
        assert_eq!((refused.status, refused.header("remote-user")), (401, None), "{name}");
    }
    let typed = password.to_uppercase().replace('-', " ");
    assert_eq!(ask(&server, WIKI, &basic("alice", &typed)).status, 200, "{typed}");
}

/// `security.md` 17: one counter for the form and for tokens. `security.md` 16: a known wrong one
/// costs no second query.
#[test]
fn guesses_count_with_those_of_the_form_and_the_same_one_counts_once() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(), state);
        server.set_password("alice", PASSWORD);
        let good = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
        let other = bearer(&create(&server, &["alice", "--api", "--app", "wiki"]));
        assert_eq!(ask(&server, WIKI, &good).status, 200);
        assert_eq!(failures(&server), 0, "a right one is no guess");
        for _ in 0..60 {
            let refused = ask(&server, WIKI, &bearer(&made_up("dwt_", 0)));
            assert_eq!(refused.status, 401, "a forgotten program locks nobody out");
            assert_eq!(ask(&server, WIKI, &bearer("dwt_mistyped")).status, 401);
        }
        assert_eq!(failures(&server), 1);
        for number in 1..50 {
            let guess = ["dwt_", "dwp_"][number % 2];
            let guess = made_up(guess, number);
            let credential = if number % 2 == 0 { bearer(&guess) } else { basic("alice", &guess) };
            assert_eq!(ask(&server, WIKI, &credential).status, 401, "guess {number}");
        }
        let refused = ask(&server, WIKI, &bearer(&made_up("dwt_", 50)));
        assert_eq!(refused.status, 429, "{}", refused.body);
        assert!(refused.header("retry-after").is_some());
        assert_eq!(ask(&server, WIKI, &other).status, 429, "not even a right one is looked up");
        assert_eq!(ask(&server, WIKI, &good).status, 200, "a known one goes on");
        let elsewhere = request(&server, WIKI, &other).instead("X-Forwarded-For", "198.51.100.1");
        assert_eq!(elsewhere.send().status, 200);

        let mut browser = Browser::through_proxy(&server, CLIENT);
        let failed = browser.try_sign_in("alice", PASSWORD).expect("an answer");
        assert_eq!(failed.status, 429, "the form waits as well");
        assert_eq!(failures(&server), 50);
    });
}

/// `security.md` 17, the other way round.
#[test]
fn guesses_at_the_form_close_the_way_for_tokens() {
    let server = served();
    let good = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
    for at in 0..50 {
        let mut browser = Browser::through_proxy(&server, CLIENT);
        let name = format!("nobody-{at}");
        assert_eq!(browser.try_sign_in(&name, "not this one").expect("an answer").status, 422);
    }
    assert_eq!(ask(&server, WIKI, &good).status, 429);
    let original = request(&server, WIKI, &good).at("/auth/nginx");
    let original = original.without("X-Forwarded-Method").without("X-Forwarded-Uri");
    let original = original.with("X-Original-Method", "GET");
    let original = original.with("X-Original-URL", server.url(WIKI)).send();
    assert_eq!(original.status, 403, "nginx knows no 429");
}

/// A browser that asked for a password would ask for the wrong one.
#[test]
fn browsers_are_never_asked_for_a_password_and_programs_are() {
    let server = served();
    let nobody = |more: &[(&str, &str)]| {
        let asked = server.ask(&server.url(WIKI)).with("Accept", "*/*");
        more.iter().fold(asked, |asked, (name, value)| asked.with(name, value))
    };
    let challenge = |asked: Request| {
        let answer = asked.send();
        assert_eq!(answer.status, 401);
        answer.header("www-authenticate").expect("a challenge").to_owned()
    };
    let offered = "Basic realm=\"wiki\", charset=\"UTF-8\"";
    let wrong = basic("alice", &made_up("dwp_", 1));
    assert_eq!(challenge(nobody(&[])), offered);
    assert_eq!(challenge(nobody(&[("Authorization", &wrong)])), offered);
    for of_a_browser in [
        &[("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "same-origin")][..],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Referer", "http://wiki.localhost:9000/page")],
        &[("Origin", "http://wiki.localhost:9000")],
        &[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")],
    ] {
        assert_eq!(challenge(nobody(of_a_browser)), "Doorward realm=\"sign-in\"");
    }
    let fetch = nobody(&[("Sec-Fetch-Mode", "cors"), ("Authorization", &wrong)]);
    assert_eq!(challenge(fetch), "Doorward realm=\"sign-in\"");
    let page = server.ask(&server.url(WIKI)).navigating().with("Authorization", &wrong).send();
    assert_eq!((page.status, page.header("www-authenticate")), (302, None), "a person may sign in");
}

/// RFC 6750 §3.
#[test]
fn a_refused_bearer_is_told_why() {
    let server = served();
    let token = bearer(&create(&server, &["alice", "--api", "--app", "wiki"]));
    let refused = ask(&server, WIKI, &bearer(&made_up("dwt_", 1)));
    let told = refused.header("www-authenticate");
    assert_eq!(
        (refused.status, told),
        (401, Some("Bearer realm=\"wiki\", error=\"invalid_token\""))
    );
    let elsewhere = ask(&server, FILES, &token);
    let told = elsewhere.header("www-authenticate");
    let words = "Bearer realm=\"files\", error=\"insufficient_scope\"";
    assert_eq!((elsewhere.status, told), (403, Some(words)));
    let json = request(&server, FILES, &token).instead("Accept", "application/json").send();
    let json: serde_json::Value = serde_json::from_str(&json.body).expect("JSON");
    assert_eq!(json["error"], "token-not-for-app");
}

/// `security.md` R15: neither the portal nor anything else on the sign-in host.
#[test]
fn tokens_are_worth_nothing_on_the_sign_in_host() {
    let server = served();
    let password = basic("root", &create(&server, &["root", "--app", "wiki", "files", "lan"]));
    let token = bearer(&create(&server, &["root", "--api", "--app", "wiki"]));
    let host = server.url("auth.localhost:9000");
    for credential in [&password, &token] {
        for path in ["/", "/sign-in", "/sign-out", "/set-password", "/forward-auth/start"] {
            let with = server.get(&host, path).navigating().with("Authorization", credential);
            let (with, without) = (with.send(), server.get(&host, path).navigating().send());
            assert_eq!(
                (with.status, with.location()),
                (without.status, without.location()),
                "{path}"
            );
            assert!(!with.body.contains("Root"), "{path}");
        }
    }
    let callback = format!("{WIKI}.doorward/callback?ticket=x");
    assert_ne!(ask(&server, &callback, &password).status, 200);
}

/// A script on another site cannot make a browser use the credential that it remembers.
#[test]
fn a_websocket_from_another_origin_is_refused_with_a_token_as_well() {
    let server = served();
    let credential = basic("alice", &create(&server, &["alice", "--app", "wiki"]));
    let socket = request(&server, WIKI, &credential).with("Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==");
    assert_eq!(socket.send().status, 200);
    let foreign = socket.with("Origin", "http://evil.example").send();
    assert_eq!((foreign.status, foreign.body.as_str()), (403, "foreign-origin\n"));
}

#[test]
fn what_happens_to_tokens_is_among_the_events() {
    let mut server = served();
    let credential = basic("alice", &create(&server, &["alice", "--app", "wiki", "--name", "git"]));
    for _ in 0..3 {
        assert_eq!(ask(&server, WIKI, &credential).status, 200);
    }
    assert_eq!(ask(&server, WIKI, &bearer(&made_up("dwt_", 1))).status, 401);
    let id = only_id(&server);
    assert!(server.command(&["token", "revoke", &id]).status.success());
    let events = |kind: &str| {
        let filter = EventFilter { kind: Some(kind), ..EventFilter::default() };
        server.look(async |read| read.list_events(filter, 10).await.expect("listed"))
    };
    let until = Instant::now() + Duration::from_secs(10);
    while events("token.refused").is_empty() || events("token.used").is_empty() {
        assert!(Instant::now() < until, "no events");
        thread::park_timeout(Duration::from_millis(20));
    }
    for (kind, actor, subject) in [
        ("token.created", Some("command line"), "alice"),
        ("token.used", Some("alice"), "wiki"),
        ("token.refused", None, "wiki"),
        ("token.revoked", Some("command line"), "alice"),
    ] {
        let found = events(kind);
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        assert_eq!(found[0].actor.as_deref(), actor, "{kind}");
        assert_eq!(found[0].subject.as_deref(), Some(subject), "{kind}");
        assert!(!found[0].data.to_string().contains("dwp_"), "{kind}");
    }
    // What was used before a restart was written down.
    let used = create(&server, &["alice", "--app", "wiki"]);
    assert_eq!(listed(&server)[0]["used"], serde_json::Value::Null);
    assert_eq!(ask(&server, WIKI, &basic("alice", &used)).status, 200);
    let until = Instant::now() + Duration::from_secs(30);
    while listed(&server)[0]["used"].is_null() {
        assert!(Instant::now() < until, "the use is not written down");
        thread::park_timeout(Duration::from_millis(200));
    }
    server.restart();
    assert_eq!(ask(&server, WIKI, &basic("alice", &used)).status, 200);
}

#[test]
fn the_command_says_what_it_cannot_do() {
    let server = served();
    for (arguments, words) in [
        (&["alice"][..], "--app"),
        (&["alice", "--app", "nowhere"], "there are: wiki, files, lan"),
        (&["nobody", "--app", "wiki"], "no user `nobody`"),
        (&["alice", "--app", "wiki", "--name", " "], "1 to 100 characters"),
        (&["alice", "--app", "wiki", "--expires", "0"], "--expires"),
    ] {
        let done = server.command(&[&["token", "create"], arguments].concat());
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(words), "{arguments:?}: {said}");
    }
    assert!(listed(&server).is_empty());
    let made = create(&server, &["alice", "--app", "wiki", "--name", "git", "--expires", "30"]);
    let shown = server.command(&["token", "list", "alice"]);
    let shown = String::from_utf8(shown.stdout).expect("text");
    assert!(shown.contains("git (never used, expires ") && shown.contains("wiki"), "{shown}");
    assert!(!shown.contains(&made), "the text is printed once");
    let token = &listed(&server)[0];
    assert_eq!((&token["user"], &token["apps"]), (&"alice".into(), &serde_json::json!(["wiki"])));
}
