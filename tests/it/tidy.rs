//! The shape of the source: the order of knowledge, the length of files, and that no test is
//! forgotten.

use std::fs;
use std::path::{Path, PathBuf};

/// The direction of knowledge: a module may use those before it and never those after it.
const ORDER: [&str; 35] = [
    "clock",
    "ids",
    "secret",
    "jose",
    "repeats",
    "written_file",
    "model",
    "outbound",
    "expression",
    "access",
    "blueprint",
    "import",
    "store",
    "factor",
    "journal",
    "signing",
    "runtime",
    "session",
    "token",
    "proxy_config",
    "reconcile",
    "mail",
    "flow",
    "client_secret",
    "client_keys",
    "identity_source",
    "web",
    "entry",
    "forward_auth",
    "oidc",
    "ldap",
    "pages",
    "api",
    "app",
    "cli",
];

/// What looks up although it should not: the looking module, the one looked at, and why.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

const LONGEST: usize = 800;

#[test]
fn modules_know_only_what_stands_before_them() {
    let mut found = Vec::new();
    for file in rust_files(&root().join("src")) {
        let Some(module) = module_of(&file) else { continue };
        let text = fs::read_to_string(&file).expect("a readable file");
        for (line, used) in uses(without_tests(&text)) {
            if looks_up(&module, used) && !is_excepted(&module, used) {
                found.push(format!("{}:{line}: `{module}` uses `{used}`", shown(&file)));
            }
        }
    }
    assert!(found.is_empty(), "modules that look up:\n{}", found.join("\n"));
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let mut declared: Vec<_> = declarations(&text).collect();
    let mut ordered = ORDER.to_vec();
    declared.sort_unstable();
    ordered.sort_unstable();
    assert_eq!(declared, ordered);
}

#[test]
fn an_exception_that_is_no_longer_needed_is_gone() {
    for (module, used, reason) in EXCEPTIONS {
        assert!(!reason.is_empty());
        let needed = rust_files(&root().join("src")).iter().any(|file| {
            let text = fs::read_to_string(file).expect("a readable file");
            module_of(file).as_deref() == Some(module)
                && uses(without_tests(&text)).iter().any(|(_, name)| *name == used)
        });
        assert!(needed, "`{module}` uses `{used}` no more: strike the exception");
    }
}

#[test]
fn no_file_is_longer_than_a_reader_bears() {
    let mut long = Vec::new();
    for file in rust_files(&root().join("src")).into_iter().chain(rust_files(&tests())) {
        let lines = fs::read_to_string(&file).expect("a readable file").lines().count();
        if lines > LONGEST {
            long.push(format!("{}: {lines} lines", shown(&file)));
        }
    }
    assert!(long.is_empty(), "files past {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn every_file_is_declared_as_a_module() {
    let mut forgotten = Vec::new();
    for (base, crowns) in
        [(tests(), &["main.rs"][..]), (root().join("src"), &["lib.rs", "main.rs"])]
    {
        for file in rust_files(&base) {
            if !is_crown(&base, crowns, &file) && !is_declared(&base, crowns, &file) {
                forgotten.push(shown(&file));
            }
        }
    }
    assert!(forgotten.is_empty(), "files that no module declares:\n{}", forgotten.join("\n"));
}

#[test]
fn the_readers_of_source_see_what_they_should() {
    let text = "use crate::blueprint::App;\n//! crate::cli\n// crate::cli\nlet x = crate::web::y(crate::ids::z);\n#[cfg(test)]\nmod tests {\n    use crate::cli::z;\n}\n";
    let used = uses(without_tests(text));
    assert_eq!(used, [(1, "blueprint"), (4, "web"), (4, "ids")]);
    let group = uses("use crate::{\n    app::Place,\n    store,\n};\n");
    assert_eq!(group, [(1, "app"), (1, "store")]);
    assert!(looks_up("model", "access") && !looks_up("access", "model"));
    assert!(looks_up("clock", "ids") && !looks_up("web", "web"));
    assert_eq!(
        declarations("pub mod a;\n    mod inline { }\nmod b;").collect::<Vec<_>>(),
        ["a", "b"]
    );
}

fn looks_up(module: &str, used: &str) -> bool {
    let place = |name| ORDER.iter().position(|known| *known == name);
    place(used) > place(module)
}

fn is_excepted(module: &str, used: &str) -> bool {
    EXCEPTIONS.iter().any(|(from, to, _)| *from == module && *to == used)
}

/// The names after `crate::` with their lines, comments left out.
fn uses(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        for (at, mark) in code.match_indices("crate::") {
            let rest = &text[offset + at + mark.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(heads(group).map(|name| (number + 1, name))),
                None => found.push((number + 1, word(rest))),
            }
        }
        offset += line.len() + 1;
    }
    found
}

/// The first words of a `{…}` list, nested lists left out.
fn heads(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let end = group.char_indices().find(|(_, c)| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth < 0
    });
    let inside = &group[..end.map_or(group.len(), |(at, _)| at)];
    let mut depth = 0_i32;
    inside
        .split(move |c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        })
        .map(|part| word(part.trim()))
        .filter(|name| !name.is_empty())
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Tests stand last in a file and may look anywhere.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// The top module of a file; nothing for the crown of the crate and for files of tests alone.
fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs");
    let for_tests = is_for_tests(file);
    (!for_tests && first != "lib" && first != "main").then(|| first.to_owned())
}

/// Whether the parent declares the file below `#[cfg(test)]`.
fn is_for_tests(file: &Path) -> bool {
    let base = root().join("src");
    let Some(parent) = parent_of(&base, &["lib.rs"], file).into_iter().find(|path| path.is_file())
    else {
        return false;
    };
    let text = fs::read_to_string(parent).expect("a readable file");
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or("");
    let mut before = "";
    for line in text.lines() {
        if before.trim() == "#[cfg(test)]" && declarations(line).any(|declared| declared == name) {
            return true;
        }
        before = line;
    }
    false
}

/// `a/b.rs` is declared by `a.rs`, `b.rs` at the top by a crown.
fn parent_of(base: &Path, crowns: &[&str], file: &Path) -> Vec<PathBuf> {
    let directory = file.parent().expect("a file has a directory");
    if directory == base {
        return crowns.iter().map(|crown| base.join(crown)).collect();
    }
    vec![directory.with_extension("rs")]
}

fn is_crown(base: &Path, crowns: &[&str], file: &Path) -> bool {
    crowns.iter().any(|crown| base.join(crown) == file)
}

fn is_declared(base: &Path, crowns: &[&str], file: &Path) -> bool {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or("");
    parent_of(base, crowns, file).iter().any(|parent| {
        let text = fs::read_to_string(parent).unwrap_or_default();
        declarations(&text).any(|declared| declared == name)
    })
}

fn declarations(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let visible = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub "));
        visible.unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
    })
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn tests() -> PathBuf {
    root().join("tests/it")
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}
