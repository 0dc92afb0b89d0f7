//! Proof of possession (RFC 9449): whoever asks signs the request with a key of its own, and the tokens
//! that it is given are worth something with that key alone.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::refusal::{Challenge, ErrorCode, Refusal};
use super::{Asked, digest_of};
use crate::clock::Millis;
use crate::jose::{Compact, PublicKey};
use crate::runtime::client::Client;
use crate::secret::MasterKey;

pub const HEADER: &str = "dpop";
/// What we want to see in the next proof (RFC 9449 §8).
pub const NONCE_HEADER: &str = "dpop-nonce";
const TYPE: &str = "dpop+jwt";

/// A nonce is told for so long, and good for as long again. The time that it bounds is ours: clocks of
/// clients need not be right.
const SLOT: Duration = Duration::from_secs(300);
const LONGEST_ID: usize = 256;

/// The nonce of this moment. Every node of ours says the same one, and none has to remember it.
#[must_use]
pub fn nonce(key: &MasterKey, now: Millis) -> String {
    of_slot(key, slot(now))
}

fn slot(now: Millis) -> i64 {
    now.0.div_euclid(i64::try_from(SLOT.as_millis()).unwrap_or(i64::MAX))
}

fn of_slot(key: &MasterKey, slot: i64) -> String {
    let digest = key.digest(format!("dpop-nonce\0{slot}").as_bytes());
    URL_SAFE_NO_PAD.encode(digest.0.get(..16).unwrap_or_default())
}

/// Whether a nonce is one of ours, of now or a moment ago; the clock of another node may be ahead.
fn is_fresh(key: &MasterKey, now: Millis, nonce: &str) -> bool {
    let slot = slot(now);
    [slot, slot.saturating_sub(1), slot.saturating_add(1)]
        .into_iter()
        .any(|slot| of_slot(key, slot) == nonce)
}

/// Whether a request brings a proof, good or not.
#[must_use]
pub fn is_brought(headers: &HeaderMap) -> bool {
    headers.contains_key(HEADER)
}

/// What a proof is brought for.
#[derive(Clone, Copy)]
pub enum Occasion<'a> {
    /// Tokens, or a request, of this client.
    Tokens(&'a Client),
    /// What this access token opens.
    Resource(&'a str),
}

impl<'a> Occasion<'a> {
    fn access_token(self) -> Option<&'a str> {
        match self {
            Self::Tokens(_) => None,
            Self::Resource(token) => Some(token),
        }
    }

    /// Whether a proof is remembered, so that it comes once. What a public client brings beside it is
    /// good once by itself, and anybody may be that client: nobody is to fill the store that way
    /// (`security.md` 16).
    fn remembers(self) -> bool {
        match self {
            Self::Tokens(client) => !client.public,
            Self::Resource(_) => true,
        }
    }
}

/// The key that a request proves to hold, by its thumbprint (RFC 7638); `None` if it brings no proof
/// (RFC 9449 §4.3).
pub async fn proven(asked: &Asked<'_>, occasion: Occasion<'_>) -> Result<Option<String>, Refusal> {
    let access_token = occasion.access_token();
    let mut lines = asked.parts.headers.get_all(HEADER).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let at_resource = access_token.is_some();
    let wrong = |why: &'static str| refusal(ErrorCode::InvalidDpopProof, why, at_resource);
    if lines.next().is_some() {
        return Err(wrong("there is more than one DPoP header"));
    }
    let token = line.to_str().ok().and_then(|text| Compact::read(text).ok());
    let token = token.ok_or_else(|| wrong("the DPoP header is not a signed token"))?;
    let key = key(&token).map_err(wrong)?;
    fits(asked, &token, access_token).map_err(wrong)?;
    let (server, now) = (asked.server, asked.server.clock.now());
    let nonce = token.text("nonce");
    if !nonce.is_some_and(|nonce| is_fresh(&server.key, now, nonce)) {
        let why = "the proof must hold the nonce that the header DPoP-Nonce says";
        return Err(refusal(ErrorCode::UseDpopNonce, why, at_resource));
    }
    let id = token.text("jti").filter(|id| id.len() <= LONGEST_ID);
    let id = id.ok_or_else(|| wrong("the proof has no jti, or a very long one"))?;
    let thumbprint = key.thumbprint().to_owned();
    if !occasion.remembers() {
        return Ok(Some(thumbprint));
    }
    let name = format!("dpop\0{thumbprint}\0{id}");
    let mut tx = server.store.begin().await?;
    let until = now.plus(SLOT * 3);
    let first = tx.use_once(&server.key.digest(name.as_bytes()), until).await?;
    tx.commit().await?;
    match first {
        true => Ok(Some(thumbprint)),
        false => Err(wrong("the proof was used before")),
    }
}

/// The key that the header holds, if it signed the proof.
fn key(token: &Compact<'_>) -> Result<PublicKey, &'static str> {
    if token.header_text("typ") != Some(TYPE) {
        return Err("the proof is not of the type dpop+jwt");
    }
    let algorithm =
        token.algorithm().ok_or("the proof is signed by an algorithm that is not taken")?;
    let jwk = token.header.get("jwk").ok_or("the proof does not hold its key (jwk)")?;
    let key = PublicKey::read(jwk, algorithm).map_err(|_| "the key of the proof cannot be used")?;
    if key.signed(token) { Ok(key) } else { Err("the proof is not signed by its key") }
}

/// Whether the proof is for this request.
fn fits(
    asked: &Asked<'_>,
    token: &Compact<'_>,
    access_token: Option<&str>,
) -> Result<(), &'static str> {
    if token.text("htm") != Some(asked.parts.method.as_str()) {
        return Err("the proof is for another method (htm)");
    }
    let here = format!("{}{}", asked.runtime.external, asked.parts.uri.path());
    let named = token.text("htu").and_then(|text| url::Url::parse(text).ok());
    let named = named.map(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        url
    });
    if named.is_none() || named != url::Url::parse(&here).ok() {
        return Err("the proof is for another address (htu)");
    }
    if token.seconds("iat").is_none() {
        return Err("the proof does not say when it was made (iat)");
    }
    match access_token.map(digest_of) {
        Some(hash) if token.text("ath") != Some(&hash) => {
            Err("the proof is for another access token (ath)")
        }
        _ => Ok(()),
    }
}

fn refusal(code: ErrorCode, why: &'static str, at_resource: bool) -> Refusal {
    let challenge = at_resource.then_some(Challenge::Dpop);
    Refusal { challenge, ..Refusal::new(code, why) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Rng;

    #[test]
    fn a_nonce_is_good_for_a_while_and_no_longer() {
        let key = MasterKey::parse(&MasterKey::generate(&Rng::system()).expect("a key"));
        let key = key.expect("a key");
        let told = nonce(&key, Millis(0));
        let good = |minutes: i64| is_fresh(&key, Millis(minutes * 60_000), &told);
        assert!(good(0) && good(4) && good(9) && good(-4));
        assert!(!good(10) && !good(60) && !good(-6));
        assert!(!is_fresh(&key, Millis(0), ""));
    }
}
