//! The keys that tokens are signed with: sealed, replaced in time, and forgotten.

use super::*;
use crate::support::stores::on_both_servers;

fn published(server: &Server) -> Vec<String> {
    let keys = json(&server.get(&host(server), "/oauth2/jwks").send());
    let keys = keys.get("keys").and_then(Value::as_array).expect("keys").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
}

/// The keys, once a command's change has reached the server.
fn published_with(server: &Server, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
    for _ in 0..200 {
        let keys = published(server);
        if is_so(&keys) {
            return keys;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("the keys do not change: {:?}", published(server))
}

#[test]
fn keys_outlive_a_restart_and_are_replaced_without_a_gap() {
    on_both_servers(|state| {
        let mut server = served(state);
        let before = published(&server);
        assert_eq!(before.len(), 3);
        let listed = server.command(&["keys", "list", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        assert_eq!(listed.as_array().map(Vec::len), Some(3));
        server.restart();
        assert_eq!(published(&server), before);

        let machine = Some(("machine", "a-machine-has-a-secret-too"));
        let form = [("grant_type", "client_credentials")];
        let token = || text(&post(&server, "/oauth2/token", machine, &form), "access_token");
        let is_good = |token: &str| {
            let asked = post(&server, "/oauth2/introspect", machine, &[("token", token)]);
            json(&asked)["active"] == serde_json::json!(true)
        };
        let old = token();
        // Published first, and signing later.
        let done = server.command(&["keys", "rotate", "--algorithm", "ES256"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let with_next = published_with(&server, |keys| keys.len() == 4);
        let name = |token: &str| {
            Compact::read(token).expect("a token").header_text("kid").expect("a key").to_owned()
        };
        assert_eq!(name(&token()), name(&old), "not yet");
        let done = server.command(&["keys", "rotate", "--algorithm", "ES256", "--now"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let with_both = published_with(&server, |keys| keys.len() == 5);
        assert!(with_next.iter().all(|key| with_both.contains(key)));
        let new = token();
        assert_ne!(name(&new), name(&old));
        assert!(is_good(&old) && is_good(&new), "what the old one signed stays good");

        // A stolen key: nothing that it signed is believed.
        let args = ["keys", "rotate", "--algorithm", "ES256", "--now", "--forget"];
        let done = server.command(&args);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        published_with(&server, |keys| keys.len() == 3 && !keys.contains(&name(&new)));
        assert!(!is_good(&old) && !is_good(&new) && is_good(&token()));
    });
}

/// Nothing in the store is a key in the clear.
#[test]
fn keys_are_sealed_in_the_store() {
    let server = served(&[]);
    let rows = server.look(async |read| read.list_signing_keys().await.expect("asked"));
    assert_eq!(rows.len(), 3);
    for row in rows {
        let text = String::from_utf8_lossy(&row.sealed);
        assert!(!text.contains("MII") && !text.contains("MIG") && !text.contains("MC4"));
    }
}
