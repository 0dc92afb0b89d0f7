//! `doorward group`: who is in which group at run time.

use crate::support::server::{Browser, Server};
use crate::support::stores::on_both_servers;
use crate::support::walk::Walk;

use super::served;

const CLUB: &str = "http://club.localhost:9000/";

const MORE: &str = r#"group club "The club"
group fixed "Fixed" { membership declared }
app club "Club" { proxy "http://club.localhost:9000"; access { allow group:club } }
"#;

fn group(server: &Server, arguments: &[&str]) -> Result<String, String> {
    let done = server.command(&[&["group"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}

/// What the club says, once it says this; the server hears of a change within two seconds.
fn becomes(walk: &mut Walk<'_>, wanted: u16) {
    let url = walk.server.url(CLUB);
    for _ in 0..60 {
        if walk.browser.ask(&url).status == wanted {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    panic!("the club never said {wanted}");
}

#[test]
fn somebody_is_let_in_and_out_while_they_are_signed_in() {
    on_both_servers(|state| {
        let server = served(MORE, state);
        let mut walk = Walk::to(&server, Browser::at(&server), CLUB);
        walk.password("alice");
        assert_eq!(walk.page.status, 403);
        group(&server, &["add", "club", "alice"]).expect("added");
        becomes(&mut walk, 200);
        assert!(group(&server, &["list"]).expect("a list").contains("alice*"));
        group(&server, &["remove", "club", "alice"]).expect("removed");
        becomes(&mut walk, 403);
        assert_eq!(server.some_events("membership.removed", 1).len(), 1);
    });
}

#[test]
fn what_files_say_is_changed_in_files() {
    let server = served(MORE, &[]);
    for (arguments, reason) in [
        (["add", "fixed", "alice"], "said in files alone (home.kdl:"),
        (["add", "admins", "alice"], "said in files alone (home.kdl:"),
        (["add", "nothing", "alice"], "no group `nothing` is declared; there are: users"),
        (["add", "club", "nobody"], "there is no user `nobody`"),
        (["remove", "users", "alice"], "is in `users` by home.kdl:"),
        (["remove", "club", "alice"], "was not put into `club`"),
    ] {
        let refused = group(&server, &arguments).expect_err(reason);
        assert!(refused.contains(reason), "{refused}");
    }
}
