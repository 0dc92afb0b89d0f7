//! Networks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network(ipnet::IpNet);
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address part is not valid")]
pub struct NetworkError;
impl Network {
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        text.parse()
            .map(Self)
            .or_else(|_| text.parse::<std::net::IpAddr>().map(|a| Self(a.into())))
            .map_err(|_| NetworkError)
    }
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        self.0.contains(&address)
    }
}
impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
