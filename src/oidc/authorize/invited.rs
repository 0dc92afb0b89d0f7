//! A request under way, with the app that it is of.

use std::time::Duration;

use super::request::{LASTS, Prompt, Request, SEALED};
use super::{Answer, Told, refusal};
use crate::access::target::Client as Address;
use crate::clock::Millis;
use crate::entry::{Door, Entry, Wish};
use crate::factor::held::Held;
use crate::model::factor::Factor;
use crate::oidc::claims::subject;
use crate::oidc::entitled::target;
use crate::oidc::{AUTHORIZE, approval};
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::session::{SessionError, SignIn};
use crate::store::Code;
use crate::web::form::Form;
use crate::web::server::Server;

/// How long a code is good (RFC 6749 §4.1.2 says ten minutes at most).
const CODE_LASTS: Duration = Duration::from_secs(60);

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
        shares(self.app, &self.request.scopes)
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
        let mut grant =
            approval::grant(server, self.app, sign_in, address, request.scopes.clone())?;
        grant.approved.claims.clone_from(&request.claims);
        grant.approved.key.clone_from(&request.key);
        grant.expires_at = expires_at;
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
        if let Some(once) = request.once(server)
            && !tx.use_once(&once, request.at.plus(LASTS)).await?
        {
            let why = "this request was answered before";
            return Ok(self.refuse(runtime, Told::InvalidRequestUri, why));
        }
        tx.insert_grant(&grant).await?;
        tx.insert_code(&row).await?;
        tx.commit().await?;
        approval::note(server, self.app, sign_in, &grant, None);
        let mut parameters = vec![("code", code)];
        parameters.extend(request.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", runtime.external.to_string()));
        Ok(Answer { redirect_uri: request.redirect_uri.clone(), mode: request.mode, parameters })
    }
}

/// What an app would learn and have by these scopes, in the words of the consent page.
#[must_use]
pub fn shares(app: &App, scopes: &[String]) -> Vec<&'static str> {
    let mut words = Vec::new();
    for scope in scopes {
        match scope.as_str() {
            "profile" => words.extend(["username", "name"]),
            "email" => words.push("email"),
            "groups" => words.push("groups"),
            "offline_access" => words.push("offline"),
            _ => {}
        }
    }
    if !app.claims.is_empty() {
        words.push("more");
    }
    words
}
