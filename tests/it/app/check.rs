//! Places in the output of `doorward check` that others open.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{WIKI, household};
use crate::support::server::Server;

fn check(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(directory).env_clear().arg("check").args(arguments).stdin(Stdio::null());
    let done = command.output().expect("the command's process");
    String::from_utf8(done.stdout).expect("text")
}

/// A mistake in `apps/broken.kdl`, below the directory of blueprints.
fn broken() -> Server {
    let server = Server::stopped(&household(WIKI), &[]);
    std::fs::create_dir(server.path().join("blueprints/apps")).expect("a directory");
    let path = server.path().join("blueprints/apps/broken.kdl");
    std::fs::write(path, "app broken {\n    acces { allow group:users }\n}\n").expect("written");
    server
}

#[test]
fn short_and_github_name_files_by_their_path_from_here() {
    let server = broken();
    let above = server.path();
    let absolute = above.join("blueprints").display().to_string();
    for arguments in [&[] as &[&str], &["blueprints"], &["./blueprints/"], &[&absolute]] {
        let short = check(above, &[&["--format", "short"], arguments].concat());
        assert!(
            short.lines().any(|line| line.starts_with("blueprints/apps/broken.kdl:2:5: ")),
            "{arguments:?}: {short}"
        );
        let github = check(above, &[&["--format", "github"], arguments].concat());
        assert!(
            github.contains("file=blueprints/apps/broken.kdl,line=2,"),
            "{arguments:?}: {github}"
        );
    }
    let inside = check(&above.join("blueprints"), &["--format", "short", "."]);
    assert!(inside.contains("apps/broken.kdl:2:5: ") && !inside.contains("/apps/"), "{inside}");
    let file = check(above, &["--format", "short", "blueprints/apps/broken.kdl"]);
    assert!(file.contains("blueprints/apps/broken.kdl:2:5: "), "{file}");
    // Two roots whose last names are equal, as of two checkouts.
    let two = check(above, &["--format", "short", "blueprints", "blueprints/apps"]);
    assert!(two.contains("blueprints/apps/broken.kdl:2:5: "), "{two}");
}

/// Many rows come through a template: the line says which one.
#[test]
fn short_names_the_row_that_a_mistake_in_a_template_came_by() {
    let template = r#"
template web slug title group=users {
    app "${slug}" "${title}" {
        proxy "http://${slug}.localhost:9000"
        access { allow "group:${group}" }
    }
}
"#;
    let server = Server::stopped(&household(template), &[]);
    server.edit(
        "rows.kdl",
        "each web {\n    sonarr \"Sonarr\"\n    radarr \"Radarr\" group=nobody\n}\n",
    );
    let short = check(server.path(), &["--format", "short"]);
    let line = short.lines().find(|line| line.contains("unknown group `nobody`"));
    let line = line.unwrap_or_else(|| panic!("{short}"));
    assert!(line.starts_with("blueprints/"), "{line}");
    assert!(
        line.ends_with("(in this expansion of template `web`: blueprints/rows.kdl:3:5)"),
        "{line}"
    );
}
