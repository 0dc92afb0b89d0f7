//! Settings that only a restart takes up: whoever edits one is told so, everywhere.

use super::{WIKI, household};
use crate::support::server::{Server, free_port};

fn with_metrics(port: u16) -> String {
    let metrics = format!("server {{ metrics \"127.0.0.1:{port}\"; ");
    household(WIKI).replacen("server { ", &metrics, 1)
}

fn said(server: &Server, arguments: &[&str]) -> String {
    let done = server.command(arguments);
    String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
}

#[test]
fn an_edit_that_needs_a_restart_is_told_until_it_is_restarted_or_undone() {
    let (old, new) = (free_port(), free_port());
    let mut server = Server::with(&with_metrics(old));
    assert!(!said(&server, &["status"]).contains("restart"));
    let line = format!(
        "server metrics: this server runs with \"127.0.0.1:{old}\", the files say \"127.0.0.1:{new}\"; a restart takes it up"
    );
    server.edit("home.kdl", &with_metrics(new));
    server.log_with(&line);
    for command in ["status", "plan", "reload"] {
        let said = said(&server, &[command]);
        assert_eq!(said.matches(&line).count(), 1, "{command}: {said}");
    }
    let awaited = serde_json::json!([{
        "setting": "metrics",
        "running": format!("\"127.0.0.1:{old}\""),
        "declared": format!("\"127.0.0.1:{new}\""),
    }]);
    assert_eq!(server.status().get("restart"), Some(&awaited));
    assert_eq!(server.reload().1.get("restart"), Some(&awaited));
    assert_eq!(server.get("x", "/healthz/live").on_port(old).send().status, 200);
    assert_eq!(server.log().matches(&line).count(), 1, "told once: {}", server.log());

    server.edit("home.kdl", &with_metrics(old));
    server.reload();
    assert!(!said(&server, &["status"]).contains("restart"), "undone");

    server.edit("home.kdl", &with_metrics(new));
    server.restart();
    assert!(!said(&server, &["status"]).contains("restart"), "taken up");
    assert_eq!(server.get("x", "/healthz/live").on_port(new).send().status, 200);
}

/// A plan tells before the edit is in force, beside what it changes.
#[test]
fn a_held_edit_tells_of_the_restart_as_well() {
    let (old, new) = (free_port(), free_port());
    let server = Server::with(&with_metrics(old));
    server.edit("home.kdl", &with_metrics(new).replace(WIKI, ""));
    let plan = said(&server, &["plan"]);
    assert!(plan.contains("HELD") && plan.contains("a restart takes it up"), "{plan}");
}
