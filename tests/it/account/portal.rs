//! The apps that are open to a person.

use std::fmt::Write;

use super::{alice, served};

#[test]
fn the_portal_has_rooms_and_answers_where_people_know_it() {
    let server = served("", &[]);
    let mut walk = alice(&server, "/if/user/");
    walk.shows("Hello, Alice Example").shows("Wiki").shows("aria-current=\"page\"");
    assert!(!walk.page.body.contains("Files"), "it is not open to her");
    assert!(!walk.page.body.contains("type=\"search\""), "two apps are found without");
    for (path, title) in [
        ("/profile", "Profile"),
        ("/security", "Sign-in and security"),
        ("/password", "Change your password"),
        ("/tokens", "App passwords"),
        ("/activity", "Activity"),
    ] {
        walk.go(path).shows(&format!("<h1>{title}</h1>"));
        assert_eq!(walk.page.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn many_apps_come_with_a_field_to_search_in() {
    let mut more = String::new();
    for number in 0..8 {
        let _ = writeln!(
            more,
            "app a{number} \"App {number}\" category=Tools {{ proxy \"http://a{number}.localhost:9000\"; \
            access {{ allow group:users }} }}"
        );
    }
    let server = served(&more, &[]);
    let mut walk = alice(&server, "/");
    walk.shows("type=\"search\"").shows("/assets/search.").shows(">Tools</h2>");
}

#[test]
fn nobody_enters_a_room_without_a_sign_in() {
    let server = served("", &[]);
    for path in ["/", "/profile", "/security", "/password", "/tokens", "/activity"] {
        let answer = server.get("auth.localhost:9000", path).navigating().send();
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.location().starts_with("/sign-in"), "{path}: {}", answer.location());
    }
}
