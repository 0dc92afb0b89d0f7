//! Authorization requests (OIDC Core §3.1.2): read and checked once, carried along sealed while the
//! person signs in, and answered with a code or an error.
//!
//! Nothing is written before a code is given. What names no client of ours, or an address that is not
//! declared, is never answered by sending a browser anywhere (RFC 6749 §4.1.2.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AUTHORIZE;
use super::claims::{factors_for, subject};
use super::entitled::target;
use crate::access::target::Client as Address;
use crate::blueprint::oidc::Grant as GrantType;
use crate::clock::Millis;
use crate::entry::{Door, Entry, Wish};
use crate::factor::held::Held;
use crate::jose::Compact;
use crate::model::factor::Factor;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::Secret;
use crate::session::{SessionError, SignIn};
use crate::store::{Approved, Code, Grant};
use crate::web::form::Form;
use crate::web::server::Server;

/// How long a person may take to sign in before the app has to ask again.
const LASTS: Duration = Duration::from_secs(60 * 60);
/// How long a code is good (RFC 6749 §4.1.2 says ten minutes at most).
const CODE_LASTS: Duration = Duration::from_secs(60);
/// A sealed request travels in addresses, which are not endless.
const LONGEST: usize = 3 * 1024;
const BOUND: &str = "authorization-request";
const BOUND_PUSHED: &str = "pushed-request";
/// What the names of pushed requests begin with (RFC 9126 §2.2).
pub const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";
/// How long one may be taken up.
pub const PUSHED_LASTS: Duration = Duration::from_secs(90);
/// The parameter that holds a sealed request.
pub const SEALED: &str = "asked";

/// A request that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    client_id: String,
    redirect_uri: String,
    mode: Mode,
    state: Option<String>,
    scopes: Vec<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    prompts: Vec<Prompt>,
    max_age: Option<u64>,
    context: Option<Context>,
    claims: Option<Value>,
    login_hint: Option<String>,
    ui_locales: Vec<String>,
    /// Whom the app expects (`sub`).
    expects: Option<String>,
    at: Millis,
}

/// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// What the person is to be asked for, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

/// How the person is to have shown who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Context {
    factors: Vec<Factor>,
    /// It must be met, even by somebody who holds no such factor yet.
    essential: bool,
}

/// A request that cannot be answered with a code.
#[derive(Debug)]
pub enum Fault {
    /// Nobody knows where it comes from: a page says what is wrong.
    Untold(&'static str),
    /// The app is told.
    Told(Box<Answer>),
}

/// What is delivered to the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub redirect_uri: String,
    pub mode: Mode,
    pub parameters: Vec<(&'static str, String)>,
}

/// The codes of errors that an app is told (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    InvalidRequest,
    UnauthorizedClient,
    UnsupportedResponseType,
    InvalidScope,
    AccessDenied,
    LoginRequired,
    InteractionRequired,
    ConsentRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
}

impl Told {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// If it is not one that can be answered with a code.
    pub fn read(server: &Server, runtime: &Runtime, form: &Form) -> Result<Self, Fault> {
        let client_id = form.exact("client_id").ok_or(Fault::Untold("no-client"))?;
        let (app, client) = runtime.client(client_id).ok_or(Fault::Untold("unknown-client"))?;
        let redirect_uri = form.exact("redirect_uri").ok_or(Fault::Untold("no-redirect"))?;
        if !client.delivers_to(redirect_uri) {
            tracing::info!(
                app = app.slug,
                asked = redirect_uri,
                "an app asked for a redirect-uri that is not declared"
            );
            return Err(Fault::Untold("other-redirect"));
        }
        let draft = Draft { server, runtime, client, form, redirect_uri };
        let read = match client.must_push {
            true => Err((Told::InvalidRequest, "this client has to push its requests")),
            false => draft.read(),
        };
        read.map_err(|(error, why)| Fault::Told(Box::new(draft.answer(error, why))))
    }

    /// Reads a request that a client hands in itself (RFC 9126 §2.1).
    ///
    /// # Errors
    /// If it is not one that can be answered with a code.
    pub fn pushed(
        server: &Server,
        runtime: &Runtime,
        client: &Client,
        form: &Form,
    ) -> Result<Self, Wrong> {
        let invalid = |why| Err((Told::InvalidRequest, why));
        if form.exact("client_id").is_some_and(|id| id != client.id) {
            return invalid("client_id is another client's");
        }
        let Some(redirect_uri) = form.exact("redirect_uri") else {
            return invalid("redirect_uri is missing");
        };
        if !client.delivers_to(redirect_uri) {
            return invalid("redirect_uri is not declared for this client");
        }
        Draft { server, runtime, client, form, redirect_uri }.read()
    }

    /// The name under which a pushed request is taken up. It holds the request, sealed, so that nothing
    /// is written before a browser comes with it.
    #[must_use]
    pub fn uri(&self, server: &Server) -> Option<String> {
        Some(format!("{PUSHED}{}", self.sealed(server, BOUND_PUSHED)?))
    }

    /// Takes a pushed request up, which can be done once and within moments (RFC 9126 §7.3).
    ///
    /// # Errors
    /// If it is worth nothing, or the store cannot be told.
    pub async fn take_up(
        server: &Server,
        uri: &str,
        client_id: Option<&str>,
    ) -> Result<Option<Self>, SessionError> {
        let now = server.clock.now();
        let request = uri
            .strip_prefix(PUSHED)
            .and_then(|sealed| Self::opened(server, sealed, BOUND_PUSHED))
            .filter(|request| client_id == Some(&request.client_id))
            .filter(|request| request.at <= now && now.since(request.at) <= PUSHED_LASTS);
        let Some(request) = request else { return Ok(None) };
        let mut tx = server.store.begin().await?;
        let until = request.at.plus(PUSHED_LASTS);
        let first = tx.use_once(&server.key.digest(uri.as_bytes()), until).await?;
        tx.commit().await?;
        Ok(first.then_some(request))
    }

    /// The request as it travels in addresses; nobody can read or change it.
    ///
    /// # Errors
    /// If it is too long, or the system has no randomness.
    pub fn seal(&self, server: &Server) -> Option<String> {
        self.sealed(server, BOUND)
    }

    fn open(server: &Server, sealed: &str) -> Option<Self> {
        Self::opened(server, sealed, BOUND)
    }

    fn sealed(&self, server: &Server, bound: &str) -> Option<String> {
        let text = serde_json::to_string(self).ok().filter(|text| text.len() <= LONGEST)?;
        let sealed = server.key.seal(&Secret::new(text), bound, &server.rng).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn opened(server: &Server, sealed: &str, bound: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let text = server.key.open(&sealed, bound).ok()?;
        serde_json::from_str(text.reveal()).ok()
    }

    fn has(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }
}

/// A request that is being read.
struct Draft<'a> {
    server: &'a Server,
    runtime: &'a Runtime,
    client: &'a Client,
    form: &'a Form,
    redirect_uri: &'a str,
}

/// What is wrong, in the words of the specification and in ours.
pub type Wrong = (Told, &'static str);

impl Draft<'_> {
    fn answer(&self, error: Told, why: &str) -> Answer {
        let mode = self.mode().unwrap_or(Mode::Query);
        let state = self.form.exact("state").map(str::to_owned);
        refusal(self.runtime, self.redirect_uri, mode, state, (error, why))
    }

    fn mode(&self) -> Result<Mode, Wrong> {
        match self.form.exact("response_mode") {
            None | Some("query") => Ok(Mode::Query),
            Some("fragment") => Ok(Mode::Fragment),
            Some("form_post") => Ok(Mode::FormPost),
            Some(_) => Err((Told::InvalidRequest, "response_mode is not one that is known here")),
        }
    }

    fn read(&self) -> Result<Request, Wrong> {
        for (name, error) in [
            ("request", Told::RequestNotSupported),
            ("request_uri", Told::RequestUriNotSupported),
            ("registration", Told::RegistrationNotSupported),
        ] {
            if self.form.exact(name).is_some() {
                return Err((error, "this parameter is not supported"));
            }
        }
        if !self.client.may(GrantType::AuthorizationCode) {
            return Err((Told::UnauthorizedClient, "this client is not declared with codes"));
        }
        match self.form.exact("response_type") {
            Some("code") => {}
            Some(_) => return Err((Told::UnsupportedResponseType, "response_type must be code")),
            None => return Err((Told::InvalidRequest, "response_type is missing")),
        }
        let text = |name: &str| self.form.exact(name).map(str::to_owned);
        let claims = self.claims()?;
        let request = Request {
            client_id: self.client.id.clone(),
            redirect_uri: self.redirect_uri.to_owned(),
            mode: self.mode()?,
            state: text("state"),
            scopes: self.scopes()?,
            nonce: text("nonce"),
            challenge: self.challenge()?,
            prompts: self.prompts()?,
            max_age: self.max_age()?,
            context: self.context(claims.as_ref()),
            expects: self.expects(claims.as_ref())?,
            claims,
            login_hint: text("login_hint"),
            ui_locales: words(self.form.exact("ui_locales")),
            at: self.server.clock.now(),
        };
        match request.seal(self.server) {
            Some(_) => Ok(request),
            None => Err((Told::InvalidRequest, "the request is too long")),
        }
    }

    fn scopes(&self) -> Result<Vec<String>, Wrong> {
        let asked = self.form.exact("scope").unwrap_or("");
        let mut scopes = self.client.granted(asked);
        if scopes.is_empty() && !asked.trim().is_empty() {
            return Err((Told::InvalidScope, "none of these scopes is declared for this client"));
        }
        // Without refresh tokens there is nothing to go on with when nobody is there.
        scopes
            .retain(|scope| scope != "offline_access" || self.client.refresh_token_lasts.is_some());
        Ok(scopes)
    }

    /// RFC 7636 §4.3; `plain` proves nothing to whoever sees the request.
    fn challenge(&self) -> Result<Option<String>, Wrong> {
        let wrong = |why| Err((Told::InvalidRequest, why));
        let method = self.form.exact("code_challenge_method");
        let Some(challenge) = self.form.exact("code_challenge") else {
            return match (method, self.client.needs_challenge) {
                (Some(_), _) => wrong("code_challenge is missing"),
                (None, true) => wrong("code_challenge is missing: this client has to use PKCE"),
                (None, false) => Ok(None),
            };
        };
        if method != Some("S256") {
            return wrong("code_challenge_method must be S256");
        }
        let fits = challenge.len() == 43 && URL_SAFE_NO_PAD.decode(challenge).is_ok();
        if fits { Ok(Some(challenge.to_owned())) } else { wrong("code_challenge is not a digest") }
    }

    fn prompts(&self) -> Result<Vec<Prompt>, Wrong> {
        let read = |word: String| match word.as_str() {
            "none" => Ok(Prompt::None),
            "login" => Ok(Prompt::Login),
            "consent" => Ok(Prompt::Consent),
            "select_account" => Ok(Prompt::SelectAccount),
            _ => Err((Told::InvalidRequest, "prompt holds a word that is not known here")),
        };
        let prompts = words(self.form.exact("prompt")).into_iter().map(read);
        let prompts: Vec<_> = prompts.collect::<Result<_, _>>()?;
        if prompts.contains(&Prompt::None) && prompts.len() > 1 {
            return Err((Told::InvalidRequest, "prompt=none stands alone"));
        }
        Ok(prompts)
    }

    fn max_age(&self) -> Result<Option<u64>, Wrong> {
        let read = |text: &str| text.parse().ok().filter(|_| !text.starts_with('+'));
        match self.form.exact("max_age") {
            None => Ok(None),
            Some(text) => match read(text) {
                Some(seconds) => Ok(Some(seconds)),
                None => Err((Told::InvalidRequest, "max_age is a number of seconds")),
            },
        }
    }

    fn claims(&self) -> Result<Option<Value>, Wrong> {
        let Some(text) = self.form.exact("claims") else { return Ok(None) };
        match serde_json::from_str::<Value>(text) {
            Ok(claims) if claims.is_object() => Ok(Some(claims)),
            _ => Err((Told::InvalidRequest, "claims is not a JSON object")),
        }
    }

    /// What `acr_values` wishes for, or `claims` demands (OIDC Core §5.5.1.1).
    fn context(&self, claims: Option<&Value>) -> Option<Context> {
        let demanded = claims.and_then(|claims| claims.pointer("/id_token/acr"));
        let essential = demanded.and_then(|acr| acr.get("essential")) == Some(&Value::Bool(true));
        let one = demanded.and_then(|acr| acr.get("value")).and_then(Value::as_str);
        let several = demanded.and_then(|acr| acr.get("values")).and_then(Value::as_array);
        let several = several.into_iter().flatten().filter_map(Value::as_str);
        let wished = words(self.form.exact("acr_values"));
        let mut all = one.into_iter().chain(several).chain(wished.iter().map(String::as_str));
        let factors = all.find_map(factors_for)?;
        Some(Context { factors, essential })
    }

    /// Whom the app expects, by a token of ours or by name (OIDC Core §3.1.2.1, §5.5.1).
    fn expects(&self, claims: Option<&Value>) -> Result<Option<String>, Wrong> {
        let named = claims.and_then(|claims| claims.pointer("/id_token/sub/value"));
        let named = named.and_then(Value::as_str).map(str::to_owned);
        let Some(hint) = self.form.exact("id_token_hint") else { return Ok(named) };
        let token = Compact::read(hint).ok().filter(|token| {
            self.server.signing_keys.signed(token)
                && token.text("iss") == Some(self.runtime.external.to_string().as_str())
                && token.is_for(&self.client.id)
        });
        match token.as_ref().and_then(|token| token.text("sub")) {
            Some(subject) => Ok(Some(subject.to_owned())),
            None => Err((Told::InvalidRequest, "id_token_hint is not a token of this client's")),
        }
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or("").split(' ').filter(|word| !word.is_empty());
    words.map(str::to_owned).take(16).collect()
}

/// A request under way, with the app that it is of.
#[derive(Debug)]
pub struct Invited<'a> {
    pub app: &'a App,
    pub client: &'a Client,
    request: Request,
}

/// Why a sealed request is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// It is none of ours.
    Foreign,
    /// The person took too long.
    Late,
    /// The files declare its client or its address no more.
    Gone,
}

impl<'a> Invited<'a> {
    /// A request that was read just now.
    pub fn new(runtime: &'a Runtime, request: Request) -> Option<Self> {
        let (app, client) = runtime.client(&request.client_id)?;
        client.delivers_to(&request.redirect_uri).then_some(Self { app, client, request })
    }

    /// A request that travelled.
    ///
    /// # Errors
    /// If it is worth nothing.
    pub fn open(server: &Server, runtime: &'a Runtime, sealed: &str) -> Result<Self, Stale> {
        let request = Request::open(server, sealed).ok_or(Stale::Foreign)?;
        let now = server.clock.now();
        if now < request.at || now.since(request.at) > LASTS {
            return Err(Stale::Late);
        }
        Self::new(runtime, request).ok_or(Stale::Gone)
    }

    /// The request in the query of the authorization endpoint.
    #[must_use]
    pub fn of_query(server: &Server, runtime: &'a Runtime, query: &str) -> Option<Self> {
        let form = Form::of_query(query).ok()?;
        Self::open(server, runtime, form.exact(SEALED)?).ok()
    }

    /// Where the request goes on.
    #[must_use]
    pub fn address(&self, server: &Server) -> Option<String> {
        Some(format!("{AUTHORIZE}?{SEALED}={}", self.request.seal(server)?))
    }

    /// The host that codes go to, which chooses the look.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = url::Url::parse(&self.request.redirect_uri).ok()?;
        url.host_str().map(str::to_owned)
    }

    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.request.redirect_uri
    }

    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.request.login_hint.as_deref()
    }

    #[must_use]
    pub fn ui_locales(&self) -> &[String] {
        &self.request.ui_locales
    }

    /// Whether nothing may be shown.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.request.has(Prompt::None)
    }

    /// Since when consent must have been given, where an earlier one is not enough: the app wants it,
    /// or anybody could be this client (`security.md` R19).
    #[must_use]
    pub fn consent_since(&self) -> Option<Millis> {
        let anew = self.request.has(Prompt::Consent)
            || self.client.can_be_played(&self.request.redirect_uri);
        anew.then_some(self.request.at)
    }

    /// What the app would learn and have, in the words of the consent page.
    #[must_use]
    pub fn shares(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        for scope in &self.request.scopes {
            match scope.as_str() {
                "profile" => words.extend(["username", "name"]),
                "email" => words.push("email"),
                "groups" => words.push("groups"),
                "offline_access" => words.push("offline"),
                _ => {}
            }
        }
        if !self.app.claims.is_empty() {
            words.push("more");
        }
        words
    }

    /// Whether somebody else is signed in than the app expects.
    #[must_use]
    pub fn expects_another(&self, server: &Server, runtime: &Runtime, sign_in: &SignIn) -> bool {
        let profile = sign_in.account.profile();
        let own = || subject(&server.key, self.client, &profile, &profile.standing(runtime));
        self.request.expects.as_ref().is_some_and(|expected| *expected != own())
    }

    /// What stands before somebody who is signed in.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn entry(
        &self,
        server: &Server,
        runtime: &Runtime,
        address: Address,
        sign_in: &SignIn,
    ) -> Result<Entry, SessionError> {
        let wish = Wish {
            seen_since: self.seen_since(),
            factors: self.wished_factors(server, sign_in).await?,
        };
        let door = Door { app: self.app, gate: None, target: target(self.client, address), wish };
        Ok(door.judge(server, runtime, sign_in).await)
    }

    /// OIDC Core §3.1.2.1: `max_age`, and `prompt=login`, which asks even of somebody who showed up a
    /// moment before. A choice between accounts begins with a proof as well.
    fn seen_since(&self) -> Option<Millis> {
        let request = &self.request;
        let at_once = request.has(Prompt::Login) || request.has(Prompt::SelectAccount);
        let by_age = request.max_age.map(|age| request.at.minus(Duration::from_secs(age)));
        at_once.then_some(request.at).into_iter().chain(by_age).max()
    }

    /// A wish is for whoever can meet it; a demand is for everybody.
    async fn wished_factors(
        &self,
        server: &Server,
        sign_in: &SignIn,
    ) -> Result<Option<Vec<Factor>>, SessionError> {
        let Some(context) = &self.request.context else { return Ok(None) };
        if context.essential {
            return Ok(Some(context.factors.clone()));
        }
        let held = Held::of(&server.store.read().await?, sign_in.account.id()).await?;
        let can = match context.factors.is_empty() {
            true => !held.is_empty(),
            false => context.factors.iter().any(|factor| held.of_class(*factor).next().is_some()),
        };
        Ok(can.then(|| context.factors.clone()))
    }

    /// An error for the app.
    #[must_use]
    pub fn refuse(&self, runtime: &Runtime, error: Told, why: &str) -> Answer {
        let Request { redirect_uri, mode, state, .. } = &self.request;
        refusal(runtime, redirect_uri, *mode, state.clone(), (error, why))
    }

    /// Gives a code (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// If the store cannot be told.
    pub async fn give_code(
        &self,
        server: &Server,
        runtime: &Runtime,
        address: Address,
        sign_in: &SignIn,
    ) -> Result<Answer, SessionError> {
        let request = &self.request;
        let now = server.clock.now();
        let code = server.rng.token()?;
        let expires_at = now.plus(CODE_LASTS);
        let known = match address {
            Address::Known(address) => Some(address.to_string()),
            Address::Proxy(_) | Address::Unknown => None,
        };
        let grant = Grant {
            id: server.rng.id("gra", now)?,
            app_uid: self.app.uid.clone(),
            user_id: sign_in.account.id().to_owned(),
            session_id: Some(sign_in.id.clone()),
            offline: request.scopes.iter().any(|scope| scope == "offline_access"),
            scopes: request.scopes.clone(),
            approved: Approved {
                proven: sign_in.proven.clone(),
                address: known,
                claims: request.claims.clone(),
            },
            created_at: now,
            expires_at,
            revoked: None,
        };
        let row = Code {
            digest: server.key.digest(code.as_bytes()),
            grant_id: grant.id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            expires_at,
            used_at: None,
        };
        let mut tx = server.store.begin().await?;
        tx.insert_grant(&grant).await?;
        tx.insert_code(&row).await?;
        tx.commit().await?;
        let profile = sign_in.account.profile();
        let (who, app) = (&profile.user.username, format!("app:{}", self.app.slug));
        let data = serde_json::json!({ "grant": grant.id, "scopes": grant.scopes });
        server.journal.note("grant.given", Some(who), Some(&app), data);
        let mut parameters = vec![("code", code)];
        parameters.extend(request.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", runtime.external.to_string()));
        Ok(Answer { redirect_uri: request.redirect_uri.clone(), mode: request.mode, parameters })
    }
}

fn refusal(
    runtime: &Runtime,
    redirect_uri: &str,
    mode: Mode,
    state: Option<String>,
    (error, why): (Told, &str),
) -> Answer {
    let mut parameters =
        vec![("error", error.word().to_owned()), ("error_description", why.to_owned())];
    parameters.extend(state.map(|state| ("state", state)));
    // Whose answer it is, against a mix-up of two providers (RFC 9207 §2).
    parameters.push(("iss", runtime.external.to_string()));
    Answer { redirect_uri: redirect_uri.to_owned(), mode, parameters }
}

impl Answer {
    /// The address that delivers it; a form is posted instead in `form_post`.
    #[must_use]
    pub fn location(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        let (uri, query) = (&self.redirect_uri, query.finish());
        match self.mode {
            Mode::Fragment => format!("{uri}#{query}"),
            // What stands in the address stays there (RFC 6749 §3.1.2).
            _ if uri.contains('?') => format!("{uri}&{query}"),
            _ => format!("{uri}?{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(redirect_uri: &str, mode: Mode) -> String {
        let parameters = vec![("code", "a b".to_owned()), ("state", "&=".to_owned())];
        Answer { redirect_uri: redirect_uri.to_owned(), mode, parameters }.location()
    }

    #[test]
    fn an_answer_keeps_what_the_address_holds() {
        assert_eq!(answer("https://a/cb", Mode::Query), "https://a/cb?code=a+b&state=%26%3D");
        assert_eq!(
            answer("https://a/cb?x=1", Mode::Query),
            "https://a/cb?x=1&code=a+b&state=%26%3D"
        );
        assert_eq!(answer("https://a/cb", Mode::Fragment), "https://a/cb#code=a+b&state=%26%3D");
    }
}
