//! Cookies: what cannot be read is nobody, and none is worth anything elsewhere.

use super::{FILES, WIKI, alice, served, served_with};
use crate::support::server::{Browser, EXTERNAL};
use crate::support::stores::on_both_servers;

/// Name and value of the cookie that opens an app.
fn session(browser: &Browser<'_>, url: &str) -> (String, String) {
    let cookies = browser.cookies(url);
    let pair = cookies.split("; ").find(|pair| pair.contains("app")).expect("the app's cookie");
    let (name, value) = pair.split_once('=').expect("a cookie");
    (name.to_owned(), value.to_owned())
}

/// `security.md` 5: whatever stands in `Cookie`, only the session itself opens the app.
#[test]
fn a_malformed_cookie_is_nobody() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let pair = cookies.split("; ").find(|pair| pair.contains("app")).expect("the app's cookie");
    let (name, token) = pair.split_once('=').expect("a cookie");
    let asked = server.ask(&server.url(WIKI));
    assert_eq!(asked.clone().with("Cookie", pair).send().status, 200);
    let half = token.get(..token.len() / 2).expect("half of it");
    let mut corpus: Vec<Vec<u8>> = [
        name.to_owned(),
        format!("{name}="),
        format!("{name}=;"),
        format!("={token}"),
        format!("{name}=\"{token}\""),
        format!("{name}={half}"),
        format!("{name}={token}x"),
        format!("{name}={token}%00"),
        format!("{name}={token},{name}={token}"),
        format!("{name}={token}\t{token}"),
        format!("{}={token}", name.to_uppercase()),
        format!("x{name}={token}"),
        format!("{name}={}", "a".repeat(4000)),
        format!("{name}={}", token.to_lowercase() + "A"),
        ";".repeat(3000),
        "=".repeat(3000),
    ]
    .map(String::into_bytes)
    .to_vec();
    corpus.push([name.as_bytes(), b"=\xff\xfe", token.as_bytes()].concat());
    for cookie in corpus {
        let answer = asked.clone().with("Cookie", &cookie).send();
        let shown = String::from_utf8_lossy(&cookie).chars().take(80).collect::<String>();
        assert!(matches!(answer.status, 400 | 401 | 431), "{} for {shown}", answer.status);
    }
}

/// `security.md` 5: every byte of a token counts.
#[test]
fn a_token_with_one_letter_changed_is_nobody() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let pair = cookies.split("; ").find(|pair| pair.contains("app")).expect("the app's cookie");
    let start = pair.find('=').expect("a cookie") + 1;
    for at in start..pair.len() {
        let mut changed = pair.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let answer = server.ask(&server.url(WIKI)).with("Cookie", changed).send();
        assert_eq!(answer.status, 401, "changed at {at}");
    }
}

/// `security.md` R12: an app's cookie is worth nothing at another app, nor is the sign-in's.
#[test]
fn a_cookie_of_one_app_is_nobody_at_another() {
    on_both_servers(|state| {
        let server = served_with(state);
        let browser = alice(&server, &[WIKI, FILES]);
        let (wiki, files) = (server.url(WIKI), server.url(FILES));
        let travelled = format!("{}={}", session(&browser, &files).0, session(&browser, &wiki).1);
        assert_eq!(server.ask(&files).with("Cookie", &travelled).send().status, 401);
        let navigated = server.ask(&files).navigating().with("Cookie", &travelled).send();
        assert_eq!(navigated.status, 302, "login: {}", navigated.body);
        let sign_in = browser.cookies(&server.url(EXTERNAL));
        let token = sign_in.split_once('=').expect("a session").1;
        let stolen = format!("{}={token}", session(&browser, &wiki).0);
        assert_eq!(server.ask(&wiki).with("Cookie", stolen).send().status, 401);
    });
}

/// `security.md` R12: of two cookies of one name, one was tossed here: nobody.
#[test]
fn tossed_duplicates_are_nobody() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let pair = cookies.split("; ").find(|pair| pair.contains("app")).expect("the app's cookie");
    let name = pair.split('=').next().expect("a name");
    let asked = server.ask(&server.url(WIKI));
    for doubled in
        [format!("{pair}; {pair}"), format!("{pair}; {name}=x"), format!("{name}=x; {pair}")]
    {
        assert_eq!(asked.clone().with("Cookie", doubled).send().status, 401);
    }
    let twice = asked.with("Cookie", pair).with("Cookie", format!("{name}=x"));
    assert_eq!(twice.send().status, 401);
}

/// `security.md` R12: an application sees its own cookies and none of ours.
#[test]
fn our_cookies_stay_with_us() {
    let server = served();
    let cookies = alice(&server, &[WIKI]).cookies(&server.url(WIKI));
    let asked = server.ask(&server.url(WIKI)).with("Cookie", format!("own=1; {cookies}; two=2"));
    let answer = asked.send();
    assert_eq!((answer.status, answer.header("cookie")), (200, Some("own=1; two=2")));
}
