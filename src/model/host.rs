//! Canonical hosts and host patterns.
//!
//! Canonical is: lower case, ASCII (IDNA), no trailing dot, no port; an IPv6 address stands in
//! brackets, as it does in URLs and in the `Host` header.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;

/// A host name or an address, in its one canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

/// A host, or `*.` and a domain for every name below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPattern(String);

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("the host is empty")]
    Empty,
    #[error("this is a URL: write the name alone")]
    Url,
    #[error("a host has no port here")]
    Port,
    #[error("two dots follow each other, or a dot comes first")]
    EmptyLabel,
    #[error("a part between dots is longer than 63 letters, or the name longer than 253")]
    TooLong,
    #[error("a part between dots begins or ends with `-`")]
    Hyphen,
    #[error("a letter is not allowed in a host name")]
    Letter,
    #[error("it is written like an IP address and is none")]
    Address,
    #[error("a star stands only at the beginning, as `*.`")]
    Star,
}

impl Host {
    /// Reads a host in any spelling.
    ///
    /// # Errors
    /// If no host has that name.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if let Some(address) = six(text)? {
            return Ok(Self(format!("[{address}]")));
        }
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.contains(['/', '@', '?', '#']) {
            return Err(HostError::Url);
        }
        if text.contains('*') {
            return Err(HostError::Star);
        }
        if text.contains(':') {
            return Err(HostError::Port);
        }
        let ascii = ascii(text)?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        check_labels(name)?;
        check_address(name)?;
        Ok(Self(name.to_owned()))
    }

    /// The canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an IP address.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.0.starts_with('[') || self.0.parse::<Ipv4Addr>().is_ok()
    }
}

impl HostPattern {
    /// Reads `lab.example.com` or `*.lab.example.com`.
    ///
    /// # Errors
    /// As [`Host::parse`]; below an address there is nothing.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let Some(domain) = text.strip_prefix("*.") else {
            return Host::parse(text).map(|host| Self(host.0));
        };
        let domain = Host::parse(domain)?;
        if domain.is_address() {
            return Err(HostError::Star);
        }
        Ok(Self(format!("*.{}", domain.0)))
    }

    /// The canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the canonical `host` is meant. A star is one or more whole labels.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self.0.strip_prefix("*.") {
            Some(domain) => host != domain && same_or_below(host, domain),
            None => host == self.0,
        }
    }
}

/// Whether the canonical `host` is `domain` or a name below it, by whole labels.
#[must_use]
pub fn same_or_below(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain);
    above.is_some_and(|above| above.is_empty() || (above.len() > 1 && above.ends_with('.')))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An IPv6 address, in brackets or without.
fn six(text: &str) -> Result<Option<Ipv6Addr>, HostError> {
    if let Some(rest) = text.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((inner, "")) => inner.parse().map(Some).map_err(|_| HostError::Address),
            Some((_, after)) if after.starts_with(':') => Err(HostError::Port),
            _ => Err(HostError::Address),
        };
    }
    Ok(text.parse().ok())
}

/// Lower case and IDNA. What is plain already takes no detour.
fn ascii(text: &str) -> Result<Cow<'_, str>, HostError> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if text.bytes().all(plain) && !text.contains("xn--") {
        return Ok(Cow::Borrowed(text));
    }
    let ascii = idna::domain_to_ascii_cow(text.as_bytes(), AsciiDenyList::URL);
    let ascii = ascii.map_err(|_| HostError::Letter)?;
    if ascii.bytes().all(plain) { Ok(ascii) } else { Err(HostError::Letter) }
}

fn check_labels(name: &str) -> Result<(), HostError> {
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    if name.len() > 253 {
        return Err(HostError::TooLong);
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(HostError::EmptyLabel);
        }
        if label.len() > 63 {
            return Err(HostError::TooLong);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(HostError::Hyphen);
        }
    }
    Ok(())
}

/// A name whose last part is a number is read as an IPv4 address, by browsers too.
fn check_address(name: &str) -> Result<(), HostError> {
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if (digits(last) || hexadecimal) && name.parse::<Ipv4Addr>().is_err() {
        return Err(HostError::Address);
    }
    Ok(())
}

/// `localhost` and everything under it (RFC 6761 §6.3).
#[must_use]
pub fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_host_has_one_spelling() {
        for (text, canonical) in [
            ("Auth.Example.COM", "auth.example.com"),
            ("auth.example.com.", "auth.example.com"),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("a。b", "a.b"),
            ("my_app.lan", "my_app.lan"),
            ("localhost", "localhost"),
            ("192.168.1.20", "192.168.1.20"),
            ("::1", "[::1]"),
            ("[FD00:0::1]", "[fd00::1]"),
        ] {
            assert_eq!(Host::parse(text).map(|host| host.0), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_has_its_reason() {
        for (text, error) in [
            ("", HostError::Empty),
            (".", HostError::Empty),
            ("https://a.example", HostError::Url),
            ("a.example/x", HostError::Url),
            ("a.example:443", HostError::Port),
            ("[::1]:443", HostError::Port),
            ("a..b", HostError::EmptyLabel),
            (".a", HostError::EmptyLabel),
            ("a..", HostError::EmptyLabel),
            ("-a.example", HostError::Hyphen),
            ("a b", HostError::Letter),
            ("a%2eb", HostError::Letter),
            ("a!b", HostError::Letter),
            ("xn--a", HostError::Letter),
            ("127.1", HostError::Address),
            ("0x7f.0.0.0x1", HostError::Address),
            ("300.1.1.1", HostError::Address),
            ("[::g]", HostError::Address),
            ("*.a.example", HostError::Star),
        ] {
            assert_eq!(Host::parse(text), Err(error), "{text}");
        }
        assert_eq!(Host::parse(&"a".repeat(64)), Err(HostError::TooLong));
        assert_eq!(Host::parse(&"ab.".repeat(90)), Err(HostError::TooLong));
    }

    #[test]
    fn a_pattern_means_whole_labels() {
        let pattern = HostPattern::parse("*.Lab.Example.com").expect("a pattern");
        assert_eq!(pattern.as_str(), "*.lab.example.com");
        assert!(pattern.matches("a.lab.example.com"));
        assert!(pattern.matches("b.a.lab.example.com"));
        for host in
            ["lab.example.com", "xlab.example.com", ".lab.example.com", "lab.example.com.evil"]
        {
            assert!(!pattern.matches(host), "{host}");
        }
        assert!(
            HostPattern::parse("lab.example.com")
                .is_ok_and(|exact| exact.matches("lab.example.com"))
        );
        for text in ["*", "*.", "a.*.b", "*a.b", "*.*.b", "*.10.0.0.1"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn below_is_a_matter_of_whole_labels() {
        assert!(same_or_below("example.com", "example.com"));
        assert!(same_or_below("a.example.com", "example.com"));
        assert!(!same_or_below("notexample.com", "example.com"));
        assert!(!same_or_below("com", "example.com"));
        assert!(!same_or_below(".example.com", "example.com"));
    }

    proptest! {
        #[test]
        fn canonical_is_canonical_already(text in "[a-zA-Z0-9äßİ.。_:\\[\\]-]{0,24}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(host.as_str()), Ok(host));
            }
        }

        #[test]
        fn case_and_a_last_dot_make_no_difference(text in "[a-z0-9ä][a-z0-9ä.]{0,20}") {
            let host = Host::parse(&text);
            prop_assert_eq!(Host::parse(&text.to_uppercase()), host.clone());
            if host.is_ok() && !text.ends_with('.') {
                prop_assert_eq!(Host::parse(&format!("{text}.")), host);
            }
        }

        #[test]
        fn any_text_is_judged_without_a_fall(text in any::<String>()) {
            let _ = (Host::parse(&text), HostPattern::parse(&text));
        }
    }
}
