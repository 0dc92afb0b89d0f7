//! Where programs ask from: an address that an app binds from brings the binds of all its people, and the guesses of
//! whoever stands before its login form. There, guesses count in a row of their own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;

/// How long an address is a program's after its last right token.
const STAYS: Duration = Duration::from_secs(24 * 60 * 60);
const MOST: usize = 1_000;

/// Addresses that brought the token of a service account.
#[derive(Debug, Default)]
pub struct Programs(Mutex<HashMap<String, Millis>>);

impl Programs {
    pub fn saw(&self, address: &str, now: Millis) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, until| now < *until);
        }
        if known.len() < MOST {
            known.insert(address.to_owned(), now.plus(STAYS));
        }
    }

    #[must_use]
    pub fn know(&self, address: &str, now: Millis) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(address).is_some_and(|until| now < *until)
    }
}
