//! Who talks to us, and for whom.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use super::server::Server;
use crate::access::condition::Reputation;
use crate::access::rule::AppAccess;
use crate::access::target::{Client, plain};
use crate::runtime::Runtime;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whether the request came through some proxy, as any forwarding header tells.
#[must_use]
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    let traces = ["forwarded", "via", "x-real-ip"];
    headers.keys().map(HeaderName::as_str).any(|name| {
        traces.contains(&name)
            || name.starts_with("x-forwarded-")
            || name.starts_with("x-original-")
    })
}

/// The client of a request: the peer, or whom a trusted proxy names (`security.md` R6). A proxy that
/// names nobody stands for all its visitors: its address satisfies no rule, and is one for counters.
#[must_use]
pub fn client(server: &Server, runtime: &Runtime, headers: &HeaderMap, peer: SocketAddr) -> Client {
    let peer = plain(peer.ip());
    let own_browser = runtime.addressing.dev && peer.is_loopback();
    match (server.trusts(runtime, peer), is_forwarded(headers)) {
        (false, _) => Client::Known(peer),
        (true, true) => forwarded_client(runtime, headers),
        (true, false) if own_browser => Client::Known(peer),
        (true, false) => Client::Proxy(peer),
    }
}

/// The client that a trusted proxy names. Two lists are no list.
#[must_use]
pub fn forwarded_client(runtime: &Runtime, headers: &HeaderMap) -> Client {
    let mut values = headers.get_all(FORWARDED_FOR).iter();
    let first = values.next().and_then(|value| value.to_str().ok());
    if values.next().is_some() {
        return Client::Unknown;
    }
    Client::from_forwarded_for(first, |address| runtime.trusts(address))
}

/// The key under which failures of an address are counted: a whole /64 for IPv6.
#[must_use]
pub fn address_key(client: Client) -> String {
    match client.address() {
        Some(IpAddr::V6(six)) => {
            let [a, b, c, d, ..] = six.segments();
            format!("address:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Some(four) => format!("address:{four}"),
        None => "address:unknown".to_owned(),
    }
}

/// How the address of a client and an account, if it is known, behaved of late.
pub async fn reputation(server: &Server, client: Client, user_id: Option<&str>) -> Reputation {
    let (address, now) = (address_key(client), server.clock.now());
    server.reputations.of(&server.store, user_id, &address, now).await
}

/// The same for the rules of an app, asked only where one of them looks at it.
pub async fn reputation_for(
    server: &Server,
    access: &AppAccess,
    client: Client,
    user_id: &str,
) -> Reputation {
    match access.reads_reputation {
        true => reputation(server, client, Some(user_id)).await,
        false => Reputation::Unknown,
    }
}
