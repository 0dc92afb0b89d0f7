//! Hosts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPattern(String);
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a host name")]
pub struct HostError;
impl Host {
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() || text.contains('/') {
            Err(HostError)
        } else {
            Ok(Self(text.to_lowercase()))
        }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl HostPattern {
    pub fn parse(text: &str) -> Result<Self, HostError> {
        Host::parse(text).map(|h| Self(h.0))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl HostPattern {
    pub fn matches(&self, host: &str) -> bool {
        match self.0.strip_prefix("*.") {
            Some(s) => host.strip_suffix(s).is_some_and(|h| h.ends_with('.')),
            None => host == self.0,
        }
    }
}
