//! A backup, and back: people sign in with their factors, on either database, or nothing is taken.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::support::server::{Browser, Server, household};
use crate::support::stores::on_postgres_server;
use crate::support::walk::{PASSWORD, Walk, code};

const MORE: &str = r#"group family "Family" { in users }
app wiki "Wiki" { proxy "http://wiki.localhost:9000"; access { require mfa; allow group:users } }"#;

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that has to do what it says.
fn run(server: &Server, arguments: &[&str]) -> String {
    let done = server.command(arguments);
    assert!(done.status.success(), "{arguments:?}: {}", said(&done));
    said(&done)
}

/// Alice with a password and an authenticator app, whose secret this is.
fn inhabited(arguments: &[&str]) -> (Server, String) {
    let server = Server::with_arguments(&household(MORE), arguments);
    server.set_password("alice", PASSWORD);
    run(&server, &["group", "add", "family", "alice"]);
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    walk.password("alice").go("/set-up?flow=builtin.setup");
    let (secret, _) = walk.set_up();
    (server, secret)
}

fn signs_in(server: &Server, secret: &str) {
    let mut walk = Walk::to(server, Browser::at(server), "http://wiki.localhost:9000/");
    walk.password("alice").post(&[("code", &code(secret, 1))]);
    walk.is_in("http://wiki.localhost:9000/");
}

fn backed_up(server: &Server, more: &[&str]) -> String {
    let file = server.path().join("all.backup").display().to_string();
    let told = run(server, &[&["backup", file.as_str()], more].concat());
    assert!(told.contains("2 accounts"), "{told}");
    let mode = fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    file
}

fn key_of(server: &Server) -> String {
    let found = ["state/master.key", "master.key"].map(|name| server.path().join(name));
    let found = found.into_iter().find(|path| path.is_file()).expect("a master key");
    found.display().to_string()
}

fn comes_back(before: &[&str], after: &[&str]) {
    let (server, secret) = inhabited(before);
    let file = backed_up(&server, &[]);
    let mut other = Server::stopped(&household(MORE), after);
    run(&other, &["restore", &file, "--master-key-file", &key_of(&server)]);
    other.start();
    signs_in(&other, &secret);
    let groups = other.command(&["user", "show", "alice", "--json"]);
    assert!(String::from_utf8_lossy(&groups.stdout).contains("family"));
    assert!(!other.events("password.set").is_empty(), "events come along");
    let file = other.path().join("again.backup").display().to_string();
    let told = run(&other, &["backup", &file]);
    assert!(told.contains("2 accounts"), "{told}");
}

#[test]
fn people_sign_in_with_their_factors_after_a_restore() {
    comes_back(&[], &[]);
}

#[test]
fn a_backup_goes_from_one_database_into_the_other() {
    on_postgres_server(|postgres| {
        comes_back(&[], postgres);
    });
    on_postgres_server(|postgres| {
        comes_back(postgres, &[]);
    });
}

#[test]
fn a_passphrase_opens_the_key_that_it_sealed() {
    let (server, secret) = inhabited(&[]);
    let put = |name: &str, text: &str| {
        let path = server.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let short = put("short", "too-short");
    let file = server.path().join("short.backup").display().to_string();
    let done = server.command(&["backup", &file, "--passphrase-file", &short]);
    assert!(said(&done).contains("at least 12 characters"), "{}", said(&done));
    assert!(!Path::new(&file).exists());
    let right = put("right", "a-passphrase-of-some-length\n");
    let wrong = put("wrong", "another-passphrase-of-length\n");
    let file = backed_up(&server, &["--passphrase-file", &right]);
    let mut other = Server::stopped(&household(MORE), &[]);
    let done = other.command(&["restore", &file]);
    assert!(said(&done).contains("--passphrase-file"), "{}", said(&done));
    let done = other.command(&["restore", &file, "--passphrase-file", &wrong]);
    assert!(said(&done).contains("does not open the master key"), "{}", said(&done));
    run(&other, &["restore", &file, "--passphrase-file", &right]);
    other.start();
    signs_in(&other, &secret);
}

/// Nothing of what is damaged is taken.
#[test]
fn a_damaged_backup_is_refused_whole() {
    let (server, _) = inhabited(&[]);
    let file = backed_up(&server, &[]);
    let key = key_of(&server);
    let whole = fs::read(&file).expect("a backup");
    let other = Server::stopped(&household(MORE), &[]);
    let broken = other.path().join("broken.backup").display().to_string();
    let mut cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "it is empty"),
        (b"{}\n".to_vec(), "is no backup of Doorward"),
        (whole[..whole.len() / 2].to_vec(), "damaged or cut off"),
        (whole[..whole.len() - 100].to_vec(), "damaged or cut off"),
        ([&whole[..], b"[\"users\",{}]\n"].concat(), "behind the last line"),
    ];
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let mut without = lines.clone();
    without.remove(5);
    cases.push((without.concat(), "damaged or cut off"));
    for at in [whole.len() / 3, whole.len() / 2, whole.len() - 30] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        cases.push((flipped, "damaged or cut off"));
    }
    for (bytes, words) in cases {
        fs::write(&broken, &bytes).expect("written");
        let done = other.command(&["restore", &broken, "--master-key-file", &key]);
        assert!(!done.status.success() && said(&done).contains(words), "{words}: {}", said(&done));
        assert!(!other.path().join("state/doorward.db").exists());
    }
    // A newer store's is for a newer version.
    let newer = String::from_utf8_lossy(&whole).replacen("\"schema\":9", "\"schema\":99", 1);
    assert!(newer.contains("99"));
    fs::write(&broken, newer).expect("written");
    assert!(!other.command(&["restore", &broken, "--master-key-file", &key]).status.success());
    run(&other, &["restore", &file, "--look"]);
}

#[test]
fn nothing_is_written_over() {
    let (server, _) = inhabited(&[]);
    let file = backed_up(&server, &[]);
    let done = server.command(&["backup", &file]);
    assert!(said(&done).contains("is there already"), "{}", said(&done));
    let key = key_of(&server);
    let done = server.command(&["restore", &file, "--master-key-file", &key]);
    assert!(said(&done).contains("stop it first"), "{}", said(&done));
    let mut other = Server::with_arguments(&household(MORE), &[]);
    other.stop();
    let done = other.command(&["restore", &file, "--master-key-file", &key_of(&other)]);
    assert!(said(&done).contains("another master key"), "{}", said(&done));
    let done = other.command(&["restore", &file, "--master-key-file", &key]);
    assert!(said(&done).contains("move it away first"), "{}", said(&done));
}

/// Killed at any moment, there is a whole backup or none, and a whole store or none.
#[test]
fn a_power_cut_leaves_nothing_half() {
    let (server, secret) = inhabited(&[]);
    let whole = backed_up(&server, &[]);
    let key = key_of(&server);
    for step in 0..12 {
        let file = server.path().join(format!("cut-{step}.backup")).display().to_string();
        server.command_and_kill(&["backup", &file], Duration::from_millis(8 * step));
        if Path::new(&file).exists() {
            run(&server, &["restore", &file, "--look"]);
        }
    }
    let mut other = Server::stopped(&household(MORE), &[]);
    for step in 0..12 {
        let arguments = ["restore", whole.as_str(), "--master-key-file", key.as_str()];
        other.command_and_kill(&arguments, Duration::from_millis(8 * step));
    }
    let done = other.command(&["restore", &whole, "--master-key-file", &key]);
    assert!(done.status.success() || said(&done).contains("already"), "{}", said(&done));
    other.start();
    signs_in(&other, &secret);
}
