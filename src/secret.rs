//! Values that cannot be printed, the master key, sealing and keyed digests.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, digest, hkdf, hmac};
use zeroize::Zeroizing;

use crate::ids::{NoRandomness, Rng};

/// A text that is wiped from memory when dropped, never printed, and compared in constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself: only for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A keyed digest of a token: what the store and the caches hold instead of the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenDigest(pub [u8; 32]);

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The key from which every other key of an installation is made. 32 random bytes.
pub struct MasterKey {
    sealing: LessSafeKey,
    digests: hmac::Key,
    fingerprint: String,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.fingerprint)
    }
}

/// Why a sealed value could not be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    #[error("a master key is 32 bytes in hexadecimal: 64 characters, this has {0}")]
    BadKey(usize),
    #[error("the sealed value was made with another master key, or is damaged")]
    WrongKey,
    #[error("the system's random number generator failed")]
    NoRandomness,
}

impl From<NoRandomness> for SealError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

struct KeyLen;

impl hkdf::KeyType for KeyLen {
    fn len(&self) -> usize {
        32
    }
}

impl MasterKey {
    /// A new key as text, to be kept in a file of mode 0600.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(rng: &Rng) -> Result<Secret, NoRandomness> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        rng.fill(bytes.as_mut())?;
        Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    }

    /// Reads a key from its text form.
    ///
    /// # Errors
    /// If the text is not 64 hexadecimal characters.
    pub fn parse(text: &Secret) -> Result<Self, SealError> {
        let text = text.reveal().trim();
        let bad = || SealError::BadKey(text.chars().count());
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        let mut bytes = Zeroizing::new([0_u8; 32]);
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(at * 2..at * 2 + 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorward/1").extract(bytes.as_ref());
        let derive = |purpose: &[u8]| -> Result<Zeroizing<[u8; 32]>, SealError> {
            let mut out = Zeroizing::new([0_u8; 32]);
            root.expand(&[purpose], KeyLen)
                .and_then(|key| key.fill(out.as_mut()))
                .map_err(|_| SealError::WrongKey)?;
            Ok(out)
        };
        let sealing = UnboundKey::new(&AES_256_GCM, derive(b"seal")?.as_ref())
            .map_err(|_| SealError::WrongKey)?;
        let print = derive(b"fingerprint")?;
        Ok(Self {
            sealing: LessSafeKey::new(sealing),
            digests: hmac::Key::new(hmac::HMAC_SHA256, derive(b"digest")?.as_ref()),
            fingerprint: print.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// Names the key without revealing it: kept in the store to notice a wrong key.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The keyed digest under which a token is stored and looked up.
    #[must_use]
    pub fn digest(&self, token: &[u8]) -> TokenDigest {
        let tag = hmac::sign(&self.digests, token);
        let mut out = [0_u8; 32];
        for (to, from) in out.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        TokenDigest(out)
    }

    /// Encrypts `plain`; it opens only with the same `bound_to` (an object's uid and field).
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn seal(&self, plain: &Secret, bound_to: &str, rng: &Rng) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE_LEN];
        rng.fill(&mut nonce)?;
        let mut body = plain.reveal().as_bytes().to_vec();
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to.as_bytes()),
                &mut body,
            )
            .map_err(|_| SealError::WrongKey)?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// Decrypts what `seal` made.
    ///
    /// # Errors
    /// If the key, the binding or a byte differs.
    pub fn open(&self, sealed: &[u8], bound_to: &str) -> Result<Secret, SealError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::WrongKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::WrongKey)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = self
            .sealing
            .open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut body)
            .map_err(|_| SealError::WrongKey)?;
        let text = std::str::from_utf8(plain).map_err(|_| SealError::WrongKey)?;
        Ok(Secret::new(text))
    }
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    hex(digest.as_ref())
}

/// Bytes in hexadecimal, in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: char) -> MasterKey {
        MasterKey::parse(&Secret::new(fill.to_string().repeat(64))).expect("a key")
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let sealed =
            key('a').seal(&Secret::new("value"), "app_1/secret", &Rng::counted(1)).expect("sealed");
        assert_eq!(key('a').open(&sealed, "app_1/secret").expect("opened").reveal(), "value");
        assert_eq!(key('a').open(&sealed, "app_2/secret"), Err(SealError::WrongKey));
        assert_eq!(key('b').open(&sealed, "app_1/secret"), Err(SealError::WrongKey));
        assert_eq!(key('a').open(&sealed[1..], "app_1/secret"), Err(SealError::WrongKey));
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[test]
    fn digests_depend_on_the_key() {
        assert_ne!(key('a').digest(b"token"), key('b').digest(b"token"));
    }
}
