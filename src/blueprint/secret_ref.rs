//! Where the value of a secret is found. Never the value itself.

use super::source::{Span, Spanned};
use crate::secret::Secret;

/// A reference to a secret, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    pub origin: SecretOrigin,
    /// `rotate=`: any changed number makes a new value.
    pub rotate: Option<i64>,
    /// `deliver=`: the file that receives a generated value.
    pub deliver: Option<Spanned<String>>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// Made by Doorward, sealed in the store.
    Generated,
    /// `(credential)name`: a file of that name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// `(file)"/run/secrets/x"`.
    File(String),
    /// `(env)NAME`.
    Env(String),
    /// `(argon2id)"$argon2id$…"`: a verifier alone.
    Argon2id(String),
    /// `(sealed)"…"`: encrypted to this server.
    Sealed(String),
    /// Written out; accepted on a development server alone.
    Literal(Secret),
}

impl SecretOrigin {
    /// The reference in the words of a blueprint, safe to print.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Generated => "generated".to_owned(),
            Self::Credential(name) => format!("(credential){name}"),
            Self::File(path) => format!("(file)\"{path}\""),
            Self::Env(name) => format!("(env){name}"),
            Self::Argon2id(_) => "(argon2id)\"…\"".to_owned(),
            Self::Sealed(_) => "(sealed)\"…\"".to_owned(),
            Self::Literal(_) => "\"…\"".to_owned(),
        }
    }
}
