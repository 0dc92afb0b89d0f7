//! A relying party made with `openidconnect`. It serves one person at a time; `../README.md` says
//! its paths.

use std::collections::HashMap;
use std::env;
use std::error::Error;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreDeviceAuthorizationResponse, CoreErrorResponseType, CoreGrantType, CoreIdToken,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::reqwest;
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthenticationFlow, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, DeviceAuthorizationUrl, DeviceCodeErrorResponseType, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpClientError, IssuerUrl, LogoutProviderMetadata, LogoutRequest,
    Nonce, NonceVerifier, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadata, RedirectUrl, RequestTokenError, Scope,
    StandardErrorResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tiny_http::{Header, Request, Response, Server};

type Answer<T = Value> = Result<T, Box<dyn Error>>;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct DeviceEndpoint {
    device_authorization_endpoint: DeviceAuthorizationUrl,
}

impl AdditionalProviderMetadata for DeviceEndpoint {}

type Metadata = ProviderMetadata<
    LogoutProviderMetadata<DeviceEndpoint>,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What is remembered between the way to Doorward and the way back.
struct Attempt {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

struct Party {
    http: reqwest::blocking::Client,
    metadata: Metadata,
    client: Client,
    attempt: Option<Attempt>,
    tokens: Option<CoreTokenResponse>,
    goodbye: Option<CsrfToken>,
    device: Option<CoreDeviceAuthorizationResponse>,
}

/// What a page does: an answer, or a way on.
enum Page {
    Json(Value),
    Redirect(String),
}

fn main() -> Answer<()> {
    let mut party = Party::discover()?;
    let server = Server::http(format!("127.0.0.1:{}", set("PORT")?))
        .map_err(|error| error as Box<dyn Error>)?;
    for request in server.incoming_requests() {
        let page = party
            .page(request.url())
            .unwrap_or_else(|error| Page::Json(json!({ "error": reason(&*error) })));
        answer(request, page)?;
    }
    Ok(())
}

fn set(name: &str) -> Answer<String> {
    env::var(name).map_err(|_| format!("{name} is not set").into())
}

fn answer(request: Request, page: Page) -> Answer<()> {
    let (status, name, value, body) = match page {
        Page::Json(value) => {
            (200, "Content-Type", "application/json".to_owned(), value.to_string())
        }
        Page::Redirect(url) => (302, "Location", url, String::new()),
    };
    let header = Header::from_bytes(name, value).map_err(|()| "a header of other letters")?;
    request.respond(Response::from_string(body).with_status_code(status).with_header(header))?;
    Ok(())
}

/// The error code that Doorward said, or whatever else went wrong.
fn reason(error: &(dyn Error + 'static)) -> String {
    type Refused = RequestTokenError<
        HttpClientError<reqwest::Error>,
        StandardErrorResponse<CoreErrorResponseType>,
    >;
    type Device = RequestTokenError<
        HttpClientError<reqwest::Error>,
        StandardErrorResponse<DeviceCodeErrorResponseType>,
    >;
    if let Some(RequestTokenError::ServerResponse(said)) = error.downcast_ref::<Refused>() {
        return said.error().to_string();
    }
    if let Some(RequestTokenError::ServerResponse(said)) = error.downcast_ref::<Device>() {
        return said.error().to_string();
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words += &format!(": {deeper}");
        cause = deeper.source();
    }
    words
}

impl Party {
    fn discover() -> Answer<Self> {
        let certificate = std::fs::read(set("SSL_CERT_FILE")?)?;
        let http = reqwest::blocking::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .add_root_certificate(reqwest::Certificate::from_pem(&certificate)?)
            .build()?;
        let metadata = Metadata::discover(&IssuerUrl::new(set("ISSUER")?)?, &http)?;
        let device = metadata
            .additional_metadata()
            .additional_metadata
            .device_authorization_endpoint
            .clone();
        let secret = set("CLIENT_SECRET").ok().map(ClientSecret::new);
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(set("CLIENT_ID")?),
            secret,
        )
        .set_redirect_uri(RedirectUrl::new(format!("{}/callback", set("ORIGIN")?))?)
        .set_device_authorization_url(device);
        Ok(Self {
            http,
            metadata,
            client,
            attempt: None,
            tokens: None,
            goodbye: None,
            device: None,
        })
    }

    fn page(&mut self, target: &str) -> Answer<Page> {
        let url = reqwest::Url::parse(&set("ORIGIN")?)?.join(target)?;
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        match url.path() {
            "/login" => self.login(&query),
            "/callback" => self.callback(&query).map(Page::Json),
            "/userinfo" => self.userinfo().map(Page::Json),
            "/refresh" => self.refresh().map(Page::Json),
            "/logout" => self.logout(),
            "/bye" => Ok(Page::Json(
                json!({ "bye": self.goodbye.as_ref().map(CsrfToken::secret) == query.get("state") }),
            )),
            "/device" => self.ask_for_device().map(Page::Json),
            "/device/token" => self.wait_for_device().map(Page::Json),
            path => Err(format!("there is no {path}").into()),
        }
    }

    fn login(&mut self, query: &HashMap<String, String>) -> Answer<Page> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut asked = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes()?)
            .set_pkce_challenge(challenge);
        if let Some(prompt) = query.get("prompt") {
            asked = asked.add_extra_param("prompt", prompt);
        }
        let (url, state, nonce) = asked.url();
        self.attempt = Some(Attempt { state, nonce, verifier });
        Ok(Page::Redirect(url.into()))
    }

    fn callback(&mut self, query: &HashMap<String, String>) -> Answer {
        let attempt = self.attempt.take().ok_or("nobody asked for this")?;
        if query.get("state") != Some(attempt.state.secret()) {
            return Err("the state is another".into());
        }
        let Some(code) = query.get("code") else {
            return Err(query.get("error").cloned().unwrap_or_default().into());
        };
        let tokens = self
            .client
            .exchange_code(AuthorizationCode::new(code.clone()))?
            .set_pkce_verifier(attempt.verifier)
            .request(&self.http)?;
        self.keep(tokens, &attempt.nonce)
    }

    /// Verifies an ID token, and that it belongs to its access token, and remembers both.
    fn keep(&mut self, tokens: CoreTokenResponse, nonce: impl NonceVerifier) -> Answer {
        let verifier = self.client.id_token_verifier();
        let id_token = id_token(&tokens)?;
        let claims = id_token.claims(&verifier, nonce)?;
        let hash = AccessTokenHash::from_token(
            tokens.access_token(),
            id_token.signing_alg()?,
            id_token.signing_key(&verifier)?,
        )?;
        if claims.access_token_hash() != Some(&hash) {
            return Err("at_hash is not that of the access token".into());
        }
        let claims = serde_json::to_value(claims)?;
        self.tokens = Some(tokens);
        Ok(json!({ "claims": claims }))
    }

    fn kept(&self) -> Answer<&CoreTokenResponse> {
        self.tokens.as_ref().ok_or_else(|| "nobody is signed in".into())
    }

    fn userinfo(&self) -> Answer {
        let tokens = self.kept()?;
        let subject = id_token(tokens)?
            .claims(&self.client.id_token_verifier(), any_nonce)?
            .subject()
            .clone();
        let claims: CoreUserInfoClaims = self
            .client
            .user_info(tokens.access_token().clone(), Some(subject))?
            .request(&self.http)?;
        Ok(serde_json::to_value(claims)?)
    }

    fn refresh(&mut self) -> Answer {
        let old = self.kept()?.refresh_token().ok_or("there is no refresh token")?.clone();
        let tokens = self.client.exchange_refresh_token(&old)?.request(&self.http)?;
        self.keep(tokens, any_nonce)
    }

    fn logout(&mut self) -> Answer<Page> {
        let endpoint = self.metadata.additional_metadata().end_session_endpoint.clone();
        let state = CsrfToken::new_random();
        let url = LogoutRequest::from(endpoint.ok_or("there is no sign-out")?)
            .set_id_token_hint(id_token(self.kept()?)?)
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(format!(
                "{}/bye",
                set("ORIGIN")?
            ))?)
            .set_state(state.clone())
            .http_get_url();
        self.goodbye = Some(state);
        Ok(Page::Redirect(url.into()))
    }

    fn ask_for_device(&mut self) -> Answer {
        let details: CoreDeviceAuthorizationResponse =
            self.client.exchange_device_code().add_scopes(scopes()?).request(&self.http)?;
        let shown = serde_json::to_value(&details)?;
        self.device = Some(details);
        Ok(shown)
    }

    fn wait_for_device(&mut self) -> Answer {
        let details = self.device.take().ok_or("no code was asked for")?;
        let tokens = self.client.exchange_device_access_token(&details)?.request(
            &self.http,
            std::thread::sleep,
            None,
        )?;
        self.keep(tokens, any_nonce)
    }
}

/// The scopes that are asked for, without `openid`: the library adds it.
fn scopes() -> Answer<Vec<Scope>> {
    let wanted = set("SCOPE")?;
    let names = wanted.split_whitespace().filter(|name| *name != "openid");
    Ok(names.map(|name| Scope::new(name.to_owned())).collect())
}

fn id_token(tokens: &CoreTokenResponse) -> Answer<&CoreIdToken> {
    tokens.id_token().ok_or_else(|| "there is no ID token".into())
}

/// What was not asked for by a browser has no nonce of this party's.
fn any_nonce(_: Option<&Nonce>) -> Result<(), String> {
    Ok(())
}
