//! A request that is being read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::request::{Context, Prompt, Request};
use super::{Answer, Mode, Told, refusal};
use crate::blueprint::oidc::Grant as GrantType;
use crate::jose::Compact;
use crate::oidc::claims::factors_for;
use crate::runtime::Runtime;
use crate::runtime::client::Client;
use crate::web::form::Form;
use crate::web::server::Server;

/// A request that is being read.
pub struct Draft<'a> {
    pub server: &'a Server,
    pub runtime: &'a Runtime,
    pub client: &'a Client,
    pub form: &'a Form,
    pub redirect_uri: &'a str,
}

/// What is wrong, in the words of the specification and in ours.
pub type Wrong = (Told, &'static str);

impl Draft<'_> {
    pub fn answer(&self, error: Told, why: &str) -> Answer {
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

    pub fn read(&self) -> Result<Request, Wrong> {
        for (name, error) in [
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
            key: self.key()?,
            prompts: self.prompts()?,
            max_age: self.max_age()?,
            context: self.context(claims.as_ref()),
            expects: self.expects(claims.as_ref())?,
            claims,
            login_hint: text("login_hint"),
            ui_locales: words(self.form.exact("ui_locales")),
            at: self.server.clock.now(),
            pushed: None,
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

    /// The key that the code is to be for (RFC 9449 §10).
    fn key(&self) -> Result<Option<String>, Wrong> {
        let Some(thumbprint) = self.form.exact("dpop_jkt") else { return Ok(None) };
        let fits = thumbprint.len() == 43 && URL_SAFE_NO_PAD.decode(thumbprint).is_ok();
        let wrong = (Told::InvalidRequest, "dpop_jkt is not the thumbprint of a key");
        if fits { Ok(Some(thumbprint.to_owned())) } else { Err(wrong) }
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
