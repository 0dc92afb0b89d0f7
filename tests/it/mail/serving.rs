//! Mail of a running server: what it sends, how it is told, and how settings change under way.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::server::{Server, household};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::on_both_servers;

const PASSWORD: &str = "correct horse battery staple";

/// `email` for a mail server of a test, whose authority lies where the server may read.
fn email(smtp: &Smtp, server: &Server, security: &str) -> String {
    let ca = server.path().join("ca.pem");
    fs::write(&ca, &smtp.ca).expect("written");
    let scheme = if security == "tls" { "smtps" } else { "smtp" };
    format!(
        "brand home {{ title \"Ada's <Lab>\" }}\nemail {{ smtp \"{scheme}://localhost:{}\" security={security}; \
         from \"Home Lab <door@home.example>\"; ca {:?} }}",
        smtp.address.port(),
        ca.display().to_string()
    )
}

/// A server that sends through this mail server.
fn sending(smtp: &Smtp, security: &str, state: &[&str]) -> Server {
    let mut server = Server::stopped(&household(""), state);
    let directory = server.path().display().to_string();
    server.allow(&["--read-from", &directory]);
    server.edit("home.kdl", &household(&email(smtp, &server, security)));
    server.start();
    server
}

fn mail(server: &Server) -> serde_json::Value {
    server.status().get("mail").cloned().expect("a state of mail")
}

/// The state of mail, once it is as wanted.
fn mail_once(server: &Server, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let mail = mail(server);
        if wanted(&mail) {
            return mail;
        }
        assert!(Instant::now() < until, "{mail}\n{}", server.log());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_changed_password_is_told_to_its_owner_over_tls() {
    on_both_servers(|state| {
        let smtp = Smtp::speaking(Speaks::Starttls);
        let server = sending(&smtp, "starttls", state);
        let begun = Instant::now();
        server.set_password("alice", PASSWORD);
        let received = smtp.received_all(1);
        assert!(begun.elapsed() < Duration::from_secs(4), "it is sent when it is queued");
        assert_eq!(received[0].to, "alice@example.com");
        assert!(received[0].encrypted);
        let text = &received[0].text;
        assert!(text.contains("Subject: Your password for Ada's <Lab> was changed"), "{text}");
        assert!(text.contains("Hello Alice Example,"), "{text}");
        assert!(text.contains("Ada&#x27;s &lt;Lab&gt;"), "{text}");
        let mail = mail_once(&server, |mail| mail["waiting"] == 0);
        assert_eq!(mail["configured"], true);
        assert_eq!((&mail["failing"], &mail["given-up"]), (&0.into(), &0.into()));
        server.log_with("mail was sent");
    });
}

#[test]
fn new_settings_are_in_force_at_once_and_what_failed_goes_then() {
    let (wrong, right) = (Smtp::speaking(Speaks::Plain), Smtp::speaking(Speaks::Tls));
    let server = sending(&wrong, "starttls", &[]);
    server.set_password("alice", PASSWORD);
    let mail = mail_once(&server, |mail| mail["failing"] == 1);
    let error = mail["last-error"].as_str().expect("an error");
    assert!(error.contains("does not offer STARTTLS"), "{error}");
    let shown = String::from_utf8(server.command(&["status"]).stdout).expect("text");
    assert!(shown.contains("1 waiting, 1 failing, 0 given up; last error: starttls:"), "{shown}");
    let log = server.log_with("mail could not be sent");
    assert!(log.contains("write `smtps://`"), "{log}");

    server.edit("home.kdl", &household(&email(&right, &server, "tls")));
    let (code, answer) = server.reload();
    assert_eq!(code, 0, "{answer}");
    assert_eq!(right.received_all(1)[0].to, "alice@example.com");
    mail_once(&server, |mail| mail["waiting"] == 0);
    assert_eq!(wrong.received(), []);
}

#[test]
fn what_is_given_up_is_an_event() {
    let smtp = Smtp::speaking(Speaks::Tls);
    smtp.refuses_recipient("550 5.1.1 no such mailbox");
    let server = sending(&smtp, "tls", &[]);
    server.set_password("alice", PASSWORD);
    let events = server.events("mail.given-up");
    assert_eq!(events.len(), 1, "{}", server.log());
    assert_eq!(events[0].subject.as_deref(), Some("alice@example.com"));
    assert_eq!(events[0].data["kind"], "password-changed");
    assert_eq!(events[0].data["stage"], "recipient");
    assert_eq!(mail(&server)["given-up"], 1);
}

#[test]
fn what_waits_is_sent_after_the_next_start() {
    let smtp = Smtp::speaking(Speaks::Tls);
    smtp.falls_silent(Some(crate::support::smtp::Silent::AtOnce));
    let mut server = sending(&smtp, "tls", &[]);
    server.set_password("alice", PASSWORD);
    let until = Instant::now() + Duration::from_secs(10);
    while smtp.connections() == 0 {
        assert!(Instant::now() < until, "no try");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(8), "it ends although the mail server is silent");
    smtp.falls_silent(None);
    server.start();
    assert_eq!(smtp.received_all(1)[0].to, "alice@example.com");
}

#[test]
fn without_a_mail_server_nothing_is_queued_and_flows_that_need_one_are_named() {
    let flow = "flow mail-me for=authentication { identification; email-link; login }";
    let server = Server::with(&household(flow));
    server.set_password("alice", PASSWORD);
    let mail = mail(&server);
    assert_eq!((&mail["configured"], &mail["waiting"]), (&false.into(), &0.into()));
    let checked = server.command(&["check"]);
    let text = String::from_utf8_lossy(&checked.stderr) + String::from_utf8_lossy(&checked.stdout);
    assert!(text.contains("no file says how mail is sent: links by mail will not work"), "{text}");
    assert_eq!(checked.status.code(), Some(0), "{text}");
}

#[test]
fn own_templates_are_taken_up_under_way_and_broken_ones_are_not() {
    let smtp = Smtp::speaking(Speaks::Tls);
    let server = sending(&smtp, "tls", &[]);
    let folder = server.path().join("custom-templates/mail");
    fs::create_dir_all(&folder).expect("a directory");
    let own = "{% extends \"default/mail/password-changed.txt\" %}{% block body %}Ahoy {{ mail.name }}{% endblock %}";
    fs::write(folder.join("password-changed.txt"), own).expect("written");
    server.log_with("custom-templates is in use");
    server.set_password("alice", PASSWORD);
    assert!(smtp.received_all(1)[0].text.contains("Ahoy Alice Example"));
    fs::write(folder.join("password-changed.txt"), "{{ nothing }}").expect("written");
    server.log_with("custom-templates is not used: the last good look stays");
    server.set_password("alice", "another horse battery staple");
    assert!(smtp.received_all(2)[1].text.contains("Ahoy Alice Example"));
}
