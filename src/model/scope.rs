//! What an API token may do here, besides opening apps.

use serde::{Deserialize, Serialize};

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Make, list and take back invitations.
    Invitations,
}

impl Scope {
    pub const ALL: [Self; 1] = [Self::Invitations];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Invitations => "invitations",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}
