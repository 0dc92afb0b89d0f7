//! The OpenID provider, spoken to as a client does.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::jose::{Algorithm, Compact, PublicKey};
use serde_json::{Map, Value};

use crate::support::server::{Answer, Browser, Server, basic, household};
use crate::support::walk::PASSWORD;

mod assertions;
mod authorize;
mod device;
mod dpop;
mod errors;
mod fuzzed;
mod inside;
mod keys;
mod logouts;
mod properties;
mod pushed;
mod rules;
mod sign_out;
mod signed;
mod table;
mod token;

pub const REDIRECT: &str = "https://wiki.example.com/cb";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const SECRET: &str = "a-secret-of-the-wiki-that-is-long";

/// Two confidential clients and a public one.
pub const APPS: &str = r#"
service-account runner "Runner" { in users }
app wiki "Wiki" {
    oidc {
        client-secret (env)DOORWARD_SECRET_WIKI
        redirect-uri "https://wiki.example.com/cb"
        post-logout-redirect-uri "https://wiki.example.com/bye"
        scopes openid profile email groups offline_access
        claim role "'admins' in user.groups ? 'admin' : 'user'"
        refresh-token days=30
    }
    access { allow group:users group:admins }
}
app other "Other" {
    oidc {
        client-secret (env)DOORWARD_SECRET_OTHER
        redirect-uri "https://other.example.com/cb"
        pkce optional
        scopes openid email
        access-token minutes=5 format=opaque
        signing ES256
    }
    access { allow group:admins; allow user:alice }
}
app native "Native" {
    oidc public {
        redirect-uri "http://127.0.0.1/cb"
        scopes openid
        subject pairwise
        signing EdDSA
    }
    access { allow everyone }
}
app machine "Machine" {
    oidc {
        client-secret (env)DOORWARD_SECRET_MACHINE
        grants client-credentials
        acts-as runner
        scopes things:read things:write
        signing ES256
    }
    access { allow service-account:runner }
}
"#;

/// A server with these apps, and alice with a password.
pub fn served(state: &[&str]) -> Server {
    served_with(APPS, state)
}

pub fn served_with(apps: &str, state: &[&str]) -> Server {
    let mut server = Server::stopped(&household(apps), state);
    server.tell("DOORWARD_SECRET_WIKI", SECRET);
    server.tell("DOORWARD_SECRET_OTHER", "another-secret-that-is-long");
    server.tell("DOORWARD_SECRET_MACHINE", "a-machine-has-a-secret-too");
    server.start();
    server.set_password("alice", PASSWORD);
    server
}

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

pub fn host(server: &Server) -> String {
    format!("auth.localhost:{}", server.port)
}

pub fn issuer(server: &Server) -> String {
    format!("http://{}", host(server))
}

/// The address of an authorization request: the usual one of the wiki, with these in it.
pub fn asking(server: &Server, changes: &[(&str, &str)]) -> String {
    let digest = challenge(VERIFIER);
    let usual = [
        ("client_id", "wiki"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid profile email groups"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", digest.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let mut all: Vec<(&str, &str)> = usual.to_vec();
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push((name, value));
        }
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("{}/oauth2/authorize?{}", issuer(server), query.extend_pairs(all).finish())
}

/// What an answer to an app says.
pub fn told(answer: &Answer) -> HashMap<String, String> {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let query = answer.location().split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A browser in which alice is signed in.
pub fn signed_in(server: &Server) -> Browser<'_> {
    let mut browser = Browser::at(server);
    browser.sign_in("alice", PASSWORD);
    browser
}

/// A code for the usual request, with these in it.
pub fn code(server: &Server, browser: &mut Browser<'_>, changes: &[(&str, &str)]) -> String {
    let answer = browser.open(&asking(server, changes));
    let told = told(&answer);
    assert_eq!(told.get("iss"), Some(&issuer(server)));
    told.get("code").unwrap_or_else(|| panic!("no code: {told:?} {}", answer.location())).clone()
}

/// Posts to an endpoint for programs.
pub fn post(
    server: &Server,
    path: &str,
    client: Option<(&str, &str)>,
    form: &[(&str, &str)],
) -> Answer {
    let request = server.request("POST", &host(server), path).form(form);
    match client {
        Some((id, secret)) => request.with("Authorization", basic(id, secret)).send(),
        None => request.send(),
    }
}

pub const WIKI: Option<(&str, &str)> = Some(("wiki", SECRET));

/// Exchanges a code as the wiki does.
pub fn exchange(server: &Server, code: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    post(server, "/oauth2/token", WIKI, &form)
}

pub fn refresh(server: &Server, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post(server, "/oauth2/token", WIKI, &form)
}

pub fn userinfo(server: &Server, token: &str) -> Answer {
    let request = server.get(&host(server), "/oauth2/userinfo");
    request.with("Authorization", format!("Bearer {token}")).send()
}

pub fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("no JSON: {}", answer.body))
}

pub fn text(answer: &Answer, name: &str) -> String {
    let json = json(answer);
    let found = json.get(name).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {name}: {}", answer.body)).to_owned()
}

/// The status and the code of an error.
pub fn error(answer: &Answer) -> (u16, String) {
    (answer.status, text(answer, "error"))
}

/// The person agrees to what a request asks for.
pub fn agreeing(
    server: &Server,
    browser: &mut Browser<'_>,
    request: &str,
) -> HashMap<String, String> {
    let turned = browser.open(request);
    let consent = server.url("http://auth.localhost:9000") + turned.location();
    let page = browser.open(&consent);
    let agreed = browser.submit(&consent, &page, &[("do", "allow")]);
    told(&browser.open(&(server.url("http://auth.localhost:9000") + agreed.location())))
}

/// What is kept of a refusal: why it was.
pub fn reason(server: &Server, answer: &Answer) -> String {
    let name = text(answer, "ref");
    for _ in 0..50 {
        let filter = doorward::store::EventFilter::default();
        let found = server.look(async |read| read.list_events(filter, 100).await.expect("asked"));
        if let Some(event) = found.iter().find(|event| event.id == name) {
            return event.data.get("reason").and_then(Value::as_str).expect("a reason").to_owned();
        }
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    panic!("nothing is kept of {}", answer.body)
}

/// The claims of a token, once its signature is seen to be by a published key.
pub fn claims(server: &Server, token: &str) -> Map<String, Value> {
    let read = Compact::read(token).expect("a token");
    let keys = json(&server.get(&host(server), "/oauth2/jwks").send());
    let keys = keys.get("keys").and_then(Value::as_array).cloned().expect("keys");
    let id = read.header_text("kid").expect("a key");
    let key = keys.iter().find(|key| key.get("kid").and_then(Value::as_str) == Some(id));
    let algorithm = read.algorithm().expect("an algorithm");
    let key = PublicKey::read(key.expect("published"), algorithm).expect("a key");
    assert!(key.signed(&read), "not signed by it");
    assert!(Algorithm::ALL.contains(&algorithm));
    read.payload
}
