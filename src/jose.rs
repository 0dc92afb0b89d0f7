//! JSON Web Signatures and the keys they are made and checked with (RFC 7515, 7517, 7518, 8037).
//!
//! A key knows its one algorithm, and whoever checks says which key it must be: nothing in a token's
//! header chooses (`alg`, `jku`, `x5u`, `jwk`). It knows no claim, no clock and no store.

/// The compact form: three parts, read without trust.
pub mod compact;
/// Public keys of one owner.
pub mod key_set;
/// Tokens that both sides know the secret of.
pub mod mac;
/// Keys of others, as JSON Web Keys say them.
pub mod public_key;
/// Keys of ours.
pub mod signing_key;

pub use compact::{Compact, Malformed};
pub use key_set::{KeySet, KeySetFault};
pub use public_key::{KeyFault, PublicKey};
pub use signing_key::{SigningFault, SigningKey};

/// How a token is signed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// As headers and files spell it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.word() == word)
    }
}
