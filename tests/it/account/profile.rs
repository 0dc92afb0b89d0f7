//! Who the person is here.

use crate::support::server::Browser;
use crate::support::walk::{PASSWORD, Walk};

use super::{WIKI, alice, served};

const JOIN: &str = r#"flow join for=enrollment {
    prompt {
        field username type=username required
        field name type=text
        field password type=new-password required
    }
    user-write { in users }
    login
}
"#;

#[test]
fn what_files_declare_is_shown_and_not_changed() {
    let server = served("", &[]);
    let mut walk = alice(&server, "/profile");
    walk.shows("alice@example.com").shows("Users").shows("kept by the person who runs this place");
    walk.post(&[("name", "Mallory")]);
    assert_eq!(walk.page.status, 400);
    walk.go("/profile").shows("Alice Example");
}

#[test]
fn whoever_no_file_declares_has_a_name_of_their_own() {
    let server = served(JOIN, &[]);
    let mut walk = Walk::at(&server, Browser::at(&server), "/enroll?flow=join");
    walk.post(&[
        ("username", "carol"),
        ("name", "Carol"),
        ("new-password", PASSWORD),
        ("new-password-again", PASSWORD),
    ]);
    walk.go("/profile").shows("value=\"Carol\"");
    walk.post(&[("name", &"x".repeat(101))]).shows("at most 100 characters");
    walk.post(&[("name", "Carol <Danvers>")]).shows("Saved.").shows("Carol &lt;Danvers&gt;");
    // The next answer to an app bears it.
    let mut app = Walk::to(&server, walk.browser.clone(), WIKI);
    app.follow();
    assert_eq!(app.page.header("remote-name"), Some("Carol <Danvers>"));
}
