//! A request that was checked, and how it travels.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draft::{Draft, Wrong};
use super::{Fault, Mode, Told, signed};
use crate::clock::Millis;
use crate::model::factor::Factor;
use crate::oidc::sealed;
use crate::runtime::Runtime;
use crate::runtime::client::Client;
use crate::secret::TokenDigest;
use crate::session::SessionError;
use crate::web::form::Form;
use crate::web::server::Server;

/// How long a person may take to sign in before the app has to ask again.
pub(super) const LASTS: Duration = Duration::from_secs(60 * 60);
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
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
    /// The key that the code is for, by its thumbprint (RFC 9449 §10).
    pub(super) key: Option<String>,
    pub(super) prompts: Vec<Prompt>,
    pub(super) max_age: Option<u64>,
    pub(super) context: Option<Context>,
    pub(super) claims: Option<Value>,
    pub(super) login_hint: Option<String>,
    pub(super) ui_locales: Vec<String>,
    /// Whom the app expects (`sub`).
    pub(super) expects: Option<String>,
    pub(super) at: Millis,
    /// The name of one that a client pushed: it is answered once.
    pub(super) pushed: Option<String>,
}

/// What the person is to be asked for, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

/// How the person is to have shown who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Context {
    pub factors: Vec<Factor>,
    /// It must be met, even by somebody who holds no such factor yet.
    pub essential: bool,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// If it is not one that can be answered with a code.
    pub async fn read(server: &Server, runtime: &Runtime, form: &Form) -> Result<Self, Fault> {
        let client_id = form.exact("client_id").ok_or(Fault::Untold("no-client"))?;
        let (app, client) = runtime.client(client_id).ok_or(Fault::Untold("unknown-client"))?;
        let (form, trouble) = match form.exact("request") {
            None => (Cow::Borrowed(form), None),
            Some(text) => match signed::opened(server, runtime, client, text).await {
                Ok(opened) => (Cow::Owned(opened), None),
                // What stands beside it says where the error goes.
                Err(wrong) => (Cow::Borrowed(form), Some(wrong)),
            },
        };
        let was_signed = matches!(form, Cow::Owned(_));
        let redirect_uri = form.exact("redirect_uri").ok_or(Fault::Untold("no-redirect"))?;
        if !client.delivers_to(redirect_uri) {
            tracing::info!(
                app = app.slug,
                asked = redirect_uri,
                "an app asked for a redirect-uri that is not declared"
            );
            return Err(Fault::Untold("other-redirect"));
        }
        let draft = Draft { server, runtime, client, form: &form, redirect_uri };
        let read = match trouble {
            Some(wrong) => Err(wrong),
            None if client.must_push => {
                Err((Told::InvalidRequest, "this client has to push its requests"))
            }
            None => must_be_signed(client, was_signed).and_then(|()| draft.read()),
        };
        read.map_err(|(error, why)| Fault::Told(Box::new(draft.answer(error, why))))
    }

    /// Reads a request that a client hands in itself (RFC 9126 §2.1). What it asked for is for the key
    /// that it showed (RFC 9449 §10.1).
    ///
    /// # Errors
    /// If it is not one that can be answered with a code.
    pub async fn pushed(
        server: &Server,
        runtime: &Runtime,
        client: &Client,
        form: &Form,
        key: Option<String>,
    ) -> Result<Self, Wrong> {
        let invalid = |why| Err((Told::InvalidRequest, why));
        let form = match form.exact("request") {
            None => Cow::Borrowed(form),
            Some(text) => Cow::Owned(signed::opened(server, runtime, client, text).await?),
        };
        must_be_signed(client, matches!(form, Cow::Owned(_)))?;
        if form.exact("client_id").is_some_and(|id| id != client.id) {
            return invalid("client_id is another client's");
        }
        let Some(redirect_uri) = form.exact("redirect_uri") else {
            return invalid("redirect_uri is missing");
        };
        if !client.delivers_to(redirect_uri) {
            return invalid("redirect_uri is not declared for this client");
        }
        let mut request = Draft { server, runtime, client, form: &form, redirect_uri }.read()?;
        let name = server.rng.token().map_err(|_| (Told::ServerError, "there is no randomness"))?;
        request.pushed = Some(name);
        match (&request.key, key) {
            (Some(asked), Some(shown)) if *asked != shown => {
                return invalid("dpop_jkt is another key than the one of the proof");
            }
            (None, shown) => request.key = shown,
            _ => {}
        }
        Ok(request)
    }

    /// The name under which a pushed request is taken up. It holds the request, sealed, so that nothing
    /// is written before a browser comes with it.
    #[must_use]
    pub fn uri(&self, server: &Server) -> Option<String> {
        Some(format!("{PUSHED}{}", sealed::seal(server, self, BOUND_PUSHED)?))
    }

    /// Takes a pushed request up, within moments and as long as it was not answered: a page that is loaded
    /// again or looked at in advance uses nothing up (FAPI 2.0 §5.3.2.2).
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
            .and_then(|text| sealed::open::<Self>(server, text, BOUND_PUSHED))
            .filter(|request| client_id == Some(&request.client_id))
            .filter(|request| request.at <= now && now.since(request.at) <= PUSHED_LASTS);
        let Some(request) = request else { return Ok(None) };
        let Some(once) = request.once(server) else { return Ok(None) };
        let used = server.store.read().await?.is_used(&once).await?;
        Ok((!used).then_some(request))
    }

    /// What is used up by the answer, if there can be only one (RFC 9126 §7.3).
    pub(super) fn once(&self, server: &Server) -> Option<TokenDigest> {
        let name = self.pushed.as_ref()?;
        Some(server.key.digest(format!("pushed-request\0{name}").as_bytes()))
    }

    /// The request as it travels in addresses; nobody can read or change it.
    ///
    /// # Errors
    /// If it is too long, or the system has no randomness.
    pub fn seal(&self, server: &Server) -> Option<String> {
        sealed::seal(server, self, BOUND)
    }

    pub(super) fn open(server: &Server, sealed: &str) -> Option<Self> {
        sealed::open(server, sealed, BOUND)
    }

    pub(super) fn has(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }
}

fn must_be_signed(client: &Client, is_signed: bool) -> Result<(), Wrong> {
    match client.must_sign_requests && !is_signed {
        true => Err((Told::InvalidRequest, "this client has to sign its requests")),
        false => Ok(()),
    }
}
