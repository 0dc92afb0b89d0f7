//! `source`: another provider that people sign in with.

use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};

#[derive(Clone, Debug)]
pub struct IdentitySource {
    pub slug: Name,
    pub title: Option<String>,
    pub protocol: Protocol,
    pub link: Option<Spanned<String>>,
    pub enroll: Option<Name>,
    pub for_domains: Vec<Spanned<String>>,
    /// Groups given when the expression holds.
    pub groups: Vec<GroupGrant>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub enum Protocol {
    Oidc(Client),
    Oauth2(Client),
    Github(Client),
}

#[derive(Clone, Debug, Default)]
pub struct Client {
    /// `issuer`, or `authorize`, `token` and `userinfo`, by name.
    pub endpoints: Vec<(String, Spanned<String>)>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretRef>,
    pub scopes: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct GroupGrant {
    pub groups: Vec<Name>,
    pub when: Option<Spanned<String>>,
}
