//! Keys of ours: made here, kept sealed elsewhere, and never told.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Algorithm;
use super::compact::encode;
use super::public_key::thumbprint;
use crate::secret::Secret;

/// A private key with its name.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    /// Its name: the thumbprint of its public half (RFC 7638).
    id: String,
    jwk: Value,
}

enum Pair {
    Rsa(Box<rsa::KeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm.word(), self.id)
    }
}

/// Why a key cannot be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningFault {
    #[error("the cryptographic library could not make a key")]
    NotMade,
    #[error("the kept key is not one for this algorithm")]
    NotRead,
    #[error("the cryptographic library could not sign")]
    NotSigned,
}

impl SigningKey {
    /// Makes a key, and gives its private half to be kept. An RSA key takes a moment to find.
    ///
    /// # Errors
    /// If the library has no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Secret), SigningFault> {
        let failed = |_| SigningFault::NotMade;
        let private = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                STANDARD.encode(der.as_ref())
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
                STANDARD.encode(pair.and_then(|pair| pair.to_pkcs8v1()).map_err(failed)?.as_ref())
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate();
                STANDARD.encode(pair.and_then(|pair| pair.to_pkcs8()).map_err(failed)?.as_ref())
            }
        };
        let private = Secret::new(private);
        Ok((Self::read(algorithm, &private)?, private))
    }

    /// Reads a private half as it was kept.
    ///
    /// # Errors
    /// If it is none for this algorithm.
    pub fn read(algorithm: Algorithm, private: &Secret) -> Result<Self, SigningFault> {
        let der = STANDARD.decode(private.reveal()).map_err(|_| SigningFault::NotRead)?;
        let der = zeroize::Zeroizing::new(der);
        let rejected = |_| SigningFault::NotRead;
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Pair::Rsa(Box::new(rsa::KeyPair::from_pkcs8(&der).map_err(rejected)?))
            }
            Algorithm::Es256 => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                Pair::Ec(Box::new(EcdsaKeyPair::from_pkcs8(kind, &der).map_err(rejected)?))
            }
            Algorithm::EdDsa => {
                Pair::Ed(Box::new(Ed25519KeyPair::from_pkcs8(&der).map_err(rejected)?))
            }
        };
        let mut jwk = public_half(&pair).ok_or(SigningFault::NotRead)?;
        let id = thumbprint(&jwk).ok_or(SigningFault::NotRead)?;
        if let Some(members) = jwk.as_object_mut() {
            members.insert("use".to_owned(), json!("sig"));
            members.insert("alg".to_owned(), json!(algorithm.word()));
            members.insert("kid".to_owned(), json!(id));
        }
        Ok(Self { algorithm, pair, id, jwk })
    }

    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half, for everybody.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// A token of this type (`typ`) with these claims.
    ///
    /// # Errors
    /// If the library fails.
    pub fn token(&self, typ: &str, claims: &Value) -> Result<String, SigningFault> {
        let header = json!({ "typ": typ, "alg": self.algorithm.word(), "kid": self.id });
        let mut text = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.sign(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFault> {
        let rng = SystemRandom::new();
        let failed = |_| SigningFault::NotSigned;
        match (&self.pair, self.algorithm) {
            (Pair::Rsa(pair), algorithm) => {
                let padding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &rng, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            (Pair::Ec(pair), _) => {
                pair.sign(&rng, message).map(|s| s.as_ref().to_vec()).map_err(failed)
            }
            (Pair::Ed(pair), _) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// The members that a public key is known by, and no other (RFC 7518 §6, RFC 8037 §2).
fn public_half(pair: &Pair) -> Option<Value> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match pair {
        Pair::Rsa(pair) => {
            let key = pair.public_key();
            let n = text(key.modulus().big_endian_without_leading_zero());
            let e = text(key.exponent().big_endian_without_leading_zero());
            Some(json!({ "kty": "RSA", "n": n, "e": e }))
        }
        Pair::Ec(pair) => {
            // Uncompressed (SEC 1 §2.3.3): a mark and two coordinates of 32 bytes.
            let point = pair.public_key().as_ref().strip_prefix(&[4])?;
            let (x, y) = point.split_at_checked(32)?;
            Some(json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) }))
        }
        Pair::Ed(pair) => {
            Some(json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }))
        }
    }
}
