//! Reads texts as `doorward check` does.

use doorward::blueprint::load::{Loaded, understand_sources};
use doorward::blueprint::read::Limits;
use doorward::blueprint::render::{Style, render};
use doorward::blueprint::source::{SourceFile, Sources};
use doorward::blueprint::validate::Mode;

/// Understands files that are given as name and text.
pub fn read(files: &[(String, String)]) -> Loaded {
    let files = files
        .iter()
        .map(|(name, text)| SourceFile { name: name.clone(), text: text.as_str().into() })
        .collect();
    understand_sources(Sources { files }, &Limits::default(), Mode::default())
}

/// The files of a directory below `tests`, by name.
pub fn files(directory: &str) -> Vec<(String, String)> {
    let root = std::path::Path::new("tests").join(directory);
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("the example is there") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "kdl") {
                let name = path.strip_prefix(&root).expect("below the root").display().to_string();
                found.push((name, std::fs::read_to_string(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

/// The complaints as people see them.
pub fn complaints(loaded: &Loaded) -> String {
    render(&loaded.diagnostics, &loaded.sources, &Style::default())
}
