//! Requests of ours to others over HTTP.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};
use url::Url;

use crate::model::web_url::authority_of;

/// Which addresses are everybody's.
pub mod address;
/// Names, looked up.
pub mod name;

const WITHIN: Duration = Duration::from_secs(10);
/// A longer answer is not one that we asked for.
const LONGEST: usize = 256 * 1024;

/// A client that goes where it is sent and nowhere else: it follows no redirect, asks no proxy of the
/// environment and waits for nobody (`security.md` R19).
pub fn client() -> ClientBuilder {
    Client::builder().redirect(Policy::none()).no_proxy().timeout(WITHIN).user_agent("doorward")
}

/// Calls to places that files name for apps and sources.
#[derive(Debug, Default)]
pub struct Outbound {
    /// Certificates that are trusted besides the system's, as PEM.
    trusted: ArcSwapOption<String>,
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("it is no address that can be called")]
    BadUrl,
    #[error("the name does not resolve")]
    NoSuchName,
    #[error(
        "{address} is not a public address: name {authority} with `may-reach` if it may be called"
    )]
    Private { address: IpAddr, authority: String },
    #[error("without https only places that `may-reach` names are called")]
    NotSecure,
    #[error("the certificates of `trusted-ca` cannot be read")]
    Certificates,
    #[error("{0}")]
    NoAnswer(String),
    #[error("it answered {0}")]
    Status(u16),
    #[error("the answer is longer than 256 KiB, or is no text")]
    BadAnswer,
}

impl Outbound {
    /// Trusts these certificates besides the system's, from the next call on.
    pub fn trust(&self, pem: Option<String>) {
        self.trusted.store(pem.map(Arc::new));
    }

    /// A client that reaches this place alone: the name is looked up once, every address that it has
    /// must be public or named, and the connection goes to one of those that were looked at
    /// (`security.md` R19).
    ///
    /// # Errors
    /// If the place must not be called.
    pub async fn vetted(&self, url: &Url, may_reach: &[String]) -> Result<Client, CallError> {
        let host = url.host_str().ok_or(CallError::BadUrl)?;
        let port = url.port_or_known_default().ok_or(CallError::BadUrl)?;
        let authority = authority_of(url).ok_or(CallError::BadUrl)?;
        let named = may_reach.contains(&authority);
        match url.scheme() {
            "https" => {}
            "http" if named => {}
            "http" => return Err(CallError::NotSecure),
            _ => return Err(CallError::BadUrl),
        }
        let found = name::resolve(host).await.map_err(|_| CallError::NoSuchName)?;
        // What is of the link alone is where clouds keep their secrets: no name opens it.
        let barred = |address: &&IpAddr| {
            address::is_link_local(**address) || (!named && !address::is_public(**address))
        };
        let foreign = found.iter().find(barred);
        if let Some(address) = foreign {
            return Err(CallError::Private { address: *address, authority });
        }
        let found: Vec<_> =
            found.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        let mut builder = client().resolve_to_addrs(host, &found);
        if let Some(pem) = self.trusted.load_full() {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes());
            builder = builder.tls_certs_merge(certificates.map_err(|_| CallError::Certificates)?);
        }
        builder.build().map_err(|error| CallError::NoAnswer(cause(&error)))
    }

    /// What is said at a place.
    ///
    /// # Errors
    /// If it must not be called, or does not answer with a text.
    pub async fn get(&self, url: &str, may_reach: &[String]) -> Result<String, CallError> {
        let url = Url::parse(url).map_err(|_| CallError::BadUrl)?;
        let client = self.vetted(&url, may_reach).await?;
        let answer = client.get(url).header("accept", "application/json").send().await;
        text(answer.map_err(|error| CallError::NoAnswer(cause(&error)))?).await
    }

    /// Sends a request, and gives whatever answer comes.
    ///
    /// # Errors
    /// If the place must not be called, or nothing comes back.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        may_reach: &[String],
    ) -> Result<http::Response<Vec<u8>>, CallError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| CallError::BadUrl)?;
        let client = self.vetted(&url, may_reach).await?;
        let request = reqwest::Request::try_from(request).map_err(|_| CallError::BadUrl)?;
        let answer = client.execute(request).await;
        let answer = answer.map_err(|error| CallError::NoAnswer(cause(&error)))?;
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        *response.body_mut() = bytes(answer).await?;
        Ok(response)
    }

    /// Posts a form to a place, and wants nothing but that it was taken.
    ///
    /// # Errors
    /// If it must not be called, or does not take it.
    pub async fn post(
        &self,
        url: &str,
        may_reach: &[String],
        form: &[(&str, &str)],
    ) -> Result<(), CallError> {
        let url = Url::parse(url).map_err(|_| CallError::BadUrl)?;
        let client = self.vetted(&url, may_reach).await?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let answer = client.post(url).header(kind.0, kind.1).body(body).send().await;
        let answer = answer.map_err(|error| CallError::NoAnswer(cause(&error)))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(CallError::Status(status.as_u16())),
        }
    }
}

/// The text of a good answer, no longer than we want it.
async fn text(answer: Response) -> Result<String, CallError> {
    if !answer.status().is_success() {
        return Err(CallError::Status(answer.status().as_u16()));
    }
    String::from_utf8(bytes(answer).await?).map_err(|_| CallError::BadAnswer)
}

async fn bytes(mut answer: Response) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        let chunk = chunk.map_err(|error| CallError::NoAnswer(cause(&error)))?;
        let Some(chunk) = chunk else { break };
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            return Err(CallError::BadAnswer);
        }
    }
    Ok(bytes)
}

/// The innermost cause of a failure, which says what happened and names no address.
#[must_use]
pub fn cause(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn Error> = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        last = Some(inner);
        cause = inner.source();
    }
    last.map_or_else(|| without_address(error), ToString::to_string)
}

fn without_address(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() { "nothing came in time" } else { "the request failed" };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `security.md` R19.
    #[tokio::test]
    async fn only_what_is_public_or_named_is_called() {
        let outbound = Outbound::default();
        let named = ["127.0.0.1:8443", "git.localhost:443", "169.254.169.254:80"];
        let named = named.map(str::to_owned);
        let vetted = async |text: &str| {
            let url = Url::parse(text).expect("a URL");
            outbound.vetted(&url, &named).await.map(|_| ())
        };
        let private = |address: &str, authority: &str| {
            let address = address.parse().expect("an address");
            Err(CallError::Private { address, authority: authority.to_owned() })
        };
        assert_eq!(vetted("https://127.0.0.1:8443/keys").await, Ok(()));
        assert_eq!(vetted("http://127.0.0.1:8443/keys").await, Ok(()));
        assert_eq!(vetted("https://git.localhost/keys").await, Ok(()));
        assert_eq!(vetted("https://127.0.0.1/").await, private("127.0.0.1", "127.0.0.1:443"));
        // However the address is spelled.
        assert_eq!(vetted("https://0x7f.1/").await, private("127.0.0.1", "127.0.0.1:443"));
        assert_eq!(vetted("https://2130706433/").await, private("127.0.0.1", "127.0.0.1:443"));
        assert_eq!(
            vetted("https://[::ffff:169.254.169.254]/").await,
            private("::ffff:169.254.169.254", "[::ffff:a9fe:a9fe]:443")
        );
        // Whatever is named.
        assert_eq!(
            vetted("http://169.254.169.254/latest").await,
            private("169.254.169.254", "169.254.169.254:80")
        );
        // By what the name says, not by the name.
        assert_eq!(
            vetted("https://cloud.localhost/").await,
            private("127.0.0.1", "cloud.localhost:443")
        );
        assert_eq!(vetted("http://192.0.2.1/").await, Err(CallError::NotSecure));
        assert_eq!(vetted("file:///etc/passwd").await, Err(CallError::BadUrl));
    }
}
