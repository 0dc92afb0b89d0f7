//! `doorward email test`: each step, or place, reason and remedy.

use std::fs;

use crate::support::server::{Server, household};
use crate::support::smtp::{Smtp, Speaks};

/// An installation, no server running, with this mail server.
fn installation(smtp: &Smtp, scheme: &str, more: &str) -> Server {
    let mut server = Server::stopped(&household(""), &[]);
    let directory = server.path().display().to_string();
    server.allow(&["--read-from", &directory]);
    let ca = server.path().join("ca.pem");
    fs::write(&ca, &smtp.ca).expect("written");
    let email = format!(
        "email {{ smtp \"{scheme}://localhost:{}\" {more}; from \"door@home.example\"; ca {:?} }}",
        smtp.address.port(),
        ca.display().to_string()
    );
    server.edit("home.kdl", &household(&email));
    server
}

fn test(server: &Server, more: &[&str]) -> (Option<i32>, String) {
    let done = server.command(&[&["email", "test", "ada@example.com"], more].concat());
    let text = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    (done.status.code(), text.into_owned())
}

#[test]
fn each_step_is_told_and_the_message_is_there() {
    let smtp = Smtp::speaking(Speaks::Starttls);
    smtp.wants_login("door", "s3cret");
    let server =
        installation(&smtp, "smtp", "security=starttls username=door password=(file)\"PASSWORD\"");
    let password = server.path().join("smtp-password");
    fs::write(&password, "s3cret\n").expect("written");
    private(&password);
    let text = fs::read_to_string(server.path().join("blueprints/home.kdl")).expect("text");
    server.edit("home.kdl", &text.replace("PASSWORD", &password.display().to_string()));
    let (code, text) = test(&server, &[]);
    assert_eq!(code, Some(0), "{text}");
    for line in [
        &format!("connected      {}", smtp.address),
        "encrypted      TLS 1.3, and the certificate is good",
        "authenticated  as door",
        "accepted       250 2.0.0 queued as T3ST",
        "sent to ada@example.com",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("s3cret"));
    let received = smtp.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].text.contains("Subject: Mail from Doorward arrives"));
    assert!(!server.path().join("state").exists(), "it makes no store");

    fs::write(&password, "wr0ng\n").expect("written");
    let (code, text) = test(&server, &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("encrypted") && !text.contains("authenticated"), "{text}");
    assert!(text.contains("failed         login: the server said: 535"), "{text}");
    assert!(text.contains("remedy: see `username=` and `password=`"), "{text}");
    assert!(!text.contains("wr0ng"));
}

#[test]
fn scripts_get_everything() {
    let smtp = Smtp::speaking(Speaks::Tls);
    let server = installation(&smtp, "smtps", "");
    let (code, text) = test(&server, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &json["sent"]), (Some(0), &true.into()));
    assert_eq!(json["schema"], "doorward.email-test/1");
    let steps: Vec<&str> = json["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|s| s["step"].as_str())
        .collect();
    assert_eq!(steps, ["connected", "encrypted", "accepted"]);
    assert_eq!(json["failure"], serde_json::Value::Null);

    smtp.refuses_recipient("550 5.1.1 no such mailbox");
    let (code, text) = test(&server, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &json["sent"]), (Some(1), &false.into()));
    assert_eq!(json["failure"]["place"], "recipient");
    assert!(json["failure"]["reason"].as_str().expect("one").contains("no such mailbox"));
    assert!(json["failure"]["remedy"].as_str().expect("one").contains("the address exists"));
}

#[test]
fn what_is_missing_is_said_before_anything_is_sent() {
    let server = Server::stopped(&household(""), &[]);
    let (code, text) = test(&server, &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("settings: no file says how mail is sent"), "{text}");
    assert!(text.contains("remedy: add email {"), "{text}");

    let smtp = Smtp::speaking(Speaks::Tls);
    let server = installation(&smtp, "smtps", "username=a password=(credential)mail");
    let (code, text) = test(&server, &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("password ((credential)mail): there is no credential `mail`"), "{text}");
    let done = server.command(&["email", "test", "nobody"]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("write an address"));
    assert_eq!(smtp.connections(), 0);
}

#[test]
fn the_systems_certificates_are_those_of_ssl_cert_file() {
    let smtp = Smtp::speaking(Speaks::Tls);
    let server = installation(&smtp, "smtps", "");
    let text = fs::read_to_string(server.path().join("blueprints/home.kdl")).expect("text");
    let (before, after) = text.split_once("; ca ").expect("a ca");
    let (_, after) = after.split_once(" }").expect("an end");
    server.edit("home.kdl", &format!("{before} }}{after}"));
    let test = |certificates: &std::path::Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.current_dir(server.path()).env_clear().env("SSL_CERT_FILE", certificates);
        let done = command.args(["email", "test", "ada@example.com"]).output().expect("run");
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let (code, text) = test(&server.path().join("ca.pem"));
    assert_eq!((code, smtp.received().len()), (Some(0), 1), "{text}");
    let other = server.path().join("other.pem");
    fs::write(&other, &Smtp::named("mail.elsewhere.example").ca).expect("written");
    let (code, text) = test(&other);
    assert_eq!(code, Some(1));
    assert!(text.contains("its issuer is not trusted here"), "{text}");
    assert!(text.contains("remedy: name the issuer's certificate with `ca`"), "{text}");
    assert_eq!(smtp.received().len(), 1);
}

fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("made private");
}
