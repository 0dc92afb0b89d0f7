//! A credential of ours in `Authorization`. By its look alone it is told from everybody else's, which
//! concern the application and nobody here.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::store::TokenKind;
use crate::token::{Look, look};

/// As generous as the applications that would otherwise be shown it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What came: one of ours, whole or broken.
#[derive(Debug, PartialEq, Eq)]
pub enum Credential {
    Basic { username: String, password: Look },
    Bearer(Look),
}

impl Credential {
    /// The credential of a request. Two lines of which one is ours are a broken one: an application
    /// would choose one of them, and nobody knows which.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let first = lines.next()?;
        let more: Vec<_> = lines.collect();
        if more.is_empty() {
            return Self::read(first);
        }
        let ours = std::iter::once(first).chain(more).find_map(Self::read)?;
        Some(ours.broken())
    }

    fn read(line: &HeaderValue) -> Option<Self> {
        let line = Zeroizing::new(String::from_utf8_lossy(line.as_bytes()).into_owned());
        let (scheme, rest) = line.trim_start().split_once([' ', '\t'])?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(only(TokenKind::ApiToken, look(rest)?)));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = Zeroizing::new(BASE64.decode(rest.trim()).ok()?);
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let (username, password) = text.split_once(':').unwrap_or((&text, ""));
        // Somebody took the fields for one another: still nobody else's business.
        let password = match look(password) {
            Some(ours) => only(TokenKind::AppPassword, ours),
            None => look(username).map(|_| Look::Broken)?,
        };
        Some(Self::Basic { username: username.to_owned(), password })
    }

    fn broken(self) -> Self {
        match self {
            Self::Basic { username, .. } => Self::Basic { username, password: Look::Broken },
            Self::Bearer(_) => Self::Bearer(Look::Broken),
        }
    }

    /// What is worth looking up.
    #[must_use]
    pub fn look(&self) -> &Look {
        match self {
            Self::Basic { password, .. } => password,
            Self::Bearer(token) => token,
        }
    }
}

/// Each kind has its scheme; in the other's place it is worth nothing.
fn only(kind: TokenKind, found: Look) -> Look {
    match found {
        Look::Whole(of, secret) if of == kind => Look::Whole(of, secret),
        _ => Look::Broken,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD as ENCODE;

    use super::*;

    /// `0000…` with the check that belongs to it, found by trying.
    fn whole(prefix: &str) -> String {
        let letters = "0123456789abcdefghjkmnpqrstvwxyz";
        let pairs = letters.chars().flat_map(|a| letters.chars().map(move |b| (a, b)));
        let mut texts = pairs.map(|(a, b)| format!("{prefix}{}{a}{b}", "0".repeat(26)));
        texts.find(|text| matches!(look(text), Some(Look::Whole(..)))).expect("a whole text")
    }

    fn of(lines: &[&str]) -> Option<Credential> {
        let lines = lines.iter().map(|line| HeaderValue::from_str(line).expect("a value"));
        Credential::of(&lines.map(|line| (AUTHORIZATION, line)).collect())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", ENCODE.encode(text))
    }

    fn is_whole(found: Option<&Credential>) -> bool {
        found.is_some_and(|ours| matches!(ours.look(), Look::Whole(..)))
    }

    #[test]
    fn each_kind_is_good_in_its_scheme_alone() {
        let (password, token) = (whole("dwp_"), whole("dwt_"));
        assert!(is_whole(of(&[&basic(&format!("alice:{password}"))]).as_ref()));
        assert!(is_whole(of(&[&format!("bEARER  {token}")]).as_ref()));
        let swapped = [basic(&format!("alice:{token}")), format!("Bearer {password}")];
        for line in swapped {
            assert_eq!(of(&[&line]).expect("ours").look(), &Look::Broken, "{line}");
        }
    }

    #[test]
    fn everybody_elses_credentials_are_not_looked_at() {
        let token = whole("dwt_");
        for foreign in [
            "Basic",
            "Basic !!!",
            "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x",
            "Digest username=\"a\"",
            &format!("DPoP {token}"),
            &basic("alice:hunter2"),
            &basic("alice"),
            &basic(""),
        ] {
            assert_eq!(of(&[foreign]), None, "{foreign}");
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_credential_is_known_however_it_is_wrapped() {
        let password = whole("dwp_");
        let unpadded = basic(&format!("a:{password}")).trim_end_matches('=').to_owned();
        assert!(is_whole(of(&[&unpadded]).as_ref()));
        assert_eq!(of(&[&basic(&password)]).expect("ours").look(), &Look::Broken);
        assert_eq!(of(&[&basic(&format!("{password}:x"))]).expect("ours").look(), &Look::Broken);
    }

    #[test]
    fn two_lines_of_which_one_is_ours_are_broken() {
        let ours = format!("Bearer {}", whole("dwt_"));
        for lines in [["Basic YTpi", &ours], [&ours, "Basic YTpi"], [&ours, &ours]] {
            assert_eq!(of(&lines).expect("ours").look(), &Look::Broken);
        }
        assert_eq!(of(&["Basic YTpi", "Bearer x"]), None);
    }
}
