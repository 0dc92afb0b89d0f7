//! `app`: how it is reached, how it speaks, who may use it.

use std::time::Duration;

use super::decode;
use super::oidc::Oidc;
use super::secret_ref::SecretRef;
use super::settings::{SessionLimits, profile};
use super::source::{Name, Span, Spanned};
use super::tree::Node;
use crate::model::directory_profile::DirectoryProfile;
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

#[derive(Clone, Debug)]
pub struct AppLdap {
    pub bind_as: Option<Name>,
    pub flow: Option<Name>,
    pub profile: Option<DirectoryProfile>,
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

impl App {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        let proxies = node.kids.iter().filter_map(proxy).collect();
        Some(Self {
            slug: decode::name(node)?,
            title: decode::title(node),
            category: decode::prop_text(node, "category"),
            icon: decode::prop_name(node, "icon"),
            formerly: decode::prop_name(node, "formerly"),
            hidden: decode::has(node, 1, "hidden"),
            protect: decode::has(node, 1, "protect"),
            launch_url: decode::kid_word(node, "launch-url"),
            proxies,
            authentication: decode::kid_word(node, "authentication"),
            authorization: decode::kid_word(node, "authorization"),
            session: node.kid("session").map(SessionLimits::from_node),
            oidc: node.kid("oidc").map(Oidc::from_node),
            ldap: node.kid("ldap").map(ldap),
            scim: node.kid("scim").and_then(scim),
            middlewares: node
                .kid("traefik")
                .map(|traefik| decode::kid_words(traefik, "middlewares"))
                .unwrap_or_default(),
            access: node.kid("access").map(access).unwrap_or_default(),
            at: node.head(),
        })
    }
}

fn proxy(node: &Node) -> Option<Proxy> {
    Some(Proxy {
        reach: reach(node)?,
        to: node.prop("to").and_then(|to| decode::parsed(to, WebUrl::parse)),
        bypass: node.kids_named("bypass").map(bypass).collect(),
        protect_only: decode::kid_parsed(node, "protect-only", Glob::parse),
        headers: node.kids_named("header").filter_map(header_line).collect(),
        identity_headers: match decode::kid_text(node, "identity-headers").as_deref() {
            Some("remote") => IdentityHeaders::Remote,
            Some("authentik") => IdentityHeaders::Authentik,
            Some("none") => IdentityHeaders::None,
            _ => IdentityHeaders::Unsaid,
        },
        preflight: match decode::kid_text(node, "preflight").as_deref() {
            Some("allow") => Preflight::Allow,
            _ => Preflight::Deny,
        },
        at: node.line,
    })
}

fn reach(node: &Node) -> Option<Reach> {
    let first = node.args.first();
    match node.name.text.as_str() {
        "proxy" => first.and_then(|url| decode::parsed(url, WebUrl::parse)).map(Reach::Address),
        "proxy-domain" => Some(Reach::Domain {
            domain: first.and_then(|domain| decode::parsed(domain, Host::parse))?,
            hosts: decode::kid_parsed(node, "hosts", HostPattern::parse),
        }),
        _ => None,
    }
}

fn bypass(node: &Node) -> Bypass {
    let paths = node.args.iter().filter_map(|value| decode::parsed(value, Glob::parse));
    Bypass {
        paths: paths.collect(),
        reason: decode::prop_text(node, "reason"),
        methods: decode::prop_text(node, "method").into_iter().collect(),
        at: node.line,
    }
}

pub(super) fn header_line(node: &Node) -> Option<HeaderLine> {
    let mut words = decode::words(node).into_iter();
    Some(HeaderLine { name: words.next()?, value: words.next()? })
}

fn access(node: &Node) -> Access {
    Access {
        requires: node.kids_named("require").filter_map(requirement).collect(),
        rules: node.kids.iter().filter_map(rule).collect(),
        at: node.head(),
    }
}

fn requirement(node: &Node) -> Option<Requirement> {
    let word = decode::name(node)?;
    let factor = match word.value.as_str() {
        "mfa" => RequiredFactor::Mfa,
        other => RequiredFactor::One(Factor::from_word(other)?),
    };
    Some(Requirement { factor, within: decode::duration(node), at: node.line })
}

fn rule(node: &Node) -> Option<Rule> {
    let effect = match node.name.text.as_str() {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        _ => return None,
    };
    Some(Rule {
        effect,
        subjects: subjects(node),
        path: node.prop("path").and_then(|path| decode::parsed(path, Glob::parse)),
        method: decode::prop_text(node, "method"),
        when: decode::policies(node, "if"),
        unless: decode::policies(node, "unless"),
        at: node.line,
    })
}

/// The arguments as subjects.
pub(super) fn subjects(node: &Node) -> Vec<Spanned<Subject>> {
    let read = |value| decode::parsed(value, |text| Subject::parse(text).ok_or(()));
    node.args.iter().filter_map(read).collect()
}

fn ldap(node: &Node) -> AppLdap {
    AppLdap {
        bind_as: decode::kid_word(node, "bind-as"),
        flow: decode::kid_word(node, "flow"),
        profile: profile(node),
        at: node.name.span,
    }
}

fn scim(node: &Node) -> Option<Scim> {
    Some(Scim {
        url: decode::name(node)?,
        token: decode::kid_secret(node, "token"),
        sync: node.kid("sync").map(subjects).unwrap_or_default(),
        on_remove: decode::kid_word(node, "on-remove"),
        at: node.head(),
    })
}
