//! Web addresses and the addresses of listeners, as blueprints write them.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::host::{Host, HostError};

/// An http or https URL with a host, a path and perhaps a query; no user, no fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebUrl(Url);

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub secure: bool,
    /// Canonical; an IPv6 address stands in brackets.
    pub host: String,
    pub port: u16,
}

/// Why a text is no web address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebUrlError {
    #[error("begin with https://")]
    NoScheme,
    #[error("only http and https are possible here")]
    OtherScheme,
    #[error("the host is missing")]
    NoHost,
    #[error("the host is not valid: {0}")]
    Host(HostError),
    #[error("the port is not a number from 1 to 65535")]
    Port,
    #[error("a URL here holds no user and no password")]
    User,
    #[error("a URL here has no fragment: end before `#`")]
    Fragment,
    #[error("a blank, a backslash or a control character is not allowed")]
    Letter,
    #[error("this cannot be read as a URL")]
    Other,
}

/// Why a text is no address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketAddressError {
    #[error("the port is missing")]
    NoPort,
    #[error("the port is not a number up to 65535")]
    Port,
    #[error("the address is missing: 0.0.0.0 and [::] are every address of this machine")]
    NoAddress,
    #[error("an IPv6 address stands in brackets")]
    Brackets,
    #[error("an IP address is needed, not a name")]
    Name,
}

/// An address and a port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketAddress(SocketAddr);

impl WebUrl {
    /// Reads a URL as strictly as people mean it.
    ///
    /// # Errors
    /// If a part is missing, or one is there that has no place in a blueprint.
    pub fn parse(text: &str) -> Result<Self, WebUrlError> {
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '\\';
        if text.contains(odd) {
            return Err(WebUrlError::Letter);
        }
        let (scheme, rest) = text.split_once("://").ok_or(WebUrlError::NoScheme)?;
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(WebUrlError::OtherScheme);
        }
        if rest.contains('#') {
            return Err(WebUrlError::Fragment);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(WebUrlError::User);
        }
        let host = host_of(authority)?;
        let mut url = Url::parse(text).map_err(|_| WebUrlError::Other)?;
        url.set_host(Some(host.as_str())).map_err(|_| WebUrlError::Other)?;
        Ok(Self(url))
    }

    /// The canonical spelling: at least one `/` after the host, no port that goes without saying.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is https.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The canonical host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port, written or not.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port().unwrap_or(default_port(self.is_secure()))
    }

    /// The path, from its first `/`, still encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Whether nothing follows the host and the port.
    #[must_use]
    pub fn is_origin(&self) -> bool {
        self.path() == "/" && self.0.query().is_none()
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { secure: self.is_secure(), host: self.host().to_owned(), port: self.port() }
    }
}

impl Origin {
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// `host` or `host:port`, as it stands in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> Cow<'_, str> {
        if self.port == default_port(self.secure) {
            return Cow::Borrowed(&self.host);
        }
        Cow::Owned(format!("{}:{}", self.host, self.port))
    }
}

impl SocketAddress {
    /// Reads `127.0.0.1:9000` or `[::1]:9000`.
    ///
    /// # Errors
    /// If the address or the port is missing or not valid.
    pub fn parse(text: &str) -> Result<Self, SocketAddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let ip = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>();
        if ip(text).is_ok() {
            return Err(SocketAddressError::NoPort);
        }
        let (address, port) = text.rsplit_once(':').ok_or(SocketAddressError::NoPort)?;
        Err(match ip(address) {
            _ if address.is_empty() => SocketAddressError::NoAddress,
            Err(_) => SocketAddressError::Name,
            Ok(_) if port.parse::<u16>().is_err() => SocketAddressError::Port,
            Ok(_) => SocketAddressError::Brackets,
        })
    }

    /// The address as the standard library has it.
    #[must_use]
    pub fn get(&self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// The host of `host`, `host:port` or `[address]:port`.
fn host_of(authority: &str) -> Result<Host, WebUrlError> {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match authority.get(after_brackets..).and_then(|rest| rest.rfind(':')) {
        Some(colon) => {
            authority.split_at_checked(after_brackets + colon).unwrap_or((authority, ""))
        }
        None => (authority, ""),
    };
    if name.is_empty() {
        return Err(WebUrlError::NoHost);
    }
    let digits = port.strip_prefix(':');
    let good = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if digits.is_some_and(|digits| !good(digits)) {
        return Err(WebUrlError::Port);
    }
    Host::parse(name).map_err(WebUrlError::Host)
}

/// Host and port of what is called.
#[must_use]
pub fn authority_of(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_has_one_spelling() {
        for (text, canonical) in [
            ("https://Grafana.Example.com", "https://grafana.example.com/"),
            ("https://a.example:443/x?y=1", "https://a.example/x?y=1"),
            ("http://10.0.20.53:80", "http://10.0.20.53/"),
            ("http://[FD00::1]:3000/", "http://[fd00::1]:3000/"),
            ("https://bücher.example./ä", "https://xn--bcher-kva.example/%C3%A4"),
        ] {
            assert_eq!(
                WebUrl::parse(text).map(|url| url.to_string()),
                Ok(canonical.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_web_address_has_its_reason() {
        for (text, error) in [
            ("", WebUrlError::NoScheme),
            ("a.example", WebUrlError::NoScheme),
            ("https:/a.example", WebUrlError::NoScheme),
            ("https:a.example", WebUrlError::NoScheme),
            ("ftp://a.example", WebUrlError::OtherScheme),
            ("https://", WebUrlError::NoHost),
            ("https:///x", WebUrlError::NoHost),
            ("https://:443", WebUrlError::NoHost),
            ("https://ada:secret@a.example", WebUrlError::User),
            ("https://a.example/#x", WebUrlError::Fragment),
            ("https://a.example:0", WebUrlError::Port),
            ("https://a.example:65536", WebUrlError::Port),
            ("https://a.example:", WebUrlError::Port),
            ("https://a.example:x", WebUrlError::Port),
            ("https://a b", WebUrlError::Letter),
            ("https:\\\\a.example", WebUrlError::Letter),
            ("https://127.1", WebUrlError::Host(HostError::Address)),
            ("https://*.a.example", WebUrlError::Host(HostError::Star)),
        ] {
            assert_eq!(WebUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_origin_leaves_out_what_goes_without_saying() {
        let origin = |text: &str| WebUrl::parse(text).expect(text).origin().to_string();
        assert_eq!(origin("https://a.example:443/x"), "https://a.example");
        assert_eq!(origin("http://a.example:443"), "http://a.example:443");
        assert!(WebUrl::parse("https://a.example").is_ok_and(|url| url.is_origin()));
        assert!(WebUrl::parse("https://a.example/?x").is_ok_and(|url| !url.is_origin()));
    }

    #[test]
    fn a_listener_has_an_address_and_a_port() {
        for text in ["127.0.0.1:9000", "0.0.0.0:6636", "[::1]:9000", "127.0.0.1:0"] {
            assert_eq!(
                SocketAddress::parse(text).map(|address| address.to_string()),
                Ok(text.to_owned())
            );
        }
        for (text, error) in [
            ("127.0.0.1", SocketAddressError::NoPort),
            ("::1", SocketAddressError::NoPort),
            ("[::1]", SocketAddressError::NoPort),
            ("localhost", SocketAddressError::NoPort),
            (":9000", SocketAddressError::NoAddress),
            ("localhost:9000", SocketAddressError::Name),
            ("127.0.0.1:99999", SocketAddressError::Port),
            ("fd00:0:0:0:0:0:0:0:9000", SocketAddressError::Brackets),
        ] {
            assert_eq!(SocketAddress::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn canonical_is_canonical_already(text in "https?://[a-zA-Z0-9ä.\\[\\]:-]{1,16}(/[a-zä%?=.]{0,8})?") {
            if let Ok(url) = WebUrl::parse(&text) {
                prop_assert_eq!(WebUrl::parse(url.as_str()), Ok(url.clone()));
                prop_assert_eq!(WebUrl::parse(&url.origin().to_string()).map(|again| again.origin()), Ok(url.origin()));
            }
        }

        #[test]
        fn any_text_is_judged_without_a_fall(text in any::<String>()) {
            let _ = (WebUrl::parse(&text), SocketAddress::parse(&text));
        }
    }

    #[test]
    fn an_origin_leaves_out_the_port_of_its_scheme() {
        let origin = |text: &str| WebUrl::parse(text).expect("a URL").origin().to_string();
        assert_eq!(origin("https://a.example.com:443/x"), "https://a.example.com");
        assert_eq!(origin("http://a.example.com:8080/x"), "http://a.example.com:8080");
    }
}
