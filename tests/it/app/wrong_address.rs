//! Hosts that lead nowhere: on this machine the page names the app that was probably meant, and
//! strangers learn of no app.

use super::{WIKI, household};
use crate::support::server::Server;

const SECRET: &str = r#"app vault "Vault of secrets" hidden {
    proxy "http://vault.localhost:9000"; access { allow group:users }
}"#;

fn page(server: &Server, host: &str) -> String {
    let answer = server.get(&format!("{host}:{}", server.port), "/").navigating().send();
    assert_eq!(answer.status, 421, "{}", answer.body);
    answer.body
}

fn link(url: &str) -> String {
    format!("href=\"{url}\"")
}

#[test]
fn a_slip_of_the_fingers_is_led_to_the_app() {
    let server = Server::with(&household(&format!("{WIKI}\n{SECRET}")));
    let wiki = link(&server.url("http://wiki.localhost:9000/"));
    let sign_in = link(&server.url("http://auth.localhost:9000/"));
    for host in ["wikki.localhost", "wiki.home.localhost"] {
        let page = page(&server, host);
        assert!(page.contains(&wiki) && page.contains("Did you mean Wiki?"), "{host}: {page}");
        assert!(page.contains(&sign_in), "{host}: {page}");
    }
    for host in ["auht.localhost", "else.localhost", "vaultt.localhost", "localhost", "127.0.0.1"] {
        let page = page(&server, host);
        assert!(page.contains(&sign_in) && !page.contains("Did you mean"), "{host}: {page}");
    }
}

#[test]
fn strangers_learn_of_no_app() {
    let text = household(WIKI);
    let server = Server::with(&text);
    let foreign = page(&server, "wikki.example.com");
    assert!(!foreign.to_lowercase().contains("wiki.localhost"), "{foreign}");
    let host = format!("wikki.localhost:{}", server.port);
    let asked = server.get(&host, "/").navigating();
    for header in ["X-Forwarded-For", "Via", "X-Real-IP"] {
        let answer = asked.clone().with(header, "203.0.113.7").send();
        assert!(!answer.body.contains("Did you mean"), "{header}: {}", answer.body);
    }
    drop(server);
    let server = Server::listening_everywhere(&text);
    let open = page(&server, "wikki.localhost");
    assert!(!open.contains("Did you mean") && !open.contains("wiki.localhost"), "{open}");
}

#[test]
fn a_development_server_leads_to_its_own_name_of_a_declared_host() {
    let wiki = WIKI.replace("http://wiki.localhost:9000", "https://wiki.example.com");
    let server = Server::with_arguments(&household(&wiki), &["--dev"]);
    let right = link(&format!("http://wiki.example.com.localhost:{}/", server.port));
    for host in ["wiki.localhost", "wikki.localhost", "wikki.example.com.localhost"] {
        let page = page(&server, host);
        assert!(page.contains(&right), "{host}: {page}");
    }
    // The name of a web site that leads here is no slip of ours.
    let foreign = page(&server, "wiki.example.net");
    assert!(!foreign.contains("Did you mean"), "{foreign}");
}
