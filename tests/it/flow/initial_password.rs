//! The first password that files declare: good for one sign-in, and never set a second time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::support::server::{Answer, Browser, EXTERNAL, Server};
use crate::support::stores::on_both_servers;

const INITIAL: &str = "welcome-aboard-77-lantern";
const OWN: &str = "quiet-lantern-42-river";
const OTHER: &str = "another-welcome-88-harbour";

/// A server where alice has an initial password in a file, and the directory of that file.
struct Household {
    server: Server,
    secrets: TempDir,
}

impl Household {
    fn on(state: &[&str]) -> Self {
        let secrets = TempDir::new().expect("a directory");
        write_secret(secrets.path(), INITIAL);
        let directory = secrets.path().display().to_string();
        let arguments = [&["--read-from", directory.as_str()], state].concat();
        let server = Server::with_arguments(&blueprint(secrets.path()), &arguments);
        Self { server, secrets }
    }

    /// Puts another password into the file that the blueprint names.
    fn replace_secret(&self, password: &str) {
        write_secret(self.secrets.path(), password);
    }

    /// Has the server take files that differ from those before.
    fn reload_edited(&self, edition: u32) {
        let text = format!("{}group g{edition} \"Edition\"\n", blueprint(self.secrets.path()));
        self.server.edit("home.kdl", &text);
        let (code, said) = self.server.reload();
        assert_eq!(code, 0, "{said}");
    }

    fn url(&self) -> String {
        self.server.url(&format!("{EXTERNAL}/sign-in"))
    }

    /// A browser that stands before the page after the password, and that page.
    fn after_password(&self, password: &str) -> (Browser<'_>, Answer) {
        let mut browser = Browser::at(&self.server);
        let page = browser.try_sign_in("alice", password).expect("an answer");
        (browser, page)
    }

    /// Sets alice's own password as the first sign-in asks for it.
    fn change(&self) {
        let (mut browser, page) = self.after_password(INITIAL);
        assert_eq!(page.status, 200, "{}", page.body);
        let done = browser.submit(&self.url(), &page, &twice(OWN));
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(browser.open(&self.url()).status, 303, "the sign-in ends");
    }

    fn is_let_in(&self, password: &str) -> bool {
        let (mut browser, answer) = self.after_password(password);
        answer.status == 303 && self.is_signed_in(&mut browser)
    }

    fn is_refused(&self, password: &str) -> bool {
        let (mut browser, answer) = self.after_password(password);
        answer.status == 422 && !self.is_signed_in(&mut browser)
    }

    /// Whether the portal opens; it leads anybody else to the sign-in.
    fn is_signed_in(&self, browser: &mut Browser<'_>) -> bool {
        let portal = browser.open(&self.server.url(&format!("{EXTERNAL}/")));
        match portal.status {
            200 => true,
            303 if portal.location().contains("/sign-in") => false,
            other => panic!("{other}: {}", portal.body),
        }
    }
}

fn blueprint(secrets: &Path) -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000" }}
settings {{ external-host "{EXTERNAL}" }}
group admins "Administrators" {{ console admin; membership declared }}
user root "Root" email="root@example.com" {{ in admins }}
user alice "Alice Example" email="alice@example.com" {{ initial-password (file)"{}" }}
"#,
        secrets.join("alice").display()
    )
}

fn write_secret(directory: &Path, password: &str) {
    let path = directory.join("alice");
    fs::write(&path, format!("{password}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("made private");
}

fn twice(password: &str) -> [(&str, &str); 2] {
    [("new-password", password), ("new-password-again", password)]
}

fn asks_for_a_new_password(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"new-password\"")
}

#[test]
fn the_first_sign_in_forces_a_change() {
    on_both_servers(|state| {
        let household = Household::on(state);
        // As often as somebody turns away from the question, it is asked again.
        for _ in 0..2 {
            let (mut browser, page) = household.after_password(INITIAL);
            assert!(asks_for_a_new_password(&page), "{} {}", page.status, page.body);
            assert!(!household.is_signed_in(&mut browser), "signed in before the change");
        }
        household.change();
        assert!(household.is_let_in(OWN));
        assert!(household.is_refused(INITIAL), "the initial password is used up");
    });
}

#[test]
fn the_initial_password_is_refused_as_the_new_one() {
    on_both_servers(|state| {
        let household = Household::on(state);
        let (mut browser, page) = household.after_password(INITIAL);
        let again = browser.submit(&household.url(), &page, &twice(INITIAL));
        assert_eq!(again.status, 422, "{}", again.body);
        assert!(again.body.contains("name=\"new-password\""));
        assert!(!household.is_signed_in(&mut browser));
        let (_, page) = household.after_password(INITIAL);
        assert!(asks_for_a_new_password(&page), "the change was not made");
    });
}

/// A link made on the host leads past the password, not past the change.
#[test]
fn a_link_does_not_make_the_initial_password_permanent() {
    on_both_servers(|state| {
        let household = Household::on(state);
        let link = household.server.link("alice");
        let mut browser = Browser::at(&household.server);
        let page = browser.open(&link);
        let kept = browser.submit(&link, &page, &twice(INITIAL));
        assert_eq!(kept.status, 422, "{}", kept.body);
        let page = browser.open(&link);
        assert_eq!(browser.submit(&link, &page, &twice(OWN)).status, 303);
        assert!(household.is_let_in(OWN));
    });
}

#[test]
fn reloads_and_restarts_do_not_set_it_again() {
    on_both_servers(|state| {
        let mut household = Household::on(state);
        household.change();
        household.reload_edited(1);
        assert!(household.is_let_in(OWN), "after a reload");
        household.server.restart();
        assert!(household.is_let_in(OWN), "after a restart");
        assert!(household.is_refused(INITIAL));
    });
}

#[test]
fn a_changed_file_does_not_set_it_again() {
    on_both_servers(|state| {
        let mut household = Household::on(state);
        household.change();
        household.replace_secret(OTHER);
        household.reload_edited(1);
        assert!(household.is_refused(OTHER), "after a reload");
        household.server.restart();
        assert!(household.is_refused(OTHER), "after a restart");
        assert!(household.is_let_in(OWN));
    });
}

/// Once is once, even if nobody has signed in since.
#[test]
fn a_file_changed_before_the_first_sign_in_changes_nothing() {
    on_both_servers(|state| {
        let mut household = Household::on(state);
        household.replace_secret(OTHER);
        household.reload_edited(1);
        household.server.restart();
        assert!(household.is_refused(OTHER));
        let (_, page) = household.after_password(INITIAL);
        assert!(asks_for_a_new_password(&page), "{} {}", page.status, page.body);
    });
}

/// Whoever learned the first password does not set one over what its owner has set since.
#[test]
fn a_page_from_before_does_not_replace_a_password_set_since() {
    on_both_servers(|state| {
        let household = Household::on(state);
        let (mut thief, page) = household.after_password(INITIAL);
        assert!(asks_for_a_new_password(&page), "{} {}", page.status, page.body);
        household.server.set_password("alice", OWN);
        let late = thief.submit(&household.url(), &page, &twice(OTHER));
        assert!((400..500).contains(&late.status), "{}", late.status);
        assert!(!household.is_signed_in(&mut thief));
        assert!(household.is_let_in(OWN));
        assert!(household.is_refused(OTHER));
    });
}
