//! How an account and an address behaved of late (`security.md` 17).
//!
//! Each wrong guess costs the account and the address a point; each hour gives one back. Unlike the
//! counters that lock, it is not cleared by a right password: an app may be careful for a while
//! after many failures, whoever made them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::access::condition::Reputation;
use crate::clock::Millis;
use crate::store::{Store, StoreError, Tx};

/// What gives a point back.
const POINT: Duration = Duration::from_secs(60 * 60);

/// How long a score is gone by, on each node.
const FRESH: Duration = Duration::from_secs(2);
const MOST_KNOWN: usize = 10_000;

/// The score never falls below minus so many points.
const WORST: u32 = 100;

/// Takes a point from each.
///
/// # Errors
/// If the store cannot be told.
pub async fn lower(
    tx: &mut Tx,
    keys: impl Iterator<Item = &String>,
    now: Millis,
) -> Result<(), StoreError> {
    for key in keys {
        tx.put_off_clean(key, now, POINT, POINT * WORST).await?;
    }
    Ok(())
}

/// Gives a point back to each, at once.
///
/// # Errors
/// If the store cannot be told.
pub async fn raise(tx: &mut Tx, keys: impl Iterator<Item = &String>) -> Result<(), StoreError> {
    for key in keys {
        tx.bring_clean_forward(key, POINT).await?;
    }
    Ok(())
}

/// Scores that were looked up a moment ago, so that a session which is known costs no query.
#[derive(Debug, Default)]
pub struct Scores {
    known: Mutex<HashMap<(String, String), Looked>>,
}

#[derive(Clone, Copy, Debug)]
struct Looked {
    clean_at: Option<Millis>,
    at: Millis,
}

impl Scores {
    /// The score of an address and of an account, if one is known: the worse of both.
    pub async fn of(
        &self,
        store: &Store,
        user_id: Option<&str>,
        address: &str,
        now: Millis,
    ) -> Reputation {
        let account = user_id.map_or_else(|| address.to_owned(), account_key);
        let keys = (account, address.to_owned());
        if let Some(known) = self.fresh(&keys, now) {
            return Reputation::Score(score(known.clean_at, now));
        }
        let look_up = async { store.read().await?.find_clean_at(&keys.0, &keys.1).await };
        match look_up.await {
            Ok(clean_at) => {
                self.keep(keys, Looked { clean_at, at: now });
                Reputation::Score(score(clean_at, now))
            }
            Err(error) => {
                tracing::warn!(%error, "a reputation could not be looked up");
                Reputation::Unknown
            }
        }
    }

    fn fresh(&self, keys: &(String, String), now: Millis) -> Option<Looked> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(keys).copied().filter(|known| now.since(known.at) < FRESH && known.at <= now)
    }

    fn keep(&self, keys: (String, String), looked: Looked) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(keys, looked);
    }
}

/// The key of an account.
#[must_use]
pub fn account_key(user_id: &str) -> String {
    format!("account:{user_id}")
}

fn score(clean_at: Option<Millis>, now: Millis) -> i64 {
    let left = clean_at.map_or(Duration::ZERO, |at| at.since(now));
    let points = left.as_millis().div_ceil(POINT.as_millis());
    -i64::try_from(points).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_a_point_and_each_hour_gives_one_back() {
        let now = Millis(1_000_000_000_000);
        let at = |minutes: u64| score(Some(now.plus(Duration::from_secs(minutes * 60))), now);
        assert_eq!([at(0), at(1), at(60), at(61), at(300)], [0, -1, -1, -2, -5]);
        assert_eq!(score(None, now), 0);
        assert_eq!(score(Some(now.minus(POINT)), now), 0);
    }
}
