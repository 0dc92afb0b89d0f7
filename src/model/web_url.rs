//! Addresses of web applications and listeners.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebUrl(url::Url);
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketAddress(std::net::SocketAddr);
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a URL")]
pub struct WebUrlError;
impl WebUrl {
    pub fn parse(text: &str) -> Result<Self, WebUrlError> {
        url::Url::parse(text).map(Self).map_err(|_| WebUrlError)
    }
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
impl SocketAddress {
    pub fn parse(text: &str) -> Result<Self, WebUrlError> {
        text.parse().map(Self).map_err(|_| WebUrlError)
    }
    pub fn get(&self) -> std::net::SocketAddr {
        self.0
    }
}
