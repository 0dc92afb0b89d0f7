//! What `security.md` promises, asked of the real server over HTTP: one file for each kind of way
//! in, and the household that they all try.

mod addresses;
mod cookies;
mod envoy;
mod first_run;
mod forms;
mod headers;
mod sessions;
mod spellings;
mod tokens;
mod written;

use super::support::server::{Browser, EXTERNAL, Server};

const PASSWORD: &str = "quiet-lantern-42-river";
const WIKI: &str = "http://wiki.localhost:9000/";
const FILES: &str = "http://files.localhost:9000/";
const LAN: &str = "http://lan.localhost:9000/";
const DECLARED: [&str; 6] =
    ["remote-user", "remote-groups", "remote-name", "remote-email", "x-webauth-user", "x-team"];

fn household() -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000"; trusted-proxies "127.0.0.1/32" "10.9.0.0/16" }}
settings {{ external-host "{EXTERNAL}" }}
group users "Users"
group guests "Guests"
group admins "Administrators" {{ console admin; membership declared }}
user root "Root" email="root@example.com" {{ in admins }}
user alice "Alice Example" email="alice@example.com" {{ in users }}
user bob "Bob Example" email="bob@example.com" {{ in guests }}
policy on-lan {{ network "192.168.0.0/16" "10.0.0.0/8" }}
app wiki "Wiki" {{
    proxy "http://wiki.localhost:9000" {{
        header X-WEBAUTH-USER "user.username"
        bypass "/public/*" reason="pages shared by link"
    }}
    access {{ deny everyone path="/hidden/*"; allow group:users }}
}}
app files "Files" {{
    proxy "http://files.localhost:9000" {{ header X-Team "'red'" }}
    access {{ allow group:users group:guests }}
}}
app lan "Only at home" {{
    proxy "http://lan.localhost:9000"
    access {{ allow group:users if=on-lan }}
}}
"#
    )
}

/// The household's server, where alice can sign in.
fn served() -> Server {
    served_with(&[])
}

/// The same with its state elsewhere: for what the store decides, on both databases.
fn served_with(state: &[&str]) -> Server {
    let server = Server::with_arguments(&household(), state);
    server.set_password("alice", PASSWORD);
    server
}

/// Alice's browser, signed in and let into these apps.
fn alice<'a>(server: &'a Server, apps: &[&str]) -> Browser<'a> {
    let mut browser = Browser::at(server);
    browser.sign_in("alice", PASSWORD);
    for app in apps {
        browser.enter(&server.url(app));
    }
    browser
}
