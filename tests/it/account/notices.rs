//! Mail about what others may have done to an account.

use crate::support::server::{Browser, Server};
use crate::support::smtp::{Received, Smtp, Speaks};
use crate::support::stores::on_both_servers;
use crate::support::walk::Walk;

use super::served;

fn with_mail(smtp: &Smtp, state: &[&str]) -> Server {
    let port = smtp.address.port();
    let email = format!("email {{ smtp \"smtp://127.0.0.1:{port}\"; from \"d@home.example\" }}");
    served(&email, state)
}

fn subjects(mails: &[Received]) -> Vec<&str> {
    let subject = |mail: &'_ str| mail.find("Subject: ").map(|at| at + "Subject: ".len());
    let line = |mail: &Received| subject(&mail.text).is_some();
    assert!(mails.iter().all(line));
    let lines = mails.iter().filter_map(|mail| mail.text.get(subject(&mail.text)?..));
    lines.filter_map(|rest| rest.lines().next()).collect()
}

#[test]
fn a_browser_that_was_not_seen_before_is_told_of_but_not_the_first() {
    on_both_servers(|state| {
        let smtp = Smtp::speaking(Speaks::Plain);
        let server = with_mail(&smtp, state);
        let mut first = Walk::at(&server, Browser::at(&server), "/");
        first.password("alice").shows("Hello, Alice Example");
        let mut other = Walk::at(&server, Browser::at(&server), "/");
        other.password("alice").shows("Hello, Alice Example");
        let mails = smtp.received_all(2);
        assert_eq!(
            subjects(&mails),
            ["Your password for Doorward was changed", "A new browser signed in to Doorward"]
        );
        assert_eq!(mails[1].to, "alice@example.com");
    });
}

#[test]
fn a_lockout_is_told_to_its_owner_and_to_nobody_else() {
    let smtp = Smtp::speaking(Speaks::Plain);
    let server = with_mail(&smtp, &[]);
    smtp.received_all(1);
    for name in ["alice", "nobody"] {
        let mut walk = Walk::at(&server, Browser::at(&server), "/");
        walk.post(&[("username", name)]);
        for _ in 0..10 {
            walk.post(&[("password", "wrong-wrong-wrong")]).shows("is not right");
        }
        walk.post(&[("password", "wrong-wrong-wrong")]).shows("Too many attempts");
    }
    let mails = smtp.received_all(2);
    assert_eq!(subjects(&mails)[1], "Too many failed attempts to sign in to Doorward");
    assert_eq!(mails.len(), 2);
}
