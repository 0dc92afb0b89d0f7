//! `source`: another provider that people sign in with.

use super::decode;
use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use super::tree::Node;

#[derive(Clone, Debug)]
pub struct IdentitySource {
    pub slug: Name,
    pub title: Option<String>,
    pub protocol: Protocol,
    pub client: Client,
    pub link: Link,
    pub enroll: Option<Name>,
    pub for_domains: Vec<Spanned<String>>,
    /// Places of the private network that may be called, as `host:port`.
    pub may_reach: Vec<String>,
    /// Groups given when the expression holds.
    pub groups: Vec<GroupGrant>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub enum Protocol {
    Oidc { issuer: Spanned<String> },
    Oauth2(Box<Endpoints>),
    Github { url: Option<Spanned<String>> },
}

/// Of a provider that has no discovery.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub authorize: Spanned<String>,
    pub token: Spanned<String>,
    pub userinfo: Spanned<String>,
    pub fields: Fields,
}

/// The names under which a provider says things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub subject: Option<String>,
    pub username: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub email_verified: Option<String>,
    pub groups: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Client {
    pub id: String,
    pub secret: Option<SecretRef>,
    pub scopes: Vec<String>,
}

/// Whether an account that exists may be connected, from the strictest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    Never,
    /// By whoever proves to be its person.
    #[default]
    Ask,
    /// Also by an address that both sides have verified.
    VerifiedEmail,
}

#[derive(Clone, Debug)]
pub struct GroupGrant {
    pub groups: Vec<Name>,
    pub when: Option<Spanned<String>>,
}

impl IdentitySource {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        let (protocol, client) = protocol(node)?;
        Some(Self {
            slug: decode::name(node)?,
            title: decode::title(node),
            protocol,
            client,
            link: link(node),
            enroll: decode::kid_word(node, "enroll"),
            for_domains: decode::kid_words(node, "for-domain"),
            may_reach: words(node, "may-reach"),
            groups: node.kids_named("in").map(grant).collect(),
            at: node.head(),
        })
    }

    /// Every address that the source names: where people are sent, and what is called.
    pub fn addresses(&self) -> impl Iterator<Item = &Spanned<String>> {
        let all = match &self.protocol {
            Protocol::Oidc { issuer } => vec![issuer],
            Protocol::Oauth2(endpoints) => {
                vec![&endpoints.authorize, &endpoints.token, &endpoints.userinfo]
            }
            Protocol::Github { url } => url.iter().collect(),
        };
        all.into_iter()
    }
}

fn protocol(node: &Node) -> Option<(Protocol, Client)> {
    if let Some(oidc) = node.kid("oidc") {
        let protocol = Protocol::Oidc { issuer: decode::kid_word(oidc, "issuer")? };
        return Some((protocol, client(oidc)));
    }
    if let Some(oauth2) = node.kid("oauth2") {
        let endpoints = Endpoints {
            authorize: decode::kid_word(oauth2, "authorize")?,
            token: decode::kid_word(oauth2, "token")?,
            userinfo: decode::kid_word(oauth2, "userinfo")?,
            fields: oauth2.kid("fields").map(fields).unwrap_or_default(),
        };
        return Some((Protocol::Oauth2(Box::new(endpoints)), client(oauth2)));
    }
    let github = node.kid("github")?;
    Some((Protocol::Github { url: decode::kid_word(github, "url") }, client(github)))
}

fn fields(node: &Node) -> Fields {
    let field = |name: &str| decode::prop_name(node, name).map(|name| name.value);
    Fields {
        subject: field("subject"),
        username: field("username"),
        name: field("name"),
        email: field("email"),
        email_verified: field("email-verified"),
        groups: field("groups"),
    }
}

fn client(node: &Node) -> Client {
    Client {
        id: decode::kid_text(node, "client-id").unwrap_or_default(),
        secret: decode::kid_secret(node, "client-secret"),
        scopes: words(node, "scopes"),
    }
}

fn link(node: &Node) -> Link {
    match decode::kid_word(node, "link").as_ref().map(|rule| rule.value.as_str()) {
        Some("never") => Link::Never,
        Some("verified-email") => Link::VerifiedEmail,
        _ => Link::Ask,
    }
}

fn words(node: &Node, kid: &str) -> Vec<String> {
    decode::kid_words(node, kid).into_iter().map(|word| word.value).collect()
}

fn grant(node: &Node) -> GroupGrant {
    GroupGrant { groups: decode::words(node), when: decode::prop_name(node, "if") }
}
