//! A directory of blueprints that goes away while the server runs.

use std::fs;

use super::{WIKI, household};
use crate::support::server::Server;

#[test]
fn a_directory_that_vanishes_is_told_with_path_and_remedy_and_its_return_as_well() {
    let server = Server::with(&household(WIKI));
    let (place, aside) = (server.path().join("blueprints"), server.path().join("aside"));
    fs::rename(&place, &aside).expect("moved");
    let log = server.log_with("does not exist");
    let line = log.lines().find(|line| line.contains("does not exist")).expect("a line");
    let place_text = place.display().to_string();
    for words in [&place_text, "last good configuration goes on", "Put the directory back"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!log.contains("wait for a confirmation"), "{log}");
    for command in ["status", "plan", "reload"] {
        let done = server.command(&[command]);
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(said.contains(&place_text), "{command}: {said}");
        assert!(said.contains("Put the directory back"), "{command}: {said}");
    }
    let wiki = server.ask(&server.url("http://wiki.localhost:9000/")).navigating();
    assert_eq!(wiki.send().status, 302, "the last good files serve");

    fs::rename(&aside, &place).expect("moved back");
    server.log_with("the files are the ones in force again");
    assert_eq!(server.status().get("state"), Some(&serde_json::json!("in-sync")));
    let log = server.log();
    assert_eq!(log.matches("does not exist").count(), 2, "by the change and by reload: {log}");
}

/// The crate that watches has words of its own for a directory that is gone.
#[test]
fn a_directory_that_is_removed_leaves_no_words_of_others_in_the_log() {
    let server = Server::with(&household(WIKI));
    let (place, more) = (server.path().join("blueprints"), server.path().join("blueprints/more"));
    for _ in 0..3 {
        fs::create_dir(&more).expect("a directory");
        fs::write(more.join("a.kdl"), "group more \"More\"").expect("written");
        server.reload();
        fs::remove_dir_all(&more).expect("removed");
        server.reload();
    }
    fs::remove_dir_all(&place).expect("removed");
    let log = server.log_with("last good configuration goes on");
    assert!(!log.to_lowercase().contains("watches"), "{log}");
}
