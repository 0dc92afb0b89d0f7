//! The provider in this process: asked without a socket, at a time that stands still, with keys that are
//! always the same, so that what it says of an input is always the same.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::app::candidate::{self, Demands, Known};
use doorward::app::options::{Environment, Options};
use doorward::app::places::Places;
use doorward::blueprint::load;
use doorward::blueprint::read::Root;
use doorward::clock::{Clock, Millis};
use doorward::flow::hashing::Hasher;
use doorward::ids::Rng;
use doorward::mail::post::Post;
use doorward::runtime::health::Health;
use doorward::secret::{MasterKey, Secret};
use doorward::session::Sessions;
use doorward::signing::SigningKeys;
use doorward::store::{Limits, StateUrl, Store};
use doorward::token::Tokens;
use doorward::web::looks::Looks;
use doorward::web::server::{Listening, Server};
use doorward::web::templates::Templates;
use doorward::{client_secret, journal, oidc};
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// The moment at which everything happens, in seconds.
pub const NOW: i64 = 1_700_000_000;
pub const ISSUER: &str = "http://auth.localhost:9000";
pub const REDIRECT: &str = "https://signs.example.com/cb";
/// With everything in it that is written otherwise in a form.
pub const SECRET: &str = "a secret+of %41 client: é";

/// A client that signs its requests and itself, one that signs with its secret, one that shows it.
fn files(keys: &str) -> String {
    let itself =
        "grants authorization-code client-credentials\n acts-as runner\n scopes openid things";
    format!(
        r##"server {{ listen "127.0.0.1:9000" }}
settings {{ external-host "{ISSUER}" }}
service-account runner "Runner"
app signs "Signs" {{
    oidc {{
        client-auth private-key-jwt
        jwks #"{keys}"#
        redirect-uri "{REDIRECT}"
        {itself}
        signing EdDSA
    }}
    access {{ allow service-account:runner }}
}}
app macs "Macs" {{
    oidc {{
        client-auth secret-jwt
        client-secret (env)DOORWARD_SECRET_INSIDE
        redirect-uri "{REDIRECT}"
        {itself}
        signing EdDSA
    }}
    access {{ allow service-account:runner }}
}}
app shows "Shows" {{
    oidc {{
        client-secret (env)DOORWARD_SECRET_INSIDE
        redirect-uri "{REDIRECT}"
        jwks #"{keys}"#
        {itself}
        signing EdDSA
    }}
    access {{ allow service-account:runner }}
}}
"##
    )
}

/// A key of a client's or of a stranger's: what it signs is always the same.
pub struct Key(Ed25519KeyPair);

impl Key {
    /// The one that the clients declare.
    pub fn own() -> Self {
        Self::of([7; 32])
    }

    pub fn strangers() -> Self {
        Self::of([8; 32])
    }

    fn of(seed: [u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key"))
    }

    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
    }

    pub fn sign(&self, text: &str) -> Vec<u8> {
        self.0.sign(text.as_bytes()).as_ref().to_vec()
    }
}

/// The provider.
pub struct Inside {
    server: Server,
    executor: tokio::runtime::Runtime,
    directory: PathBuf,
    asked: AtomicU32,
    /// What a proof of possession must hold.
    pub nonce: String,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Inside {
    /// With its state in a directory that is made for it, and gone with it.
    pub fn new(directory: PathBuf) -> Self {
        std::fs::create_dir(&directory).expect("a directory");
        let keys = json!({ "keys": [Key::own().jwk()] }).to_string();
        std::fs::write(directory.join("home.kdl"), files(&keys)).expect("written");
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let executor = executor.expect("a runtime");
        let server = executor.block_on(server(&directory));
        let (asked, nonce) = (AtomicU32::new(0), String::new());
        let mut inside = Self { server, executor, directory, asked, nonce };
        inside.nonce = inside.ask("POST", "/oauth2/token", &[("DPoP", b"x")], &[]).nonce;
        inside
    }

    /// Asks as a program does, each time from another address, since failures are counted. `None` if no
    /// request has such a header.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &[u8])],
        form: &[(&str, &str)],
    ) -> Option<Told> {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, http::HeaderValue::from_bytes(value).ok()?);
        }
        let (parts, ()) = request.body(()).ok()?.into_parts();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = Body::from(body.extend_pairs(form).finish());
        let [_, a, b, c] = self.asked.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(100, a, b, c)), 1);
        Some(self.executor.block_on(async {
            let answer = oidc::answer(&self.server, &parts, body, peer).await;
            let nonce = answer.headers().get("dpop-nonce").and_then(|it| it.to_str().ok());
            let (nonce, status) = (nonce.unwrap_or_default().to_owned(), answer.status().as_u16());
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            Told { status, nonce, body: serde_json::from_slice(&body).unwrap_or_default() }
        }))
    }

    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &[u8])],
        form: &[(&str, &str)],
    ) -> Told {
        self.try_ask(method, path, headers, form).expect("a request")
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub nonce: String,
    pub body: Value,
}

impl Told {
    pub fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

async fn server(directory: &std::path::Path) -> Server {
    let secrets = vec![("DOORWARD_SECRET_INSIDE".to_owned(), Secret::new(SECRET))];
    let options = Options {
        roots: vec![Root { path: directory.join("home.kdl"), kinds: None, allow: Vec::new() }],
        state: None,
        listen: None,
        dev: false,
        read_from: Vec::new(),
        write_to: Vec::new(),
        allow_raw_routers: false,
        strict: false,
        revision: None,
        environment: Environment {
            secrets,
            working_directory: directory.to_owned(),
            ..Environment::default()
        },
    };
    let loaded = load::load(&options.roots, options.mode());
    let places = Places::new(&options, &loaded.server).expect("places");
    let built = candidate::build(&options, &places, loaded, &Known::default(), Demands::All);
    let mut runtime = built.unwrap_or_else(|why| panic!("{:?}", why.lines())).runtime;
    for app in &mut runtime.apps {
        app.uid = format!("app_{}", app.slug);
    }
    let (clock, rng) = (Clock::manual(Millis(NOW * 1000)), Rng::system());
    let url = StateUrl::Sqlite(directory.join("state.db"));
    let (store, _) = Store::open(&url, Limits::default(), clock.now()).await.expect("a store");
    let key = Arc::new(MasterKey::parse(&Secret::new("5a".repeat(32))).expect("a key"));
    let (journal, _) = journal::open(store.clone(), clock.clone(), rng.clone());
    let bound = Duration::from_secs(60);
    let tools = || (store.clone(), Arc::clone(&key), clock.clone(), rng.clone());
    let sessions = {
        let (a, b, c, d) = tools();
        Sessions::new(a, b, c, d, bound)
    };
    let tokens = {
        let (a, b, c, d) = tools();
        Tokens::new(a, b, c, d)
    };
    let signing_keys = {
        let (a, b, c, d) = tools();
        SigningKeys::new(a, b, c, d)
    };
    let client_secrets = client_secret::ClientSecrets::default();
    let known = || vec![client_secret::Known::Value { secret: Secret::new(SECRET), until: None }];
    let all = ["app_macs", "app_shows"].map(|uid| (uid.to_owned(), known()));
    client_secrets.replace(all.into_iter().collect());
    Server {
        runtime: ArcSwap::from_pointee(runtime),
        health: ArcSwap::from_pointee(Health::in_sync(clock.now())),
        looks: ArcSwap::from_pointee(Looks::new(
            Arc::new(Templates::shipped().expect("templates")),
            std::collections::BTreeMap::new(),
        )),
        sessions,
        tokens,
        signing_keys,
        client_secrets,
        client_keys: doorward::client_keys::ClientKeys::new(clock.clone()),
        identity_sources: doorward::identity_source::IdentitySources::new(clock.clone()),
        outbound: doorward::outbound::Outbound::default(),
        refused: doorward::web::refused::Refused::default(),
        post: Post::new(Arc::clone(&key), clock.clone(), rng.clone()),
        store,
        key,
        journal,
        hasher: Hasher::new(1),
        reputations: doorward::flow::reputation::Scores::default(),
        clock,
        rng,
        listening: Listening::default(),
    }
}
