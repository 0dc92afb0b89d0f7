//! Files that are not what they should be, and files that are there already.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{doorward, example, text};

fn refused(name: &str, content: &[u8], from: &str) -> String {
    let directory = TempDir::new().expect("a directory");
    std::fs::write(directory.path().join(name), content).expect("written");
    let done = doorward(directory.path(), &["import", from, name]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stdout));
    assert!(done.stdout.is_empty(), "{}", text(&done.stdout));
    text(&done.stderr)
}

#[test]
fn bad_files_get_a_place_a_reason_and_a_remedy() {
    let cases: [(&[u8], &str, &str); 12] = [
        (b"", "x.yml:1:1: the file is empty", "authelia"),
        (b"a: [", "x.yml:", "authelia"),
        (b"hello there", "this is no configuration of Authelia", "authelia"),
        (b"hello there", "this is no blueprint of authentik", "authentik"),
        (b"version: 1\nentries: []\n", "doorward import authentik", "authelia"),
        (b"access_control: {}\n", "doorward import authelia", "authentik"),
        (b"version: 2\nentries: []\n", "version 2", "authentik"),
        (b"log: {}\nlog: {}\n", "x.yml:2:1: the key `log` stands here a second time", "authelia"),
        (b"\xff\xfe\x00", "x.yml: this is no text", "authelia"),
        (b"log: \x07", "x.yml:1:6: this is no text", "authelia"),
        (b"users: &a\n  x: *a\n", "x.yml:2:6: this refers to itself", "authelia"),
        (b"%PDF-1.7\n\x01\x02", "x.yml:2:1: this is no text", "authelia"),
    ];
    for (content, words, from) in cases {
        let said = refused("x.yml", content, from);
        assert!(said.starts_with("error: ") && said.contains(words), "{words}\n{said}");
        assert!(said.contains("help: "), "{said}");
    }
    let huge = vec![b'#'; 5 * 1024 * 1024];
    assert!(refused("x.yml", &huge, "authelia").contains("more than 4194304 bytes"));
}

#[test]
fn what_is_not_there_or_no_file_is_told_by_name() {
    let directory = TempDir::new().expect("a directory");
    let said = text(&doorward(directory.path(), &["import", "authelia", "gone.yml"]).stderr);
    assert!(said.contains("cannot read gone.yml"), "{said}");
    let said = text(&doorward(directory.path(), &["import", "authelia", "."]).stderr);
    assert!(said.contains("cannot read ."), "{said}");
    let done = doorward(directory.path(), &["import", "authelia"]);
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn nothing_that_exists_is_overwritten_unasked() {
    let directory = TempDir::new().expect("a directory");
    let users = example("users_database.yml").display().to_string();
    let import = ["import", "authelia", users.as_str()];
    let kept = directory.path().join("people.kdl");
    std::fs::write(&kept, "group kept\n").expect("written");
    for place in [["--out", "people.kdl"], ["--into", "."]] {
        let done = doorward(directory.path(), &[&import[..], &place].concat());
        assert_eq!(done.status.code(), Some(1));
        assert!(text(&done.stderr).contains("people.kdl exists"), "{}", text(&done.stderr));
        assert_eq!(std::fs::read_to_string(&kept).expect("text"), "group kept\n");
    }
    let done = doorward(directory.path(), &[&import[..], &["--into", ".", "--force"]].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(std::fs::read_to_string(&kept).expect("text").contains("user \"ada\""));
    // It holds hashes, so it is for its owner alone.
    let mode = kept.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_link_is_not_followed() {
    let directory = TempDir::new().expect("a directory");
    let users = example("users_database.yml").display().to_string();
    let link = directory.path().join("out.kdl");
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &link).expect("a link");
    let done = doorward(directory.path(), &["import", "authelia", &users, "--out", "out.kdl"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(!directory.path().join("elsewhere").exists());
}

#[test]
fn scripts_are_told_as_json() {
    let directory = TempDir::new().expect("a directory");
    let users = example("users_database.yml").display().to_string();
    let done = doorward(directory.path(), &["import", "authelia", &users, "--json"]);
    let remarks: serde_json::Value = serde_json::from_slice(&done.stderr).expect("JSON");
    let remarks = remarks.as_array().expect("a list");
    let bcrypt = remarks.iter().find(|each| each["line"] == 22).expect("the remark");
    assert_eq!(bcrypt["fate"], "not-carried");
    assert_eq!(bcrypt["file"], users.as_str());
    assert!(text(&done.stdout).contains("user \"ada\""));
}

#[test]
fn what_only_a_person_can_say_is_looked_at() {
    let directory = TempDir::new().expect("a directory");
    let file = example("configuration.yml").display().to_string();
    for (argument, value) in [("--host", "a b"), ("--host", "x/y"), ("--external-host", "http://x")]
    {
        let done = doorward(directory.path(), &["import", "authelia", &file, argument, value]);
        assert_eq!(done.status.code(), Some(1), "{argument} {value}");
        assert!(text(&done.stderr).contains(argument), "{}", text(&done.stderr));
    }
    let done =
        doorward(directory.path(), &["import", "authelia", &file, "--host", "films.hill.example"]);
    assert!(text(&done.stdout).contains("app films \"Films\""), "{}", text(&done.stdout));
}

#[test]
fn more_rules_than_can_be_written_are_refused() {
    let mut text = "access_control:\n  rules:\n".to_owned();
    for number in 0..300 {
        text += &format!(
            "    - {{domain: [h{number}.hill.example, '*.hill.example'], policy: deny}}\n"
        );
    }
    let said = refused("x.yml", text.as_bytes(), "authelia");
    assert!(said.contains("300 rules") && said.contains("help: "), "{said}");
}
