//! Codes of an authenticator app (RFC 6238): SHA-1, 30 seconds, six digits unless said otherwise.

use serde::{Deserialize, Serialize};
use totp_rs::Builder;

use super::FactorError;
use crate::clock::Millis;
use crate::ids::Rng;
use crate::secret::Secret;

/// Bytes of a secret: what RFC 4226 §4 recommends.
const SECRET_LEN: usize = 20;

/// The digits of a code where no blueprint says otherwise.
pub const DIGITS: u8 = 6;

/// What an app and this server share.
#[derive(Clone, Serialize, Deserialize)]
pub struct Totp {
    /// Base32 (RFC 4648 §6) without padding.
    secret: String,
    digits: u8,
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Totp({} digits)", self.digits)
    }
}

impl Totp {
    /// A new secret.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn generate(rng: &Rng, digits: u8) -> Result<Self, FactorError> {
        let mut bytes = zeroize::Zeroizing::new([0_u8; SECRET_LEN]);
        rng.fill(bytes.as_mut())?;
        Ok(Self { secret: totp_rs::Secret::from(bytes.to_vec()).to_base32(), digits })
    }

    /// The secret to be typed by hand, in groups of four.
    #[must_use]
    pub fn shown(&self) -> Secret {
        let letters: Vec<char> = self.secret.chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        Secret::new(groups.join(" "))
    }

    /// The `otpauth:` address that apps read from a QR code.
    #[must_use]
    pub fn url(&self, issuer: &str, account: &str) -> Option<Secret> {
        // A colon parts issuer and account, so that neither may hold one.
        let plain = |text: &str| text.replace(':', " ");
        let builder = self.builder()?.with_issuer(Some(plain(issuer)));
        let totp = builder.with_account_name(plain(account)).build().ok()?;
        totp.to_url().ok().map(Secret::new)
    }

    /// The time step that `code` belongs to, the one before or the one after the present
    /// (RFC 6238 §5.2); `None` if it is none of theirs. The caller lets each step count once.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Millis) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let seconds = u64::try_from(now.0).ok()? / 1_000;
        let step = self.builder()?.build().ok()?.check(&code, seconds)?;
        i64::try_from(step).ok()
    }

    fn builder(&self) -> Option<Builder> {
        let secret = totp_rs::Secret::try_from_base32(&self.secret).ok()?;
        Some(Builder::new().with_secret(secret).with_digits(self.digits).with_skew(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B: the secret is the ASCII text `12345678901234567890`.
    fn published() -> Totp {
        let secret = totp_rs::Secret::from(b"12345678901234567890".to_vec()).to_base32();
        Totp { secret, digits: 8 }
    }

    #[test]
    fn the_published_codes_are_right_at_their_times() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_234_567_890, "89005924"),
            (20_000_000_000, "65353130"),
        ] {
            let now = Millis(seconds * 1_000);
            assert_eq!(published().step_of(code, now), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_or_late_and_no_further() {
        let at = |seconds: i64| published().step_of("07081804", Millis(seconds * 1_000));
        let step = 1_111_111_109 / 30;
        for seconds in [step * 30 - 30, step * 30, step * 30 + 59] {
            assert_eq!(at(seconds), Some(step));
        }
        for seconds in [step * 30 - 31, step * 30 + 60] {
            assert_eq!(at(seconds), None);
        }
    }

    #[test]
    fn blanks_do_not_matter_and_other_signs_do() {
        let now = Millis(59_000);
        assert!(published().step_of(" 9428 7082 ", now).is_some());
        for wrong in ["", "9428708", "942870820", "+9428708", "９４２８７０８２", "94287083"]
        {
            assert_eq!(published().step_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_names_issuer_and_account() {
        let totp = Totp { digits: 6, ..published() };
        let url = totp.url("Home: Lab", "ada@example.com").expect("an address");
        assert_eq!(
            url.reveal(),
            "otpauth://totp/Home%20%20Lab:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Home%20%20Lab"
        );
        assert_eq!(totp.shown().reveal(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
