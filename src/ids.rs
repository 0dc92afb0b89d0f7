//! Prefixed, time-ordered identifiers and random tokens.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SecureRandom;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Millis;

/// The source of chance: the system's, or a counter that makes tests repeatable.
#[derive(Clone, Debug)]
pub struct Rng(Dice);

#[derive(Clone, Debug)]
enum Dice {
    System,
    Counted(Arc<Mutex<u64>>),
}

/// The system's source of randomness is gone; nothing may go on.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator failed")]
pub struct NoRandomness;

impl Rng {
    #[must_use]
    pub fn system() -> Self {
        Self(Dice::System)
    }

    /// Repeatable and worthless: for tests alone.
    #[must_use]
    pub fn counted(seed: u64) -> Self {
        Self(Dice::Counted(Arc::new(Mutex::new(seed))))
    }

    /// Fills `bytes` with randomness.
    ///
    /// # Errors
    /// If the system has none to give.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        match &self.0 {
            Dice::System => {
                aws_lc_rs::rand::SystemRandom::new().fill(bytes).map_err(|_| NoRandomness)
            }
            Dice::Counted(counter) => {
                let mut state = counter.lock().unwrap_or_else(PoisonError::into_inner);
                for chunk in bytes.chunks_mut(32) {
                    *state = state.wrapping_add(1);
                    let digest =
                        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &state.to_be_bytes());
                    for (byte, random) in chunk.iter_mut().zip(digest.as_ref()) {
                        *byte = *random;
                    }
                }
                Ok(())
            }
        }
    }

    /// 256 random bits as 43 URL-safe characters.
    ///
    /// # Errors
    /// If the system has none to give.
    pub fn token(&self) -> Result<String, NoRandomness> {
        let mut bytes = [0_u8; 32];
        self.fill(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A time-ordered identifier such as `app_01J8Z3…`.
    ///
    /// # Errors
    /// If the system has none to give.
    pub fn id(&self, prefix: &str, now: Millis) -> Result<String, NoRandomness> {
        let mut bytes = [0_u8; 10];
        self.fill(&mut bytes)?;
        let mut random = [0_u8; 16];
        for (to, from) in random.iter_mut().skip(6).zip(bytes) {
            *to = from;
        }
        let moment = u64::try_from(now.0).unwrap_or(0);
        let ulid = ulid::Ulid::from_parts(moment, u128::from_be_bytes(random));
        Ok(format!("{prefix}_{ulid}"))
    }
}
