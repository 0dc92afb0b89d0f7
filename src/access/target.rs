//! The canonical request: what the rules see, however it came in.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// One request, reduced to what a decision may depend on. Query and fragment take no part.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// Lower case, no port, no trailing dot.
    pub host: Cow<'a, str>,
    /// Percent-decoded once.
    pub path: Cow<'a, str>,
    pub method: Cow<'a, str>,
    pub client: Client,
}

/// Whose address the request comes from, as far as trusted proxies tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Known(IpAddr),
    /// The address is one of the trusted proxies: it satisfies no `network`.
    Proxy(IpAddr),
    /// Missing, malformed or too many hops: `network` is an error.
    Unknown,
}

/// The longest chain of proxies that is looked at.
const MAX_HOPS: usize = 16;

impl Client {
    /// The rightmost entry of `X-Forwarded-For` that is not a trusted proxy (`security.md` R6).
    pub fn from_forwarded_for(value: Option<&str>, trusted: impl Fn(IpAddr) -> bool) -> Self {
        let Some(value) = value else { return Self::Unknown };
        if value.split(',').nth(MAX_HOPS).is_some() {
            return Self::Unknown;
        }
        let mut nearest_proxy = None;
        for entry in value.rsplit(',') {
            let Ok(address) = entry.trim().parse::<IpAddr>() else { return Self::Unknown };
            let address = plain(address);
            if !trusted(address) {
                return Self::Known(address);
            }
            nearest_proxy = Some(address);
        }
        nearest_proxy.map_or(Self::Unknown, Self::Proxy)
    }

    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) | Self::Proxy(address) => Some(address),
            Self::Unknown => None,
        }
    }
}

/// An IPv4 address in IPv6 clothes as what it is.
#[must_use]
pub fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(IpAddr::V6(six), IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Host and port of an authority such as `Grafana.Example.com.:8443`, in canonical form;
/// `None` if it is not one.
#[must_use]
pub fn split_authority(authority: &str) -> Option<(Cow<'_, str>, Option<u16>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
        return Some((Cow::Owned(format!("[{address}]")), parse_port(port)?));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    Some((canonical_host(host)?, parse_port(port)?))
}

fn parse_port(port: Option<&str>) -> Option<Option<u16>> {
    match port {
        None => Some(None),
        Some(digits) if digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).map(Some)
        }
        Some(_) => None,
    }
}

fn canonical_host(host: &str) -> Option<Cow<'_, str>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.len() > 253 {
        return None;
    }
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if host.bytes().all(plain)
        && !host.contains("..")
        && !host.starts_with('.')
        && !host.contains("xn--")
    {
        return Some(Cow::Borrowed(host));
    }
    if host.bytes().any(|byte| byte.is_ascii_control() || b" /\\?#@:[]<>^`{|}%\"".contains(&byte)) {
        return None;
    }
    let ascii = idna::domain_to_ascii(host).ok()?;
    let valid = !ascii.is_empty() && !ascii.contains("..") && !ascii.starts_with('.');
    valid.then_some(Cow::Owned(ascii))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(address: IpAddr) -> bool {
        ["10.0.20.2", "127.0.0.1"].iter().any(|each| each.parse() == Ok(address))
    }

    fn client(value: &str) -> Client {
        Client::from_forwarded_for(Some(value), trusted)
    }

    /// `security.md` R6.
    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
        let known = |text: &str| Client::Known(text.parse().expect("an address"));
        assert_eq!(client("203.0.113.9"), known("203.0.113.9"));
        assert_eq!(client("10.0.0.1, 203.0.113.9, 10.0.20.2"), known("203.0.113.9"));
        assert_eq!(client("garbage, 203.0.113.9"), known("203.0.113.9"));
        assert_eq!(client("::ffff:203.0.113.9"), known("203.0.113.9"));
        assert_eq!(client("203.0.113.9, ::ffff:10.0.20.2"), known("203.0.113.9"));
        assert_eq!(client("10.0.20.2"), Client::Proxy("10.0.20.2".parse().expect("an address")));
        assert_eq!(client("203.0.113.9, garbage"), Client::Unknown);
        assert_eq!(client(""), Client::Unknown);
        assert_eq!(client("203.0.113.9:1234"), Client::Unknown);
        assert_eq!(client(&["10.0.20.2"; 17].join(",")), Client::Unknown);
        assert_eq!(Client::from_forwarded_for(None, trusted), Client::Unknown);
    }

    /// `security.md` 7.
    #[test]
    fn spellings_of_a_host_are_one_host() {
        for spelling in ["grafana.example.com", "GRAFANA.Example.com", "grafana.example.com."] {
            let (host, port) = split_authority(spelling).expect("a host");
            assert_eq!((host.as_ref(), port), ("grafana.example.com", None));
        }
        let (host, port) = split_authority("Bücher.example:8443").expect("a host");
        assert_eq!((host.as_ref(), port), ("xn--bcher-kva.example", Some(8443)));
        let (host, port) = split_authority("[::1]:9000").expect("a host");
        assert_eq!((host.as_ref(), port), ("[::1]", Some(9000)));
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for text in [
            "", ".", "a..b", "a b", "a@b", "a/b", "a:b", "a:0", "a:99999", "a:1:2", "[::1",
            "a%2eb", "a:+1",
        ] {
            assert!(split_authority(text).is_none(), "{text}");
        }
    }
}
