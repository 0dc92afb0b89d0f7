//! The OpenID Connect client that an app is, compiled.

use std::time::Duration;

use crate::access::groups::GroupSet;
use crate::access::person::{Attributes, Person, PersonKind, Proofs};
use crate::blueprint::oidc::{ClientAuth, Grant, TokenFormat};
use crate::jose::{Algorithm, KeySet};
use crate::model::redirect_uri;

/// A client (RFC 6749 §2).
#[derive(Debug)]
pub struct Client {
    pub id: String,
    /// Whether it has nothing to prove who it is by (RFC 6749 §2.1).
    pub public: bool,
    pub auth: Vec<ClientAuth>,
    /// What it signs with, if anything is known of that.
    pub keys: Option<Keys>,
    /// What of the private network may be called for it: `host:port`.
    pub may_reach: Vec<String>,
    /// Whether it keeps to the FAPI 2.0 Security Profile.
    pub is_fapi: bool,
    pub grants: Vec<Grant>,
    pub acts_as: Option<ServiceAccount>,
    pub needs_challenge: bool,
    /// Whether its requests must be pushed (RFC 9126).
    pub must_push: bool,
    /// Whether its requests must be signed (RFC 9101).
    pub must_sign_requests: bool,
    /// Whether its tokens must be bound to a key (RFC 9449).
    pub must_bind: bool,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a sign-in has ended: by us, and by its person's browser.
    pub back_channel_logout_uri: Option<String>,
    pub front_channel_logout_uri: Option<String>,
    pub scopes: Vec<String>,
    pub subject: Subject,
    pub signing: Algorithm,
    pub id_token_lasts: Duration,
    pub access_token_lasts: Duration,
    pub access_token_format: TokenFormat,
    /// Whom its access tokens are for.
    pub audience: String,
    /// How long each refresh token is good, if it is given any.
    pub refresh_token_lasts: Option<Duration>,
    /// The flow that asks for consent, where it says so.
    pub consent: Option<String>,
}

/// The public keys of a client.
#[derive(Clone, Debug)]
pub enum Keys {
    Declared(KeySet),
    /// They are asked for there.
    At(String),
}

/// What a person is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Public,
    Pairwise { sector: String },
    Attribute { key: String },
}

/// Who a client is when it asks for itself.
#[derive(Debug)]
pub struct ServiceAccount {
    pub name: String,
    pub title: Option<String>,
    pub groups: GroupSet,
    pub group_names: Vec<String>,
    pub attributes: Attributes,
    /// Nothing is ever proven by it.
    pub proofs: Proofs,
}

impl ServiceAccount {
    /// The account as rules see it.
    #[must_use]
    pub fn person(&self) -> Person<'_> {
        Person {
            username: &self.name,
            kind: PersonKind::ServiceAccount,
            name: self.title.as_deref(),
            email: None,
            groups: &self.groups,
            group_names: &self.group_names,
            attributes: &self.attributes,
            proofs: &self.proofs,
            disabled: false,
        }
    }
}

impl Client {
    #[must_use]
    pub fn may(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// By which algorithms it may sign: the profile leaves out what is weaker (FAPI 2.0 §5.4.1).
    #[must_use]
    pub fn may_sign_by(&self) -> &'static [Algorithm] {
        if self.is_fapi {
            &[Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa]
        } else {
            &Algorithm::ALL
        }
    }

    /// Whether each refresh token is good once. The profile forbids that: a client that proves itself
    /// by a key, and whose tokens are bound to one, gains nothing by it and loses its sign-ins to every
    /// lost answer (FAPI 2.0 §5.3.2.1).
    #[must_use]
    pub fn rotates(&self) -> bool {
        !self.is_fapi
    }

    #[must_use]
    pub fn may_prove_by(&self, method: ClientAuth) -> bool {
        self.auth.contains(&method)
    }

    /// Whether codes may be delivered there.
    #[must_use]
    pub fn delivers_to(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|declared| redirect_uri::matches(declared, uri))
    }

    /// Whether people may be sent there after signing out.
    #[must_use]
    pub fn returns_to(&self, uri: &str) -> bool {
        self.post_logout_redirect_uris.iter().any(|declared| redirect_uri::matches(declared, uri))
    }

    /// Those of the scopes asked for that it may have, in their order, each once. The others are
    /// left out (OIDC Core §3.1.2.1).
    #[must_use]
    pub fn granted(&self, asked: &str) -> Vec<String> {
        let mut granted: Vec<String> = Vec::new();
        for scope in asked.split(' ').filter(|scope| !scope.is_empty()) {
            let declared = self.scopes.iter().any(|known| known == scope);
            if declared && !granted.iter().any(|known| known == scope) {
                granted.push(scope.to_owned());
            }
        }
        granted
    }

    /// Whether anybody could be this client at this address: it has no secret, and no name of the
    /// network stands behind where codes go (`security.md` R19).
    #[must_use]
    pub fn can_be_played(&self, redirect_uri: &str) -> bool {
        self.public && !redirect_uri.starts_with("https://")
    }
}
