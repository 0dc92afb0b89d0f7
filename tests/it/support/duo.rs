//! A stand-in for Duo over TLS, written from the public description of its prompt: it checks what it is
//! signed with, and answers as it is told to.

#![allow(clippy::indexing_slicing)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::certificate::certificates;
use super::service::Service;

pub const INTEGRATION_KEY: &str = "DITESTTESTTESTTEST01";
pub const SECRET_KEY: &str = "abcdefghijabcdefghijabcdefghijabcdefghij";

/// What somebody does at Duo.
pub type Change = (&'static str, Value);

#[derive(Default)]
struct Manner {
    /// Nothing works.
    down: bool,
    /// Requests by the code that each was given.
    codes: HashMap<String, (Value, Option<Change>)>,
    asked: Vec<String>,
}

/// The service; it ends with the test.
pub struct Duo {
    pub address: SocketAddr,
    /// The certificate that its own was issued by.
    pub ca: String,
    manner: Arc<Mutex<Manner>>,
    _service: Service,
}

impl Duo {
    pub fn start() -> Self {
        let (config, ca) = certificates("localhost");
        let manner = Arc::new(Mutex::new(Manner::default()));
        let shared = Arc::clone(&manner);
        let service = Service::start(|address| {
            let origin = format!("https://localhost:{}", address.port());
            let acceptor = TlsAcceptor::from(config);
            move |stream| serve(stream, acceptor.clone(), origin.clone(), Arc::clone(&shared))
        });
        Self { address: service.address, ca, manner, _service: service }
    }

    fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its line in `settings`.
    pub fn declared(&self) -> String {
        let port = self.address.port();
        format!(
            "duo api-host=\"localhost:{port}\" integration-key={INTEGRATION_KEY} {{ secret-key (env)DOORWARD_SECRET_DUO }}"
        )
    }

    pub fn goes_down(&self) {
        self.manner().down = true;
    }

    pub fn asked(&self) -> Vec<String> {
        self.manner().asked.clone()
    }

    /// Whom a browser was sent here for.
    pub fn asked_about(&self, sent_to: &str) -> String {
        let request = self.request(sent_to);
        request["duo_uname"].as_str().unwrap_or_default().to_owned()
    }

    /// Confirms what a browser was sent here with, and gives the path and query to come back by.
    pub fn confirm(&self, sent_to: &str) -> String {
        self.answer(sent_to, None)
    }

    /// The same, with something in the answer changed.
    pub fn answer(&self, sent_to: &str, change: Option<Change>) -> String {
        let request = self.request(sent_to);
        let mut manner = self.manner();
        let code = format!("code-{}", manner.codes.len());
        let state = request["state"].as_str().expect("a state").to_owned();
        let back = request["redirect_uri"].as_str().expect("a way back").to_owned();
        assert!(back.ends_with("/duo"), "{back}");
        manner.codes.insert(code.clone(), (request, change));
        format!("/duo?state={state}&duo_code={code}")
    }

    /// The signed request in the address that a browser was sent to.
    fn request(&self, sent_to: &str) -> Value {
        let prefix = format!("https://localhost:{}/oauth/v1/authorize?", self.address.port());
        let query = sent_to.strip_prefix(&prefix).unwrap_or_else(|| panic!("{sent_to}"));
        let pairs: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        assert_eq!(pairs["client_id"], INTEGRATION_KEY);
        assert_eq!(pairs["response_type"], "code");
        verified(&pairs["request"]).expect("signed with our key")
    }
}

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA512, SECRET_KEY.as_bytes())
}

fn signed(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = format!("{}.{}", part(&json!({ "alg": "HS512", "typ": "JWT" })), part(claims));
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key(), body.as_bytes()).as_ref()))
}

fn verified(token: &str) -> Option<Value> {
    let (body, tag) = token.rsplit_once('.')?;
    hmac::verify(&key(), body.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body.split_once('.')?.1).ok()?).ok()
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    origin: String,
    manner: Arc<Mutex<Manner>>,
) -> Option<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await.ok()?);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let (status, answer) = judge(&path, &form, &origin, &manner);
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.get_mut().write_all(format!("{head}{answer}").as_bytes()).await.ok()?;
    stream.get_mut().shutdown().await.ok()
}

fn judge(
    path: &str,
    form: &HashMap<String, String>,
    origin: &str,
    manner: &Mutex<Manner>,
) -> (u16, Value) {
    let refuse = |what: &str| (400, json!({ "error": what }));
    let mut manner = manner.lock().unwrap_or_else(PoisonError::into_inner);
    manner.asked.push(path.to_owned());
    if manner.down {
        return (500, json!({ "error": "server_error" }));
    }
    let assertion = form.get("client_assertion").and_then(|token| verified(token));
    let is_ours = assertion.is_some_and(|claims| {
        claims["iss"] == INTEGRATION_KEY
            && claims["sub"] == INTEGRATION_KEY
            && claims["aud"] == format!("{origin}{path}")
            && claims["jti"].as_str().is_some_and(|id| id.len() >= 16)
            && claims["exp"].as_i64().is_some()
    });
    if !is_ours {
        return refuse("invalid_client");
    }
    if path == "/oauth/v1/health_check" {
        return (200, json!({ "stat": "OK", "response": { "timestamp": 1 } }));
    }
    // A code is worth one answer.
    let Some((request, change)) = form.get("code").and_then(|code| manner.codes.remove(code))
    else {
        return refuse("invalid_grant");
    };
    if form.get("grant_type").map(String::as_str) != Some("authorization_code")
        || form.get("redirect_uri").map(String::as_str) != request["redirect_uri"].as_str()
    {
        return refuse("invalid_request");
    }
    let mut claims = json!({
        "iss": format!("{origin}/oauth/v1/token"),
        "aud": INTEGRATION_KEY,
        "exp": 4_000_000_000_i64,
        "nonce": request["nonce"],
        "preferred_username": request["duo_uname"],
        "auth_result": { "result": "allow", "status": "allow", "status_msg": "Login Successful" },
    });
    if let Some((name, value)) = change {
        claims[name] = value;
    }
    (200, json!({ "id_token": signed(&claims), "access_token": "x", "token_type": "Bearer" }))
}
