//! The public keys of one owner (RFC 7517 §5).

use serde_json::Value;

use super::{Algorithm, Compact, KeyFault, PublicKey};

/// No set that we read is longer.
pub const LONGEST: usize = 64 * 1024;
/// Nobody has more keys than this, and each may cost a signature to be checked.
const MOST: usize = 32;

/// Public keys, each for one algorithm: an RSA key that names none stands for both paddings.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<PublicKey>);

/// Why a text is no set of public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetFault {
    #[error("it is no JSON object with a list `keys`")]
    Shape,
    #[error("it holds more than 32 keys or is longer than 64 KiB")]
    TooMany,
    #[error("none of its keys can be used: {0}")]
    Unusable(KeyFault),
    #[error("it holds no key")]
    Empty,
    #[error("it holds a private key: whoever can read it could sign")]
    Private,
}

impl KeySet {
    /// Reads a set. Keys of other kinds are left out, as the specification asks (RFC 7517 §5), but a
    /// private key is never passed over in silence.
    ///
    /// # Errors
    /// If it is none, or holds no key that can be used.
    pub fn read(text: &str) -> Result<Self, KeySetFault> {
        if text.len() > LONGEST {
            return Err(KeySetFault::TooMany);
        }
        let value: Value = serde_json::from_str(text).map_err(|_| KeySetFault::Shape)?;
        let listed = value.get("keys").and_then(Value::as_array).ok_or(KeySetFault::Shape)?;
        if listed.len() > MOST {
            return Err(KeySetFault::TooMany);
        }
        let mut keys = Vec::new();
        let mut fault = None;
        for jwk in listed {
            for algorithm in Algorithm::ALL {
                match PublicKey::read(jwk, algorithm) {
                    Ok(key) => keys.push(key),
                    Err(KeyFault::Private) => return Err(KeySetFault::Private),
                    Err(KeyFault::Algorithm) => {}
                    Err(other) => fault = Some(other),
                }
            }
        }
        match (keys.is_empty(), fault) {
            (false, _) => Ok(Self(keys)),
            (true, Some(fault)) => Err(KeySetFault::Unusable(fault)),
            (true, None) if listed.is_empty() => Err(KeySetFault::Empty),
            (true, None) => Err(KeySetFault::Unusable(KeyFault::Algorithm)),
        }
    }

    /// Whether a key of this name is there, or the token names none.
    #[must_use]
    pub fn knows(&self, token: &Compact<'_>) -> bool {
        let named = token.header_text("kid");
        named.is_none_or(|id| self.0.iter().any(|key| key.id() == Some(id)))
    }

    /// Whether one of the keys signed the token, by one of these algorithms. Where the token names a
    /// key it must be that one.
    #[must_use]
    pub fn signed(&self, token: &Compact<'_>, allowed: &[Algorithm]) -> bool {
        let named = token.header_text("kid");
        let fits = |key: &&PublicKey| {
            allowed.contains(&key.algorithm())
                && match (named, key.id()) {
                    (Some(named), Some(id)) => named == id,
                    _ => true,
                }
        };
        self.0.iter().filter(fits).any(|key| key.signed(token))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    fn set(keys: &[&SigningKey]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys }).to_string()
    }

    #[test]
    fn a_token_is_checked_with_the_key_that_it_names() {
        let (one, _) = SigningKey::generate(Algorithm::Es256).expect("a key");
        let (two, _) = SigningKey::generate(Algorithm::EdDsa).expect("a key");
        let known = KeySet::read(&set(&[&one])).expect("a set");
        let token = one.token("JWT", &json!({})).expect("a token");
        let token = Compact::read(&token).expect("a token");
        assert!(known.knows(&token) && known.signed(&token, &Algorithm::ALL));
        assert!(!known.signed(&token, &[Algorithm::Ps256, Algorithm::EdDsa]));
        let other = two.token("JWT", &json!({})).expect("a token");
        let other = Compact::read(&other).expect("a token");
        assert!(!known.knows(&other) && !known.signed(&other, &Algorithm::ALL));
    }

    #[test]
    fn what_is_no_set_of_public_keys_is_said_to_be_none() {
        let fault = |text: &str| KeySet::read(text).expect_err("no set");
        assert_eq!(fault("x"), KeySetFault::Shape);
        assert_eq!(fault("{\"keys\":{}}"), KeySetFault::Shape);
        assert_eq!(fault("{\"keys\":[]}"), KeySetFault::Empty);
        let kind = KeySetFault::Unusable(KeyFault::Kind);
        assert_eq!(fault("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\"}]}"), kind);
        assert_eq!(fault("{\"keys\":[{\"kty\":\"OKP\",\"d\":\"x\"}]}"), KeySetFault::Private);
        assert_eq!(fault("{\"keys\":[{\"kty\":\"oct\",\"k\":\"x\"}]}"), KeySetFault::Private);
        let many = json!({ "keys": vec![json!({}); MOST + 1] }).to_string();
        assert_eq!(fault(&many), KeySetFault::TooMany);
    }
}
