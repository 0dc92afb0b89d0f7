//! What people see and change of their own account, over HTTP.

mod activity;
mod admin;
mod api;
mod groups;
mod language;
mod notices;
mod password;
mod portal;
mod profile;
mod strength;
mod tokens;

use doorward::token::{Look, look};

use crate::support::server::{Browser, Server, household};
use crate::support::walk::{PASSWORD, Walk};

const WIKI: &str = "http://wiki.localhost:9000/";

const APPS: &str = r#"user anna "Anna Example" { in users }
app wiki "Wiki" { proxy "http://wiki.localhost:9000"; access { allow group:users } }
app files "Files" { proxy "http://files.localhost:9000"; access { allow group:admins } }
app vault "Vault" {
    proxy "http://vault.localhost:9000"
    access { require mfa; allow group:users }
}
"#;

/// A household in which alice has a password.
fn served(more: &str, state: &[&str]) -> Server {
    let server = Server::with_arguments(&household(&format!("{APPS}{more}")), state);
    server.set_password("alice", PASSWORD);
    server
}

/// The wiki, and a second person who rules.
fn with_app(more: &str) -> String {
    let ruth = "user ruth \"Ruth\" { in admins }";
    let wiki =
        r#"app wiki "Wiki" { proxy "http://wiki.localhost:9000"; access { allow everyone } }"#;
    format!("{ruth}\n{wiki}\n{more}")
}

/// alice at one of her pages, signed in just now.
fn alice<'a>(server: &'a Server, path: &str) -> Walk<'a> {
    let mut walk = Walk::at(server, Browser::at(server), path);
    walk.password("alice");
    walk
}

/// A token that a page shows.
fn shown_token(page: &str) -> String {
    let parts = page.split("class=\"copy\">").skip(1);
    let texts = parts.filter_map(|part| part.split('<').next());
    let mut tokens = texts.filter(|text| matches!(look(text), Some(Look::Whole(..))));
    tokens.next().expect("a token").to_owned()
}
