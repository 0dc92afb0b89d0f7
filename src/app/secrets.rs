//! The values behind references to secrets (`security.md` R3).
//!
//! A file is read only below directories given on the host, a variable only if its name says that
//! it is one of ours.

use std::path::{Path, PathBuf};

use super::options::Options;
use crate::blueprint::Blueprint;
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};
use crate::secret::Secret;

/// The largest file that may hold a secret.
const LARGEST: u64 = 64 * 1024;

/// Why a secret has no value. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(
        "there is no credential `{0}`: the unit has no `LoadCredential={0}:…`, or $CREDENTIALS_DIRECTORY is not set"
    )]
    NoCredential(String),
    #[error("`{0}` is no name of a credential: it is a plain file name")]
    BadCredential(String),
    #[error("{} lies outside the directories that secrets may be read from; start with --read-from {}", .0.display(), .1.display())]
    Outside(PathBuf, PathBuf),
    #[error("{} cannot be read: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} can be read by others: chmod 600 {}", .0.display(), .0.display())]
    ReadableByOthers(PathBuf),
    #[error("the variable {0} is not set")]
    NoVariable(String),
    #[error("the variable `{0}` is not for secrets: its name must begin with DOORWARD_SECRET_")]
    ForeignVariable(String),
    #[error("the secret is empty")]
    Empty,
    #[error("sealed secrets cannot be opened by this version")]
    Sealed,
    #[error("a verifier has no value")]
    VerifierAlone,
}

/// Reads secrets as the host allows.
#[derive(Clone, Debug)]
pub struct Secrets {
    credentials: Option<PathBuf>,
    read_from: Vec<PathBuf>,
    variables: Vec<(String, Secret)>,
}

impl Secrets {
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let given = options.read_from.iter().filter_map(|path| path.canonicalize().ok());
        Self {
            credentials: options.environment.credentials.clone(),
            read_from: given.collect(),
            variables: options.environment.secrets.clone(),
        }
    }

    /// The value of a reference; generated ones are the store's affair and give `None`.
    ///
    /// # Errors
    /// If there is none, or it may not be read.
    pub fn resolve(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        match &reference.origin {
            SecretOrigin::Generated | SecretOrigin::Argon2id(_) => Ok(None),
            SecretOrigin::Credential(name) => self.credential(name).map(Some),
            SecretOrigin::File(path) => self.file(Path::new(path)).map(Some),
            SecretOrigin::Env(name) => self.variable(name).map(Some),
            SecretOrigin::Sealed(_) => Err(SecretError::Sealed),
            SecretOrigin::Literal(value) => Ok(Some(value.clone())),
        }
    }

    fn credential(&self, name: &str) -> Result<Secret, SecretError> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(SecretError::BadCredential(name.to_owned()));
        }
        let missing = || SecretError::NoCredential(name.to_owned());
        let path = self.credentials.as_ref().ok_or_else(missing)?.join(name);
        if !path.exists() {
            return Err(missing());
        }
        read(&path)
    }

    fn file(&self, path: &Path) -> Result<Secret, SecretError> {
        let real = self.permitted(path)?;
        refuse_public(&real).map_err(|error| {
            error.unwrap_or_else(|| SecretError::ReadableByOthers(path.to_owned()))
        })?;
        read(&real)
    }

    /// The real path of a file, if the host lets it be read.
    pub fn permitted(&self, path: &Path) -> Result<PathBuf, SecretError> {
        let unreadable = |error: std::io::Error| SecretError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let real = path.canonicalize().map_err(unreadable)?;
        if self.read_from.iter().any(|root| real.starts_with(root)) {
            return Ok(real);
        }
        let parent = path.parent().unwrap_or(path);
        Err(SecretError::Outside(path.to_owned(), parent.to_owned()))
    }

    /// The certificates in a file, as PEM text. They are no secret.
    ///
    /// # Errors
    /// If it lies outside of the directories that may be read from, or cannot be read.
    pub fn certificates(&self, path: &str) -> Result<String, SecretError> {
        let path = self.permitted(Path::new(path))?;
        read(&path).map(|text| text.reveal().to_owned())
    }

    fn variable(&self, name: &str) -> Result<Secret, SecretError> {
        if !name.starts_with("DOORWARD_SECRET_") {
            return Err(SecretError::ForeignVariable(name.to_owned()));
        }
        let found = self.variables.iter().find(|(known, _)| known == name);
        let value = found.ok_or_else(|| SecretError::NoVariable(name.to_owned()))?;
        usable(value.1.reveal())
    }
}

/// Refuses files that others may read, but for those that a secrets manager keeps in memory.
fn refuse_public(path: &Path) -> Result<(), Option<SecretError>> {
    use std::os::unix::fs::PermissionsExt;
    let about = path.metadata().map_err(|error| {
        Some(SecretError::Unreadable { path: path.to_owned(), reason: error.to_string() })
    })?;
    let managed = ["/run/secrets", "/run/credentials", "/run/agenix", "/run/keys"];
    let in_memory = managed.iter().any(|root| path.starts_with(root));
    if about.permissions().mode() & 0o077 != 0 && !in_memory { Err(None) } else { Ok(()) }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let unreadable = |reason: String| SecretError::Unreadable { path: path.to_owned(), reason };
    let about = path.metadata().map_err(|error| unreadable(error.to_string()))?;
    if about.len() > LARGEST {
        return Err(unreadable("it is larger than 64 KiB".to_owned()));
    }
    let bytes =
        zeroize::Zeroizing::new(std::fs::read(path).map_err(|e| unreadable(e.to_string()))?);
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable("it is not text".to_owned()))?;
    usable(text)
}

/// Trailing line ends are what editors add.
fn usable(text: &str) -> Result<Secret, SecretError> {
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() { Err(SecretError::Empty) } else { Ok(Secret::new(text)) }
}

/// Every reference to a secret in a blueprint, with what it is for.
#[must_use]
pub fn references(blueprint: &Blueprint) -> Vec<(String, &SecretRef)> {
    let mut all: Vec<(String, &SecretRef)> = Vec::new();
    let email = blueprint.email.iter().filter_map(|email| email.password.as_ref());
    all.extend(email.map(|reference| ("email password".to_owned(), reference)));
    let serve = blueprint.traefik.iter().filter_map(|traefik| traefik.serve.as_ref());
    let serve = serve.filter_map(|serve| serve.token.as_ref());
    all.extend(serve.map(|reference| ("traefik serve token".to_owned(), reference)));
    let duo = blueprint.settings.duo.iter().filter_map(|duo| duo.secret_key.as_ref());
    all.extend(duo.map(|reference| ("duo secret-key".to_owned(), reference)));
    for user in &blueprint.users {
        let what = format!("initial-password of user {}", user.name.value);
        all.extend(user.initial_password.iter().map(|reference| (what.clone(), reference)));
    }
    for source in &blueprint.sources {
        let what = format!("client-secret of source {}", source.slug.value);
        all.extend(source.client.secret.iter().map(|reference| (what.clone(), reference)));
    }
    for app in &blueprint.apps {
        let oidc = app.oidc.iter().filter_map(|oidc| oidc.client_secret.as_ref());
        let what = format!("client-secret of app {}", app.slug.value);
        all.extend(oidc.map(|reference| (what.clone(), reference)));
        let scim = app.scim.iter().filter_map(|scim| scim.token.as_ref());
        let what = format!("scim token of app {}", app.slug.value);
        all.extend(scim.map(|reference| (what.clone(), reference)));
    }
    for notify in &blueprint.notifies {
        let what = format!("token of notify {}", notify.slug.value);
        all.extend(notify.token.iter().map(|reference| (what.clone(), reference)));
    }
    all
}
