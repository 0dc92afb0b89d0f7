//! What was looked up and is worth nothing, and who has guessed too often: kept in memory, so that
//! asking again costs no query. Both are bounded; what falls out is only asked about once more.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::clock::Millis;
use crate::secret::TokenDigest;

const MOST_DIGESTS: usize = 4096;
const MOST_ADDRESSES: usize = 4096;

#[derive(Default)]
pub struct Worthless {
    digests: Mutex<Digests>,
    addresses: Mutex<HashMap<String, Millis>>,
}

#[derive(Default)]
struct Digests {
    known: HashSet<TokenDigest>,
    oldest_first: VecDeque<TokenDigest>,
}

impl Worthless {
    pub fn holds(&self, digest: &TokenDigest) -> bool {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner).known.contains(digest)
    }

    /// A digest that is worthless stays so: no two tokens have the same.
    pub fn keep(&self, digest: TokenDigest) {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if !digests.known.insert(digest) {
            return;
        }
        digests.oldest_first.push_back(digest);
        if digests.oldest_first.len() > MOST_DIGESTS
            && let Some(oldest) = digests.oldest_first.pop_front()
        {
            digests.known.remove(&oldest);
        }
    }

    /// Until when an address may have nothing looked up.
    pub fn closed_until(&self, address: &str, now: Millis) -> Option<Millis> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.get(address).copied().filter(|until| now < *until)
    }

    pub fn close(&self, address: String, until: Millis, now: Millis) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MOST_ADDRESSES {
            addresses.retain(|_, until| now < *until);
        }
        // When all places are taken the store goes on counting for the rest.
        if addresses.len() < MOST_ADDRESSES {
            addresses.insert(address, until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u64) -> TokenDigest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        TokenDigest(bytes)
    }

    /// `security.md` 16: every cache is bounded.
    #[test]
    fn the_oldest_falls_out_and_nothing_grows() {
        let worthless = Worthless::default();
        for number in 0..10_000 {
            worthless.keep(digest(number));
            worthless.keep(digest(number));
        }
        let digests = worthless.digests.lock().expect("the digests");
        assert_eq!(digests.known.len(), MOST_DIGESTS);
        assert_eq!(digests.oldest_first.len(), MOST_DIGESTS);
        assert!(digests.known.contains(&digest(9_999)) && !digests.known.contains(&digest(0)));
    }

    #[test]
    fn an_address_is_closed_for_a_while_and_addresses_are_bounded_too() {
        let worthless = Worthless::default();
        let (now, later) = (Millis(0), Millis(1_000));
        for number in 0..10_000 {
            worthless.close(format!("address:{number}"), later, now);
        }
        assert_eq!(worthless.addresses.lock().expect("the addresses").len(), MOST_ADDRESSES);
        assert_eq!(worthless.closed_until("address:1", now), Some(later));
        assert_eq!(worthless.closed_until("address:1", later), None);
        worthless.close("address:new".to_owned(), Millis(2_000), later);
        assert_eq!(worthless.closed_until("address:new", later), Some(Millis(2_000)));
    }
}
