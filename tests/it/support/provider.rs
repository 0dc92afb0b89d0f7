//! A provider that says whatever a test wants, on a real socket: an OpenID Provider, an OAuth 2 server
//! or a GitHub, by the paths that it answers at.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use tokio_rustls::rustls::{ServerConnection, StreamOwned};

use super::certificate::certificates;
use super::signer::Signer;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    pub body: String,
}

type Pages = Arc<Mutex<BTreeMap<String, (u16, Value)>>>;

/// The provider; it ends with the test.
pub struct Provider {
    pub address: SocketAddr,
    /// Its name, and the authority that issued its certificate, if it speaks TLS.
    secure: Option<(&'static str, String)>,
    pages: Pages,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Provider {
    pub fn new() -> Self {
        Self::speaking(None)
    }

    fn speaking(name: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (pages, asked) = (Pages::default(), Arc::<Mutex<Vec<Asked>>>::default());
        let (shown, kept) = (Arc::clone(&pages), Arc::clone(&asked));
        let issued = name.map(certificates);
        let tls = issued.as_ref().map(|(config, _)| Arc::clone(config));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                match &tls {
                    None => answer(stream, &shown, &kept),
                    Some(config) => {
                        let begun = ServerConnection::new(Arc::clone(config)).expect("TLS");
                        answer(StreamOwned::new(begun, stream), &shown, &kept);
                    }
                }
            }
        });
        let secure = name.zip(issued.map(|(_, authority)| authority));
        Self { address, secure, pages, asked }
    }

    /// The authority that issued its certificate, as PEM.
    pub fn authority(&self) -> &str {
        &self.secure.as_ref().expect("a certificate").1
    }

    /// An OpenID Provider whose ID tokens this key signs.
    pub fn openid(signer: &Signer) -> Self {
        Self::new().answering_as_openid(signer)
    }

    /// The same by TLS, under this name.
    pub fn secure_openid(signer: &Signer, name: &'static str) -> Self {
        Self::speaking(Some(name)).answering_as_openid(signer)
    }

    fn answering_as_openid(self, signer: &Signer) -> Self {
        let provider = self;
        let issuer = provider.issuer();
        let at = |path: &str| format!("{issuer}{path}");
        provider.says(
            "/.well-known/openid-configuration",
            json!({
                "issuer": issuer,
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "userinfo_endpoint": at("/userinfo"),
                "jwks_uri": at("/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }),
        );
        provider.says("/jwks", serde_json::from_str(&signer.jwks()).expect("JSON"));
        provider
    }

    pub fn issuer(&self) -> String {
        match &self.secure {
            None => format!("http://{}", self.address),
            Some((name, _)) => format!("https://{name}:{}", self.address.port()),
        }
    }

    /// Answers so at a path from now on.
    pub fn says(&self, path: &str, body: Value) {
        lock(&self.pages).insert(path.to_owned(), (200, body));
    }

    pub fn refuses(&self, path: &str, status: u16, body: Value) {
        lock(&self.pages).insert(path.to_owned(), (status, body));
    }

    /// What was asked at a path.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        lock(&self.asked).iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

fn answer(stream: impl Read + Write, shown: &Pages, kept: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream) else { return };
    let page = lock(shown).get(&request.path).cloned();
    lock(kept).push(request);
    let (status, body) = page.unwrap_or((404, json!({ "error": "nothing here" })));
    let body = body.to_string();
    let length = body.len();
    let _ = write!(
        stream.get_mut(),
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = stream.get_mut().flush();
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { path, authorization, body: String::from_utf8(body).ok()? })
}
