//! Second factors of people: what an account holds, how one is made, and how a proof is checked.
//!
//! It knows the store and the master key, and neither flows nor pages. Nothing here decides when a
//! factor is asked for.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ids::{NoRandomness, Rng};
use crate::secret::{MasterKey, SealError, Secret};
use crate::store::StoreError;

/// One exchange with a passkey, sealed so that nothing need be kept for it.
pub mod ceremony;
/// Codes that prove a factor once.
pub mod codes;
/// Duo's universal prompt.
pub mod duo;
/// What an account can prove.
pub mod held;
/// Passkeys and security keys.
pub mod passkey;
/// Recovery codes.
pub mod recovery_code;
/// Codes of an authenticator app.
pub mod totp;

/// Why a factor could not be made or looked at. A wrong proof is no error.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error("a stored factor is damaged: {0}")]
    Damaged(serde_json::Error),
    #[error("the passkey library refused: {0}")]
    Passkey(String),
}

/// Seals the values of a factor to its id.
///
/// # Errors
/// If there is no randomness.
pub fn seal<T: Serialize>(
    key: &MasterKey,
    rng: &Rng,
    id: &str,
    values: &T,
) -> Result<Vec<u8>, FactorError> {
    let text = serde_json::to_string(values).map_err(FactorError::Damaged)?;
    Ok(key.seal(&Secret::new(text), id, rng)?)
}

/// Opens what `seal` made.
///
/// # Errors
/// If it was sealed for another id or by another key, or is damaged.
pub fn open<T: DeserializeOwned>(
    key: &MasterKey,
    id: &str,
    sealed: &[u8],
) -> Result<T, FactorError> {
    serde_json::from_str(key.open(sealed, id)?.reveal()).map_err(FactorError::Damaged)
}
