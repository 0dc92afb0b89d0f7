//! What a new password must be.

use crate::support::server::{Server, household};
use crate::support::walk::PASSWORD;

use super::{APPS, alice};

const LISTED: &str = "tiger-sofa-lantern-9";
/// SHA-1 of it, between two others.
const LIST: &str = "0000000000000000000000000000000000000000:3\nDIGEST:12\nFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:1\n";

fn digest(text: &str) -> String {
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn a_password_that_is_guessed_easily_or_known_from_a_breach_is_not_taken() {
    let mut server = Server::stopped("", &[]);
    let lists = server.path().join("lists");
    std::fs::create_dir(&lists).expect("a directory");
    let list = lists.join("breached.txt");
    std::fs::write(&list, LIST.replace("DIGEST", &digest(LISTED))).expect("written");
    let settings = format!("settings {{ password {{ breached-list \"{}\" }};", list.display());
    server.edit("home.kdl", &household(APPS).replace("settings {", &settings));
    server.allow(&["--read-from", lists.to_str().expect("a path")]);
    server.start();
    server.set_password("alice", PASSWORD);
    let mut walk = alice(&server, "/password");
    for (new, problem) in [
        ("password1234567", "Too easy to guess"),
        ("Qwertyuiop123", "Too easy to guess"),
        ("aaaaaaaaaaaaaaaaaa", "Too easy to guess"),
        (LISTED, "on the lists that attackers try first"),
    ] {
        walk.go("/password");
        let fields = [("password", PASSWORD), ("new-password", new), ("new-password-again", new)];
        walk.post(&fields).shows(problem);
    }
    // A list that went away keeps nobody from a good password, and says so.
    std::fs::remove_file(&list).expect("removed");
    walk.go("/password").post(&[
        ("password", PASSWORD),
        ("new-password", LISTED),
        ("new-password-again", LISTED),
    ]);
    walk.shows("Your password is changed");
    server.log_with("the list of passwords from breaches could not be asked");
    // Nor is a set of files taken that names a list which is not there.
    server.edit("more.kdl", "group more \"More\"");
    assert_eq!(server.reload().0, 1);
    server.log_with("password breached-list:");
}
