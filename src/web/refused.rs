//! What was refused, by a name to ask about it: `doorward explain --ref` tells what the store knows.
//!
//! The same thing refused again has the same name and is kept once, so that nobody fills the store by
//! trying again. It knows nothing of what is refused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;
use crate::journal::Journal;
use crate::secret::TokenDigest;

/// For how long the same thing has the same name.
const SAME: Duration = Duration::from_secs(600);
/// Past so many at once, the oldest is told anew.
const MOST: usize = 1024;

/// What was refused of late.
#[derive(Debug, Default)]
pub struct Refused(Mutex<HashMap<TokenDigest, (Millis, String)>>);

impl Refused {
    /// The name of a refusal: the one that it has, or that of a new event.
    pub fn name(
        &self,
        what: TokenDigest,
        now: Millis,
        journal: &Journal,
        subject: Option<&str>,
        data: serde_json::Value,
    ) -> Option<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, name)) = known.get(&what)
            && now.since(*at) < SAME
        {
            return Some(name.clone());
        }
        if known.len() >= MOST {
            known.retain(|_, (at, _)| now.since(*at) < SAME);
        }
        if known.len() >= MOST
            && let Some(oldest) = known.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| *key)
        {
            known.remove(&oldest);
        }
        let name = journal.note("token.refused", None, subject, data)?;
        known.insert(what, (now, name.clone()));
        Some(name)
    }
}
