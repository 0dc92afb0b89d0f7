//! What would repeat in the log is said ever more seldom.

use std::time::Duration;

use super::{WIKI, household};
use crate::support::server::Server;

const UNKNOWN: &str = "a proxy asks about a host that no app declares";

#[test]
fn a_host_that_no_app_declares_is_told_with_proxy_and_remedy() {
    let server = Server::with(&household(WIKI));
    for _ in 0..5 {
        assert_eq!(server.ask("http://one.example.com/").send().status, 404);
    }
    assert_eq!(server.ask("http://two.example.com/").send().status, 404);
    assert_eq!(server.ask("http://ONE.example.com:8080/").send().status, 404);
    let log = server.log_with("two.example.com");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(UNKNOWN)).collect();
    assert_eq!(lines.len(), 2, "one for each host: {log}");
    let first = lines.first().expect("a line");
    for words in ["WARN", "one.example.com", "127.0.0.1", "proxy \\\"https://one.example.com\\\""] {
        assert!(first.contains(words), "{words}: {first}");
    }
    assert_eq!(server.some_events("host.unknown", 2).len(), 2);
}

/// The host is the choice of any client of a wildcard router.
#[test]
fn many_hosts_do_not_flood_the_log() {
    let server = Server::with(&household(WIKI));
    for number in 0..300 {
        assert_eq!(server.ask(&format!("http://h{number}.example.com/")).send().status, 404);
    }
    let log = server.log_with("asks about many hosts");
    assert_eq!(log.matches("no app declares").count(), 65, "{log}");
}

#[test]
fn a_missing_directory_is_told_once_and_its_coming_is_noticed() {
    let mut server = Server::stopped("", &[]);
    let directory = server.path().join("dynamic");
    let file = directory.join("doorward.yml");
    let traefik = format!(
        "traefik {{ write \"{}\"; reach-doorward-at \"http://127.0.0.1:9000\" }}",
        file.display()
    );
    server.edit("home.kdl", &household(&format!("{WIKI}\n{traefik}")));
    server.allow(&["--write-to", &directory.display().to_string()]);
    server.start();
    let told = "Traefik's file could not be written";
    server.log_with(told);
    // It is tried again every two seconds.
    std::thread::park_timeout(Duration::from_secs(7));
    assert_eq!(server.log().matches(told).count(), 1, "{}", server.log());
    assert!(server.status().to_string().contains("create it"), "{}", server.status());

    std::fs::create_dir(&directory).expect("a directory");
    server.log_with("Traefik's file was written");
    assert!(file.exists());
    std::fs::remove_dir_all(&directory).expect("removed");
}
