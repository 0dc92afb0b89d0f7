//! Hashes of people's passwords, as files may bring them along.

use argon2::{Algorithm, Params, PasswordHash};

/// Memory that one verification may take, in KiB: 256 MiB.
const MOST_MEMORY: u32 = 256 * 1024;
/// Rounds over that memory.
const MOST_ROUNDS: u32 = 16;
const MOST_LANES: u32 = 16;

/// Why a text is no hash that people may sign in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    #[error("only $argon2id$ hashes are verified here")]
    NotArgon2id,
    #[error("it cannot be read as a hash in PHC form")]
    Unreadable,
    #[error("to verify it would take more than 256 MiB, 16 rounds or 16 lanes")]
    TooHeavy,
}

/// Whether somebody may sign in by this hash: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, with a bound
/// on what one attempt costs, since strangers choose how many attempts there are.
///
/// # Errors
/// If it is of another kind, damaged or too heavy.
pub fn check(text: &str) -> Result<(), PasswordHashError> {
    if !text.starts_with("$argon2id$") {
        return Err(PasswordHashError::NotArgon2id);
    }
    let hash = PasswordHash::new(text).map_err(|_| PasswordHashError::Unreadable)?;
    let known = Algorithm::try_from(hash.algorithm).is_ok();
    let params = Params::try_from(&hash).ok().filter(|_| known);
    let (Some(params), Some(_), Some(_)) = (params, hash.salt, hash.hash) else {
        return Err(PasswordHashError::Unreadable);
    };
    if params.m_cost() > MOST_MEMORY
        || params.t_cost() > MOST_ROUNDS
        || params.p_cost() > MOST_LANES
    {
        return Err(PasswordHashError::TooHeavy);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "$bm9ib2R5IGhhcyB0aGlz$c5aHqPvk1p6D0q1qkVbV3p0uJcMnZ3cR2rYf4nB7x9E";

    #[test]
    fn what_is_verified_here_is_admitted() {
        for head in ["m=65536,t=3,p=4", "m=19456,t=2,p=1", "m=262144,t=16,p=16"] {
            assert_eq!(check(&format!("$argon2id$v=19${head}{REST}")), Ok(()), "{head}");
        }
    }

    #[test]
    fn what_is_not_says_why() {
        use PasswordHashError::{NotArgon2id, TooHeavy, Unreadable};
        for (text, why) in [
            ("", NotArgon2id),
            ("$2b$12$abc", NotArgon2id),
            ("$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", NotArgon2id),
            ("$argon2id$v=19$m=65536,t=3,p=4", Unreadable),
            ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ", Unreadable),
            ("$argon2id$v=19$m=x$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo", Unreadable),
        ] {
            assert_eq!(check(text), Err(why), "{text}");
        }
        for head in ["m=4194304,t=3,p=4", "m=65536,t=1000,p=4", "m=65536,t=3,p=255"] {
            assert_eq!(check(&format!("$argon2id$v=19${head}{REST}")), Err(TooHeavy), "{head}");
        }
    }
}
