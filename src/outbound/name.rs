//! Names, looked up.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::model::host::is_localhost;

const WITHIN: Duration = Duration::from_secs(3);

/// Why a name leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name does not resolve")]
    Unknown,
    #[error("no answer within three seconds")]
    Timeout,
}

/// The addresses of a name; `*.localhost` is this machine, whatever a resolver says (RFC 6761 §6.3).
///
/// # Errors
/// If it has none.
pub async fn resolve(host: &str) -> Result<Vec<IpAddr>, NameError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    if is_localhost(bare) {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    }
    let looked_up = tokio::time::timeout(WITHIN, tokio::net::lookup_host((bare, 0))).await;
    let addresses = looked_up.map_err(|_| NameError::Timeout)?.map_err(|_| NameError::Unknown)?;
    let mut addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
    addresses.dedup();
    if addresses.is_empty() { Err(NameError::Unknown) } else { Ok(addresses) }
}
