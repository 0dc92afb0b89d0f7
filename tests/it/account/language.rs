//! Pages and mail in the language of whoever reads them.

use crate::support::server::{Browser, Server};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::walk::{PASSWORD, Walk};

use super::{WIKI, alice, served};

fn page(server: &Server, path: &str, language: &str) -> String {
    let request = server.get("auth.localhost:9000", path).navigating();
    let answer = request.with("Accept-Language", language).send();
    let (_, rest) = answer.body.split_once("<html lang=\"").expect("a language");
    let tag = rest.split('"').next().unwrap_or("").to_owned();
    let (_, rest) = answer.body.split_once("<h1>").expect("a heading");
    format!("{tag}: {}", rest.split('<').next().unwrap_or(""))
}

#[test]
fn a_browser_is_answered_in_the_language_that_it_asks_for() {
    let server = served("", &[]);
    for (language, wanted) in [
        ("de-AT,de;q=0.9,en;q=0.5", "de: Anmelden"),
        ("fr", "fr: Se connecter"),
        ("es-MX", "es: Iniciar sesión"),
        ("nl, en;q=0.1", "en: Sign in"),
        ("tlh", "en: Sign in"),
        ("de;q=0", "en: Sign in"),
    ] {
        assert_eq!(page(&server, "/sign-in", language), wanted);
    }
    // Denials on the host of an app as well.
    let url = server.url("http://nowhere.localhost:9000/");
    let answer = server.ask(&url).navigating().with("Accept-Language", "de").send();
    assert!(answer.status >= 400, "{}", answer.status);
}

#[test]
fn what_a_person_chose_holds_for_their_pages_and_their_mail() {
    let smtp = Smtp::speaking(Speaks::Plain);
    let port = smtp.address.port();
    let email = format!("email {{ smtp \"smtp://127.0.0.1:{port}\"; from \"d@home.example\" }}");
    let server = served(&email, &[]);
    let mut walk = alice(&server, "/profile");
    walk.post(&[("do", "language"), ("language", "tlh")]);
    assert_eq!(walk.page.status, 400, "no such language");
    walk.go("/profile").post(&[("do", "language"), ("language", "de")]);
    walk.shows("<html lang=\"de\"").shows("Gespeichert.").go("/").shows("Hallo, Alice Example");
    // The denial at an app is for the same person.
    let mut denied = Walk::to(&server, walk.browser.clone(), "http://files.localhost:9000/");
    assert_eq!(denied.page.status, 403);
    denied.shows("Files steht Ihnen nicht offen");
    walk.go("/password").post(&[
        ("password", PASSWORD),
        ("new-password", "copper-kettle-17-meadow"),
        ("new-password-again", "copper-kettle-17-meadow"),
    ]);
    walk.shows("Ihr Passwort ist geändert");
    let mails = smtp.received_all(2);
    assert!(mails[1].text.contains("Subject: Ihr Passwort"), "{}", mails[1].text);
    // Back to what the browser asks for.
    walk.go("/profile").post(&[("do", "language"), ("language", "")]);
    walk.shows("<html lang=\"en\"");
    let mut other = Walk::to(&server, Browser::at(&server), WIKI);
    other.shows("<html lang=\"en\"");
}
