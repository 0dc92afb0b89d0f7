//! The server is killed while files are taken into force and while people sign in.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Dice, PASSWORD, cut_off, generation};
use crate::support::server::{Browser, EXTERNAL, Server, edit, household};
use crate::support::stores::{on_postgres_server, on_sqlite_server};

const ROUNDS: u32 = 100;
const APP: &str = "http://wiki.localhost:9000/";

/// How many came to sign in.
static PEOPLE: AtomicU32 = AtomicU32::new(0);

fn blueprint(edition: u64) -> String {
    household(&format!(
        r#"app wiki "Wiki" {{
    proxy "http://wiki.localhost:9000" {{ header X-Edition "'{edition}'" }}
    access {{ allow group:users }}
}}"#
    ))
}

/// What the server told somebody before it was killed.
#[derive(Default)]
struct Acknowledged {
    generation: i64,
    edition: u64,
    /// Cookies at the app that were handed out.
    sessions: Vec<String>,
    sign_ins: Vec<String>,
}

impl Acknowledged {
    fn check(&self, server: &Server, state: &str) {
        let status = server.status();
        let generation = generation(&status);
        assert!(generation >= self.generation, "{generation} is older than {}", self.generation);
        assert_eq!(status.get("state").and_then(Value::as_str), Some(state), "{status}");
        for cookies in self.sessions.iter().rev().take(5) {
            let open = server.ask(&server.url(APP)).with("Cookie", cookies).send();
            assert_eq!(open.status, 200, "an acknowledged session is gone: {}", open.body);
            let edition: u64 =
                open.header("x-edition").expect("the header").parse().expect("a number");
            assert!(edition >= self.edition, "{edition} is older than {}", self.edition);
        }
        for cookies in self.sign_ins.iter().rev().take(2) {
            let host = format!("auth.localhost:{}", server.port);
            let portal = server.get(&host, "/").navigating().with("Cookie", cookies).send();
            assert_eq!(portal.status, 200, "an acknowledged sign-in is gone");
        }
    }
}

/// Edits and reloads until the server is gone.
fn edit_on(server: &Server, edition: &mut u64, told: &mut Acknowledged, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        *edition += 1;
        edit(server.path(), "home.kdl", &blueprint(*edition));
        let (code, verdict) = server.reload();
        if code == 0 {
            told.generation = generation(&verdict);
            told.edition = *edition;
        }
    }
}

/// Signs in and opens the app until the server is gone.
fn sign_in_on(server: &Server, told: &mut Acknowledged, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        // Each from an address of their own: what one may begin in a minute is bounded.
        let client = format!("198.51.100.{}", PEOPLE.fetch_add(1, Ordering::Relaxed) % 250);
        let mut browser = Browser::through_proxy(server, &client);
        let Some(done) = browser.try_sign_in("alice", PASSWORD) else { return };
        assert_eq!(done.status, 303, "{}", done.body);
        told.sign_ins.push(browser.cookies(&server.url(EXTERNAL)));
        let Some(back) = browser.try_enter(&server.url(APP)) else { return };
        assert_eq!(back.status, 303, "{}", back.body);
        told.sessions.push(browser.cookies(&server.url(APP)));
    }
}

/// Lets both go on for a while and kills the server under them.
fn cut(server: &mut Server, edition: &mut u64, told: &mut Acknowledged, after: Duration) {
    let mut people = Acknowledged::default();
    let mut files =
        Acknowledged { generation: told.generation, edition: told.edition, ..Default::default() };
    cut_off(
        server,
        after,
        |server, stop| edit_on(server, edition, &mut files, stop),
        |server, stop| sign_in_on(server, &mut people, stop),
    );
    told.generation = files.generation;
    told.edition = files.edition;
    told.sessions.append(&mut people.sessions);
    told.sign_ins.append(&mut people.sign_ins);
}

#[test]
fn what_was_acknowledged_survives_a_hundred_power_cuts() {
    on_sqlite_server(survive);
}

#[test]
fn what_was_acknowledged_survives_a_hundred_power_cuts_on_postgres() {
    on_postgres_server(survive);
}

fn survive(state: &[&str]) {
    let began = Instant::now();
    let mut server = Server::with_arguments(&blueprint(0), state);
    server.set_password("alice", PASSWORD);
    let (mut edition, mut dice, mut told) = (0, Dice(7), Acknowledged::default());
    for round in 0..ROUNDS {
        cut(&mut server, &mut edition, &mut told, Duration::from_millis(dice.below(300)));
        if round % 4 == 3 {
            server.start_and_kill(Duration::from_millis(dice.below(120)));
        }
        let broken = round % 3 == 2;
        if broken {
            server.edit("home.kdl", "app wiki {");
        }
        server.start();
        told.check(&server, if broken { "rejected" } else { "in-sync" });
    }
    println!(
        "{ROUNDS} power cuts in {:?}: {} generations, {} sign-ins and {} app sessions acknowledged",
        began.elapsed(),
        told.generation,
        told.sign_ins.len(),
        told.sessions.len()
    );
    assert!(told.generation > i64::from(ROUNDS / 4), "hardly anything was applied");
    assert!(told.sessions.len() > 10, "hardly anybody signed in");
}
