//! Where the running server keeps its things, as it tells commands on this host: they open its
//! store and no other, whatever their own arguments would lead to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::options::Options;
use super::places::{Places, absolute};
use crate::blueprint::read::Root;

/// The arguments that a command needs to find the server's store and key; all paths are absolute.
#[derive(Debug, Serialize, Deserialize)]
pub struct Installed {
    /// May hold a password, and so goes over the control socket alone.
    state: String,
    dev: bool,
    blueprints: Vec<PathBuf>,
    read_from: Vec<PathBuf>,
    working_directory: PathBuf,
    credentials: Option<PathBuf>,
}

impl Installed {
    #[must_use]
    pub fn new(options: &Options, places: &Places) -> Self {
        let here = &options.environment.working_directory;
        let whole = |path: &PathBuf| absolute(here, path);
        Self {
            state: places.state.to_argument().reveal().to_owned(),
            dev: options.dev,
            blueprints: options.roots.iter().map(|root| whole(&root.path)).collect(),
            read_from: options.read_from.iter().map(whole).collect(),
            working_directory: here.clone(),
            credentials: options.environment.credentials.clone(),
        }
    }

    /// Whether its state is the one of these places.
    #[must_use]
    pub fn is_at(&self, places: &Places) -> bool {
        places.state.to_argument().reveal() == self.state
    }

    /// The options of a command, led to this installation.
    #[must_use]
    pub fn lead(self, options: Options) -> Options {
        let allow = self.read_from.clone();
        let root = |path| Root { allow: allow.clone(), ..Root::new(path) };
        let mut environment = options.environment;
        environment.working_directory = self.working_directory;
        environment.credentials = environment.credentials.or(self.credentials);
        Options {
            roots: self.blueprints.into_iter().map(root).collect(),
            state: Some(self.state),
            dev: self.dev,
            read_from: self.read_from,
            environment,
            ..options
        }
    }
}
