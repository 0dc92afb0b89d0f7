//! `app`: how it is reached, how it speaks, who may use it.

use std::time::Duration;

use super::secret_ref::SecretRef;
use super::settings::SessionLimits;
use super::source::{Name, Span, Spanned};
use crate::model::factor::Factor;
use crate::model::glob::Glob;
use crate::model::host::{Host, HostPattern};
use crate::model::subject::Subject;
use crate::model::web_url::WebUrl;

#[derive(Clone, Debug)]
pub struct App {
    pub slug: Name,
    pub title: Option<String>,
    pub category: Option<String>,
    pub icon: Option<Spanned<String>>,
    pub formerly: Option<Name>,
    pub hidden: bool,
    pub protect: bool,
    pub launch_url: Option<Spanned<String>>,
    pub proxies: Vec<Proxy>,
    pub authentication: Option<Name>,
    pub authorization: Option<Name>,
    pub session: Option<SessionLimits>,
    pub oidc: Option<Oidc>,
    pub ldap: Option<AppLdap>,
    pub scim: Option<Scim>,
    /// Traefik middlewares, in order.
    pub middlewares: Vec<Name>,
    pub access: Access,
    /// Name, first argument and position of the `app` node.
    pub at: Span,
}

/// One address (`proxy`) or one domain (`proxy-domain`) behind a reverse proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub reach: Reach,
    /// The upstream that Traefik is told, if Doorward writes its router.
    pub to: Option<Spanned<WebUrl>>,
    pub bypass: Vec<Bypass>,
    /// If not empty, only these paths are behind the login.
    pub protect_only: Vec<Spanned<Glob>>,
    pub headers: Vec<HeaderLine>,
    pub identity_headers: IdentityHeaders,
    pub preflight: Preflight,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub enum Reach {
    Address(Spanned<WebUrl>),
    Domain { domain: Spanned<Host>, hosts: Vec<Spanned<HostPattern>> },
}

/// Paths that need no login.
#[derive(Clone, Debug)]
pub struct Bypass {
    pub paths: Vec<Spanned<Glob>>,
    pub reason: Option<String>,
    pub methods: Vec<String>,
    pub at: Span,
}

/// `header NAME CEL`.
#[derive(Clone, Debug)]
pub struct HeaderLine {
    pub name: Spanned<String>,
    pub value: Spanned<String>,
}

/// The set of names under which an identity is told to an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeaders {
    /// Not said: `remote`, or what the endpoint asked is known for.
    Unsaid,
    Remote,
    Authentik,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    Allow,
    #[default]
    Deny,
}

/// Who may enter: requirements, then rules of which the first match decides; else deny.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub requires: Vec<Requirement>,
    pub rules: Vec<Rule>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub struct Requirement {
    pub factor: RequiredFactor,
    pub within: Option<Duration>,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredFactor {
    /// Any second factor.
    Mfa,
    One(Factor),
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub effect: Effect,
    /// One of these; the subject's own place is kept.
    pub subjects: Vec<Spanned<Subject>>,
    pub path: Option<Spanned<Glob>>,
    pub method: Option<String>,
    /// All of these must hold.
    pub when: Vec<Name>,
    /// None of these may hold.
    pub unless: Vec<Name>,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// `oidc`: checked now, served by a later front.
#[derive(Clone, Debug)]
pub struct Oidc {
    pub public: bool,
    pub client_id: Option<Spanned<String>>,
    pub client_secret: Option<SecretRef>,
    pub redirect_uris: Vec<Spanned<String>>,
    pub post_logout_redirect_uris: Vec<Spanned<String>>,
    pub scopes: Vec<Spanned<String>>,
    /// `claim NAME CEL`.
    pub claims: Vec<HeaderLine>,
    pub access_token: Option<Duration>,
    pub refresh_token: Option<Duration>,
    pub consent: Option<Name>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub struct AppLdap {
    pub bind_as: Option<Name>,
    pub flow: Option<Name>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub struct Scim {
    pub url: Spanned<String>,
    pub token: Option<SecretRef>,
    pub sync: Vec<Spanned<Subject>>,
    pub on_remove: Option<Spanned<String>>,
    pub at: Span,
}
