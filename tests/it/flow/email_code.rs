//! Codes by mail as a second factor (`security.md` 18 and R9).

use crate::support::server::{Browser, Server, household};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

const NOTES: &str = "http://notes.localhost:9000/";

const APPS: &str = r#"app notes "Notes" {
    proxy "http://notes.localhost:9000"
    access { allow group:users }
}
settings-here
flow strict for=authentication {
    identification { link builtin.recovery }
    password
    authenticator-validate {
        device-classes email-code totp
        not-configured-action configure
        configure-with mailed
    }
    login
}
flow mailed for=setup title="Code by mail" { authenticator-email }
flow back for=recovery {
    identification
    email-link { expires minutes=30 }
    authenticator-validate { device-classes email-code totp; not-configured-action skip }
    prompt { field password type=new-password label="New password" required }
    user-write
    login
}
"#;

struct House {
    smtp: Smtp,
    server: Server,
}

fn served(state: &[&str]) -> House {
    let smtp = Smtp::speaking(Speaks::Plain);
    let mail = format!(
        "email {{ smtp \"smtp://127.0.0.1:{}\"; from \"door@home.example\" }}",
        smtp.address.port()
    );
    let text = household(&APPS.replace("settings-here", &mail)).replace(
        "settings {",
        "settings { default-flows { authentication strict; recovery back };",
    );
    let server = Server::with_arguments(&text, state);
    server.set_password("alice", PASSWORD);
    House { smtp, server }
}

impl House {
    /// The code of the newest mail, once there are so many with one.
    fn code(&self, wanted: usize) -> String {
        for _ in 0..200 {
            let mails = self.smtp.received();
            let codes = mails.iter().filter(|mail| mail.text.contains("Subject: Your code for"));
            let codes: Vec<_> = codes.collect();
            if codes.len() >= wanted {
                assert_eq!(codes.len(), wanted);
                assert!(codes.iter().all(|mail| mail.to == "alice@example.com"));
                let text = &codes.last().expect("a mail").text;
                let digits =
                    |line: &&str| line.len() == 6 && line.bytes().all(|c| c.is_ascii_digit());
                return text.lines().map(str::trim).find(digits).expect("a code").to_owned();
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        panic!("no {wanted} codes came")
    }
}

fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

#[test]
fn an_address_becomes_a_factor_and_its_codes_are_good_once_and_here() {
    on_both_servers(|state| {
        let house = served(state);
        let server = &house.server;
        let mut first = Walk::to(server, Browser::at(server), NOTES);
        first.password("alice").shows("Enter the code from your e-mail");
        let code = house.code(1);
        first.post(&[("code", &wrong(&code))]).shows("That is not right");
        first.post(&[("code", &code)]).is_in(NOTES);

        let mut second = Walk::to(server, Browser::at(server), NOTES);
        second.password("alice").shows("Enter the code from your e-mail");
        let fresh = house.code(2);
        // Reloading sends nothing; neither the last code nor another browser's is any good.
        second.page = second.browser.open(&second.url.clone());
        second.shows("Enter the code from your e-mail");
        let mut third = Walk::to(server, Browser::at(server), NOTES);
        third.password("alice");
        house.code(3);
        third.post(&[("with", "email-code"), ("code", &fresh)]).shows("That is not right");
        second.post(&[("with", "email-code"), ("code", &code)]).shows("That is not right");
        second.post(&[("with", "email-code"), ("code", &fresh)]).is_in(NOTES);
        let row = server.look(async |read| {
            let alice = read.find_user_by_username("alice").await.expect("asked").expect("alice");
            read.list_factors_of(&alice.id).await.expect("listed")
        });
        assert_eq!((row.len(), row[0].name.as_str()), (1, "alice@example.com"));
    });
}

#[test]
fn a_code_bears_five_guesses_and_another_is_sent_after_a_minute() {
    let house = served(&[]);
    let server = &house.server;
    let mut walk = Walk::to(server, Browser::at(server), NOTES);
    walk.password("alice");
    let code = house.code(1);
    for _ in 0..4 {
        walk.post(&[("code", &wrong(&code))]).shows("That is not right");
    }
    walk.post(&[("code", &wrong(&code))]).shows("That code has run out");
    // The page that says so sent another one; the first is worth nothing any more.
    walk.post(&[("code", &code)]).shows("That is not right");
    let fresh = house.code(2);
    walk.post(&[("again", "1")]);
    assert_eq!(walk.page.status, 429, "not within a minute");
    let mut back = Walk::at(server, walk.browser, "/sign-in");
    back.shows("Enter the code from your e-mail");
    back.post(&[("code", &fresh)]);
    assert_eq!(house.code(2), fresh, "and no third was sent");
}

/// A mailbox proves once: whoever came by a mailed link needs something else (`security.md` R9).
#[test]
fn a_mailed_link_and_a_mailed_code_are_not_two_proofs() {
    let house = served(&[]);
    let server = &house.server;
    let mut first = Walk::to(server, Browser::at(server), NOTES);
    first.password("alice");
    first.post(&[("code", &house.code(1))]).is_in(NOTES);
    let mut lost = Walk::at(server, Browser::at(server), "/recover");
    lost.post(&[("username", "alice")]).shows("Look into your mail");
    let external = server.url("http://auth.localhost:9000");
    let link = (0..200).find_map(|_| {
        std::thread::park_timeout(std::time::Duration::from_millis(50));
        let mails = house.smtp.received();
        let mail = mails.iter().find(|mail| mail.text.contains("Set a new password"))?;
        let text = mail.text.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
        let (_, rest) = text.split_once(&external)?;
        Some(rest.chars().take_while(|c| !c.is_whitespace()).collect::<String>())
    });
    let mut other = Walk::at(server, Browser::at(server), &link.expect("a link"));
    other.post(&[]).shows("Another second factor is needed");
}
