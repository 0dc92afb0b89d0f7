//! HTTP requests that follow no redirect, wait three seconds and read no proxy from the
//! environment. Knows nothing of what the answers mean.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::header::HOST;
use reqwest::redirect::Policy;

use crate::access::target::split_authority;
use crate::outbound::name::{self, NameError};

const WITHIN: Duration = Duration::from_secs(3);

/// A longer body is not one that we look at.
const LONGEST: usize = 4 * 1024 * 1024;

/// Asks.
pub struct Asker {
    client: reqwest::Client,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    /// The `Date` header.
    pub date: Option<String>,
    /// `X-Next-Page`, of Traefik's API.
    pub next_page: Option<String>,
    pub body: String,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("the name does not resolve")]
    NoSuchName,
    #[error("no answer within three seconds")]
    Timeout,
    #[error("nothing listens there, or a firewall refuses")]
    Refused,
    #[error("the certificate is not accepted: {0}")]
    Certificate(String),
    #[error("{0}")]
    Other(String),
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(WITHIN)
        .user_agent("doorward-doctor")
}

impl Asker {
    /// # Errors
    /// If this machine has no certificates to trust.
    pub fn new() -> Result<Self, AskError> {
        let client = builder().dns_resolver(std::sync::Arc::new(Names)).build();
        Ok(Self { client: client.map_err(|error| explained(&error))? })
    }

    /// A GET with these headers.
    ///
    /// # Errors
    /// If nothing comes back.
    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, AskError> {
        ask(self.client.get(url), headers).await
    }

    /// A GET to a listener by its address, with the `Host` that a proxy would send.
    ///
    /// # Errors
    /// If nothing comes back.
    pub async fn get_as(&self, at: SocketAddr, host: &str, path: &str) -> Result<Answer, AskError> {
        let url = format!("http://{}{path}", reachable(at));
        self.get(&url, &[(HOST.as_str(), host)]).await
    }

    /// The same over TLS: the listener must show a certificate for the host.
    ///
    /// # Errors
    /// If nothing comes back.
    pub async fn get_secure_as(
        &self,
        at: SocketAddr,
        host: &str,
        path: &str,
    ) -> Result<Answer, AskError> {
        let (host, _) = split_authority(host).ok_or(AskError::NoSuchName)?;
        let client = builder().resolve(&host, reachable(at)).build();
        let client = client.map_err(|error| explained(&error))?;
        ask(client.get(format!("https://{host}:{}{path}", at.port())), &[]).await
    }
}

async fn ask(
    mut request: reqwest::RequestBuilder,
    headers: &[(&str, &str)],
) -> Result<Answer, AskError> {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.map_err(|error| explained(&error))?;
    let header = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let answer = Answer {
        status: response.status().as_u16(),
        location: header("location"),
        date: header("date"),
        next_page: header("x-next-page"),
        body: String::new(),
    };
    Ok(Answer { body: body(response).await, ..answer })
}

/// The addresses of a name.
///
/// # Errors
/// If it has none.
pub async fn resolve(host: &str) -> Result<Vec<IpAddr>, AskError> {
    name::resolve(host).await.map_err(|error| match error {
        NameError::Unknown => AskError::NoSuchName,
        NameError::Timeout => AskError::Timeout,
    })
}

/// `0.0.0.0` is asked as loopback.
fn reachable(at: SocketAddr) -> SocketAddr {
    match at.ip() {
        IpAddr::V4(address) if address.is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), at.port())
        }
        IpAddr::V6(address) if address.is_unspecified() => {
            SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), at.port())
        }
        _ => at,
    }
}

struct Names;

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let addresses = resolve(name.as_str()).await?;
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            let addresses: reqwest::dns::Addrs =
                Box::new(addresses.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}

async fn body(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn explained(error: &reqwest::Error) -> AskError {
    if error.is_timeout() {
        return AskError::Timeout;
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    let mut last = error.to_string();
    while let Some(inner) = cause {
        if let Some(known) = inner.downcast_ref::<AskError>() {
            return known.clone();
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return AskError::Refused;
        }
        last = inner.to_string();
        cause = inner.source();
    }
    if last.contains("certificate") { AskError::Certificate(last) } else { AskError::Other(last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_localhost_name_is_this_machine_without_asking_anybody() {
        let addresses = resolve("app.auth.localhost").await;
        assert_eq!(addresses, Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]));
        assert_eq!(resolve("[::1]").await.map(|found| found.len()), Ok(1));
    }

    #[tokio::test]
    async fn a_port_where_nothing_listens_says_so() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("its address");
        drop(listener);
        let asked = Asker::new().expect("a client").get_as(at, "x", "/").await;
        assert_eq!(asked, Err(AskError::Refused));
    }
}
