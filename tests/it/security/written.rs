//! Access never rests on what people can write (`security.md` R11): one negative for each writer,
//! in files and in the store.

use super::PASSWORD;
use crate::blueprint::reading::read;
use crate::support::server::{Browser, EXTERNAL, Server};

const OPEN: &str = "http://open.localhost:9000/";
const BY_MAIL: &str = "http://by-mail.localhost:9000/";
const BY_ATTRIBUTE: &str = "http://by-attribute.localhost:9000/";

const BASE: &str = r#"
settings { external-host "https://auth.example.com" }
server { trusted-proxies "127.0.0.1/32" }
email { smtp "smtps://mail.example.com"; from "door@example.com" }
group admins "Administrators" { console admin }
group auditors "Auditors" { console viewer }
group deputies "Deputies" { in admins }
group users "Household"
user root "Root" email="root@example.com" { in admins }
app wiki "Wiki" { proxy "https://wiki.example.com"; access { allow group:users } }
"#;

/// The codes of everything that stops these files.
fn errors(case: &str) -> Vec<String> {
    use doorward::blueprint::diagnostic::Severity;
    let loaded = read(&[("base.kdl".into(), BASE.into()), ("case.kdl".into(), case.into())]);
    let errors = loaded.diagnostics.iter().filter(|each| each.severity == Severity::Error);
    errors.map(|each| each.code.trim_start_matches("blueprint::").to_owned()).collect()
}

/// The ways in which files let access rest on the attribute `department`.
fn readers() -> [String; 4] {
    let app = |body: &str| format!("app git \"Git\" {{ {body}; access {{ allow group:users }} }}");
    [
        "policy it { attribute department equals=it }".to_owned(),
        "policy it { cel \"'it' in user.attributes.department\" }".to_owned(),
        app(
            "proxy \"https://git.example.com\" { header X-Team \"user.attributes.department[0]\" }",
        ),
        app(
            "oidc { redirect-uri \"https://git.example.com/cb\"; claim team \"user.attributes.department\" }",
        ),
    ]
}

fn enrollment(field: &str) -> String {
    let fields = format!("field username type=username; {field}");
    format!("flow join for=enrollment {{ prompt {{ {fields} }}; user-write {{ in users }} }}")
}

#[test]
fn a_prompt_writes_no_attribute_that_access_rests_on() {
    for reader in readers() {
        for kind in ["text", "checkbox", "choice { option it }"] {
            let field = enrollment(&format!("field department type={kind}"));
            let found = errors(&format!("{field}\n{reader}"));
            assert_eq!(found, ["attribute-written-by-people"], "{kind}: {reader}");
        }
        assert!(errors(&format!("{}\n{reader}", enrollment("field floor type=text"))).is_empty());
    }
}

/// A hidden field takes no value from the request: it may be called anything.
#[test]
fn a_hidden_field_is_no_writer() {
    for reader in readers() {
        let found = errors(&format!("{}\n{reader}", enrollment("field department type=hidden")));
        assert!(found.is_empty(), "{found:?}: {reader}");
    }
}

/// Sources and SCIM have no mapping onto attributes, and there is no profile that people edit.
#[test]
fn no_other_node_writes_an_attribute() {
    let source = |body: &str| {
        format!(
            "source hub \"Hub\" {{ github {{ client-id a; client-secret (credential)a }}{body} }}"
        )
    };
    let scim = |body: &str| {
        format!(
            "app git \"Git\" {{ proxy \"https://git.example.com\"; access {{ allow group:users }}
             scim \"https://git.example.com/scim/v2\" {{ token (credential)t{body} }} }}"
        )
    };
    assert!(errors(&source("")).is_empty(), "{:?}", errors(&source("")));
    assert!(errors(&scim("")).is_empty(), "{:?}", errors(&scim("")));
    for (case, what) in [
        (source("; attribute department \"dept\""), "source"),
        (source("; map department \"dept\""), "source"),
        (scim("; attribute department \"dept\""), "scim"),
        (scim("; map department \"dept\""), "scim"),
        ("profile { field department type=text }".to_owned(), "profile"),
        ("settings { profile { field department } }".to_owned(), "settings"),
    ] {
        let found = errors(&case);
        assert!(found.contains(&"unknown-node".to_owned()), "{what}: {found:?}");
    }
}

#[test]
fn nobody_is_written_into_a_console_group() {
    for group in ["admins", "auditors", "deputies"] {
        let flow = format!(
            "flow join for=enrollment {{ prompt {{ field username type=username }}; user-write {{ in {group} }} }}"
        );
        assert_eq!(errors(&flow), ["console-group-given"], "{group}");
        let source = format!(
            "source hub \"Hub\" {{ github {{ client-id a; client-secret (credential)a }}; in {group} }}"
        );
        assert_eq!(errors(&source), ["console-group-given"], "{group}");
    }
}

fn household() -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000"; trusted-proxies "127.0.0.1/32" }}
settings {{ external-host "{EXTERNAL}" }}
group guests "Guests"
group admins "Administrators" {{ console admin; membership declared }}
user root "Root" email="root@example.com" {{ in admins }}
user bob "Bob Example" email="bob@example.com" {{ in guests; attribute department it }}
policy household {{ cel "user.email.endsWith('@example.com')" }}
policy it {{ attribute department equals=it }}
app open "Open" {{
    proxy "http://open.localhost:9000" {{
        header X-Mail "has(user.email) ? user.email : 'absent'"
        header X-Team "'department' in user.attributes ? user.attributes.department[0] : 'absent'"
    }}
    access {{ allow group:guests }}
}}
app by-mail "By mail" {{
    proxy "http://by-mail.localhost:9000"; access {{ allow group:guests if=household }}
}}
app by-attribute "By attribute" {{
    proxy "http://by-attribute.localhost:9000"; access {{ allow group:guests if=it }}
}}
"#
    )
}

/// Runs SQL past the server, as a front that people write through would.
fn write(server: &Server, sql: &str) {
    let path = server.path().join("state/doorward.db");
    assert!(path.is_file(), "the state is elsewhere");
    let state = rusqlite::Connection::open(path).expect("opened");
    state.busy_timeout(std::time::Duration::from_secs(5)).expect("patience");
    state.execute_batch(sql).expect("written");
}

/// Somebody who came at run time and wrote an address and a department of their own choice.
const MALLORY: &str = "INSERT INTO users \
    (id, username, username_key, name, email, email_key, declared, disabled, attributes, \
    own_attributes, must_change, initial_password_applied, created_at) \
    VALUES ('usr_mallory', 'mallory', 'mallory', 'Mallory', NULL, NULL, FALSE, FALSE, '{}', \
    '{\"department\":[\"it\"],\"email\":[\"mallory@example.com\"]}', FALSE, FALSE, 1);
    INSERT INTO memberships (user_id, group_slug, owner) VALUES ('usr_mallory', 'guests', 'runtime');";

/// What somebody sees of the household: the headers at the open app, and whether the others open.
struct Seen {
    email: String,
    mail: String,
    team: String,
    by_mail: u16,
    by_attribute: u16,
}

fn seen(server: &Server, name: &str) -> Seen {
    let mut browser = Browser::at(server);
    browser.sign_in(name, PASSWORD);
    let open = server.url(OPEN);
    browser.enter(&open);
    let answer = browser.ask(&open);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let header = |header: &str| answer.header(header).expect("declared, so sent").to_owned();
    Seen {
        email: header("remote-email"),
        mail: header("x-mail"),
        team: header("x-team"),
        by_mail: verdict(server, &mut browser, BY_MAIL),
        by_attribute: verdict(server, &mut browser, BY_ATTRIBUTE),
    }
}

/// What becomes of opening an app: 200, or the refusal wherever it is said.
fn verdict(server: &Server, browser: &mut Browser<'_>, url: &str) -> u16 {
    let url = server.url(url);
    let sent = browser.ask(&url);
    if sent.status != 302 {
        return sent.status;
    }
    let start = browser.open(sent.location());
    if start.status != 303 {
        return start.status;
    }
    let _ = browser.ask(start.location());
    browser.ask(&url).status
}

/// An address that nobody verified is seen by no policy and sent in no header; nor is an attribute
/// that the files did not set.
#[test]
fn what_a_person_wrote_is_seen_by_nothing() {
    let server = Server::with(&household());
    write(&server, MALLORY);
    server.set_password("mallory", PASSWORD);
    let mallory = seen(&server, "mallory");
    assert_eq!((mallory.email.as_str(), mallory.mail.as_str()), ("", "absent"));
    assert_eq!(mallory.team, "absent");
    assert_eq!((mallory.by_mail, mallory.by_attribute), (403, 403));
}

/// What the files say of somebody is verified by git: it counts.
#[test]
fn what_the_files_declare_counts() {
    let server = Server::with(&household());
    server.set_password("bob", PASSWORD);
    let bob = seen(&server, "bob");
    assert_eq!((bob.email.as_str(), bob.mail.as_str()), ("bob@example.com", "bob@example.com"));
    assert_eq!(bob.team, "it");
    assert_eq!((bob.by_mail, bob.by_attribute), (200, 200));
}

/// A declared person's row may have been written over: the files win, and what they do not say
/// stays unsaid.
#[test]
fn the_files_win_over_what_was_written_beside_them() {
    let without = household()
        .replace(" email=\"bob@example.com\"", "")
        .replace("; attribute department it", "");
    let mut server = Server::with(&without);
    server.set_password("bob", PASSWORD);
    server.kill();
    write(
        &server,
        "UPDATE users SET email = 'boss@example.com', email_key = 'boss@example.com', \
         own_attributes = '{\"department\":[\"it\"]}', attributes = '{\"department\":[\"it\"]}' \
         WHERE username = 'bob'",
    );
    server.start();
    let bob = seen(&server, "bob");
    assert_eq!(
        (bob.email.as_str(), bob.mail.as_str(), bob.team.as_str()),
        ("", "absent", "absent")
    );
    assert_eq!((bob.by_mail, bob.by_attribute), (403, 403));
}
