//! Strangers may have only so much written.

use std::time::Instant;

use doorward::clock::Clock;

use crate::support::server::{Browser, EXTERNAL, Server};
use crate::support::stores::on_both_servers;

const PASSWORD: &str = "quiet-lantern-42-river";
/// What one address may begin in a minute.
const BOUND: u64 = 60;

fn blueprint() -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000"; trusted-proxies "127.0.0.1/32" }}
settings {{ external-host "{EXTERNAL}" }}
group admins "Administrators" {{ console admin; membership declared }}
user root "Root" email="root@example.com" {{ in admins }}
user alice "Alice Example" email="alice@example.com"
"#
    )
}

/// Sign-ins under way, as the store has them.
fn rows(server: &Server) -> i64 {
    let counts = server
        .look(async |read| read.count_flow_states(Clock::machine().now()).await.expect("asked"));
    counts.iter().map(|(_, count)| count).sum()
}

#[test]
fn a_stranger_in_a_loop_is_bounded_and_others_sign_in() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&blueprint(), state);
        server.set_password("alice", PASSWORD);
        let url = server.url(&format!("{EXTERNAL}/sign-in"));
        let (began, mut refused) = (Instant::now(), 0);
        for number in 0..500 {
            // No cookie is kept: each comes as somebody new. A page and a form make 1000 requests.
            let mut stranger = Browser::through_proxy(&server, "203.0.113.66");
            let page = stranger.open(&url);
            assert_eq!(page.status, 200, "pages are shown: nothing is written for them");
            let name = format!("nobody-{number}");
            let answer = stranger.submit(&url, &page, &[("username", &name)]);
            if answer.status == 429 {
                let wait: u64 =
                    answer.header("retry-after").expect("a wait").parse().expect("seconds");
                assert!((1..=60).contains(&wait), "{wait}");
                assert!(answer.body.contains("<html"), "a page for people");
                refused += 1;
            } else {
                assert_eq!(answer.status, 303, "{}", answer.body);
            }
        }
        let minutes = began.elapsed().as_secs() / 60 + 1;
        let most = i64::try_from(BOUND * minutes).expect("a number");
        assert!(rows(&server) <= most, "{} rows in {minutes} minutes", rows(&server));
        assert_eq!(rows(&server) + refused, 500);

        let mut alice = Browser::through_proxy(&server, "203.0.113.67");
        alice.sign_in("alice", PASSWORD);
        assert_eq!(alice.open(&server.url(&format!("{EXTERNAL}/"))).status, 200);
    });
}

/// Whoever is under way already goes on, whatever others at the address did.
#[test]
fn a_sign_in_under_way_is_not_cut_off() {
    let server = Server::with(&blueprint());
    server.set_password("alice", PASSWORD);
    let url = server.url(&format!("{EXTERNAL}/sign-in"));
    let mut alice = Browser::through_proxy(&server, "203.0.113.66");
    let page = alice.open(&url);
    assert_eq!(alice.submit(&url, &page, &[("username", "alice")]).status, 303);
    for _ in 0..BOUND {
        let mut stranger = Browser::through_proxy(&server, "203.0.113.66");
        let page = stranger.open(&url);
        assert!(matches!(stranger.submit(&url, &page, &[("username", "x")]).status, 303 | 429));
    }
    let page = alice.open(&url);
    assert_eq!(alice.submit(&url, &page, &[("password", PASSWORD)]).status, 303);
    assert_eq!(alice.open(&url).status, 303, "the sign-in ends");
    assert_eq!(alice.open(&server.url(&format!("{EXTERNAL}/"))).status, 200);
}
