//! Networks in CIDR notation.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// A network, or a single address. An IPv4 address in IPv6 form counts as the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("the address part is not valid")]
    Address,
    #[error("the prefix is not a number")]
    Prefix,
    #[error("the prefix is too long")]
    PrefixTooLong,
}

impl Network {
    /// Reads `10.0.0.0/8`, `192.168.1.20` or `fd00::/8`. Bits behind the prefix are dropped.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = split(text)?;
        let net = IpNet::new(address, prefix).map_err(|_| NetworkError::PrefixTooLong)?;
        Ok(Self(unmapped(net.trunc())))
    }

    /// The network that is meant by a text with bits behind its prefix, such as `10.1.2.3/8`.
    #[must_use]
    pub fn masked(text: &str) -> Option<Self> {
        let (address, prefix) = split(text).ok()?;
        let net = IpNet::new(address, prefix).ok()?;
        (net != net.trunc()).then(|| Self(unmapped(net.trunc())))
    }

    /// Whether `address` lies within.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address of its kind lies within.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl fmt::Display for Network {
    /// With its prefix, but for a single address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return write!(f, "{}", self.0.addr());
        }
        write!(f, "{}", self.0)
    }
}

fn split(text: &str) -> Result<(IpAddr, u8), NetworkError> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => longest,
        Some(digits) if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Err(NetworkError::Prefix);
        }
        Some(digits) => digits.parse().map_err(|_| NetworkError::PrefixTooLong)?,
    };
    if prefix > longest { Err(NetworkError::PrefixTooLong) } else { Ok((address, prefix)) }
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(six) = net else {
        return net;
    };
    let four = six.addr().to_ipv4_mapped();
    let prefix = six.prefix_len().checked_sub(96);
    match four.zip(prefix).and_then(|(four, prefix)| Ipv4Net::new(four, prefix).ok()) {
        Some(four) => IpNet::V4(four),
        None => net,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect(text)
    }

    #[test]
    fn the_documented_mistakes_have_the_documented_reasons() {
        let reason = |text| Network::parse(text).expect_err(text).to_string();
        assert_eq!(reason("10.0.0.0/33"), "the prefix is too long");
        assert_eq!(reason("10.0.0.0/999"), "the prefix is too long");
        assert_eq!(reason("fd00::/129"), "the prefix is too long");
        assert_eq!(reason("192.168.300.0/24"), "the address part is not valid");
        assert_eq!(reason("010.0.0.1"), "the address part is not valid");
        assert_eq!(reason("office"), "the address part is not valid");
        assert_eq!(reason(""), "the address part is not valid");
        assert_eq!(reason("10.0.0.0/"), "the prefix is not a number");
        assert_eq!(reason("10.0.0.0/+8"), "the prefix is not a number");
        assert_eq!(reason("10.0.0.0/8/8"), "the prefix is not a number");
    }

    #[test]
    fn bits_behind_the_prefix_are_noticed_and_dropped() {
        assert_eq!(
            Network::masked("10.1.2.3/8").map(|net| net.to_string()),
            Some("10.0.0.0/8".to_owned())
        );
        assert_eq!(Network::masked("10.0.0.0/8"), None);
        assert_eq!(Network::masked("10.1.2.3"), None);
        assert_eq!(network("10.1.2.3/8"), network("10.0.0.0/8"));
    }

    #[test]
    fn an_address_is_found_in_either_form() {
        let address = |text: &str| text.parse::<IpAddr>().expect(text);
        let net = network("10.0.0.0/8");
        assert!(net.contains(address("10.255.0.1")));
        assert!(net.contains(address("::ffff:10.255.0.1")));
        assert!(!net.contains(address("11.0.0.1")));
        assert!(!net.contains(address("::1")));
        assert_eq!(network("::ffff:10.0.0.0/104"), net);
        assert_eq!(network("::ffff:192.168.1.20").to_string(), "192.168.1.20");
        assert!(network("fd00::/8").contains(address("fd12::1")));
        assert!(!network("::/0").contains(address("::ffff:10.0.0.1")));
        assert!(network("0.0.0.0/0").is_everything() && network("::/0").is_everything());
        assert!(!network("0.0.0.0").is_everything());
    }
}
