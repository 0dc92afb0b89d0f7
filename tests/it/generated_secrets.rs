//! Secrets that Doorward makes itself: given to the unit that needs them, and shown on the host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::support::server::Server;

/// A household whose wiki has a client secret, delivered or not.
fn household(secret: &str) -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000" }}
settings {{ external-host "http://auth.localhost:9000" }}
traefik {{ reach-doorward-at "http://127.0.0.1:9000"; serve "/traefik.json" token=generated }}
group admins "Administrators" {{ console admin; membership declared }}
user root "Root" email="root@example.com" {{ in admins }}
app wiki "Wiki" {{
    oidc {{ client-secret {secret}; redirect-uri "https://wiki.example.com/callback" }}
    access {{ allow group:admins }}
}}
"#
    )
}

/// A directory beside the installation, and a server that may write there.
fn delivering() -> (tempfile::TempDir, PathBuf, Server) {
    let directory = tempfile::TempDir::new().expect("a directory");
    let path = directory.path().canonicalize().expect("a path").join("wiki-oidc");
    let to = directory.path().display().to_string();
    let secret = format!("generated deliver={:?}", path.display().to_string());
    let server = Server::with_arguments(&household(&secret), &["--write-to", &to]);
    (directory, path, server)
}

fn shown(server: &Server, arguments: &[&str]) -> String {
    let done = server.command(&[&["secret", "show"], arguments].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a delivered secret")
}

#[test]
fn a_secret_is_delivered_restored_and_renewed() {
    let (_directory, path, server) = delivering();
    let first = read(&path);
    assert!(first.len() >= 32, "a real secret");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o400);
    assert_eq!(shown(&server, &["app:wiki"]), first);

    fs::remove_file(&path).expect("removed");
    assert_eq!(server.reload().0, 0);
    assert_eq!(read(&path), first, "somebody removed it: it is there again");

    let renewed = format!("generated rotate=2 deliver={:?}", path.display().to_string());
    server.edit("home.kdl", &household(&renewed));
    assert_eq!(server.reload().0, 0);
    let second = read(&path);
    assert_ne!(second, first);
    assert_eq!(shown(&server, &["app:wiki", "oidc.client-secret"]), second);
    assert!(!server.log().contains(&first) && !server.log().contains(&second), "never logged");
}

/// `security.md` R4: a stranger's blueprint writes nowhere but where the host lets it.
#[test]
fn a_path_that_the_host_does_not_allow_is_refused() {
    let (_directory, path, server) = delivering();
    let before = read(&path);
    for place in ["/etc/doorward-wiki", "/proc/self/doorward-wiki", "/doorward-wiki"] {
        server.edit("home.kdl", &household(&format!("generated deliver={place:?}")));
        let (code, said) = server.reload();
        assert_eq!(code, 1, "{place}: {said:#}");
        let problems = server.status()["problems"].to_string();
        assert!(problems.contains("app:wiki") && problems.contains("--write-to"), "{problems}");
        assert!(!Path::new(place).exists());
    }
    assert_eq!(read(&path), before);
}

/// `security.md` R4: nor over a file of somebody else.
#[test]
fn a_foreign_file_is_left_alone_and_told() {
    let (directory, path, server) = delivering();
    let theirs = path.with_file_name("authorized_keys");
    fs::write(&theirs, "theirs").expect("written");
    let secret = format!("generated deliver={:?}", theirs.display().to_string());
    server.edit("home.kdl", &household(&secret));
    assert_eq!(server.reload().0, 0);
    let degraded = server.status()["degraded"].to_string();
    assert!(degraded.contains("oidc.client-secret of app:wiki"), "{degraded}");
    assert!(degraded.contains(&theirs.display().to_string()), "{degraded}");
    assert!(!degraded.contains(&read(&path)), "the value is not told");
    assert_eq!(read(&theirs), "theirs");
    drop(directory);
}

/// `security.md` R4: not even over private files of Doorward's own, such as its master key.
#[test]
fn the_master_key_is_no_place_for_a_secret() {
    let mut server = Server::with(&household("generated"));
    let state = server.path().canonicalize().expect("a path").join("state");
    let key = state.join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).expect("private");
    let before = read(&key);
    server.edit("home.kdl", &household(&format!("generated deliver={key:?}")));
    assert_eq!(server.reload().0, 1, "the directory of the state is not for blueprints");
    assert_eq!(read(&key), before);

    let own = state.join("written/wiki");
    server.edit("home.kdl", &household(&format!("generated deliver={own:?}")));
    assert_eq!(server.reload().0, 0);
    assert_eq!(read(&own), shown(&server, &["app:wiki"]));
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&state.join("written")), 0o700);

    // A host that allows the whole directory loses nothing either.
    server.kill();
    server.allow(&["--write-to", &state.display().to_string()]);
    server.start();
    server.edit("home.kdl", &household(&format!("generated deliver={key:?}")));
    assert_eq!(server.reload().0, 0);
    let degraded = server.status()["degraded"].to_string();
    assert!(degraded.contains("master.key"), "{degraded}");
    assert_eq!(read(&key), before);
}

#[test]
fn a_generated_token_opens_the_door_for_traefik_and_its_lack_does_not() {
    let server = Server::with(&household("generated"));
    let ask = || server.get("127.0.0.1", "/traefik.json");
    assert_eq!(ask().send().status, 401);
    assert_eq!(ask().with("Authorization", "Bearer ").send().status, 401);
    let token = shown(&server, &["traefik"]);
    let answer = ask().with("Authorization", format!("Bearer {token}")).send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("forwardAuth"), "{}", answer.body);
}

#[test]
fn showing_is_noted_and_the_list_holds_no_value() {
    let server = Server::with(&household("generated"));
    let value = shown(&server, &["app:wiki"]);
    let list = server.command(&["secret", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let owners: Vec<_> = list.as_array().expect("a list").iter().map(|one| &one["owner"]).collect();
    assert_eq!(owners, ["traefik", "app:wiki"]);
    assert!(!list.to_string().contains(&value));
    let database = rusqlite::Connection::open(server.path().join("state/doorward.db"));
    let count = database.expect("the store").query_row(
        "SELECT count(*) FROM events WHERE kind = 'secret.shown' AND subject = 'app:wiki'",
        [],
        |row| row.get::<_, i64>(0),
    );
    assert_eq!(count.expect("a count"), 1);
    let missing = server.command(&["secret", "show", "app:nothing"]);
    assert_eq!(missing.status.code(), Some(1));
    let words = String::from_utf8(missing.stderr).expect("text");
    assert!(words.contains("doorward secret list"), "{words}");
}
