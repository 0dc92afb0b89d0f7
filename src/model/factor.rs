//! Second factors.

use serde::{Deserialize, Serialize};

/// The class of a second factor, in the word of blueprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    Totp,
    Webauthn,
    RecoveryCode,
    EmailCode,
    Duo,
}

impl Factor {
    pub const ALL: [Self; 5] =
        [Self::Totp, Self::Webauthn, Self::RecoveryCode, Self::EmailCode, Self::Duo];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Webauthn => "webauthn",
            Self::RecoveryCode => "recovery-code",
            Self::EmailCode => "email-code",
            Self::Duo => "duo",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.word() == word)
    }
}
