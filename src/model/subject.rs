//! Whom a rule speaks of.

use std::fmt;

/// `group:X`, `user:X`, `service-account:X` or `everyone`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Every signed-in person.
    Everyone,
    Group(String),
    User(String),
    ServiceAccount(String),
}

impl Subject {
    /// Reads the word of a blueprint; `None` if it does not say what it is.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if word == "everyone" {
            return Some(Self::Everyone);
        }
        let (kind, name) = word.split_once(':')?;
        if name.is_empty() {
            return None;
        }
        match kind {
            "group" => Some(Self::Group(name.to_owned())),
            "user" => Some(Self::User(name.to_owned())),
            "service-account" => Some(Self::ServiceAccount(name.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::ServiceAccount(name) => write!(f, "service-account:{name}"),
        }
    }
}
