//! Changing a password: by the old one, and by a factor where the account holds one.

use crate::support::server::Browser;
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

use super::{WIKI, alice, served};

const NEW: &str = "copper-kettle-17-meadow";

fn change<'w, 'a>(walk: &'w mut Walk<'a>, old: &str, new: &str) -> &'w mut Walk<'a> {
    let fields = [("password", old), ("new-password", new), ("new-password-again", new)];
    walk.post(&fields)
}

#[test]
fn a_changed_password_ends_every_other_session_and_is_told_by_mail() {
    on_both_servers(|state| {
        let smtp = Smtp::speaking(Speaks::Plain);
        let port = smtp.address.port();
        let email =
            format!("email {{ smtp \"smtp://127.0.0.1:{port}\"; from \"door@home.example\" }}");
        let server = served(&email, state);
        let mut elsewhere = Walk::to(&server, Browser::at(&server), WIKI);
        elsewhere.password("alice").is_in(WIKI);
        let mut walk = alice(&server, "/password");
        let before = walk.browser.clone();
        change(&mut walk, PASSWORD, NEW).shows("Your password is changed");
        assert_eq!(walk.url, server.url("http://auth.localhost:9000/security?done=password"));

        // The session that changed it goes on under another token, and no other does.
        walk.go("/security").shows("This browser");
        let mut stolen = Walk::at(&server, before, "/security");
        stolen.shows("Sign in");
        assert_eq!(elsewhere.browser.ask(&server.url(WIKI)).status, 302);
        let mut old = Walk::at(&server, Browser::at(&server), "/");
        old.password("alice").shows("is not right");
        old.post(&[("password", NEW)]).shows("Hello, Alice Example");

        // The link, another browser, and this.
        let mails = smtp.received_all(3);
        assert!(mails[2].text.contains("Your password for Doorward was changed"));
        assert_eq!(server.some_events("password.changed", 1).len(), 1);
    });
}

#[test]
fn the_old_password_is_asked_for_and_its_guesses_are_counted() {
    let server = served("", &[]);
    let mut walk = alice(&server, "/password");
    change(&mut walk, "", NEW).shows("Enter the password that you have now");
    change(&mut walk, PASSWORD, PASSWORD).shows("the password you already have");
    change(&mut walk, PASSWORD, "short").shows("Too short");
    let fields =
        [("password", PASSWORD), ("new-password", NEW), ("new-password-again", "copper-kettle")];
    walk.post(&fields).shows("The two passwords are not the same");
    for _ in 0..10 {
        change(&mut walk, "not-it-not-it", NEW).shows("That is not the password you have now");
    }
    change(&mut walk, PASSWORD, NEW).shows("Too many attempts");
    assert_eq!(walk.page.status, 429);
}

/// `security.md` R9: whoever has the password and an open session still lacks the factor.
#[test]
fn an_account_with_a_factor_proves_it_before_its_password_changes() {
    let server = served("", &[]);
    let mut walk = alice(&server, "/set-up?flow=builtin.setup");
    let (secret, _) = walk.set_up();
    // A proof that is too old is asked for again; here there is none in this session.
    let mut other = Walk::at(&server, Browser::at(&server), "/password");
    other.password("alice").shows("Enter the code of your app");
    let code = crate::support::walk::code(&secret, 1);
    other.post(&[("with", "totp"), ("code", &code)]).shows("Change your password");
    change(&mut other, PASSWORD, NEW).shows("Your password is changed");
}

#[test]
fn a_form_from_elsewhere_changes_nothing() {
    let server = served("", &[]);
    let walk = alice(&server, "/password");
    let fields = [("password", PASSWORD), ("new-password", NEW), ("new-password-again", NEW)];
    let form = walk.browser.form(&walk.url, &walk.page, &fields);
    let answer = form.with("Sec-Fetch-Site", "same-site").send();
    assert_eq!(answer.status, 403, "{}", answer.body);
    let mut still = Walk::at(&server, Browser::at(&server), "/");
    still.password("alice").shows("Hello, Alice Example");
}
