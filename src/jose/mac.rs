//! Tokens that both sides know the secret of (RFC 7518 §3.2). Ours are never of this kind: it proves
//! nothing to a third.

use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::Compact;
use crate::secret::Secret;

/// Whether the token was made with this secret by `HS256`.
#[must_use]
pub fn made_with(token: &Compact<'_>, secret: &Secret) -> bool {
    let key = hmac::Key::new(HMAC_SHA256, secret.reveal().as_bytes());
    token.header_text("alg") == Some("HS256")
        && hmac::verify(&key, token.signed.as_bytes(), &token.signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515 appendix A.1 is over bytes that are no text; this one was made by the
    /// tool of another: `printf %s "$signed" | openssl dgst -sha256 -hmac a-secret`.
    #[test]
    fn a_token_is_known_by_its_secret() {
        let text =
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.wqUOK-bTrm8JE39umfU-5XDq11Edmnt36rsGZbA0J7Q";
        let token = Compact::read(text).expect("a token");
        assert!(made_with(&token, &Secret::new("a-secret")));
        assert!(!made_with(&token, &Secret::new("another")));
        let other = text.replacen("eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9", 1);
        assert!(!made_with(&Compact::read(&other).expect("a token"), &Secret::new("a-secret")));
    }
}
