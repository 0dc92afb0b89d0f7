//! What ends a bind.

use super::*;

fn sees_itself(connection: &mut LdapConn) -> bool {
    search(connection, (ALICE, Scope::Base, "(objectClass=*)"), &["uid"]).1 == 0
}

#[test]
fn another_password_ends_binds_by_the_old_one_at_once() {
    let directory = Directory::inhabited("", APP);
    let (code, mut alice) = directory.bind(ALICE, PASSWORD);
    assert_eq!(code, 0);
    assert!(sees_itself(&mut alice));
    directory.server.set_password("alice", "another-lantern-43-river");
    assert!(!sees_itself(&mut alice), "the next operation is refused");
    assert_eq!(directory.code(ALICE, PASSWORD), 49);
    assert_eq!(directory.code(ALICE, "another-lantern-43-river"), 0);
}

/// `security.md` 18: a disabled account by every protocol.
#[test]
fn a_disabled_account_is_not_bound_and_not_found() {
    let directory = Directory::inhabited("", APP);
    let (_, mut alice) = directory.bind(ALICE, PASSWORD);
    let mut searcher = directory.searcher();
    assert_eq!(names(&mut searcher, BASE, "(uid=alice)"), [ALICE]);
    let text =
        std::fs::read_to_string(directory.server.path().join("blueprints/home.kdl")).expect("text");
    let disabled = text.replacen("{ in users }\nuser root", "{ in users; disabled }\nuser root", 1);
    assert_ne!(text, disabled);
    directory.server.edit("home.kdl", &disabled);
    let (code, said) = directory.server.reload();
    assert_eq!(code, 0, "{said}");
    assert_eq!(directory.code(ALICE, PASSWORD), 49);
    assert!(!sees_itself(&mut alice));
    assert_eq!(names(&mut searcher, BASE, "(uid=alice)"), Vec::<String>::new());
    let (group, _) = search(&mut searcher, (BASE, Scope::Subtree, "(cn=users)"), &["memberUid"]);
    assert_eq!(group[0].attrs["memberUid"], ["carol"]);
}

#[test]
fn a_service_account_that_is_gone_or_may_not_search_any_more_finds_nothing() {
    let directory = Directory::inhabited("", APP);
    let mut searcher = directory.searcher();
    let text =
        std::fs::read_to_string(directory.server.path().join("blueprints/home.kdl")).expect("text");
    directory
        .server
        .edit("home.kdl", &text.replacen("\"NAS\" { in searchers; token", "\"NAS\" { token", 1));
    assert_eq!(directory.server.reload().0, 0);
    let (_, code) = search(&mut searcher, (BASE, Scope::Subtree, "(objectClass=*)"), &[]);
    assert_eq!(code, 50);
}

#[test]
fn listeners_follow_the_files() {
    let directory = Directory::inhabited("", APP);
    let other = free_port();
    let text =
        std::fs::read_to_string(directory.server.path().join("blueprints/home.kdl")).expect("text");
    directory
        .server
        .edit("home.kdl", &text.replacen(&directory.port.to_string(), &other.to_string(), 1));
    assert_eq!(directory.server.reload().0, 0);
    let there = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    wait_until("the new port", || there(other));
    wait_until("not the old one", || !there(directory.port));
}
