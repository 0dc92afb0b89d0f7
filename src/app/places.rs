//! Where the process keeps and finds its things: listeners, state, master key, control socket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::certificate::CertificateFiles;
use super::options::Options;
use crate::blueprint::secret_ref::SecretOrigin;
use crate::blueprint::settings::{DEFAULT_LISTEN, Server};
use crate::blueprint::source::Spanned;
use crate::model::web_url::SocketAddress;
use crate::runtime::origin::Addressing;
use crate::store::StateUrl;

/// Everything of the process that files and arguments decide together. Fixed at start.
#[derive(Clone, Debug)]
pub struct Places {
    pub listen: Vec<SocketAddr>,
    /// What `listen` shows to whoever connects; without it, it speaks plain HTTP.
    pub certificate: Option<CertificateFiles>,
    /// Where Envoy alone asks.
    pub envoy: Option<SocketAddr>,
    pub metrics: Option<SocketAddr>,
    pub state: StateUrl,
    /// The directory of the state, or where a database far away keeps its small things.
    pub directory: PathBuf,
    pub control: PathBuf,
    /// Where the files say that the master key is found.
    pub master_key: Option<SecretOrigin>,
    pub addressing: Addressing,
}

/// Why the places are no places.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("--state: {0}")]
    State(#[from] crate::store::StateUrlError),
}

impl Places {
    /// Works out all places; arguments go before files.
    ///
    /// # Errors
    /// If the address of the state cannot be understood.
    pub fn new(options: &Options, server: &Server) -> Result<Self, PlaceError> {
        let declared: Vec<SocketAddr> = server.listen.iter().map(|at| at.value.get()).collect();
        let declared_port = declared.first().map_or(DEFAULT_LISTEN.port(), SocketAddr::port);
        let listen = listen(options, declared);
        let state = state(options, server)?;
        let directory = directory(options, &state);
        let control = match &options.environment.runtime_directory {
            Some(directory) => directory.join("control.sock"),
            None => directory.join("control.sock"),
        };
        let declared = |at: &Spanned<SocketAddress>| moved(options, at.value.get());
        Ok(Self {
            addressing: Addressing {
                dev: options.dev,
                port: listen.first().map_or(DEFAULT_LISTEN.port(), SocketAddr::port),
                declared_port,
            },
            certificate: certificate(options, server),
            envoy: server.listen_envoy.as_ref().map(declared),
            metrics: server.metrics.as_ref().map(declared),
            listen,
            state,
            directory,
            control,
            master_key: server.master_key.as_ref().map(|key| key.origin.clone()),
        })
    }

    #[must_use]
    pub fn loopback_only(&self) -> bool {
        self.listen.iter().all(|at| at.ip().is_loopback())
    }

    /// The one directory of the state's that blueprints may have files written to: beside it lie
    /// the store, the master key and links to set a password (`security.md` R4).
    fn outbox(&self) -> PathBuf {
        self.directory.join("written")
    }

    /// Where a file named in a blueprint is written: under `--dev` below the state's directory.
    #[must_use]
    pub fn written(&self, options: &Options, declared: &str) -> PathBuf {
        if options.dev {
            let name = Path::new(declared).file_name().unwrap_or_default();
            return self.outbox().join(name);
        }
        absolute(&options.environment.working_directory, Path::new(declared))
    }

    /// The directories that blueprints may have files written to.
    #[must_use]
    pub fn writable(&self, options: &Options) -> Vec<PathBuf> {
        let mut allowed = options.write_to.clone();
        allowed.push(self.outbox());
        allowed
    }

    /// Makes the state's own directory for a file that is about to be written there. If that fails,
    /// writing says why.
    pub fn prepare(&self, path: &Path) {
        use std::os::unix::fs::DirBuilderExt;
        if path.parent() == Some(&self.outbox()) {
            let _ = std::fs::DirBuilder::new().mode(0o700).create(self.outbox());
        }
    }
}

fn listen(options: &Options, declared: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if let Some(given) = options.listen {
        return vec![given];
    }
    if declared.is_empty() {
        return vec![DEFAULT_LISTEN];
    }
    declared.into_iter().map(|at| moved(options, at)).collect()
}

/// Under `--dev` every address is under `.localhost`, where no certificate is needed.
fn certificate(options: &Options, server: &Server) -> Option<CertificateFiles> {
    let declared = server.tls.as_ref().filter(|_| !options.dev)?;
    let (cert, key) = (&declared.cert.value, &declared.key.value);
    Some(CertificateFiles { cert: cert.into(), key: key.into() })
}

/// A declared address; a development server stays on this machine.
pub(super) fn moved(options: &Options, declared: SocketAddr) -> SocketAddr {
    if options.dev { on_loopback(declared) } else { declared }
}

fn on_loopback(at: SocketAddr) -> SocketAddr {
    match at.ip().is_loopback() {
        true => at,
        false => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), at.port()),
    }
}

fn state(options: &Options, server: &Server) -> Result<StateUrl, PlaceError> {
    if let Some(given) = &options.state {
        return Ok(absolute_state(options, given.parse()?));
    }
    let name = if options.dev { "dev.db" } else { "doorward.db" };
    let declared = server.state.as_ref().filter(|_| !options.dev);
    let url = match declared {
        Some(url) => url.value.parse()?,
        None => StateUrl::Sqlite(PathBuf::from("state").join(name)),
    };
    Ok(absolute_state(options, url))
}

fn absolute_state(options: &Options, url: StateUrl) -> StateUrl {
    match url {
        StateUrl::Sqlite(path) => {
            StateUrl::Sqlite(absolute(&options.environment.working_directory, &path))
        }
        far => far,
    }
}

fn directory(options: &Options, state: &StateUrl) -> PathBuf {
    let beside = match state {
        StateUrl::Sqlite(path) => path.parent().map(Path::to_owned),
        StateUrl::Postgres(_) => None,
    };
    beside.unwrap_or_else(|| options.environment.working_directory.join("state"))
}

/// An absolute path without `.` in it, for people to read.
#[must_use]
pub fn absolute(working_directory: &Path, path: &Path) -> PathBuf {
    working_directory.join(path).components().collect()
}
