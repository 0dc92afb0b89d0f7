//! Accounts that are disabled: their visitors learn nothing, and the events say why.

use crate::support::server::{Answer, Browser, Server, household};
use crate::support::stores::on_both_servers;

/// Pages show the first letter of a name, so all begin with the same.
const ANNA: &str = "user anna \"Anna Example\" { in users }";
const PASSWORD: &str = "quiet-lantern-42-river";

fn attempt(server: &Server, name: &str, password: &str) -> Answer {
    Browser::at(server).try_sign_in(name, password).expect("an answer")
}

/// A page without what differs between any two visits.
fn plain(answer: &Answer, name: &str) -> (u16, String) {
    (answer.status, answer.body.replace(&answer.csrf(), "TOKEN").replace(name, "NAME"))
}

#[test]
fn an_attempt_of_a_disabled_account_is_noted_with_its_reason_and_looks_like_any_other() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(ANNA), state);
        server.set_password("alice", PASSWORD);
        server.set_password("anna", PASSWORD);
        let disabled = household(ANNA)
            .replace("user alice \"Alice Example\"", "user alice \"Alice Example\" disabled");
        server.edit("home.kdl", &disabled);
        let (code, said) = server.reload();
        assert_eq!(code, 0, "{said}");

        let right = plain(&attempt(&server, "alice", PASSWORD), "alice");
        let wrong = plain(&attempt(&server, "anna", "wrong"), "anna");
        let nobody = plain(&attempt(&server, "arno", "wrong"), "arno");
        assert_eq!(right, wrong);
        assert_eq!(right, nobody);

        let noted = server.some_events("login.failed", 3);
        let mut noted: Vec<_> = noted
            .iter()
            .map(|event| {
                (event.actor.as_deref(), event.data.get("reason").and_then(|it| it.as_str()))
            })
            .collect();
        noted.reverse();
        let expected = [
            (Some("alice"), Some("the account is disabled")),
            (Some("anna"), Some("wrong password")),
            (None, Some("no such account")),
        ];
        assert_eq!(noted, expected);
    });
}
