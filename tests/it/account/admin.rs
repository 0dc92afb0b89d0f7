//! What whoever runs the place sees at `/if/admin/`.

use crate::support::server::Browser;
use crate::support::walk::{PASSWORD, Walk};

use super::{alice, served};

/// `security.md` 19: whoever has no role learns of no such page.
#[test]
fn it_is_for_those_whose_group_opens_the_console() {
    let server = served("", &[]);
    server.set_password("root", PASSWORD);
    let nobody = server.get("auth.localhost:9000", "/if/admin/").navigating().send();
    assert_eq!((nobody.status, nobody.location()), (303, "/sign-in?next=%2Fif%2Fadmin%2F"));
    let mut walk = alice(&server, "/if/admin/");
    assert_eq!(walk.page.status, 404, "whoever has no role learns of no such page");
    walk.shows("There is nothing here");
    let mut root = Walk::at(&server, Browser::at(&server), "/if/admin/");
    root.password("root").shows("<h1>Overview</h1>").shows("alice@example.com");
    root.shows("home.kdl:").shows("login.succeeded");
    server.edit("more.kdl", "app broken");
    assert_ne!(server.reload().0, 0);
    root.go("/if/admin/").shows("more.kdl");
}
