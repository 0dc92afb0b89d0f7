use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::blueprint::diagnostic::Diagnostics;
use crate::blueprint::expand::expand;
use crate::blueprint::source::FileId;
use crate::blueprint::syntax::parse;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn names(reading: &Reading) -> Vec<&str> {
    reading.sources.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn every_kdl_file_below_a_root_is_read_in_the_order_of_names() {
    let dir = tree(&[
        ("b.kdl", "b"),
        ("apps/a.kdl", "a"),
        ("a.json", "[]"),
        ("_draft.kdl", "no"),
        (".hidden.kdl", "no"),
        (".git/x.kdl", "no"),
        ("note.txt", "no"),
    ]);
    let reading = read(&[Root::new(dir.path())]);
    assert_eq!(names(&reading), ["a.json", "apps/a.kdl", "b.kdl"]);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    assert!(reading.watched.contains(&dir.path().to_path_buf()));
    assert!(reading.watched.contains(&dir.path().join("apps")));
}

#[test]
fn several_roots_stand_before_the_names() {
    let dir = tree(&[("base/a.kdl", ""), ("site/a.kdl", "")]);
    let roots = [Root::new(dir.path().join("site")), Root::new(dir.path().join("base"))];
    assert_eq!(names(&read(&roots)), ["base/a.kdl", "site/a.kdl"]);
}

#[test]
fn a_single_file_is_a_root() {
    let dir = tree(&[("a.kdl", "x"), ("b.kdl", "y")]);
    let reading = read(&[Root::new(dir.path().join("a.kdl"))]);
    assert_eq!(names(&reading), ["a.kdl"]);
    assert_eq!(reading.watched, [dir.path().to_path_buf()]);
}

#[test]
fn a_missing_root_is_a_problem_and_its_parent_is_watched() {
    let dir = tree(&[]);
    let reading = read(&[Root::new(dir.path().join("gone/away"))]);
    assert!(matches!(reading.problems.as_slice(), [ReadError::Missing { .. }]));
    assert_eq!(reading.watched, [dir.path().to_path_buf()]);
}

#[test]
fn a_root_without_blueprints_is_a_problem() {
    let dir = tree(&[("a.txt", "")]);
    let reading = read(&[Root::new(dir.path())]);
    assert!(matches!(reading.problems.as_slice(), [ReadError::Empty { .. }]));
}

#[test]
fn bytes_that_are_no_text_are_a_problem() {
    let dir = tree(&[("a.kdl", "a")]);
    fs::write(dir.path().join("b.kdl"), [b'a', 0xff]).unwrap();
    let reading = read(&[Root::new(dir.path())]);
    assert!(matches!(reading.problems.as_slice(), [ReadError::NotText { at: 1, .. }]));
    assert_eq!(names(&reading), ["a.kdl"]);
}

/// `security.md R4`.
#[test]
fn a_link_may_not_lead_out_of_its_root() {
    let outside = tree(&[("secret.kdl", "secret"), ("dir/more.kdl", "more")]);
    let dir = tree(&[("a.kdl", "a")]);
    symlink(outside.path().join("secret.kdl"), dir.path().join("b.kdl")).unwrap();
    symlink(outside.path().join("dir"), dir.path().join("c")).unwrap();
    let reading = read(&[Root::new(dir.path())]);
    assert_eq!(names(&reading), ["a.kdl"]);
    let escapes = |problem: &ReadError| matches!(problem, ReadError::Escapes { .. });
    assert_eq!(reading.problems.iter().filter(|problem| escapes(problem)).count(), 2);
    assert!(reading.watched.contains(&dir.path().to_path_buf()));

    let allowed = Root { allow: vec![outside.path().into()], ..Root::new(dir.path()) };
    let reading = read(&[allowed]);
    assert_eq!(names(&reading), ["a.kdl", "b.kdl", "c/more.kdl"]);
    assert!(reading.problems.is_empty());
}

#[test]
fn a_directory_that_holds_itself_is_refused() {
    let dir = tree(&[("a.kdl", "a"), ("sub/b.kdl", "b")]);
    symlink(dir.path(), dir.path().join("sub/up")).unwrap();
    let reading = read(&[Root::new(dir.path())]);
    assert!(matches!(reading.problems.as_slice(), [ReadError::Circle { .. }]));
    assert_eq!(names(&reading), ["a.kdl", "sub/b.kdl"]);
}

#[test]
fn a_mounted_config_map_is_read_once_and_watched_at_its_link() {
    let dir = tree(&[("..2026_01/a.kdl", "a")]);
    symlink("..2026_01", dir.path().join("..data")).unwrap();
    symlink("..data/a.kdl", dir.path().join("a.kdl")).unwrap();
    let reading = read(&[Root::new(dir.path())]);
    assert_eq!(names(&reading), ["a.kdl"]);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    assert!(reading.watched.contains(&dir.path().to_path_buf()));
}

#[test]
fn a_root_that_is_a_link_is_watched_where_it_stands() {
    let dir = tree(&[("store/a.kdl", "a")]);
    symlink(dir.path().join("store"), dir.path().join("current")).unwrap();
    let reading = read(&[Root::new(dir.path().join("current"))]);
    assert_eq!(names(&reading), ["a.kdl"]);
    assert!(reading.watched.contains(&dir.path().to_path_buf()));
    assert!(reading.watched.contains(&dir.path().join("store")));
}

#[test]
fn a_dangling_link_is_a_problem() {
    let dir = tree(&[("a.kdl", "a")]);
    symlink("gone.kdl", dir.path().join("b.kdl")).unwrap();
    let reading = read(&[Root::new(dir.path())]);
    assert!(matches!(reading.problems.as_slice(), [ReadError::Missing { .. }]));
}

#[test]
fn a_root_names_its_kinds_behind_an_equals_sign() {
    let root = Root::from_argument("apps/=app,template");
    assert_eq!(root.path, PathBuf::from("apps/"));
    assert_eq!(root.kinds, Some(vec!["app".to_owned(), "template".to_owned()]));
    assert_eq!(Root::from_argument("a=b/c"), Root::new("a=b/c"));
    assert_eq!(Root::from_argument("apps/"), Root::new("apps/"));
}

/// `security.md R5`.
#[test]
fn a_limited_root_cannot_declare_other_kinds_not_even_through_a_template() {
    let texts = ["template t name { user \"${name}\" }", "app a\nuser b\nuse t c"];
    let kinds = Some(["app".to_owned()].as_slice().into());
    let limits = Limits { by_file: vec![None, kinds] };
    let mut out = Diagnostics::default();
    let mut nodes = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        nodes.extend(parse(FileId(number as u32), text, &mut out).unwrap());
    }
    limits.check(&nodes, &mut out);
    let nodes = expand(nodes, &mut out);
    limits.check(&nodes, &mut out);
    let found: Vec<_> = out.sorted().iter().map(|each| (each.code, each.span().start)).collect();
    let code = "blueprint::kind-not-allowed";
    assert_eq!(found, [(code, 6), (code, 13)]);
}
