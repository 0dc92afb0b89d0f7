//! Forms, tickets and locks: what only our own pages and the same browser may do.

use super::{FILES, PASSWORD, WIKI, alice, household, served, served_with};
use crate::support::server::{Browser, EXTERNAL, Server};
use crate::support::stores::on_both_servers;

/// `security.md` R13: a form that a browser does not call our own is refused, token or not.
#[test]
fn a_form_needs_the_word_of_the_browser() {
    let server = served();
    let url = server.url(&format!("{EXTERNAL}/sign-in"));
    let mut browser = Browser::at(&server);
    let page = browser.open(&url);
    let form = browser.form(&url, &page, &[("username", "alice")]);
    let refused = [
        form.clone(),
        form.clone().with("Sec-Fetch-Site", "same-site"),
        form.clone().with("Sec-Fetch-Site", "cross-site"),
        form.clone().with("Sec-Fetch-Site", "none"),
        form.clone().with("Origin", "null"),
        form.clone().with("Origin", server.url("http://wiki.localhost:9000")),
        form.clone().with("Origin", server.url("https://auth.localhost:9000")),
        form.clone().with("Sec-Fetch-Site", "same-site").with("Origin", server.url(EXTERNAL)),
    ];
    for (at, form) in refused.iter().enumerate() {
        let answer = form.send();
        assert!((400..500).contains(&answer.status), "{at}: {}", answer.status);
    }
    assert_eq!(form.with("Sec-Fetch-Site", "same-origin").send().status, 303);
    let mut old = Browser::at(&server);
    let page = old.open(&url);
    let form = old.form(&url, &page, &[("username", "alice")]);
    let known = form.with("Origin", server.url(EXTERNAL)).send();
    assert_eq!(known.status, 303, "a browser that does not send Sec-Fetch-Site");
}

/// `security.md` R13: the token of another browser's form is worth nothing here.
#[test]
fn a_form_belongs_to_one_browser() {
    on_both_servers(|state| {
        let server = served_with(state);
        let url = server.url(&format!("{EXTERNAL}/sign-in"));
        let (mut mine, mut theirs) = (Browser::at(&server), Browser::at(&server));
        let (_, page) = (mine.open(&url), theirs.open(&url));
        let answer = mine.submit(&url, &page, &[("username", "alice")]);
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    });
}

/// `security.md` R13: nobody is signed out from elsewhere, by a link or by a form.
#[test]
fn nobody_is_signed_out_from_elsewhere() {
    on_both_servers(|state| {
        let server = served_with(state);
        let mut browser = alice(&server, &[WIKI]);
        let url = server.url(&format!("{EXTERNAL}/sign-out"));
        let page = browser.open(&url);
        assert_eq!(page.status, 200);
        assert_eq!(browser.open(&server.url(EXTERNAL)).status, 200, "a GET asks first");
        let form = browser.form(&url, &page, &[]);
        for foreign in [form.clone(), form.clone().with("Sec-Fetch-Site", "same-site")] {
            let answer = foreign.send();
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
        assert_eq!(browser.ask(&server.url(WIKI)).status, 200);
        let cookies = browser.cookies(&server.url(WIKI));
        assert_eq!(browser.submit(&url, &page, &[]).status, 303);
        let after = server.ask(&server.url(WIKI)).with("Cookie", cookies).send();
        assert_eq!(after.status, 401, "signed out everywhere at once");
    });
}

/// `security.md` R13: a ticket is worth one use, in the browser that began, at the host it is for.
#[test]
fn a_ticket_belongs_to_the_browser_that_began() {
    on_both_servers(|state| {
        let server = served_with(state);
        let mut browser = alice(&server, &[]);
        let wiki = server.url(WIKI);
        let sent = browser.ask(&wiki);
        let callback = browser.open(sent.location()).location().to_owned();
        let lets_in = |answer: &crate::support::server::Answer| {
            let names = answer.headers("set-cookie");
            names.iter().any(|cookie| cookie.split('=').next().is_some_and(|it| it.contains("app")))
        };

        let bare = server.ask(&callback).navigating().send();
        assert!(!lets_in(&bare), "without the nonce: {bare:?}");
        let mut thief = Browser::at(&server);
        let _ = thief.ask(&wiki);
        let stolen = thief.ask(&callback);
        assert!(!lets_in(&stolen), "in another browser: {stolen:?}");
        let elsewhere = callback.replace("wiki.", "files.");
        let elsewhere = browser.clone().ask(&elsewhere);
        assert!(!lets_in(&elsewhere), "at another host: {elsewhere:?}");

        let done = browser.ask(&callback);
        assert!(lets_in(&done), "in its own: {done:?}");
        assert_eq!((done.status, done.location()), (303, wiki.as_str()));
        let again = browser.clone().ask(&callback);
        assert!(!lets_in(&again), "a second time: {again:?}");
        assert_eq!(browser.ask(&wiki).status, 200);
    });
}

/// `security.md` R13: a handshake that another site's script began is refused.
#[test]
fn a_websocket_from_another_origin_is_refused() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let asked = server.ask(&server.url(WIKI)).with("Cookie", cookies);
    let asked = asked.with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let from = |origin: &str| asked.clone().with("Origin", server.url(origin)).send().status;
    assert_eq!(from("http://wiki.localhost:9000"), 200);
    for origin in [
        "http://files.localhost:9000",
        "http://evil.example",
        "null",
        "https://wiki.localhost:9000",
    ] {
        assert_eq!(from(origin), 403, "{origin}");
    }
}

/// `security.md` 17: one counter for an account, however its name is spelled and whatever for.
#[test]
fn ten_wrong_passwords_lock_the_account_in_every_spelling() {
    on_both_servers(|state| {
        let server = served_with(state);
        let spellings =
            ["alice", "ALICE", "Alice", " alice ", "alice@example.com", "Alice@Example.COM"];
        for at in 0..10 {
            let name = spellings[at % spellings.len()];
            let failed = Browser::at(&server).try_sign_in(name, "not this one").expect("an answer");
            assert_eq!(failed.status, 422, "{name}, attempt {at}");
        }
        // The right password does not help, and no answer tells that the names are one account's.
        let tried = |name: &str| {
            Browser::at(&server).try_sign_in(name, PASSWORD).expect("an answer").status
        };
        assert_eq!(["alice@example.com", "ALICE@example.com"].map(tried), [422, 422]);
        assert_eq!([" alice", "Alice", "alice"].map(tried), [422, 422, 429]);
        assert_eq!(server.some_events("login.locked", 1).len(), 1);
        // A sign-in that leads to an app counts in the same place.
        let mut browser = Browser::at(&server);
        let sent = browser.ask(&server.url(FILES));
        let sign_in = browser.open(sent.location()).location().to_owned();
        let url = format!("{}{sign_in}", server.url(EXTERNAL));
        let page = browser.open(&url);
        let _ = browser.submit(&url, &page, &[("username", "alice")]);
        let page = browser.open(&url);
        assert_eq!(browser.submit(&url, &page, &[("password", PASSWORD)]).status, 429);
        // The way out: a link made on the host.
        server.set_password("alice", "another-lantern-77-brook");
        Browser::at(&server).sign_in("alice", "another-lantern-77-brook");
    });
}

/// `security.md` 17: a name that nobody has is locked alike, so that nobody can tell.
#[test]
fn unknown_names_are_counted_like_accounts() {
    let server = Server::with(&household());
    for at in 0..11 {
        let name = if at % 2 == 0 { "nobody" } else { "NoBody" };
        let failed = Browser::at(&server).try_sign_in(name, "not this one").expect("an answer");
        assert_eq!(failed.status, if at < 10 { 422 } else { 429 }, "attempt {at}");
    }
}

/// `security.md` R20: every page says what it may load, and forms stay here.
#[test]
fn pages_carry_a_closed_content_policy() {
    let server = served();
    let mut browser = alice(&server, &[WIKI]);
    let host = format!("auth.localhost:{}", server.port);
    let own = [
        browser.open(&server.url(EXTERNAL)),
        browser.open(&server.url(&format!("{EXTERNAL}/sign-out"))),
        server.get(&host, "/sign-in").navigating().send(),
        server.get(&host, "/nowhere").navigating().send(),
        server.get(&host, "/forward-auth/start").navigating().send(),
        server.get(&host, "/set-password?token=x").navigating().send(),
        server.get("unknown.example", "/").navigating().send(),
        browser.open(&server.url(WIKI)),
        browser.ask(&server.url("http://wiki.localhost:9000/hidden/x")),
    ];
    for (at, page) in own.iter().enumerate() {
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(page.body.contains("<html"), "{at}: {}", page.body);
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{at}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{at}: {policy}");
        // The one script is a file of ours, on pages of ours that ask for a passkey.
        let scripts = policy.matches("script-src").count();
        assert_eq!(policy.matches("script-src 'self';").count(), scripts, "{at}: {policy}");
        let own = page.body.matches("<script src=\"/assets/passkey.").count();
        assert_eq!(page.body.matches("<script").count(), own, "{at}");
        assert!(own <= scripts, "{at}: {policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{at}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{at}");
    }
    for page in own.iter().take(2) {
        let policy = page.header("content-security-policy").unwrap_or("");
        assert!(policy.contains("form-action 'self'"), "{policy}");
    }
}
