//! The documentation: every KDL block passes `check`, unless its info string says that it fails.
//!
//! ```` ```kdl ```` is a whole blueprint. ```` ```kdl fragment ```` lacks the settings and groups that every
//! installation has. ```` ```kdl fragment=app ```` stands inside of a node of that name. With `fails`, there
//! must be an error.

use std::fs;
use std::path::{Path, PathBuf};

use doorward::blueprint::diagnostic::Severity;
use doorward::blueprint::load::{Loaded, understand_sources};
use doorward::blueprint::read::Limits;
use doorward::blueprint::render::{Style, render};
use doorward::blueprint::schema;
use doorward::blueprint::source::Sources;
use doorward::blueprint::validate::Mode;
use doorward::runtime::expectations;

use crate::support::understood::compiled;

/// Printed by `doorward reference` and tested where it is made.
const GENERATED: &str = "docs/reference.md";

/// Printed by `doorward reference --templates`.
const TEMPLATES: &str = "docs/templates.md";

/// What a fragment stands on. A line is left out if the block declares the same thing.
const BASE: [&str; 6] = [
    r#"settings { external-host "https://auth.example.com" }"#,
    r#"group admins "Administrators" { console admin; protect }"#,
    r#"group users "Household""#,
    r#"group family "Family" { in users }"#,
    r#"group readonly "View-only""#,
    r#"user akadmin email="root@example.com" { in admins; protect }"#,
];

#[derive(Debug)]
struct Block {
    /// File and line, as people look it up.
    place: String,
    /// The words after `kdl`.
    info: Vec<String>,
    text: String,
}

impl Block {
    fn is_said_to_fail(&self) -> bool {
        self.info.iter().any(|word| word == "fails")
    }

    /// The node that the block stands in; empty at the top level; `None` for a whole blueprint.
    fn frame(&self) -> Option<&str> {
        self.info.iter().find_map(|word| match word.as_str() {
            "fragment" => Some(""),
            word => word.strip_prefix("fragment="),
        })
    }

    fn framed(&self) -> String {
        let Some(frame) = self.frame() else { return self.text.clone() };
        let inner = match frame {
            "" => self.text.clone(),
            "app" => self.in_an_app(),
            "settings" => format!(
                "settings {{\n{}\n{}}}",
                r#"external-host "https://auth.example.com""#, self.text
            ),
            "traefik" => {
                format!("traefik {{\nreach-doorward-at \"http://127.0.0.1:9000\"\n{}}}", self.text)
            }
            other => format!("{other} {{\n{}}}", self.text),
        };
        let base = BASE.iter().filter(|line| !declares(&inner, line)).copied().collect::<Vec<_>>();
        format!("{inner}\n{}\n", base.join("\n"))
    }

    fn in_an_app(&self) -> String {
        let proxy =
            if self.text.contains("proxy") { "" } else { "proxy \"https://app.example.com\"\n" };
        let access =
            if self.text.contains("access {") { "" } else { "access { allow group:users }\n" };
        format!("app demo \"Demo\" {{\n{proxy}{access}{}}}", self.text)
    }

    fn understood(&self) -> Loaded {
        let sources = Sources::single(&self.place, &self.framed());
        understand_sources(sources, &Limits::default(), Mode::default())
    }

    /// What is wrong with the block, as `check` shows it.
    fn errors(&self) -> Option<String> {
        let mut loaded = self.understood();
        loaded.diagnostics.retain(|each| each.severity == Severity::Error);
        let none = loaded.diagnostics.is_empty();
        (!none).then(|| render(&loaded.diagnostics, &loaded.sources, &Style::default()))
    }
}

/// Whether a line of the text begins with the same kind and name.
fn declares(text: &str, line: &str) -> bool {
    let words = if line.starts_with("settings") { 1 } else { 2 };
    let head =
        |line: &str| line.split_whitespace().take(words).map(str::to_owned).collect::<Vec<_>>();
    text.lines().any(|each| head(each) == head(line))
}

fn blocks(path: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(path).expect("a readable page");
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        match &mut open {
            Some(block) if line.trim() != "```" => block.text.push_str(&format!("{line}\n")),
            Some(_) => found.extend(open.take()),
            None => open = opened(line, format!("{}:{}", path.display(), at + 1)),
        }
    }
    assert!(open.is_none(), "a block of {} has no end", path.display());
    found
}

/// A block that begins on this line. Blocks in other languages are read, too, and then left alone.
fn opened(line: &str, place: String) -> Option<Block> {
    let info = line.trim().strip_prefix("```")?.split_whitespace().map(str::to_owned).collect();
    Some(Block { place, info, text: String::new() })
}

fn pages() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("README.md")];
    let mut directories = vec![PathBuf::from("docs")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("the pages are there") {
            let path = entry.expect("a page").path();
            match path.extension().and_then(|end| end.to_str()) {
                None if path.is_dir() => directories.push(path),
                Some("md") if path != Path::new(GENERATED) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn kdl_blocks() -> Vec<Block> {
    let all = pages().into_iter().flat_map(|page| blocks(&page));
    all.filter(|block| block.info.first().is_some_and(|word| word == "kdl")).collect()
}

#[test]
fn every_block_passes_check() {
    let blocks = kdl_blocks();
    assert!(blocks.len() > 20, "only {} blocks were found", blocks.len());
    let wrong: Vec<String> = blocks
        .iter()
        .filter(|block| !block.is_said_to_fail())
        .filter_map(|block| Some(format!("{}\n{}", block.place, block.errors()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What pages say that comes out of a claim or a rule stands in a `test` beside it.
#[test]
fn the_tests_in_the_blocks_hold() {
    let (mut passed, mut wrong) = (0, Vec::new());
    for block in kdl_blocks() {
        if block.is_said_to_fail() || !block.text.contains("expect ") {
            continue;
        }
        let report = expectations::run(&compiled(block.understood()), None);
        passed += report.passed;
        let failures = report.failures.iter();
        wrong.extend(
            failures.map(|each| format!("{}: {}: {}", block.place, each.test, each.message)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(passed > 20, "only {passed} expectations were found");
}

#[test]
fn every_block_that_is_said_to_fail_fails() {
    let failing: Vec<Block> = kdl_blocks().into_iter().filter(Block::is_said_to_fail).collect();
    assert!(!failing.is_empty());
    for block in failing {
        assert!(block.errors().is_some(), "{} has no error", block.place);
    }
}

#[test]
fn info_strings_hold_only_words_that_mean_something() {
    for block in kdl_blocks() {
        let known = |word: &String| {
            matches!(word.as_str(), "kdl" | "fails" | "fragment") || word.starts_with("fragment=")
        };
        assert!(block.info.iter().all(known), "{}: {:?}", block.place, block.info);
    }
}

#[test]
fn the_reference_is_the_one_that_the_program_prints() {
    let page = std::fs::read_to_string(GENERATED).expect("a readable page");
    assert!(page == schema::reference(None), "write it anew: doorward reference > {GENERATED}");
}

#[test]
fn the_page_on_templates_is_the_one_that_the_program_prints() {
    let page = std::fs::read_to_string(TEMPLATES).expect("a readable page");
    let printed = doorward::web::templates::contexts();
    assert!(page == printed, "write it anew: doorward reference --templates > {TEMPLATES}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a readable page");
        let directory = page.parent().expect("a directory");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { directory.join(file) };
            assert!(path.exists(), "{}: {target}", page.display());
            let is_there = heading.is_empty() || headings(&path).any(|each| each == heading);
            assert!(is_there, "{}: {target} names no heading", page.display());
        }
    }
}

/// The headings of a page as links name them.
fn headings(path: &Path) -> impl Iterator<Item = String> {
    let text = std::fs::read_to_string(path).expect("a readable page");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.into_iter().filter(|line| line.starts_with('#')).map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// `docs/conformance.md` names tests that are there.
#[test]
fn conformance_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/conformance.md")).expect("the page");
    let mut known = String::new();
    for entry in fs::read_dir(root.join("tests/it/oidc")).expect("tests") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            known += &fs::read_to_string(path).expect("text");
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let named: Vec<&str> = rows
        .filter_map(|row| row.trim_end_matches(" |").rsplit_once("| "))
        .flat_map(|(_, last)| last.split('`').skip(1).step_by(2))
        .filter(|name| name.contains("_") && !name.contains("/"))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        assert!(known.contains(&format!("fn {name}()")), "no test is called {name}");
    }
}
