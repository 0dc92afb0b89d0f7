//! What the host decides: arguments of the process, never blueprint text.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::blueprint::read::Root;
use crate::blueprint::validate::Mode;
use crate::proxy_config::traefik::RawRouters;

/// The arguments of `serve` and of every command that looks at the same installation.
#[derive(Clone, Debug)]
pub struct Options {
    pub roots: Vec<Root>,
    /// `sqlite://…` or `postgres://…`; else what the files say; else `./state`.
    pub state: Option<String>,
    pub listen: Option<SocketAddr>,
    /// A development server: loopback, everything below `./state`, warnings for refusals.
    pub dev: bool,
    /// Directories that secret files and linked files may lie in.
    pub read_from: Vec<PathBuf>,
    /// Directories that may be written to.
    pub write_to: Vec<PathBuf>,
    pub allow_raw_routers: bool,
    /// Refuse to start with files that are not in force.
    pub strict: bool,
    /// Said to be the revision of the files.
    pub revision: Option<String>,
    pub environment: Environment,
}

/// What the process was given by its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `$CREDENTIALS_DIRECTORY`.
    pub credentials: Option<PathBuf>,
    /// `$RUNTIME_DIRECTORY`.
    pub runtime_directory: Option<PathBuf>,
    /// `DOORWARD_SECRET_…` variables, and no others.
    pub secrets: Vec<(String, crate::secret::Secret)>,
    /// The machine is used over SSH: `user@host port` of the far end.
    pub over_ssh: bool,
    pub working_directory: PathBuf,
}

impl Options {
    /// Whether `raw` may hold routers and services.
    #[must_use]
    pub fn raw_routers(&self) -> RawRouters {
        if self.allow_raw_routers { RawRouters::Allowed } else { RawRouters::Refused }
    }

    /// How strictly the files are read.
    #[must_use]
    pub fn mode(&self) -> Mode {
        Mode { dev: self.dev, allow_raw_routers: self.allow_raw_routers, ..Mode::default() }
    }
}
