//! Where the state is kept: the address of a SQLite file or of a Postgres database.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::secret::Secret;

/// The address of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateUrl {
    /// `sqlite:///var/lib/doorward/state.db` or `sqlite://./state/doorward.db`.
    Sqlite(PathBuf),
    /// `postgres://user:password@host:port/name`; may hold a password.
    Postgres(Secret),
}

/// Why an address was not understood. Holds nothing of the address: it may contain a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateUrlError {
    #[error(
        "the state's address begins with `sqlite://` or `postgres://`, as in sqlite:///var/lib/doorward/state.db"
    )]
    UnknownScheme,
    #[error(
        "a SQLite address is `sqlite:///absolute/path` or `sqlite://./relative/path`, without `?` or `#`"
    )]
    BadPath,
    #[error(
        "a Postgres address is `postgres://user:password@host:port/name`; special characters in the password are percent-encoded"
    )]
    BadPostgres,
}

impl FromStr for StateUrl {
    type Err = StateUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return sqlite_path(path).map(Self::Sqlite);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let parsed = text.parse::<tokio_postgres::Config>();
            return match parsed {
                Ok(config) if config.get_dbname().is_some() && !config.get_hosts().is_empty() => {
                    Ok(Self::Postgres(Secret::new(text)))
                }
                _ => Err(StateUrlError::BadPostgres),
            };
        }
        Err(StateUrlError::UnknownScheme)
    }
}

impl fmt::Display for StateUrl {
    /// The address without user, password and options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => match url.reveal().parse() {
                Ok(config) => write!(f, "postgres://{}", postgres_place(&config)),
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl StateUrl {
    /// The address as `--state` takes it; may hold a password.
    #[must_use]
    pub fn to_argument(&self) -> Secret {
        match self {
            Self::Sqlite(path) => {
                let path = path.display().to_string();
                Secret::new(format!("sqlite://{}", utf8_percent_encode(&path, &SPECIAL)))
            }
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// What means something else in a SQLite address.
const SPECIAL: AsciiSet = CONTROLS.add(b'%').add(b'?').add(b'#');

fn sqlite_path(text: &str) -> Result<PathBuf, StateUrlError> {
    let shaped = text.starts_with('/') || text.starts_with("./") || text.starts_with("../");
    if !shaped || text.contains(['?', '#']) || text.ends_with('/') {
        return Err(StateUrlError::BadPath);
    }
    let path = percent_decode_str(text).decode_utf8().map_err(|_| StateUrlError::BadPath)?;
    if path.contains('\0') {
        return Err(StateUrlError::BadPath);
    }
    Ok(PathBuf::from(path.as_ref()))
}

fn postgres_place(config: &tokio_postgres::Config) -> String {
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(name)) => name.clone(),
        Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{host}:{port}/{}", config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_or_visibly_relative() {
        let path = |text: &str| text.parse::<StateUrl>();
        assert_eq!(path("sqlite:///var/a%20b.db"), Ok(StateUrl::Sqlite("/var/a b.db".into())));
        for text in ["sqlite:///var/a%20b%3F%25.db", "postgres://me:pw@db.example/doorward"] {
            let url: StateUrl = text.parse().expect("an address");
            assert_eq!(url.to_argument().reveal().parse(), Ok(url));
        }
        assert_eq!(path("sqlite://./state/x.db"), Ok(StateUrl::Sqlite("./state/x.db".into())));
        assert_eq!(path("sqlite://state/x.db"), Err(StateUrlError::BadPath));
        assert_eq!(path("sqlite:///x.db?mode=ro"), Err(StateUrlError::BadPath));
        assert_eq!(path("mysql://x"), Err(StateUrlError::UnknownScheme));
    }

    #[test]
    fn a_postgres_password_is_never_shown() {
        let url: StateUrl =
            "postgres://door:hunter2@db.example:5433/state".parse().expect("an address");
        assert_eq!(url.to_string(), "postgres://db.example:5433/state");
        assert!(!format!("{url:?}").contains("hunter2"));
        for bad in
            ["postgres://door:hunter2@db:port/x", "postgres://door:hunter2@db", "postgres:///x"]
        {
            let error = bad.parse::<StateUrl>().expect_err("no address");
            assert_eq!(error, StateUrlError::BadPostgres);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
