//! Events told elsewhere: webhooks and mail, once and in order.

use crate::support::hook::Hook;
use crate::support::server::{Browser, Server, household};
use crate::support::smtp::{Smtp, Speaks};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

fn served(notify: &str, state: &[&str]) -> Server {
    let server = Server::with_arguments(&household(notify), state);
    // What happened before is nobody's news: the first look begins with what comes after it.
    for _ in 0..100 {
        let begun = server.look(async |read| read.list_notices().await.expect("asked").len());
        if begun > 0 {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    server.set_password("alice", PASSWORD);
    server
}

fn sign_in(server: &Server) {
    let mut walk = Walk::at(server, Browser::at(server), "/");
    walk.password("alice").shows("Hello, Alice Example");
}

#[test]
fn an_event_is_posted_once_and_again_until_it_is_taken() {
    on_both_servers(|state| {
        let hook = Hook::answering(&[500, 302]);
        let url = format!("http://{}/hook", hook.address);
        let notify = format!("notify ops {{ webhook \"{url}\"; events login.succeeded }}");
        let server = served(&notify, state);
        sign_in(&server);
        let first = hook.posted(1).remove(0);
        let event = first.json();
        assert_eq!(first.line, "POST /hook");
        assert_eq!(event["kind"], "login.succeeded");
        assert_eq!(event["actor"], "alice");
        assert!(event["from"].as_str().is_some_and(|from| from.contains("auth.localhost")));
        // It was not taken, and a redirect is none either: `status` says so until it is.
        for _ in 0..100 {
            let status = server.status();
            if status["notify"][0]["last-error"].as_str() == Some("it answered 500") {
                break;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        assert_eq!(server.status()["notify"][0]["last-error"], "it answered 500");
        let all = hook.posted(2);
        assert_eq!(all[1].json()["id"], event["id"], "the same one again");
    });
}

#[test]
fn each_receiver_gets_the_shape_that_it_reads() {
    let hook = Hook::answering(&[]);
    let base = format!("http://{}", hook.address);
    let notify = format!(
        r#"
notify a {{ webhook "{base}/ntfy"; format ntfy; events login.* }}
notify b {{ webhook "{base}/slack"; format slack; events login }}
notify c {{ webhook "{base}/matrix/send/m.room.message"; format matrix; events login.succeeded }}
notify d {{ webhook "{base}/none"; events logout }}
"#
    );
    let server = served(&notify, &[]);
    sign_in(&server);
    let posted = hook.posted(3);
    let find = |word: &str| {
        let found = posted.iter().find(|each| each.line.contains(word));
        found.unwrap_or_else(|| panic!("nothing for {word}: {posted:?}")).clone()
    };
    let ntfy = find("/ntfy");
    assert_eq!(ntfy.header("title"), Some("Doorward: login.succeeded"));
    assert!(ntfy.body.starts_with("login.succeeded · by alice"), "{}", ntfy.body);
    assert!(find("/slack").json()["text"].as_str().is_some_and(|text| text.contains("alice")));
    let matrix = find("/matrix");
    assert!(matrix.line.starts_with("PUT /matrix/send/m.room.message/evt_"), "{}", matrix.line);
    assert_eq!(matrix.json()["msgtype"], "m.text");
    assert!(posted.iter().all(|each| !each.line.contains("/none")));
}

#[test]
fn administrators_are_mailed_and_a_command_tries_the_webhooks() {
    let (smtp, hook) = (Smtp::speaking(Speaks::Plain), Hook::answering(&[]));
    let port = smtp.address.port();
    let notify = format!(
        r#"
email {{ smtp "smtp://127.0.0.1:{port}"; from "door@home.example" }}
notify mail {{ email "ops@example.com"; events config.rejected }}
notify hook {{ webhook "http://{}/hook"; events config.rejected }}
notify gone {{ webhook "http://127.0.0.1:1/hook"; events config.rejected }}
"#,
        hook.address
    );
    let server = served(&notify, &[]);
    let tried = server.command(&["notify", "test"]);
    let said = String::from_utf8_lossy(&tried.stdout).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{said}");
    assert!(said.contains("hook: taken"), "{said}");
    assert!(said.contains("gone: not taken: nothing answers there"), "{said}");
    assert_eq!(hook.posted(1).remove(0).json()["kind"], "notify.test");
    server.edit("more.kdl", "app broken");
    assert_ne!(server.reload().0, 0);
    let mails = smtp.received_all(2);
    let mail = mails.iter().find(|mail| mail.to == "ops@example.com").expect("a mail");
    assert!(mail.text.contains("Subject: Something happened at Doorward"), "{}", mail.text);
    assert!(mail.text.contains("config.rejected"), "{}", mail.text);
}
