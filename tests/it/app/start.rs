//! A start beside files that cannot be taken: the last good ones serve, and everybody is told.

use doorward::store::Held;
use serde_json::Value;

use super::{WIKI, household};
use crate::support::server::Server;
use crate::support::stores::on_both_servers;

/// The wiki is there and its removal waits, or is not asked for.
fn serves_wiki(server: &Server) -> bool {
    server.ask(&server.url("http://wiki.localhost:9000/")).navigating().send().status == 302
}

fn held(server: &Server) -> Option<Held> {
    server.look(async |read| read.find_held().await.expect("asked"))
}

/// State and problems as `doorward status` tells them, and its exit code for scripts.
fn told(server: &Server) -> (String, Vec<String>, i32) {
    let status = server.status();
    let problems = status.get("problems").and_then(Value::as_array).expect("problems");
    let problems = problems.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let state = status.get("state").and_then(Value::as_str).expect("a state").to_owned();
    let code = server.command(&["status", "--exit-code"]).status.code().expect("a code");
    (state, problems, code)
}

#[test]
fn held_files_are_noted_at_a_start_and_forgotten_when_they_are_gone() {
    on_both_servers(|state| {
        let mut server = Server::with_arguments(&household(WIKI), state);
        server.kill();
        server.edit("home.kdl", &household(""));
        server.start();
        assert!(serves_wiki(&server), "the last good files serve");
        let (state, problems, code) = told(&server);
        assert_eq!((state.as_str(), code), ("held", 3));
        assert!(problems.iter().any(|line| line.contains("app:wiki")), "{problems:?}");
        let row = held(&server).expect("the held row");
        assert!(row.reasons.to_string().contains("wiki"), "{}", row.reasons);
        let noted = server.events("config.held");
        assert_eq!(noted.len(), 1);
        assert_eq!(noted.first().and_then(|event| event.actor.as_deref()), Some("start"));

        server.restart();
        assert_eq!(server.events("config.held").len(), 1, "once for each set of files");

        server.kill();
        server.edit("home.kdl", &household(WIKI));
        server.start();
        assert_eq!(told(&server).0, "in-sync");
        assert_eq!(held(&server), None, "nothing waits any more");
    });
}

#[test]
fn broken_files_are_noted_at_a_start() {
    on_both_servers(|state| {
        let mut server = Server::with_arguments(&household(WIKI), state);
        server.kill();
        server.edit("home.kdl", &household("app broken \"Broken\" {"));
        server.start();
        assert!(serves_wiki(&server), "the last good files serve");
        let (state, problems, code) = told(&server);
        assert_eq!((state.as_str(), code), ("rejected", 1));
        assert!(problems.iter().any(|line| line.contains("home.kdl:")), "{problems:?}");
        let noted = server.events("config.rejected");
        assert_eq!(noted.len(), 1);
        let first = noted.first().expect("an event");
        assert_eq!(first.actor.as_deref(), Some("start"));
        assert!(first.data.to_string().contains("home.kdl:"), "{}", first.data);
    });
}

/// An empty directory never means an empty set.
#[test]
fn a_vanished_directory_is_held_at_a_start() {
    let mut server = Server::with(&household(WIKI));
    server.kill();
    std::fs::remove_file(server.path().join("blueprints/home.kdl")).expect("removed");
    server.start();
    assert!(serves_wiki(&server), "the last good files serve");
    let (state, _, code) = told(&server);
    assert_eq!((state.as_str(), code), ("held", 3));
    assert_eq!(server.events("config.held").len(), 1);
}

/// Who lays files over the theme without knowing it sees at the start that they do.
#[test]
fn the_greeting_names_what_is_laid_over_the_theme() {
    let mut server = Server::stopped(&household(WIKI), &[]);
    let folder = server.path().join("custom-templates");
    std::fs::create_dir_all(folder.join("themes")).expect("a directory");
    server.start();
    assert!(!server.greeting().contains("custom-templates"), "{}", server.greeting());

    std::fs::write(folder.join("themes/dark.css"), "body { color: red }").expect("written");
    server.restart();
    let named = format!("{}\n", folder.join("themes/").display());
    assert!(server.greeting().contains(&named), "{}", server.greeting());
    assert_eq!(server.greeting().matches("theme from").count(), 1, "{}", server.greeting());

    std::fs::write(folder.join("logo.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>")
        .expect("written");
    server.restart();
    let named = format!("{}\n", folder.display());
    assert!(server.greeting().contains(&named), "{}", server.greeting());

    std::fs::write(folder.join("error.html"), "{% broken").expect("written");
    server.restart();
    assert!(!server.greeting().contains("theme from"), "{}", server.greeting());
    assert!(server.log().contains("custom-templates is not used"), "{}", server.log());
}

/// Shells and service managers give few open files to begin with, and let a process ask for more.
#[test]
fn a_start_raises_the_number_of_open_files() {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let mut server = Server::stopped(&household(WIKI), &[]);
    let raised = server.start_with_open_files(256);
    assert!(raised.is_some_and(|raised| raised > 256), "{raised:?}");
    if let Some(most) = most {
        assert_eq!(raised, Some(most));
    }
    assert!(!server.log().contains("LimitNOFILE"), "{}", server.log());
}
