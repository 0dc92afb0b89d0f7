//! Apps and their addresses, compiled.

use http::HeaderName;

use super::client::Client;
use super::ldap::LdapApp;
use crate::access::rule::{AppAccess, Gate};
use crate::blueprint::app::IdentityHeaders;
use crate::blueprint::settings::SessionLimits;
use crate::expression::program::Program;
use crate::model::web_url::Origin;

/// One application.
#[derive(Debug)]
pub struct App {
    /// Its number within this runtime.
    pub index: usize,
    /// Its identity for life.
    pub uid: String,
    pub slug: String,
    pub title: String,
    pub category: Option<String>,
    pub icon: Option<String>,
    pub hidden: bool,
    /// Where its card in the portal leads.
    pub launch_url: Option<String>,
    pub access: AppAccess,
    pub addresses: Vec<Address>,
    /// The names of the flows that sign people in here, where the app says so.
    pub authentication: Option<String>,
    /// The name of the flow that the app is entered by, where it says so.
    pub authorization: Option<String>,
    /// How long somebody stays without using the app or showing up again, where it says so.
    pub session: Option<SessionLimits>,
    /// The OpenID Connect client that it is.
    pub client: Option<Client>,
    /// How it signs people in by LDAP binds.
    pub ldap: Option<LdapApp>,
    /// Claims of its own.
    pub claims: Vec<(String, Program)>,
    /// `apps/grafana.kdl:1`.
    pub place: String,
}

/// One address or domain behind a reverse proxy.
#[derive(Debug)]
pub struct Address {
    pub reach: Reach,
    pub gate: Gate,
    pub identity: IdentityHeaders,
    /// `header NAME CEL`.
    pub headers: Vec<(HeaderName, Program)>,
    pub answers_preflight: bool,
    /// The name of the session cookie at this address.
    pub cookie: String,
    /// The name of the cookie that ties a sign-in to the browser that began it.
    pub nonce_cookie: String,
}

/// Where an address is reached.
#[derive(Debug)]
pub enum Reach {
    /// Declared, and as people reach it.
    Host { declared: Origin, public: Origin },
    /// A domain: one cookie for all hosts below it.
    Domain { domain: String, secure: bool, port: u16 },
}

impl App {
    /// Whether an app password can open it: a proxy brings them, or a bind.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        !self.addresses.is_empty() || self.ldap.is_some()
    }
}

impl Address {
    /// The origin of this address for a request to `host` (in public form).
    #[must_use]
    pub fn public_origin(&self, host: &str) -> Origin {
        match &self.reach {
            Reach::Host { public, .. } => public.clone(),
            Reach::Domain { secure, port, .. } => {
                Origin { secure: *secure, host: host.to_owned(), port: *port }
            }
        }
    }

    #[must_use]
    pub fn is_secure(&self) -> bool {
        match &self.reach {
            Reach::Host { public, .. } => public.secure,
            Reach::Domain { secure, .. } => *secure,
        }
    }
}
