//! Keys of others, as JSON Web Keys say them (RFC 7517).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Algorithm, Compact};

/// The longest modulus that is checked with: a longer one costs too much.
const LONGEST_MODULUS: usize = 512;

/// A public key for one algorithm.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// The name that its owner gave it.
    id: Option<String>,
    thumbprint: String,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point of P-256, uncompressed.
    Ec(Vec<u8>),
    Ed(Vec<u8>),
}

/// Why a JSON Web Key is not one that is checked with here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("a key is RSA, EC on P-256, or OKP on Ed25519")]
    Kind,
    #[error("a member of the key is missing or not base64url")]
    Member,
    #[error("the key is too short or too long: RSA has 2048 to 4096 bits")]
    Size,
    #[error("the key is for encryption")]
    Use,
    #[error("the key holds its private half, which nobody else should have")]
    Private,
    #[error("the key is not for this algorithm")]
    Algorithm,
}

impl PublicKey {
    /// Reads a key. One whose algorithm is not said may be for any that its kind has; an RSA key is
    /// then for `PS256` or `RS256` as `wanted` says.
    ///
    /// # Errors
    /// If it is none that is checked with here.
    pub fn read(jwk: &Value, wanted: Algorithm) -> Result<Self, KeyFault> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            let decoded = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            decoded.ok_or(KeyFault::Member)
        };
        if ["d", "p", "q", "k"].iter().any(|name| jwk.get(name).is_some()) {
            return Err(KeyFault::Private);
        }
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return Err(KeyFault::Use);
        }
        let material = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                let (n, e) = (trimmed(bytes("n")?), trimmed(bytes("e")?));
                if !(256..=LONGEST_MODULUS).contains(&n.len()) || e.is_empty() || e.len() > 4 {
                    return Err(KeyFault::Size);
                }
                Material::Rsa { n, e }
            }
            (Some("EC"), Some("P-256")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != 32 || y.len() != 32 {
                    return Err(KeyFault::Size);
                }
                Material::Ec([&[4], x.as_slice(), y.as_slice()].concat())
            }
            (Some("OKP"), Some("Ed25519")) => {
                let x = bytes("x")?;
                if x.len() != 32 {
                    return Err(KeyFault::Size);
                }
                Material::Ed(x)
            }
            _ => return Err(KeyFault::Kind),
        };
        let fits = matches!(
            (&material, wanted),
            (Material::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256)
                | (Material::Ec(_), Algorithm::Es256)
                | (Material::Ed(_), Algorithm::EdDsa)
        );
        let said = text("alg").is_none_or(|said| {
            said == wanted.word() || (wanted == Algorithm::EdDsa && said == "Ed25519")
        });
        if !fits || !said {
            return Err(KeyFault::Algorithm);
        }
        Ok(Self {
            algorithm: wanted,
            id: text("kid").map(str::to_owned),
            thumbprint: thumbprint(jwk).ok_or(KeyFault::Member)?,
            material,
        })
    }

    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What the key is known by, whatever it is called (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the token was signed with this key's private half, by its one algorithm.
    #[must_use]
    pub fn signed(&self, token: &Compact<'_>) -> bool {
        token.algorithm() == Some(self.algorithm)
            && self.verifies(token.signed.as_bytes(), &token.signature)
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let plain = |kind: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(kind, key).verify(message, signature).is_ok()
        };
        match &self.material {
            Material::Ec(point) => plain(&ECDSA_P256_SHA256_FIXED, point),
            Material::Ed(key) => plain(&ED25519, key),
            Material::Rsa { n, e } => {
                let kind = match self.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                let parts = RsaPublicKeyComponents { n, e };
                let key: Result<ParsedPublicKey, _> = parts.to_parsed_public_key(kind);
                key.is_ok_and(|key| key.verify_sig(message, signature).is_ok())
            }
        }
    }
}

/// The digest of the members that make a key what it is, in their order (RFC 7638 §3).
#[must_use]
pub fn thumbprint(jwk: &Value) -> Option<String> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let members: Option<Vec<String>> = names
        .iter()
        .map(|name| {
            let value = jwk.get(name)?.as_str()?;
            Some(format!("\"{name}\":{}", Value::String(value.to_owned())))
        })
        .collect();
    let text = format!("{{{}}}", members?.join(","));
    Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes())))
}

/// Without leading zeros, which change nothing about a number.
fn trimmed(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    /// The example of RFC 7638 §3.1.
    #[test]
    fn a_thumbprint_is_the_one_of_the_specification() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        });
        let found = thumbprint(&jwk).expect("one");
        assert_eq!(found, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn what_a_key_signed_is_known_by_its_public_half_and_by_no_other() {
        for algorithm in Algorithm::ALL {
            let (key, private) = SigningKey::generate(algorithm).expect("a key");
            let token = key.token("JWT", &json!({ "sub": "x" })).expect("a token");
            let read = Compact::read(&token).expect("a token");
            let public = PublicKey::read(key.jwk(), algorithm).expect("a key");
            assert!(public.signed(&read), "{algorithm:?}");
            assert_eq!(read.header_text("kid"), public.id());
            assert_eq!(public.thumbprint(), key.id());
            let again = SigningKey::read(algorithm, &private).expect("the same");
            assert_eq!(again.id(), key.id());

            let (other, _) = SigningKey::generate(algorithm).expect("a key");
            let other = PublicKey::read(other.jwk(), algorithm).expect("a key");
            assert!(!other.signed(&read), "{algorithm:?}");
            let mut altered = Compact::read(&token).expect("a token");
            altered.signature.reverse();
            assert!(!public.signed(&altered), "{algorithm:?}");
        }
    }

    /// A token cannot choose how it is checked, not even between two ways of one key.
    #[test]
    fn a_key_is_for_one_algorithm() {
        let (key, _) = SigningKey::generate(Algorithm::Rs256).expect("a key");
        let fault = PublicKey::read(key.jwk(), Algorithm::Ps256).expect_err("not for it");
        assert_eq!(fault, KeyFault::Algorithm);
        let mut jwk = key.jwk().clone();
        jwk.as_object_mut().expect("members").remove("alg");
        let other = PublicKey::read(&jwk, Algorithm::Ps256).expect("a key");
        let token = key.token("JWT", &json!({})).expect("a token");
        assert!(!other.signed(&Compact::read(&token).expect("a token")));
        for wrong in [Algorithm::Es256, Algorithm::EdDsa] {
            assert_eq!(PublicKey::read(&jwk, wrong).err(), Some(KeyFault::Algorithm));
        }
    }

    #[test]
    fn keys_that_nobody_should_use_are_refused() {
        let read = |jwk: Value, algorithm| PublicKey::read(&jwk, algorithm).expect_err("refused");
        let short = URL_SAFE_NO_PAD.encode([1; 128]);
        let long = URL_SAFE_NO_PAD.encode([1; 1024]);
        for n in [short, long] {
            let jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB" });
            assert_eq!(read(jwk, Algorithm::Rs256), KeyFault::Size);
        }
        let secret = json!({ "kty": "oct", "k": "c2VjcmV0" });
        assert_eq!(read(secret, Algorithm::Rs256), KeyFault::Private);
        let other = json!({ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" });
        assert_eq!(read(other, Algorithm::Es256), KeyFault::Kind);
        let wrong_use = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA", "use": "enc" });
        assert_eq!(read(wrong_use, Algorithm::EdDsa), KeyFault::Use);
        // A point that is not on the curve checks nothing.
        let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": zeros, "y": zeros });
        let key = PublicKey::read(&jwk, Algorithm::Es256).expect("looks like one");
        assert!(!key.verifies(b"message", &[0; 64]));
    }
}
