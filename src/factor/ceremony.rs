//! One exchange with a passkey, sealed into the page that asks for it.
//!
//! A page that anybody may open writes nothing: what the server has to remember of a challenge
//! travels with the form, sealed to the browser and the purpose, good for a few minutes and once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::FactorError;
use crate::clock::Millis;
use crate::ids::Rng;
use crate::secret::{MasterKey, Secret};
use crate::store::Tx;

/// How long a person may take.
pub const LASTS: Duration = Duration::from_secs(10 * 60);

/// What a challenge is for: one never answers another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SetUp,
    Prove,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::SetUp => "set-up",
            Self::Prove => "prove",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Ceremony<T> {
    state: T,
    until: Millis,
}

/// Seals `state` for the browser with this flow cookie.
///
/// # Errors
/// If there is no randomness.
pub fn seal<T: Serialize>(
    key: &MasterKey,
    rng: &Rng,
    (purpose, cookie): (Purpose, &str),
    state: T,
    now: Millis,
) -> Result<String, FactorError> {
    let text = serde_json::to_string(&Ceremony { state, until: now.plus(LASTS) });
    let text = Secret::new(text.map_err(FactorError::Damaged)?);
    Ok(URL_SAFE_NO_PAD.encode(key.seal(&text, &bound(purpose, cookie), rng)?))
}

/// What `seal` sealed, if it was for this browser and purpose and not too long ago.
#[must_use]
pub fn open<T: DeserializeOwned>(
    key: &MasterKey,
    (purpose, cookie): (Purpose, &str),
    sealed: &str,
    now: Millis,
) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let text = key.open(&bytes, &bound(purpose, cookie)).ok()?;
    let ceremony: Ceremony<T> = serde_json::from_str(text.reveal()).ok()?;
    (now < ceremony.until).then_some(ceremony.state)
}

/// Uses a challenge up; `false` if somebody did before.
///
/// # Errors
/// If the store cannot be told.
pub async fn consume(
    tx: &mut Tx,
    key: &MasterKey,
    sealed: &str,
    now: Millis,
) -> Result<bool, FactorError> {
    // The decoded bytes: the last character of base64 can be spelled in more than one way.
    let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap_or_default();
    Ok(tx.use_once(&key.digest(&bytes), now.plus(LASTS)).await?)
}

fn bound(purpose: Purpose, cookie: &str) -> String {
    format!("passkey/{}/{cookie}", purpose.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_in_its_browser_for_its_purpose_and_in_its_time() {
        let key = MasterKey::parse(&Secret::new("a".repeat(64))).expect("a key");
        let (at, now) = ((Purpose::Prove, "cookie"), Millis(1_000));
        let sealed = seal(&key, &Rng::counted(1), at, 7_u32, now).expect("sealed");
        assert_eq!(open::<u32>(&key, at, &sealed, now), Some(7));
        assert_eq!(open::<u32>(&key, (Purpose::SetUp, "cookie"), &sealed, now), None);
        assert_eq!(open::<u32>(&key, (Purpose::Prove, "other"), &sealed, now), None);
        assert_eq!(open::<u32>(&key, at, &sealed, now.plus(LASTS)), None);
        assert_eq!(open::<u32>(&key, at, "AAAA", now), None);
    }
}
