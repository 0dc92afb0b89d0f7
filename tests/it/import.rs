//! `doorward import`: the command over example files, and what its blueprints decide.

mod authelia;
mod authentik;
mod files;
mod hostile;
mod rules;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An example file.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name)
}

fn doorward(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(directory).env_clear().args(arguments).stdin(Stdio::null());
    command.output().expect("the command's process")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Imports example files into `blueprints` of a directory, and gives what was said.
fn imported(directory: &Path, from: &str, files: &[&str], more: &[&str]) -> String {
    let files: Vec<String> = files.iter().map(|file| example(file).display().to_string()).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let arguments = [&["import", from], files.as_slice(), &["--into", "blueprints"], more].concat();
    let done = doorward(directory, &arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stderr)
}

/// Runs `check` over `blueprints`, which must pass.
fn passes_check(directory: &Path) {
    let done = doorward(directory, &["check"]);
    assert!(done.status.success(), "{}", text(&done.stdout));
}

/// The text of all files that were written.
fn written(directory: &Path) -> String {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory.join("blueprints"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let texts = files.iter().map(|path| std::fs::read_to_string(path).expect("text"));
    texts.collect::<Vec<_>>().join("\n")
}

/// Whether a remark about a line of an example begins this way.
fn says(said: &str, file: &str, line: usize, words: &str) -> bool {
    let path = example(file).display().to_string();
    said.lines().any(|each| {
        each.strip_prefix(&path).is_some_and(|rest| rest.starts_with(&format!(":{line}:")))
            && each.contains(words)
    })
}
