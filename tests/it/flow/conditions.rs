//! Stages that are for some people alone.

use crate::support::server::{Browser, Server, household};
use crate::support::stores::on_both_servers;
use crate::support::walk::{PASSWORD, Walk};

const WIKI: &str = "http://wiki.localhost:9000/";

const APPS: &str = r#"app wiki "Wiki" {
    proxy "http://wiki.localhost:9000"; authentication strict
    access { allow everyone }
}
policy staff { group admins }
policy mail { cel "user.email.startsWith('root@')" }
flow strict for=authentication {
    identification
    password
    authenticator-validate {
        if staff mail
        device-classes totp
        not-configured-action configure
        configure-with builtin.setup
    }
    login
}
"#;

/// `security.md` R8: a stage for administrators runs for them, once it is proven who they are.
#[test]
fn a_stage_for_administrators_asks_them_and_nobody_else() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(APPS), state);
        for name in ["alice", "root"] {
            server.set_password(name, PASSWORD);
        }
        let mut alice = Walk::to(&server, Browser::at(&server), WIKI);
        alice.password("alice").is_in(WIKI);
        let mut root = Walk::to(&server, Browser::at(&server), WIKI);
        root.password("root").shows("Set up an authenticator app");
        root.set_up();
        root.is_in(WIKI);
    });
}
