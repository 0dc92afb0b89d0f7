//! OpenID Connect as a relying party. The `openidconnect` crate carries the specification; what is
//! called, and when, is decided here.

use std::collections::HashMap;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdToken,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AccessToken, AdditionalClaims, AsyncHttpClient, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SubjectIdentifier, TokenResponse, UserInfoClaims,
    UserInfoError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::said::short;
use super::{Said, Sent, SourceError, Way, Wish};
use crate::clock::{Clock, Millis};
use crate::outbound::{CallError, Outbound};

/// How long what a provider says of itself is taken for true.
const FRESH: Duration = Duration::from_secs(3600);
/// A provider is asked again for a key that is not known, no more often than this.
const SELDOM: Duration = Duration::from_secs(60);

/// How long a provider that cannot be found is left alone.
const PAUSE: Duration = Duration::from_secs(5);
/// How much clocks may differ.
const SKEW: Duration = Duration::from_secs(60);

/// Keys of providers are public ones: nothing is taken that our own secret could have signed.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What providers say of themselves, by issuer. There are as many as files declare.
pub struct Providers {
    clock: Clock,
    kept: Mutex<HashMap<String, Arc<Mutex<Option<Kept>>>>>,
}

struct Kept {
    about: Result<Arc<CoreProviderMetadata>, SourceError>,
    since: Millis,
}

impl Kept {
    /// How long it is taken for true: a failure for a moment, so that nobody waits for it one after the other.
    fn lasts(&self, older: Duration) -> Duration {
        if self.about.is_ok() { older } else { PAUSE }
    }
}

/// Claims that have no field of their own.
#[derive(Debug, Deserialize, Serialize)]
struct Rest(Map<String, Value>);

impl AdditionalClaims for Rest {}

impl Providers {
    pub fn new(clock: Clock) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// Discovers a provider (OIDC Discovery §4), unless it was discovered less than `older` ago.
    async fn about(
        &self,
        way: Way<'_>,
        issuer: &str,
        older: Duration,
    ) -> Result<Arc<CoreProviderMetadata>, SourceError> {
        let kept = Arc::clone(self.kept.lock().await.entry(issuer.to_owned()).or_default());
        // One asks at a time; the others take what it finds.
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        let fresh = |it: &&Kept| it.since <= now && now.since(it.since) < it.lasts(older);
        if let Some(known) = kept.as_ref().filter(fresh) {
            return known.about.clone();
        }
        let url = IssuerUrl::new(issuer.to_owned()).map_err(SourceError::bad)?;
        let about = CoreProviderMetadata::discover_async(url, &Caller::of(way)).await;
        let about = about.map(Arc::new).map_err(undiscovered);
        *kept = Some(Kept { about: about.clone(), since: self.clock.now() });
        about
    }

    /// Where a browser is sent.
    pub async fn address(
        &self,
        way: Way<'_>,
        issuer: &str,
        sent: &Sent,
        wish: Wish<'_>,
    ) -> Result<String, SourceError> {
        let about = self.about(way, issuer, FRESH).await?;
        let client = client(way, &about)?.set_redirect_uri(redirect_uri(way)?);
        let (state, nonce) = (CsrfToken::new(sent.state.clone()), Nonce::new(sent.nonce.clone()));
        let verifier = PkceCodeVerifier::new(sent.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_pkce_challenge(challenge);
        // The crate asks for `openid` by itself.
        for scope in way.source.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if let Some(hint) = wish.hint {
            request = request.add_extra_param("login_hint", hint);
        }
        if wish.again {
            request = request.add_extra_param("prompt", "login").add_extra_param("max_age", "0");
        }
        Ok(request.url().0.into())
    }

    /// Redeems a code: an ID token that is for us and for this request, and what userinfo adds to it.
    pub async fn redeem(
        &self,
        way: Way<'_>,
        issuer: &str,
        (sent, code): (&Sent, &str),
        now: Millis,
    ) -> Result<Said, SourceError> {
        let mut about = self.about(way, issuer, FRESH).await?;
        let caller = Caller::of(way);
        let exchanger = client(way, &about)?.set_redirect_uri(redirect_uri(way)?);
        let tokens = exchanger
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| SourceError::bad("the provider has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(sent.verifier.clone()))
            .request_async(&caller)
            .await
            .map_err(unredeemed)?;
        let token = tokens.id_token().ok_or_else(|| SourceError::bad("it gave no ID token"))?;
        let judged = match judge(way, &about, token, sent, now) {
            // The provider may have another key since.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                about = self.about(way, issuer, SELDOM).await?;
                judge(way, &about, token, sent, now)
            }
            judged => judged,
        };
        judged.map_err(SourceError::bad)?;
        let mut claims = payload(token)?;
        shown_up(sent, &claims)?;
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        if about.userinfo_endpoint().is_some() {
            let more = userinfo(way, &about, tokens.access_token(), subject).await?;
            // An address and whether it is verified belong together.
            if more.contains_key("email") {
                claims.remove("email");
                claims.remove("email_verified");
            }
            claims.extend(more.into_iter().filter(|(name, _)| !is_of_the_token(name)));
        }
        claims.retain(|name, _| name == "sub" || !is_of_the_token(name));
        Said::of_claims(issuer, &claims)
    }
}

fn client(
    way: Way<'_>,
    about: &CoreProviderMetadata,
) -> Result<
    CoreClient<
        openidconnect::EndpointSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointMaybeSet,
        openidconnect::EndpointMaybeSet,
    >,
    SourceError,
> {
    let secret = way.source.client_secret.as_ref().ok_or(SourceError::NoSecret)?;
    let secret = ClientSecret::new(secret.reveal().to_owned());
    let id = ClientId::new(way.source.client_id.clone());
    let client = CoreClient::from_provider_metadata(about.clone(), id, Some(secret));
    // `client_secret_basic` is what a provider takes that says nothing (OIDC Discovery §3).
    let methods = about.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_none_or(|methods| methods.contains(&method));
    Ok(client.set_auth_type(match takes(CoreClientAuthMethod::ClientSecretBasic) {
        true => AuthType::BasicAuth,
        false => AuthType::RequestBody,
    }))
}

fn redirect_uri(way: Way<'_>) -> Result<RedirectUrl, SourceError> {
    RedirectUrl::new(way.redirect_uri.to_owned()).map_err(SourceError::bad)
}

/// Signature, issuer, audience, times and nonce (OIDC Core §3.1.3.7).
fn judge(
    way: Way<'_>,
    about: &CoreProviderMetadata,
    token: &CoreIdToken,
    sent: &Sent,
    now: Millis,
) -> Result<(), ClaimsVerificationError> {
    let time = move || DateTime::<Utc>::from_timestamp_millis(now.0).unwrap_or_default();
    let client = client(way, about).map_err(|e| ClaimsVerificationError::Other(e.to_string()))?;
    let verifier = client.id_token_verifier().set_time_fn(time).set_allowed_algs(ALGORITHMS);
    token.claims(&verifier, &Nonce::new(sent.nonce.clone())).map(|_| ())
}

/// All claims of a token whose signature was verified.
fn payload(token: &CoreIdToken) -> Result<Map<String, Value>, SourceError> {
    let text = token.to_string();
    let payload = text.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(SourceError::bad)?;
    serde_json::from_slice(&bytes).map_err(SourceError::bad)
}

/// Whoever had to show up once more did (OIDC Core §3.1.2.1, `max_age`). Clocks may differ a little.
fn shown_up(sent: &Sent, claims: &Map<String, Value>) -> Result<(), SourceError> {
    let Some(since) = sent.again_since else { return Ok(()) };
    let earliest = since.minus(SKEW).0.div_euclid(1_000);
    let at = claims.get("auth_time").and_then(Value::as_i64);
    match at.is_some_and(|at| at >= earliest) {
        true => Ok(()),
        false => Err(SourceError::bad("it did not ask its person once more")),
    }
}

/// What is about the token, and not about the person.
fn is_of_the_token(name: &str) -> bool {
    let names = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "azp",
        "at_hash",
        "c_hash",
        "jti",
        "sid",
        "auth_time",
        "acr",
        "amr",
    ];
    names.contains(&name)
}

/// OIDC Core §5.3: it speaks of the same person, or of nobody.
async fn userinfo(
    way: Way<'_>,
    about: &CoreProviderMetadata,
    token: &AccessToken,
    subject: String,
) -> Result<Map<String, Value>, SourceError> {
    let client = client(way, about)?;
    let request = client
        .user_info(token.clone(), Some(SubjectIdentifier::new(subject)))
        .map_err(SourceError::bad)?;
    let claims: UserInfoClaims<Rest, CoreGenderClaim> =
        request.request_async(&Caller::of(way)).await.map_err(uninformed)?;
    match serde_json::to_value(&claims) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err(SourceError::bad("userinfo is no JSON object")),
    }
}

fn undiscovered(error: DiscoveryError<CallError>) -> SourceError {
    match error {
        DiscoveryError::Request(error) => error.into(),
        DiscoveryError::Response(status, ..) => {
            SourceError::bad(format!("discovery answered {status}"))
        }
        other => SourceError::bad(format!("discovery: {}", whole(&other))),
    }
}

fn unredeemed<R: openidconnect::ErrorResponse>(
    error: RequestTokenError<CallError, R>,
) -> SourceError {
    match error {
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::ServerResponse(refused) => {
            SourceError::Refused(short(&refused.to_string()))
        }
        other => SourceError::bad(format!("the token endpoint: {}", whole(&other))),
    }
}

fn uninformed(error: UserInfoError<CallError>) -> SourceError {
    match error {
        UserInfoError::Request(error) => error.into(),
        UserInfoError::Response(status, ..) => {
            SourceError::bad(format!("userinfo answered {status}"))
        }
        other => SourceError::bad(format!("userinfo: {}", whole(&other))),
    }
}

/// An error with what it came of.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    short(&text)
}

/// How the crate's requests go out (`security.md` R19).
struct Caller<'a> {
    outbound: &'a Outbound,
    may_reach: &'a [String],
}

impl<'a> Caller<'a> {
    fn of(way: Way<'a>) -> Self {
        Self { outbound: way.outbound, may_reach: &way.source.may_reach }
    }
}

impl<'c> AsyncHttpClient<'c> for Caller<'_> {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.outbound.send(request, self.may_reach))
    }
}
