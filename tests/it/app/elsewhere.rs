//! Commands that are run where no server was started, or with other arguments than the server's.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{WIKI, household};
use crate::support::server::Server;
use crate::support::stores::on_postgres_server;

fn run(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(directory).env_clear().args(arguments).stdin(Stdio::null());
    command.output().expect("the command's process")
}

fn complaint(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Everything below a directory.
fn listing(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        found.push(path.display().to_string());
        if path.is_dir() {
            found.extend(listing(&path));
        }
    }
    found.sort();
    found
}

const READS_THE_STORE: [&[&str]; 7] = [
    &["user", "link", "alice"],
    &["user", "list"],
    &["token", "create", "alice", "--app", "wiki"],
    &["token", "list"],
    &["token", "revoke", "tok_1"],
    &["secret", "list"],
    &["secret", "show", "app:wiki"],
];

const OTHERS: [&[&str]; 13] = [
    &["check"],
    &["test"],
    &["plan"],
    &["reload"],
    &["status"],
    &["show"],
    &["show", "app:wiki"],
    &["explain", "GET", "http://wiki.localhost:9000/", "--as", "alice"],
    &["snippet", "nginx", "app:wiki"],
    &["snippet", "caddy", "app:wiki"],
    &["export"],
    &["reference"],
    &["doctor"],
];

#[test]
fn commands_create_nothing_where_nothing_is() {
    let empty = tempfile::TempDir::new().expect("a directory");
    for arguments in READS_THE_STORE.iter().chain(&OTHERS).chain(&[&["apply"] as &[&str]]) {
        run(empty.path(), arguments);
        assert_eq!(listing(empty.path()), [""; 0], "{arguments:?}");
    }
}

#[test]
fn commands_create_nothing_beside_files_that_were_never_served() {
    let server = Server::stopped(&household(WIKI), &[]);
    let before = listing(server.path());
    for arguments in READS_THE_STORE.iter().chain(&OTHERS) {
        let done = server.command_elsewhere(arguments);
        assert!(!complaint(&done).contains("Usage"), "{arguments:?}: {}", complaint(&done));
        assert_eq!(listing(server.path()), before, "{arguments:?}");
    }
    // Nor do files that cannot be taken make a store for themselves.
    server.edit("home.kdl", "app broken {");
    assert_eq!(server.command(&["apply"]).status.code(), Some(1));
    assert_eq!(listing(server.path()), before);
    server.edit("home.kdl", &household(WIKI));
    assert_eq!(server.command(&["apply"]).status.code(), Some(0));
    assert_ne!(listing(server.path()), before, "files that can be taken are");
}

#[test]
fn a_missing_store_is_named_with_what_to_do() {
    let server = Server::stopped(&household(WIKI), &[]);
    for arguments in READS_THE_STORE {
        let done = server.command_elsewhere(arguments);
        let complaint = complaint(&done);
        assert_eq!(done.status.code(), Some(1), "{arguments:?}");
        for words in ["there is no store at sqlite:///", "--state", "`doorward serve`"] {
            assert!(complaint.contains(words), "{arguments:?}: {complaint}");
        }
    }
}

/// A server was started with a state of another name: a command beside it finds it.
#[test]
fn a_command_opens_the_store_of_the_server_that_runs() {
    let mut server = Server::stopped(&household(WIKI), &[]);
    server.start_with(&["--state", "sqlite://./state/other.db"]);
    let link = run(server.path(), &["user", "link", "alice"]);
    assert!(link.status.success(), "{}", complaint(&link));
    assert_eq!(crate::support::server::Browser::at(&server).open(said(&link).trim()).status, 200);
    assert!(!server.path().join("state/doorward.db").exists());

    // Without blueprints of its own, too: it asks the server for them.
    let asked = run(server.path(), &["user", "list", "--blueprints", "nowhere"]);
    assert!(said(&asked).contains("alice@example.com"), "{}", complaint(&asked));
}

#[test]
fn a_command_finds_a_server_on_postgres() {
    on_postgres_server(|state| {
        let server = Server::with_arguments(&household(WIKI), state);
        let asked = run(server.path(), &["user", "list"]);
        assert!(said(&asked).contains("alice@example.com"), "{}", complaint(&asked));
        assert!(!server.path().join("state/doorward.db").exists());
        let told = complaint(&asked) + &said(&server.command(&["status", "--json"]));
        let address = state.last().expect("an address");
        assert!(!told.contains(address), "the address may hold a password");
    });
}

/// Where the words of a command lead to another store than the server's, it says so.
#[test]
fn a_command_says_which_store_it_opened_if_it_is_not_a_running_servers() {
    let mut server = Server::with(&household(WIKI));
    server.kill();
    let asked = run(server.path(), &["user", "list"]);
    assert!(said(&asked).contains("alice@example.com"), "{}", complaint(&asked));
    let note = complaint(&asked);
    assert!(note.contains("opened the store sqlite:///"), "{note}");
    assert!(note.contains("no server answers at"), "{note}");

    server.start_with(&["--state", "sqlite://./state/other.db"]);
    let state = ["--state", "sqlite://./state/doorward.db"];
    let asked = run(server.path(), &[&["user", "list"], &state[..]].concat());
    let note = complaint(&asked);
    assert!(note.contains("state/doorward.db (the server that answers at"), "{note}");
}
