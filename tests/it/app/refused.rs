//! A refusal has a reference, by which the person who runs the place finds it in log and events.

use super::{WIKI, household};
use crate::support::server::{Browser, Server};

const PASSWORD: &str = "correct horse battery staple";

/// The log line and the event of a refusal of `root`, by the reference on its page.
fn refusal(access: &str) -> (String, serde_json::Value) {
    let server = Server::with(&household(&WIKI.replace("allow group:users", access)));
    server.set_password("root", PASSWORD);
    let mut browser = Browser::at(&server);
    browser.sign_in("root", PASSWORD);
    let wiki = server.url("http://wiki.localhost:9000/");
    let sent = browser.ask(&wiki);
    let start = browser.open(sent.location());
    assert_eq!(browser.ask(start.location()).status, 303);
    let page = browser.ask(&wiki);
    assert_eq!(page.status, 403, "{}", page.body);
    let (_, rest) = page.body.split_once("<code>").expect("a reference");
    let reference = rest.split('<').next().expect("a reference");
    let log = server.log_with(&format!("reference=\"{reference}\""));
    let line = log.lines().find(|line| line.contains(reference)).expect("a line").to_owned();
    let event = server.events("access.denied").into_iter().next().expect("an event");
    let told = event.data.get("reference").and_then(serde_json::Value::as_str);
    assert_eq!(told, Some(reference));
    (line, event.data)
}

#[test]
fn the_reference_on_the_page_leads_to_the_rule() {
    let (line, event) = refusal("deny group:admins; allow group:users");
    for words in ["access denied", "rule=\"deny group:admins\"", "by=\"home.kdl:"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(event.to_string().contains("home.kdl:"), "{event}");
}

#[test]
fn where_no_rule_matched_no_empty_place_is_told() {
    let (line, event) = refusal("allow group:users");
    assert!(line.contains("rule=\"no rule matched\"") && !line.contains("by="), "{line}");
    assert_eq!(event.get("by"), Some(&serde_json::Value::Null));
    assert_eq!(event.get("rule"), Some(&serde_json::json!("no rule matched")));
}
