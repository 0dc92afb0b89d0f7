//! Server and command are killed while `apply` removes protected things and brings them back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Dice, PASSWORD, cut_off, generation};
use crate::support::server::{Browser, Server, edit, household};
use crate::support::stores::{on_postgres_server, on_sqlite_server};

const ROUNDS: u32 = 16;
const VAULT: &str = "http://vault.localhost:9000/";

/// Confirms every removal there may be; what is not removed needs no confirmation.
const APPLY: [&str; 7] = [
    "apply",
    "--allow-prune",
    "app:vault",
    "--allow-prune",
    "group:family",
    "--allow-prune",
    "user:carol",
];

/// The files of a step: at even ones the protected things are there, at odd ones they are not.
fn files(step: u64) -> String {
    let protected = r#"
group family "Family" protect
user carol "Carol Example" protect email="carol@example.com" { in family }
app vault "Vault" protect {
    proxy "http://vault.localhost:9000"; access { allow group:users group:family }
}
"#;
    household(&format!(
        r#"app wiki "Wiki" {{
    proxy "http://wiki.localhost:9000" {{ header X-Step "'{step}'" }}
    access {{ allow group:users }}
}}{}"#,
        if has_vault(step) { protected } else { "" }
    ))
}

fn has_vault(step: u64) -> bool {
    step.is_multiple_of(2)
}

/// How far the files came, and how far the server said that it had come.
#[derive(Default)]
struct Came {
    step: u64,
    told: u64,
    generation: i64,
    removals: u32,
}

impl Came {
    /// Writes the files of the next step.
    fn edit(&mut self, server: &Server) {
        self.step += 1;
        edit(server.path(), "home.kdl", &files(self.step));
    }

    /// Applies the files; whether the command said that they are in force.
    fn apply(&mut self, server: &Server) -> bool {
        let done = server.command(&APPLY);
        assert_ne!(done.status.code(), Some(3), "held, although all was confirmed");
        if done.status.success() {
            self.told = self.step;
            self.removals += u32::from(!has_vault(self.step));
        }
        done.status.success()
    }

    /// After a start: the last step is in force, or it waits whole for its confirmation.
    fn check(&mut self, server: &Server) {
        let status = server.status();
        assert!(generation(&status) >= self.generation, "{status} is older than it was");
        self.generation = generation(&status);
        let (plan, open) = (server.command(&["plan"]).status.code(), opens(server));
        match status.get("state").and_then(Value::as_str) {
            Some("in-sync") => {
                assert_eq!(plan, Some(0), "something is left over of step {}", self.step);
                assert_eq!(open, has_vault(self.step), "step {}", self.step);
            }
            Some("held") => {
                assert!(self.told < self.step, "an acknowledged removal is held again: {status}");
                assert!(!has_vault(self.step), "only removals are held: {status}");
                assert_eq!((plan, open), (Some(3), true), "half of it was done");
            }
            _ => panic!("{status}"),
        }
        assert!(self.apply(server), "step {} cannot be applied", self.step);
        assert_eq!(opens(server), has_vault(self.step));
    }

    /// Removes the vault and brings it back: sessions there do not come back with it.
    fn end_sessions(&mut self, server: &Server, sessions: &[String]) {
        let goal = if has_vault(self.step) { self.step + 2 } else { self.step + 3 };
        while self.step < goal {
            self.edit(server);
            assert!(self.apply(server), "step {} cannot be applied", self.step);
        }
        for cookies in sessions {
            let asked = server.ask(&server.url(VAULT)).navigating();
            let answer = asked.with("Cookie", cookies).send();
            assert_eq!(answer.status, 302, "a session outlived the app that it was at");
        }
    }
}

/// Whether the vault is an app: the proxy's question leads to the sign-in.
fn opens(server: &Server) -> bool {
    server.ask(&server.url(VAULT)).navigating().send().status == 302
}

/// Removes and revives until the server is gone.
fn apply_on(server: &Server, came: &mut Came, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        came.edit(server);
        if !came.apply(server) {
            return;
        }
    }
}

/// Opens the vault whenever it is there, until the server is gone; keeps the sessions' cookies.
fn open_on(server: &Server, sessions: &mut Vec<String>, stop: &AtomicBool) {
    let mut browser = Browser::at(server);
    if browser.try_sign_in("alice", PASSWORD).is_none() {
        return;
    }
    while !stop.load(Ordering::Relaxed) {
        let mut visitor = browser.clone();
        let Some(entered) = try_enter(server, &mut visitor) else { return };
        if entered {
            sessions.push(visitor.cookies(&server.url(VAULT)));
        }
    }
}

/// `None` if the server went away, false if the vault did.
fn try_enter(server: &Server, browser: &mut Browser<'_>) -> Option<bool> {
    let url = server.url(VAULT);
    let sent = browser.try_ask(&url)?;
    if sent.status != 302 {
        return Some(false);
    }
    let start = browser.try_open(sent.location())?;
    if start.status != 303 {
        return Some(false);
    }
    let _ = browser.try_ask(start.location())?;
    Some(browser.try_ask(&url)?.status == 200)
}

/// Lets both go on for a while and kills the server under them.
fn cut(server: &mut Server, came: &mut Came, after: Duration) -> Vec<String> {
    let mut sessions = Vec::new();
    cut_off(
        server,
        after,
        |server, stop| apply_on(server, came, stop),
        |server, stop| open_on(server, &mut sessions, stop),
    );
    sessions
}

#[test]
fn a_confirmed_removal_is_whole_or_not_at_all() {
    on_sqlite_server(remove_and_revive);
}

#[test]
fn a_confirmed_removal_is_whole_or_not_at_all_on_postgres() {
    on_postgres_server(remove_and_revive);
}

fn remove_and_revive(state: &[&str]) {
    let began = Instant::now();
    let mut server = Server::with_arguments(&files(0), state);
    server.set_password("alice", PASSWORD);
    let (mut dice, mut came, mut opened) = (Dice(11), Came::default(), 0);
    for round in 0..ROUNDS {
        let sessions = cut(&mut server, &mut came, Duration::from_millis(100 + dice.below(300)));
        if round % 2 == 1 {
            came.edit(&server);
            server.command_and_kill(&APPLY, Duration::from_millis(dice.below(100)));
        }
        server.start();
        came.check(&server);
        came.end_sessions(&server, &sessions);
        opened += sessions.len();
    }
    println!(
        "{ROUNDS} power cuts in {:?}: {} steps, {} removals and {opened} sessions acknowledged",
        began.elapsed(),
        came.step,
        came.removals,
    );
    assert!(came.removals > 2 * ROUNDS, "hardly anything was removed");
    assert!(opened > 5, "hardly anybody came in");
}
