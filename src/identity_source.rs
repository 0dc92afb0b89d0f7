//! Signing in through other providers: a browser is sent there and comes back with a code, which is worth
//! what the provider says of its person (`security.md` R14). It knows no flow, no page and no account.

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Millis};
use crate::outbound::{CallError, Outbound};
use crate::runtime::identity_source::{IdentitySource, Protocol};

/// GitHub, which speaks OAuth 2 in a manner of its own.
mod github;
/// Providers that speak OAuth 2 and nothing more.
mod oauth2;
/// OpenID Connect.
mod oidc;
/// What a provider says of a person.
mod said;

pub use said::Said;

/// How long a provider may take with all that it is asked for one answer to a browser.
const WITHIN: Duration = Duration::from_secs(20);

/// What one browser was sent away with. It comes back with all of it, or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The source, by name, and who vouches there.
    pub source: String,
    pub issuer: String,
    /// The answer is for this browser (RFC 6749 §10.12).
    pub state: String,
    /// It stands in the ID token: the token is for this request (OIDC Core §3.1.2.1).
    pub nonce: String,
    /// Only we can redeem the code (RFC 7636).
    pub verifier: String,
    /// Where the browser goes on.
    pub back: String,
    /// They have to show up there after this moment.
    pub again_since: Option<Millis>,
}

/// How somebody is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish<'a> {
    /// The name that was typed.
    pub hint: Option<&'a str>,
    /// They have to show up there once more, whoever the provider takes them for.
    pub again: bool,
}

/// What a browser came back with (RFC 6749 §4.1.2, RFC 9207).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub code: Option<String>,
    pub issuer: Option<String>,
    pub error: Option<String>,
}

/// Why a source proved nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("its secret is missing")]
    NoSecret,
    #[error("it cannot be asked: {0}")]
    Call(#[from] CallError),
    #[error("it took longer than 20 seconds")]
    TooSlow,
    #[error("it refused: {0}")]
    Refused(String),
    #[error("its answer cannot be taken: {0}")]
    BadAnswer(String),
}

impl SourceError {
    /// Whether another try in a while may help.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    fn bad(what: impl ToString) -> Self {
        Self::BadAnswer(what.to_string())
    }
}

/// What is known of providers beyond the files. There is one.
pub struct IdentitySources {
    providers: oidc::Providers,
}

/// A source, and how it is reached.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    pub source: &'a IdentitySource,
    pub outbound: &'a Outbound,
    /// Where it sends browsers back to.
    pub redirect_uri: &'a str,
}

impl IdentitySources {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { providers: oidc::Providers::new(clock) }
    }

    /// The address that a browser is sent to.
    ///
    /// # Errors
    /// If the provider cannot be found.
    pub async fn address(
        &self,
        way: Way<'_>,
        sent: &Sent,
        wish: Wish<'_>,
    ) -> Result<String, SourceError> {
        if way.source.client_secret.is_none() {
            return Err(SourceError::NoSecret);
        }
        match &way.source.protocol {
            Protocol::Oidc { issuer } => {
                within(self.providers.address(way, issuer, sent, wish)).await
            }
            Protocol::Oauth2 { authorize, .. } => oauth2::address(way, authorize, sent),
            Protocol::Github { url, .. } => {
                oauth2::address(way, &format!("{url}/login/oauth/authorize"), sent)
            }
        }
    }

    /// Turns what a browser came back with into what the provider says of its person.
    ///
    /// # Errors
    /// If it says nothing, or nothing that was asked for here.
    pub async fn redeem(
        &self,
        way: Way<'_>,
        sent: &Sent,
        answer: &Answer,
        now: Millis,
    ) -> Result<Said, SourceError> {
        let source = way.source;
        if sent.source != source.slug || sent.issuer != source.issuer() {
            return Err(SourceError::bad("another provider was asked"));
        }
        // RFC 9207 §2.4: an answer that names another issuer is for nobody. Of the others none is known.
        let has_issuer = matches!(source.protocol, Protocol::Oidc { .. });
        if has_issuer && answer.issuer.as_deref().is_some_and(|issuer| issuer != source.issuer()) {
            return Err(SourceError::bad("it comes from another issuer"));
        }
        if let Some(error) = &answer.error {
            return Err(SourceError::Refused(said::short(error)));
        }
        let code = answer.code.as_deref().filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| SourceError::bad("no code came back"))?;
        within(self.ask(way, (sent, code), now)).await
    }

    /// What a code is worth.
    async fn ask(
        &self,
        way: Way<'_>,
        redeemed: (&Sent, &str),
        now: Millis,
    ) -> Result<Said, SourceError> {
        match &way.source.protocol {
            Protocol::Oidc { issuer } => self.providers.redeem(way, issuer, redeemed, now).await,
            Protocol::Oauth2 { token, userinfo, fields, .. } => {
                let token = oauth2::token(way, token, oauth2::Proof::Basic, redeemed).await?;
                let claims = oauth2::get(way, userinfo, &token).await?;
                oauth2::said(way.source.issuer(), fields, &claims)
            }
            Protocol::Github { url, api } => github::redeem(way, url, api, redeemed).await,
        }
    }
}

/// However many calls it takes, a browser waits for it.
async fn within<T>(asked: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    tokio::time::timeout(WITHIN, asked).await.unwrap_or(Err(SourceError::TooSlow))
}
