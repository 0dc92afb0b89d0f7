//! `doorward doctor` as a whole: each finding that is not good ends with the line to change.

use serde_json::Value;

use super::{WIKI, household};
use crate::support::server::Server;

/// The exit code and the findings.
fn examined(server: &Server, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let done = server.command(&[&["doctor", "--json"], arguments].concat());
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!(report.get("schema").and_then(Value::as_str), Some("doorward.doctor/1"));
    let findings = report.get("findings").and_then(Value::as_array).expect("findings").clone();
    (done.status.code(), findings)
}

fn word<'a>(finding: &'a Value, name: &str) -> &'a str {
    finding.get(name).and_then(Value::as_str).unwrap_or("")
}

/// Whatever is not good has its remedy, also in what people read: the remedies are last.
fn assert_remedies(server: &Server, findings: &[Value]) {
    let text = server.command(&["doctor"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for finding in findings.iter().filter(|finding| word(finding, "level") != "ok") {
        let change = word(finding, "change");
        assert!(!change.trim().is_empty(), "no line to change: {finding}");
        let what = text.find(word(finding, "what")).expect("the finding in words");
        let rest = text.get(what..).unwrap_or("");
        let block = rest.split("\n✗").next().unwrap_or("").split("\n⚠").next().unwrap_or("");
        let block = block.split("\n✓").next().unwrap_or("").split("\n\n").next().unwrap_or("");
        let last = change.lines().last().unwrap_or("").trim();
        assert!(block.trim_end().ends_with(last), "{block:?} ends otherwise than with {last:?}");
    }
}

fn with_level<'a>(findings: &'a [Value], topic: &str, level: &str) -> Vec<&'a Value> {
    let is = |finding: &&Value| word(finding, "topic") == topic && word(finding, "level") == level;
    findings.iter().filter(is).collect()
}

#[test]
fn a_healthy_server_has_no_errors() {
    let server = Server::with(&household(WIKI));
    let (code, findings) = examined(&server, &[]);
    assert_eq!(code, Some(0), "{findings:#?}");
    for topic in ["files", "listener", "trusted-proxies"] {
        assert!(!with_level(&findings, topic, "ok").is_empty(), "{topic}: {findings:#?}");
    }
    assert_remedies(&server, &findings);
}

#[test]
fn broken_files_are_an_error_with_a_command() {
    let mut server = Server::with(&household(WIKI));
    server.kill();
    server.edit("home.kdl", &household("app broken \"Broken\" {"));
    server.start();
    let (code, findings) = examined(&server, &[]);
    assert_eq!(code, Some(1), "{findings:#?}");
    let errors = with_level(&findings, "files", "error");
    assert!(errors.iter().any(|each| word(each, "change") == "doorward check"), "{errors:#?}");
    assert_remedies(&server, &findings);
}

#[test]
fn held_files_are_a_warning_with_a_command() {
    let mut server = Server::with(&household(WIKI));
    server.kill();
    server.edit("home.kdl", &household(""));
    server.start();
    let (code, findings) = examined(&server, &[]);
    assert_eq!(code, Some(0), "{findings:#?}");
    let warnings = with_level(&findings, "files", "warning");
    assert!(warnings.iter().any(|each| word(each, "change") == "doorward plan"), "{warnings:#?}");
    assert_remedies(&server, &findings);
}

#[test]
fn a_proxy_that_would_be_refused_is_an_error_with_the_line() {
    let traefik = "traefik { reach-doorward-at \"http://doorward:9000\" }";
    let server = Server::with(&household(&format!("{WIKI}\n{traefik}")));
    let (code, findings) = examined(&server, &[]);
    assert_eq!(code, Some(1), "{findings:#?}");
    let errors = with_level(&findings, "trusted-proxies", "error");
    assert!(
        errors.iter().any(|each| word(each, "change").starts_with("trusted-proxies \"")
            && word(each, "at").starts_with("home.kdl:1")),
        "{errors:#?}"
    );
    assert_remedies(&server, &findings);
}

#[test]
fn without_a_server_it_says_how_to_start_one() {
    let mut server = Server::with(&household(WIKI));
    server.kill();
    let (_, findings) = examined(&server, &[]);
    let warnings = with_level(&findings, "files", "warning");
    assert!(warnings.iter().any(|each| word(each, "change") == "doorward serve"), "{warnings:#?}");
    assert_remedies(&server, &findings);
}
