//! Signing in through other providers (`security.md` R14).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::support::provider::Provider;
use crate::support::server::{Browser, EXTERNAL, Server, household};
use crate::support::signer::{self, Signer};
use crate::support::walk::{PASSWORD, Walk};

mod accounts;
mod groups;
mod hostile;
mod others;
mod presence;
mod private;
mod real;

const SECRET: &str = "our-secret-at-the-other-place";

/// The flow that offers the source `there`, and one that makes accounts.
const FLOWS: &str = r#"
flow front for=authentication title="Welcome" {
    identification { accept username email; sources there }
    password
    login
}
flow newcomers for=enrollment title="Your account" {
    prompt {
        field username type=username label="Username" required
        field email type=email label="E-mail"
        field name type=text label="Name"
    }
    user-write { in users }
    login
}
"#;

/// A server with a source of this protocol and these lines in it.
fn with_source(protocol: &str, lines: &str, more: &str) -> Server {
    let text =
        household(&format!("source there \"There\" {{ {protocol}\n {lines} }}\n{FLOWS}\n{more}"));
    let defaults = "settings { default-flows { authentication front }; ";
    let mut server = Server::stopped(&text.replacen("settings { ", defaults, 1), &[]);
    server.tell("DOORWARD_SECRET_THERE", SECRET);
    server.start();
    server.set_password("alice", PASSWORD);
    server.set_password("root", PASSWORD);
    server
}

/// The same with a provider that says what the test wants.
fn with_openid(provider: &Provider, lines: &str) -> Server {
    let protocol = format!(
        "oidc {{ issuer {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}",
        provider.issuer()
    );
    with_source(&protocol, &format!("may-reach \"{}\"\n {lines}", provider.address), "")
}

fn query(url: &str) -> HashMap<String, String> {
    let url = url::Url::parse(url).expect("an address");
    url.query_pairs().into_owned().collect()
}

/// Presses the button of the source: the address that the browser is sent to.
fn sent(walk: &mut Walk<'_>) -> String {
    walk.page = walk.browser.submit(&walk.url, &walk.page, &[("source", "there")]);
    assert_eq!(walk.page.status, 303, "{}", walk.page.body);
    walk.page.location().to_owned()
}

/// Claims that are right for whoever was sent there with this address.
fn claims(provider: &Provider, sent: &str) -> Value {
    json!({
        "iss": provider.issuer(), "aud": "us", "sub": "there-1", "nonce": query(sent).get("nonce"),
        "iat": signer::now(), "exp": signer::now() + 300,
        "preferred_username": "octo", "name": "Octo Cat",
        "email": "octo@there.example", "email_verified": true,
    })
}

/// Has the provider give this ID token for the next code.
fn gives(provider: &Provider, token: &str) {
    let tokens = json!({ "access_token": "at-1", "token_type": "Bearer", "id_token": token });
    provider.says("/token", tokens);
}

/// Comes back with a code and this state.
fn back(walk: &mut Walk<'_>, pairs: &[(&str, &str)]) {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs(pairs).finish();
    walk.go(&format!("/source/there?{query}"));
}

/// The whole way with claims that are right, but for these.
fn come<'a>(server: &'a Server, provider: &Provider, signer: &Signer, changes: &Value) -> Walk<'a> {
    let mut walk = Walk::at(server, somebody(server), "/sign-in");
    go_there(&mut walk, provider, signer, changes);
    walk
}

/// A browser at an address of its own: failures are counted for each.
fn somebody(server: &Server) -> Browser<'_> {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    Browser::through_proxy(server, &format!("198.51.{}.{}", next / 250, next % 250))
}

fn go_there(walk: &mut Walk<'_>, provider: &Provider, signer: &Signer, changes: &Value) {
    let sent = sent(walk);
    let mut claims = claims(provider, &sent);
    let about = claims.as_object_mut().expect("claims");
    about.extend(changes.as_object().expect("changes").clone());
    about.retain(|_, value| !value.is_null());
    let subject = about.get("sub").cloned().unwrap_or_default();
    provider.says("/userinfo", json!({ "sub": subject }));
    gives(provider, &signer.sign(&json!({ "kid": signer.name }), &claims));
    let state = query(&sent).remove("state").unwrap_or_default();
    back(walk, &[("state", &state), ("code", "c-1")]);
}

/// The name of whoever is signed in.
fn who(walk: &mut Walk<'_>) -> Option<String> {
    let profile = walk.browser.open(&walk.server.url(&format!("{EXTERNAL}/profile")));
    if profile.status != 200 {
        return None;
    }
    let (_, rest) = profile.body.split_once("<br><strong>").expect("a name");
    rest.split('<').next().map(str::to_owned)
}
