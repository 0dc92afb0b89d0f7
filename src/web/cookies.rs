//! Cookies in both directions.

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The value of a cookie. Two cookies of one name are none: one of them was tossed here by another
/// host (`security.md` R12).
#[must_use]
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for (known, value) in pairs(headers) {
        if known == name {
            if found.is_some() {
                return None;
            }
            found = Some(value);
        }
    }
    found.filter(|value| !value.is_empty() && value.len() <= 128)
}

/// All cookies but our own, as one header value for the application; empty if none is left.
#[must_use]
pub fn without_ours(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(COOKIE)?;
    let mut kept = String::new();
    for (name, value) in pairs(headers).filter(|(name, _)| !is_ours(name)) {
        if !kept.is_empty() {
            kept.push_str("; ");
        }
        kept.push_str(name);
        if !value.is_empty() || !name.is_empty() {
            kept.push('=');
            kept.push_str(value);
        }
    }
    HeaderValue::try_from(kept).ok()
}

fn is_ours(name: &str) -> bool {
    let bare = name.strip_prefix("__Host-").or_else(|| name.strip_prefix("__Secure-"));
    bare.unwrap_or(name).starts_with("doorward")
}

/// Name and value of every cookie; what is not text is skipped.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        Some((name.trim_end(), value))
    })
}

/// A cookie to set: always `HttpOnly`, `SameSite=Lax`, `Path=/`.
#[derive(Clone, Copy, Debug)]
pub struct NewCookie<'a> {
    pub name: &'a str,
    pub value: &'a str,
    pub secure: bool,
    /// For the one domain cookie; every other belongs to its host alone.
    pub domain: Option<&'a str>,
    /// How long the browser keeps it; until it closes if not given.
    pub lasts: Option<Duration>,
}

impl NewCookie<'_> {
    /// The value of `Set-Cookie`; `None` if a part of it cannot stand in a header.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let mut text = format!("{}={}; Path=/; HttpOnly; SameSite=Lax", self.name, self.value);
        if self.secure {
            text.push_str("; Secure");
        }
        if let Some(domain) = self.domain {
            text.push_str("; Domain=");
            text.push_str(domain);
        }
        if let Some(lasts) = self.lasts {
            text.push_str(&format!("; Max-Age={}", lasts.as_secs()));
        }
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_static(line))).collect()
    }

    /// `security.md` R12: tossed duplicates are no session.
    #[test]
    fn two_cookies_of_one_name_are_none() {
        let one = headers(&["a=1; __Host-doorward-app=token; b=2"]);
        assert_eq!(find(&one, "__Host-doorward-app"), Some("token"));
        assert_eq!(find(&headers(&["x=1; x=2"]), "x"), None);
        assert_eq!(find(&headers(&["x=1", "x=1"]), "x"), None);
    }

    /// `security.md` 5: what cannot be read is nobody's session.
    #[test]
    fn malformed_cookies_are_no_session() {
        for line in ["", ";", "=", "x", "x=", "x ;x=", "\"x=1\"", "y=1;; ;=2"] {
            let header: HeaderMap =
                [(COOKIE, HeaderValue::from_str(line).expect("a value"))].into_iter().collect();
            assert_eq!(find(&header, "x"), None, "{line}");
        }
        let bytes: HeaderMap =
            [(COOKIE, HeaderValue::from_bytes(b"x=1\xff").expect("a value"))].into_iter().collect();
        assert_eq!(find(&bytes, "x"), None);
    }

    /// `security.md` R12: upstreams never see our cookies.
    #[test]
    fn an_application_sees_every_cookie_but_ours() {
        let mixed =
            headers(&["a=1; __Host-doorward-app=t; doorward=x; __Secure-doorward-domain=y; b=2=3"]);
        assert_eq!(without_ours(&mixed), Some(HeaderValue::from_static("a=1; b=2=3")));
        assert_eq!(without_ours(&headers(&["doorward-app=1"])), Some(HeaderValue::from_static("")));
        assert_eq!(without_ours(&HeaderMap::new()), None);
    }

    #[test]
    fn a_cookie_is_never_readable_by_scripts() {
        let lasts = Some(Duration::from_secs(60));
        let cookie = NewCookie { name: "__Host-x", value: "v", secure: true, domain: None, lasts };
        assert_eq!(
            cookie.header(),
            Some(HeaderValue::from_static(
                "__Host-x=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
            ))
        );
    }
}
