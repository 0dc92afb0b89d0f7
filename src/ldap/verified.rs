//! Passwords that were right a moment ago, so that a program that binds again and again does not cost a
//! password hash each time.
//!
//! What is kept is a keyed digest of the password beside the hash that it was verified against: with another
//! password of the account it is worth nothing, at once and on every node.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;
use crate::secret::{MasterKey, Secret, TokenDigest};
use crate::store::User;

/// How long a password is taken for right without being verified.
const LASTS: Duration = Duration::from_secs(10 * 60);
/// People whose passwords are known; beyond it everybody is forgotten.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub struct Verified(Mutex<HashMap<String, (TokenDigest, Millis)>>);

impl Verified {
    /// Whether this password was verified for this account as it is now.
    #[must_use]
    pub fn knows(&self, key: &MasterKey, user: &User, given: &Secret, now: Millis) -> bool {
        let Some(digest) = digest(key, user, given) else { return false };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&user.id).is_some_and(|(known, until)| *known == digest && now < *until)
    }

    pub fn put(&self, key: &MasterKey, user: &User, given: &Secret, now: Millis) {
        let Some(digest) = digest(key, user, given) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(user.id.clone(), (digest, now.plus(LASTS)));
    }
}

fn digest(key: &MasterKey, user: &User, given: &Secret) -> Option<TokenDigest> {
    let hash = user.password_hash.as_ref()?;
    let (id, hash, given) = (&user.id, hash.reveal(), given.reveal());
    let text = zeroize::Zeroizing::new(format!("ldap-verified/{id}/{hash}/{given}"));
    Some(key.digest(text.as_bytes()))
}
