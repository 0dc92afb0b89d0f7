//! What travels in addresses while a person proves who they are: nobody can read or change it, and it opens
//! for what it was made for alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::Secret;
use crate::web::server::Server;

/// Addresses are not endless.
const LONGEST: usize = 3 * 1024;

/// `None` if it is too long, or the system has no randomness.
pub fn seal<T: Serialize>(server: &Server, value: &T, bound: &str) -> Option<String> {
    let text = serde_json::to_string(value).ok().filter(|text| text.len() <= LONGEST)?;
    let sealed = server.key.seal(&Secret::new(text), bound, &server.rng).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// `None` if it is none of ours, or was made for something else.
pub fn open<T: DeserializeOwned>(server: &Server, sealed: &str, bound: &str) -> Option<T> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let text = server.key.open(&sealed, bound).ok()?;
    serde_json::from_str(text.reveal()).ok()
}
