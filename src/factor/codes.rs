//! Codes that prove a second factor: each is good once.

use super::held::Held;
use super::totp::Totp;
use super::{FactorError, recovery_code as recovery_codes};
use crate::clock::Millis;
use crate::model::factor::Factor;
use crate::secret::MasterKey;
use crate::store::Store;

/// What a code came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right {
        /// The id of the factor, if it stays the account's.
        by: Option<String>,
    },
    /// It would have been right, and was used before.
    Used,
    /// It ran out.
    Expired,
    Wrong,
}

/// Whether this is a code of one of the authenticator apps that somebody holds (RFC 6238 §5.2).
///
/// # Errors
/// If the store cannot be told, or a factor was sealed with another key.
pub async fn totp(
    store: &Store,
    key: &MasterKey,
    held: &Held,
    given: &str,
    now: Millis,
) -> Result<Outcome, FactorError> {
    for factor in held.of_class(Factor::Totp) {
        let totp: Totp = super::open(key, &factor.id, &factor.sealed)?;
        let Some(step) = totp.step_of(given, now) else { continue };
        let mut tx = store.begin().await?;
        let first = tx.use_factor(&factor.id, step, now).await?;
        tx.commit().await?;
        let right = Outcome::Right { by: Some(factor.id.clone()) };
        return Ok(if first { right } else { Outcome::Used });
    }
    Ok(Outcome::Wrong)
}

/// Whether this is a recovery code that is left.
///
/// # Errors
/// If the store cannot be told.
pub async fn recovery_code(
    store: &Store,
    key: &MasterKey,
    user_id: &str,
    given: &str,
    now: Millis,
) -> Result<Outcome, FactorError> {
    let digest = recovery_codes::digest(key, user_id, given);
    let mut tx = store.begin().await?;
    let used = tx.use_recovery_code(user_id, &digest, now).await?;
    tx.commit().await?;
    Ok(if used { Outcome::Right { by: None } } else { Outcome::Wrong })
}
