//! The listeners of the LDAP front: opened and closed as the files in force say, with a certificate that is
//! taken up anew when its files change.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::certificate::{Certificate, CertificateFiles};
use super::listen::{self, Bounds};
use super::options::Options;
use super::places::moved;
use crate::blueprint::settings::LdapServer;
use crate::ldap::Ldap;
use crate::ldap::connection::{self, Peer};
use crate::repeats::{Repeats, Say};
use crate::runtime::Runtime;
use crate::web::server::Server;

/// How often is looked what the files say.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a client may take to greet over TLS.
const GREET_WITHIN: Duration = Duration::from_secs(15);

/// Where somebody is listened to, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    at: SocketAddr,
    tls: bool,
}

/// All listeners of the front.
pub struct LdapListeners {
    server: Arc<Server>,
    front: Arc<Ldap>,
    options: Options,
    certificate: Option<Arc<Certificate>>,
    /// What a development server shows where the files name nothing.
    development: Option<TlsAcceptor>,
    /// Each is closed by its sender's end.
    open: HashMap<Place, watch::Sender<bool>>,
    running: JoinSet<()>,
    told: Repeats,
    /// The runtime that was told of last.
    epoch: u64,
}

impl LdapListeners {
    #[must_use]
    pub fn new(server: Arc<Server>, options: Options) -> Self {
        let development = options.dev.then(self_signed).flatten();
        Self {
            front: Arc::new(Ldap::new(Arc::clone(&server))),
            development,
            server,
            options,
            certificate: None,
            open: HashMap::new(),
            running: JoinSet::new(),
            told: Repeats::default(),
            epoch: 0,
        }
    }

    /// Keeps the listeners in step until `stop` says so.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => self.tend(),
                () = listen::told(&mut stop) => break,
            }
        }
        self.open.clear();
        while self.running.join_next().await.is_some() {}
    }

    /// Opens what is declared and not open, and closes the rest.
    pub fn tend(&mut self) {
        let runtime = self.server.runtime.load_full();
        let declared = runtime.blueprint.ldap.as_ref();
        self.tend_certificate(&runtime, declared);
        let wanted = declared.map(|ldap| self.places(ldap)).unwrap_or_default();
        self.open.retain(|place, _| wanted.contains(place));
        while self.running.try_join_next().is_some() {}
        for place in wanted {
            if !self.open.contains_key(&place) {
                self.listen(place);
            }
        }
        if self.epoch != runtime.epoch {
            self.epoch = runtime.epoch;
            self.tell(&runtime);
        }
    }

    fn places(&self, ldap: &LdapServer) -> Vec<Place> {
        let moved = |at: SocketAddr| moved(&self.options, at);
        let plain = ldap.listen.iter().map(|at| Place { at: moved(at.value.get()), tls: false });
        let secure = ldap.listen_tls.iter().filter(|_| self.acceptor().is_some());
        plain.chain(secure.map(|at| Place { at: moved(at.value.get()), tls: true })).collect()
    }

    fn tend_certificate(&mut self, runtime: &Runtime, ldap: Option<&LdapServer>) {
        let declared =
            ldap.and_then(|it| it.tls.as_ref().or(runtime.blueprint.server.tls.as_ref()));
        let files = declared.filter(|_| !self.options.dev).map(|tls| CertificateFiles {
            cert: tls.cert.value.clone().into(),
            key: tls.key.value.clone().into(),
        });
        match (&files, &self.certificate) {
            (None, _) => self.certificate = None,
            (Some(files), Some(shown)) if shown.files() == files => {
                match shown.take_up(&self.options) {
                    Ok(true) => {
                        tracing::info!("the LDAP listeners show another certificate from now on")
                    }
                    Ok(false) => {}
                    Err(error) => {
                        self.say(&format!("ldap {error}: the certificate before it is shown on"))
                    }
                }
            }
            (Some(files), _) => match Certificate::open(files.clone(), None, &self.options) {
                Ok(certificate) => {
                    // Those that are open show the one before.
                    self.open.clear();
                    self.certificate = Some(Arc::new(certificate));
                }
                Err(error) => {
                    self.say(&format!("ldap {error}: `listen-tls` and StartTLS wait for it"))
                }
            },
        }
        let waits = ldap.is_some_and(|ldap| !ldap.listen_tls.is_empty()) && files.is_none();
        if waits && self.development.is_none() {
            self.say(
                "ldap listen-tls: no certificate is declared: add `tls` to `ldap` or `server`",
            );
        }
        self.front.offer_start_tls(self.acceptor().is_some());
    }

    /// What begins TLS, if anything can.
    fn acceptor(&self) -> Option<TlsAcceptor> {
        let shown = self.certificate.as_ref().map(|shown| shown.acceptor());
        shown.or_else(|| self.development.clone())
    }

    fn listen(&mut self, place: Place) {
        let listener = match listen::open(place.at, "ldap listen") {
            Ok(listener) => listener,
            Err(error) => return self.say(&format!("ldap: {error}")),
        };
        let acceptor = self.acceptor();
        let (closer, closed) = watch::channel(false);
        self.open.insert(place, closer);
        let front = Arc::clone(&self.front);
        self.running.spawn(accept(front, listener, place, acceptor, closed));
    }

    /// Who may ask what, once for every change.
    fn tell(&self, runtime: &Runtime) {
        let Some(directory) = &runtime.directory else { return };
        let listeners: Vec<String> = self.open.keys().map(ToString::to_string).collect();
        let searchers = match directory.searchers.is_empty() {
            true => "nobody; people see themselves".to_owned(),
            false => directory.searchers.join(" "),
        };
        let (listeners, base) = (listeners.join(" "), directory.base.to_string());
        tracing::info!(listeners, base, searchers, "LDAP");
    }

    /// What goes on is told ever more seldom.
    fn say(&self, trouble: &str) {
        if self.told.say(trouble, self.server.clock.now()) != Say::Nothing {
            tracing::error!("{trouble}");
        }
    }
}

/// A certificate that nobody trusts, for this machine.
fn self_signed() -> Option<TlsAcceptor> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).ok()?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).ok()?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .ok()?;
    Some(TlsAcceptor::from(Arc::new(config)))
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", if self.tls { "ldaps" } else { "ldap" }, self.at)
    }
}

/// Takes connections until the listener is closed; those that are open end with it.
async fn accept(
    front: Arc<Ldap>,
    listener: TcpListener,
    place: Place,
    acceptor: Option<TlsAcceptor>,
    mut closed: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(Bounds::default().connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listen::accept(&listener, &room) => accepted,
            () = listen::told(&mut closed) => return,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, peer, permit)) = accepted else {
            // Out of descriptors: those that close make room.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (front, acceptor) = (Arc::clone(&front), acceptor.clone());
        connections.spawn(async move {
            greet(front, stream, peer, place.tls, acceptor).await;
            drop(permit);
        });
    }
}

async fn greet(
    front: Arc<Ldap>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: bool,
    acceptor: Option<TlsAcceptor>,
) {
    let _ = stream.set_nodelay(true);
    let peer = Peer { address: peer.ip(), tls };
    match (tls, acceptor) {
        (true, Some(acceptor)) => {
            let greeted = tokio::time::timeout(GREET_WITHIN, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = greeted {
                connection::serve(front, Box::new(stream), peer, None).await;
            }
        }
        (true, None) => {}
        (false, acceptor) => connection::serve(front, Box::new(stream), peer, acceptor).await,
    }
}
