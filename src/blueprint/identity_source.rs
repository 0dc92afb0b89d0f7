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

impl IdentitySource {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            slug: decode::name(node)?,
            title: decode::title(node),
            protocol: protocol(node)?,
            link: decode::kid_word(node, "link"),
            enroll: decode::kid_word(node, "enroll"),
            for_domains: decode::kid_words(node, "for-domain"),
            groups: node.kids_named("in").map(grant).collect(),
            at: node.head(),
        })
    }
}

fn protocol(node: &Node) -> Option<Protocol> {
    let one = |name: &str| node.kid(name).map(client);
    one("oidc")
        .map(Protocol::Oidc)
        .or_else(|| one("oauth2").map(Protocol::Oauth2))
        .or_else(|| one("github").map(Protocol::Github))
}

fn client(node: &Node) -> Client {
    let endpoint = |name: &str| decode::kid_word(node, name).map(|url| (name.to_owned(), url));
    Client {
        endpoints: ["issuer", "authorize", "token", "userinfo"]
            .into_iter()
            .filter_map(endpoint)
            .collect(),
        client_id: decode::kid_text(node, "client-id"),
        client_secret: decode::kid_secret(node, "client-secret"),
        scopes: decode::kid_words(node, "scopes").into_iter().map(|scope| scope.value).collect(),
    }
}

fn grant(node: &Node) -> GroupGrant {
    GroupGrant { groups: decode::words(node), when: decode::prop_name(node, "if") }
}
