//! `oidc` in an app: the client that it is, and what it is told.

use std::time::Duration;

use super::app::{HeaderLine, header_line};
use super::decode;
use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use super::tree::Node;
use crate::jose::Algorithm;

#[derive(Clone, Debug)]
pub struct Oidc {
    pub public: bool,
    pub client_id: Option<Spanned<String>>,
    pub client_secret: Option<SecretRef>,
    /// How it may prove who it is; empty: `basic` or `post`.
    pub client_auth: Vec<Spanned<ClientAuth>>,
    /// Empty: the authorization code alone.
    pub grants: Vec<Spanned<Grant>>,
    /// The service account that it is when it asks for itself.
    pub acts_as: Option<Name>,
    pub pkce: Pkce,
    pub pushed_requests: PushedRequests,
    pub redirect_uris: Vec<Spanned<String>>,
    pub post_logout_redirect_uris: Vec<Spanned<String>>,
    pub scopes: Vec<Spanned<String>>,
    /// `claim NAME CEL`.
    pub claims: Vec<HeaderLine>,
    pub subject: Subject,
    pub signing: Algorithm,
    pub id_token: Option<Duration>,
    pub access_token: AccessToken,
    pub refresh_token: Option<Duration>,
    pub consent: Option<Name>,
    pub at: Span,
}

/// How a client proves who it is (OIDC Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// How a client comes by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    AuthorizationCode,
    ClientCredentials,
}

/// Whether a code challenge must come (RFC 7636).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pkce {
    #[default]
    Required,
    Optional,
}

/// Whether requests must be handed in by the client itself (RFC 9126).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PushedRequests {
    #[default]
    Optional,
    Required,
}

/// What a person is known by (`sub`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The same at every app.
    #[default]
    Public,
    /// Another for each sector: the host given, or the one that codes are delivered to
    /// (OIDC Core §8.1).
    Pairwise { sector: Option<String> },
    /// An attribute of the person, and the public one for whoever has none.
    Attribute { key: Option<Spanned<String>> },
}

/// What access tokens are like.
#[derive(Clone, Debug, Default)]
pub struct AccessToken {
    pub lasts: Option<Duration>,
    pub format: TokenFormat,
    /// Whom it is for, if not the client itself.
    pub audience: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenFormat {
    /// Signed and readable (RFC 9068).
    #[default]
    Jwt,
    /// A random text that only we can look up.
    Opaque,
}

impl Oidc {
    pub(super) fn from_node(node: &Node) -> Self {
        Self {
            public: decode::has(node, 0, "public"),
            client_id: decode::kid_word(node, "client-id"),
            client_secret: decode::kid_secret(node, "client-secret"),
            client_auth: read_words(node, "client-auth", ClientAuth::from_word),
            grants: read_words(node, "grants", Grant::from_word),
            acts_as: decode::kid_word(node, "acts-as"),
            pkce: match decode::kid_text(node, "pkce").as_deref() {
                Some("optional") => Pkce::Optional,
                _ => Pkce::Required,
            },
            pushed_requests: match decode::kid_text(node, "pushed-requests").as_deref() {
                Some("required") => PushedRequests::Required,
                _ => PushedRequests::Optional,
            },
            redirect_uris: decode::kid_words(node, "redirect-uri"),
            post_logout_redirect_uris: decode::kid_words(node, "post-logout-redirect-uri"),
            scopes: decode::kid_words(node, "scopes"),
            claims: node.kids_named("claim").filter_map(header_line).collect(),
            subject: node.kid("subject").map(subject).unwrap_or_default(),
            signing: decode::kid_text(node, "signing")
                .and_then(|word| Algorithm::from_word(&word))
                .unwrap_or(Algorithm::Rs256),
            id_token: decode::kid_duration(node, "id-token"),
            access_token: node.kid("access-token").map(access_token).unwrap_or_default(),
            refresh_token: decode::kid_duration(node, "refresh-token"),
            consent: decode::kid_word(node, "consent"),
            at: node.name.span,
        }
    }

    /// Whether it may come by tokens in this way.
    #[must_use]
    pub fn may(&self, grant: Grant) -> bool {
        match self.grants.is_empty() {
            true => grant == Grant::AuthorizationCode,
            false => self.grants.iter().any(|each| each.value == grant),
        }
    }

    #[must_use]
    pub fn may_ask_for(&self, scope: &str) -> bool {
        self.scopes.iter().any(|each| each.value == scope)
    }
}

fn read_words<T>(node: &Node, kid: &str, read: fn(&str) -> Option<T>) -> Vec<Spanned<T>> {
    let words = decode::kid_words(node, kid).into_iter();
    words.filter_map(|word| Some(Spanned::new(read(&word.value)?, word.span))).collect()
}

fn subject(node: &Node) -> Subject {
    match decode::name(node).as_ref().map(|word| word.value.as_str()) {
        Some("pairwise") => Subject::Pairwise { sector: decode::prop_text(node, "sector") },
        Some("attribute") => Subject::Attribute { key: decode::prop_name(node, "key") },
        _ => Subject::Public,
    }
}

fn access_token(node: &Node) -> AccessToken {
    AccessToken {
        lasts: decode::duration(node),
        format: match decode::prop_text(node, "format").as_deref() {
            Some("opaque") => TokenFormat::Opaque,
            _ => TokenFormat::Jwt,
        },
        audience: decode::prop_text(node, "audience"),
    }
}

impl ClientAuth {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "basic" => Some(Self::Basic),
            "post" => Some(Self::Post),
            _ => None,
        }
    }
}

impl Grant {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "authorization-code" => Some(Self::AuthorizationCode),
            "client-credentials" => Some(Self::ClientCredentials),
            _ => None,
        }
    }
}
