//! Forms that only our own pages can post (`security.md` R13).

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName};

use crate::secret::MasterKey;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The form token that belongs to a cookie: nobody else can compute it, nothing is stored.
#[must_use]
pub fn token(key: &MasterKey, cookie: &str) -> String {
    use base64::Engine;
    let digest = key.digest(format!("form\0{cookie}").as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.0)
}

/// Whether a posted token belongs to the cookie.
#[must_use]
pub fn fits(key: &MasterKey, cookie: &str, posted: &str) -> bool {
    let expected = token(key, cookie);
    aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), posted.as_bytes())
        .is_ok()
}

/// Whether the browser says that the request comes from our own pages.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap, own: &str) -> bool {
    match headers.get(FETCH_SITE).map(|value| value.as_bytes()) {
        Some(site) => site == b"same-origin",
        None => headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() == own.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use http::HeaderValue;

    #[test]
    fn a_token_belongs_to_one_cookie() {
        let key = MasterKey::parse(&Secret::new("ab".repeat(32))).expect("a key");
        assert!(fits(&key, "cookie", &token(&key, "cookie")));
        assert!(!fits(&key, "other", &token(&key, "cookie")));
        assert!(!fits(&key, "cookie", ""));
    }

    /// `security.md` R13: a sibling host is same-site, and is not us.
    #[test]
    fn a_sibling_host_is_not_the_same_origin() {
        let own = "https://auth.example.com";
        let site = |value| HeaderMap::from_iter([(FETCH_SITE, HeaderValue::from_static(value))]);
        let origin = |value| HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(value))]);
        assert!(is_same_origin(&site("same-origin"), own));
        assert!(!is_same_origin(&site("same-site"), own));
        assert!(!is_same_origin(&site("none"), own));
        assert!(is_same_origin(&origin("https://auth.example.com"), own));
        assert!(!is_same_origin(&origin("https://wiki.example.com"), own));
        assert!(!is_same_origin(&origin("null"), own));
        assert!(!is_same_origin(&HeaderMap::new(), own));
    }
}
