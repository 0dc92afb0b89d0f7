//! A hundred power cuts: what was acknowledged is still there.

use std::time::Duration;

use super::support::server::{PASSWORD, Server};

const BASE: &str = r#"
settings { external-host "http://auth.localhost:PORT" }
server { trusted-proxies "127.0.0.1/32" }
group users "Household"
user alice "Alice" { in users }
app open "Open" {
    proxy "http://open.localhost:PORT"
    access { allow group:users }
}
"#;
const DURING_EDITS: u64 = 60;
const DURING_SIGN_INS: u64 = 40;

#[test]
fn sixty_kills_during_edits_lose_no_acknowledged_generation() {
    let mut server = Server::start(BASE);
    let mut acknowledged = generation(&server.command(&["reload", "--wait", "--json"]).stdout);
    assert!(acknowledged > 0);
    for round in 0..DURING_EDITS {
        server.edit("more.kdl", &format!("group g{round} \"Group {round}\""));
        let reload = server.begin(&["reload", "--wait", "--json"]);
        std::thread::sleep(Duration::from_millis(round * 7 % 120));
        server.kill();
        let said = reload.wait_with_output().expect("the command ends");
        if said.status.success() {
            acknowledged = acknowledged.max(generation(&said.stdout));
        }
        server.run();
        let now = generation(&server.command(&["status", "--json"]).stdout);
        assert!(now >= acknowledged, "round {round}: {now} after {acknowledged}");
        acknowledged = acknowledged.max(now);
    }
}

#[test]
fn forty_kills_during_sign_ins_lose_no_acknowledged_session() {
    let mut server = Server::start(BASE);
    server.set_password("alice");
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..DURING_SIGN_INS {
        let (port_keeper, cookie) = sign_in_until_killed(server, round);
        server = port_keeper;
        acknowledged.extend(cookie);
        server.run();
        for cookie in acknowledged.iter().rev().take(3) {
            let answer = server.ask("open", "/", &[("Cookie", cookie)]);
            assert_eq!(answer.status, 200, "round {round}: {answer:?}");
            assert_eq!(answer.header("Remote-User"), Some("alice"));
        }
    }
    assert!(acknowledged.len() >= 5, "only {} sign-ins came through", acknowledged.len());
}

#[test]
fn broken_files_after_a_kill_leave_the_last_good_ones_in_force() {
    let mut server = Server::start(BASE);
    server.set_password("alice");
    let mut visitor = server.visitor();
    visitor.sign_in("open", "alice", PASSWORD).expect("signed in");
    let cookie = visitor.cookie("open");
    server.kill();
    server.edit("main.kdl", "group users \"Household\" {");
    server.run();
    assert_eq!(server.ask("open", "/", &[("Cookie", &cookie)]).status, 200);
    assert_eq!(server.ask("open", "/", &[]).status, 401);
}

/// One sign-in with the power cut at some moment of it, or right after it.
fn sign_in_until_killed(mut server: Server, round: u64) -> (Server, Option<String>) {
    let mut child = server.take_child();
    let cookie = std::thread::scope(|scope| {
        let visit = scope.spawn(|| {
            let mut visitor = server.visitor();
            let end = visitor.sign_in("open", "alice", PASSWORD)?;
            (end.status == 200).then(|| visitor.cookie("open"))
        });
        if round % 4 == 3 {
            // Cut as soon as it was acknowledged.
            let cookie = visit.join().expect("a visit");
            let _ = child.kill();
            return cookie;
        }
        std::thread::sleep(Duration::from_millis(20 + round * 23 % 400));
        let _ = child.kill();
        visit.join().expect("a visit")
    });
    let _ = child.wait();
    (server, cookie)
}

fn generation(json: &[u8]) -> i64 {
    let value: serde_json::Value = serde_json::from_slice(json).expect("JSON");
    value["generation"].as_i64().unwrap_or_else(|| panic!("no generation in {value}"))
}
