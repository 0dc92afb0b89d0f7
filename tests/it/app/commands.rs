//! What commands say beside a running server.

use super::{WIKI, household};
use crate::support::server::{Browser, Server};

fn said(done: &std::process::Output) -> String {
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn a_reload_tells_nothing_changed_from_comments_changed() {
    let server = Server::with(&household(WIKI));
    let again = server.command(&["reload"]);
    assert!(again.status.success());
    assert_eq!(said(&again), "nothing changed: the files are the ones in force\n");
    // The change may have been seen by the watch before: either way it is files like before.
    server.edit("home.kdl", &format!("// a word about it\n{}", household(WIKI)));
    let (code, verdict) = server.reload();
    let result = verdict.get("result").and_then(serde_json::Value::as_str);
    assert!(code == 0 && matches!(result, Some("refreshed" | "unchanged")), "{code} {verdict}");
    let log = server.log_with("places and comments only");
    assert_eq!(log.matches("places and comments only").count(), 1, "{log}");
}

/// The arguments of the server are not those of the command: the link leads to the server.
#[test]
fn a_link_names_the_port_at_which_the_server_listens() {
    let server = Server::with(&household(WIKI));
    let done = server.command_elsewhere(&["user", "link", "alice"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let link = said(&done).trim().to_owned();
    assert!(link.starts_with(&server.url("http://auth.localhost:9000/set-password?")), "{link}");
    assert_eq!(Browser::at(&server).open(&link).status, 200);
}

/// No second factor can be proven yet: the plan says that it takes them as given.
#[test]
fn a_plan_does_not_promise_second_factors() {
    // Wiki and its removal: a plan that a running server holds, so that nothing races with us.
    let server = Server::with(&household(WIKI));
    server.edit("home.kdl", &household(""));
    let plan = said(&server.command(&["plan"]));
    assert!(plan.contains("(declared users, from the internet, MFA taken as given):"), "{plan}");
    assert!(!plan.contains("with MFA"), "{plan}");
}

/// A figure that one process remembers would begin at nothing with each start.
#[test]
fn status_counts_live_sessions_as_the_store_has_them() {
    let mut server = Server::with(&household(WIKI));
    server.set_password("alice", PASSWORD);
    let mut browser = Browser::at(&server);
    browser.sign_in("alice", PASSWORD);
    browser.enter(&server.url("http://wiki.localhost:9000/"));
    server.restart();
    let figures = server.status().get("sessions").cloned();
    assert_eq!(figures, Some(serde_json::json!({ "sign-ins": 1, "apps": 1 })));
    let text = said(&server.command(&["status"]));
    assert!(text.contains("1 live sign-ins, 1 live at apps"), "{text}");
}

const PASSWORD: &str = "correct horse battery staple";
