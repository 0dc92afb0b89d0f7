//! `oidc` in an app: the client that it is, and what it is told.

use std::time::Duration;

use url::Url;

use super::app::{HeaderLine, header_line};
use super::decode;
use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use super::tree::Node;
use crate::jose::Algorithm;
use crate::model::web_url::authority_of;

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
    pub profile: Option<Spanned<Profile>>,
    pub pkce: Option<Spanned<Rule>>,
    /// Whether requests must be handed in by the client itself (RFC 9126).
    pub pushed_requests: Option<Spanned<Rule>>,
    /// Whether requests must be signed (RFC 9101).
    pub signed_requests: Option<Spanned<Rule>>,
    /// Whether tokens must be bound to a key (RFC 9449).
    pub dpop: Option<Spanned<Rule>>,
    /// Its public keys, as JSON.
    pub jwks: Option<Spanned<String>>,
    /// Where its public keys are.
    pub jwks_uri: Option<Spanned<String>>,
    /// What of the private network may be called for it: `host:port`.
    pub may_reach: Vec<Spanned<String>>,
    pub redirect_uris: Vec<Spanned<String>>,
    pub post_logout_redirect_uris: Vec<Spanned<String>>,
    /// Where it is told that a sign-in has ended: by us, and by its person's browser.
    pub back_channel_logout_uri: Option<Spanned<String>>,
    pub front_channel_logout_uri: Option<Spanned<String>>,
    pub scopes: Vec<Spanned<String>>,
    /// `claim NAME CEL`.
    pub claims: Vec<HeaderLine>,
    pub subject: Subject,
    pub signing: Option<Spanned<Algorithm>>,
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
    /// `client_secret_jwt`.
    SecretJwt,
    /// `private_key_jwt`.
    PrivateKeyJwt,
}

/// How a client comes by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    AuthorizationCode,
    ClientCredentials,
    /// For devices without a keyboard (RFC 8628).
    DeviceCode,
}

/// Whether something must come, or may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Required,
    Optional,
}

/// A set of rules that others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// FAPI 2.0 Security Profile.
    Fapi2,
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
            profile: decode::kid_word(node, "profile")
                .map(|word| Spanned::new(Profile::Fapi2, word.span)),
            pkce: rule(node, "pkce"),
            pushed_requests: rule(node, "pushed-requests"),
            signed_requests: rule(node, "signed-requests"),
            dpop: rule(node, "dpop"),
            jwks: decode::kid_word(node, "jwks"),
            jwks_uri: decode::kid_word(node, "jwks-uri"),
            may_reach: decode::kid_words(node, "may-reach"),
            redirect_uris: decode::kid_words(node, "redirect-uri"),
            post_logout_redirect_uris: decode::kid_words(node, "post-logout-redirect-uri"),
            back_channel_logout_uri: decode::kid_word(node, "back-channel-logout-uri"),
            front_channel_logout_uri: decode::kid_word(node, "front-channel-logout-uri"),
            scopes: decode::kid_words(node, "scopes"),
            claims: node.kids_named("claim").filter_map(header_line).collect(),
            subject: node.kid("subject").map(subject).unwrap_or_default(),
            signing: decode::kid_word(node, "signing")
                .and_then(|word| Some(Spanned::new(Algorithm::from_word(&word.value)?, word.span))),
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

    /// What is called for it.
    #[must_use]
    pub fn called(&self) -> Vec<&Spanned<String>> {
        self.jwks_uri.iter().chain(&self.back_channel_logout_uri).collect()
    }

    /// Whether a place in the private network may be called for it.
    #[must_use]
    pub fn may_reach(&self, url: &Url) -> bool {
        let authority = authority_of(url);
        let mut named = self.may_reach.iter().map(|each| with_port(&each.value));
        authority.is_some_and(|authority| named.any(|named| named == authority))
    }

    /// Whether it keeps to the FAPI 2.0 Security Profile.
    #[must_use]
    pub fn is_fapi(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.value == Profile::Fapi2)
    }

    /// How it may prove who it is.
    #[must_use]
    pub fn proves_by(&self) -> Vec<ClientAuth> {
        let given = self.client_auth.iter().map(|method| method.value);
        match (self.public, self.client_auth.is_empty(), self.is_fapi()) {
            (true, ..) => Vec::new(),
            (false, false, _) => given.collect(),
            (false, true, true) => vec![ClientAuth::PrivateKeyJwt],
            (false, true, false) => vec![ClientAuth::Basic, ClientAuth::Post],
        }
    }

    /// Whether there is a secret at all.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.client_secret.is_some() || self.proves_by().into_iter().any(ClientAuth::is_by_secret)
    }

    #[must_use]
    pub fn may_ask_for(&self, scope: &str) -> bool {
        self.scopes.iter().any(|each| each.value == scope)
    }
}

fn rule(node: &Node, kid: &str) -> Option<Spanned<Rule>> {
    let word = decode::kid_word(node, kid)?;
    let rule = match word.value.as_str() {
        "required" => Rule::Required,
        _ => Rule::Optional,
    };
    Some(Spanned::new(rule, word.span))
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

/// A host as files write it, with its port.
#[must_use]
pub fn with_port(text: &str) -> String {
    let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let lower = text.to_ascii_lowercase();
    if has_port { lower } else { format!("{lower}:443") }
}

impl ClientAuth {
    const ALL: [Self; 4] = [Self::Basic, Self::Post, Self::SecretJwt, Self::PrivateKeyJwt];

    /// As files spell it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Post => "post",
            Self::SecretJwt => "secret-jwt",
            Self::PrivateKeyJwt => "private-key-jwt",
        }
    }

    /// As the specification spells it (OIDC Core §9).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::SecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Whether both sides know the secret that it proves by.
    #[must_use]
    pub fn is_by_secret(self) -> bool {
        self != Self::PrivateKeyJwt
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.word() == word)
    }
}

impl Grant {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "authorization-code" => Some(Self::AuthorizationCode),
            "client-credentials" => Some(Self::ClientCredentials),
            "device-code" => Some(Self::DeviceCode),
            _ => None,
        }
    }
}
