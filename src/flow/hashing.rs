//! Password hashes, made and verified on a bounded pool.
//!
//! One hash takes 19 MiB and some 20 ms: as many run at once as there are cores, a few more may
//! wait, and everybody else is told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::ids::{NoRandomness, Rng};
use crate::secret::Secret;

/// Longer passwords are refused before they are hashed.
pub const LONGEST: usize = 1024;

/// Nobody's hash, with today's parameters: unknown accounts cost the same work.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$\
                      c5aHqPvk1p6D0q1qkVbV3p0uJcMnZ3cR2rYf4nB7x9E";

/// How many may wait for each one that runs.
const WAITING: usize = 32;

/// Makes and verifies password hashes.
#[derive(Debug)]
pub struct Hasher {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    most: usize,
}

/// Why no hash could be made or verified.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("too many people sign in at this moment")]
    Busy,
    #[error("the password is longer than {LONGEST} bytes")]
    TooLong,
    #[error("the stored hash is damaged")]
    Damaged,
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// The answer to a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    Right,
    /// Right, but the hash was made with weaker parameters.
    RightButOld,
    Wrong,
}

impl Hasher {
    #[must_use]
    pub fn new(cores: usize) -> Self {
        let cores = cores.max(1);
        Self {
            running: Arc::new(Semaphore::new(cores)),
            waiting: AtomicUsize::new(0),
            most: cores * WAITING,
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// If it is too long, or too many are at it.
    pub async fn hash(&self, password: &Secret, rng: &Rng) -> Result<Secret, HashError> {
        let mut salt = [0_u8; 16];
        rng.fill(&mut salt)?;
        let password = password.clone();
        self.run(move || {
            let salt = SaltString::encode_b64(&salt).map_err(|_| HashError::Damaged)?;
            let hash = argon().hash_password(password.reveal().as_bytes(), &salt);
            hash.map(|hash| Secret::new(hash.to_string())).map_err(|_| HashError::Damaged)
        })
        .await
    }

    /// Verifies a password; without a hash the same work is done for nobody.
    ///
    /// # Errors
    /// If it is too long, too many are at it, or the stored hash cannot be read.
    pub async fn verify(
        &self,
        password: &Secret,
        hash: Option<&Secret>,
    ) -> Result<Verified, HashError> {
        if password.reveal().len() > LONGEST {
            return Err(HashError::TooLong);
        }
        let (password, known) = (password.clone(), hash.is_some());
        let hash = hash.cloned().unwrap_or_else(|| Secret::new(NOBODY));
        self.run(move || {
            let hash = PasswordHash::new(hash.reveal()).map_err(|_| HashError::Damaged)?;
            let right = argon().verify_password(password.reveal().as_bytes(), &hash).is_ok();
            Ok(match (right && known, is_current(&hash)) {
                (false, _) => Verified::Wrong,
                (true, true) => Verified::Right,
                (true, false) => Verified::RightButOld,
            })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(HashError::Busy);
        }
        let permit = Arc::clone(&self.running).acquire_owned().await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let permit = permit.map_err(|_| HashError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|_| HashError::Busy)?
    }
}

fn argon() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Whether the hash has at least the parameters of today.
fn is_current(hash: &PasswordHash<'_>) -> bool {
    let wanted = Params::default();
    let found = Params::try_from(hash);
    hash.algorithm == argon2::ARGON2ID_IDENT
        && found.is_ok_and(|found| {
            found.m_cost() >= wanted.m_cost() && found.t_cost() >= wanted.t_cost()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_alone() {
        let hasher = Hasher::new(1);
        let hash =
            hasher.hash(&Secret::new("correct horse"), &Rng::counted(1)).await.expect("a hash");
        assert!(hash.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let right = hasher.verify(&Secret::new("correct horse"), Some(&hash)).await;
        assert_eq!(right.expect("an answer"), Verified::Right);
        let wrong = hasher.verify(&Secret::new("wrong"), Some(&hash)).await;
        assert_eq!(wrong.expect("an answer"), Verified::Wrong);
    }

    #[tokio::test]
    async fn nobody_is_verified_with_the_same_work_and_never_right() {
        let nobody = PasswordHash::new(NOBODY).expect("a readable hash");
        assert!(is_current(&nobody));
        let answer = Hasher::new(1).verify(&Secret::new("anything"), None).await;
        assert_eq!(answer.expect("an answer"), Verified::Wrong);
    }

    #[tokio::test]
    async fn long_passwords_are_refused_before_hashing() {
        let long = Secret::new("x".repeat(LONGEST + 1));
        assert!(matches!(Hasher::new(1).verify(&long, None).await, Err(HashError::TooLong)));
    }
}
