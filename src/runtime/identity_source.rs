//! Another provider that people sign in with, compiled.

use crate::blueprint::identity_source::{Fields, Link};
use crate::expression::program::Program;
use crate::secret::Secret;

#[derive(Debug)]
pub struct IdentitySource {
    pub slug: String,
    pub title: String,
    pub protocol: Protocol,
    pub client_id: String,
    /// Without it, nobody is sent there.
    pub client_secret: Option<Secret>,
    pub scopes: Vec<String>,
    pub link: Link,
    /// The flow by which people without an account come by one.
    pub enroll: Option<String>,
    /// E-mail domains, folded.
    pub for_domains: Vec<String>,
    pub may_reach: Vec<String>,
    pub grants: Vec<Grant>,
}

#[derive(Debug)]
pub enum Protocol {
    Oidc {
        issuer: String,
    },
    Oauth2 {
        authorize: String,
        token: String,
        userinfo: String,
        fields: Fields,
    },
    /// `url` is where browsers go, `api` where people are described.
    Github {
        url: String,
        api: String,
    },
}

/// Groups for those about whom an expression holds.
#[derive(Debug)]
pub struct Grant {
    pub groups: Vec<String>,
    pub when: Option<Program>,
    /// `sources.kdl:4`.
    pub place: String,
}

impl IdentitySource {
    /// Who vouches: what people are known by there is unique within it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match &self.protocol {
            Protocol::Oidc { issuer } => issuer,
            Protocol::Oauth2 { userinfo, .. } => userinfo,
            Protocol::Github { url, .. } => url,
        }
    }

    /// Whether it can be told to ask its person once more, and says whether it did.
    #[must_use]
    pub fn can_ask_again(&self) -> bool {
        matches!(self.protocol, Protocol::Oidc { .. })
    }

    /// Whether people with this address are sent here.
    #[must_use]
    pub fn is_for(&self, address: &str) -> bool {
        let Some((_, domain)) = address.rsplit_once('@') else { return false };
        let domain = domain.to_ascii_lowercase();
        self.for_domains.contains(&domain)
    }

    /// Whether somebody may be in a group because of what it says.
    #[must_use]
    pub fn gives(&self, group: &str) -> bool {
        self.grants.iter().any(|grant| grant.groups.iter().any(|given| given == group))
    }
}
