//! One decision for one request at an app's address.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode};

use super::ForwardAuth;
use super::answer::{self, Kind};
use super::reader::{Asked, Reader};
use crate::access::condition::Reputation;
use crate::access::path::{PathError, Strictness, canonical};
use crate::access::target::{Client, split_authority};
use crate::access::{self, By, Decision, Query, Target, Verdict};
use crate::clock::Millis;
use crate::model::web_url::Origin;
use crate::runtime::app::{Address, App, Reach};
use crate::runtime::{Destination, Runtime};
use crate::session::AppSession;
use crate::web::credential::Credential;
use crate::web::reply::For;
use crate::web::{cookies, visitor};

/// A request at an app's address, in canonical form.
#[derive(Debug)]
pub struct Request<'a> {
    pub reader: Reader,
    pub app: &'a App,
    pub address: &'a Address,
    /// The host as it came, in canonical form: the one that cookies belong to.
    pub host: Cow<'a, str>,
    /// The authority as the proxy told it.
    pub authority: &'a str,
    pub target: Target<'a>,
    /// Path and query as they came.
    pub uri: &'a str,
    pub headers: &'a HeaderMap,
}

/// Why no app or no canonical target was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlocated {
    #[error("the host is not a valid name")]
    BadHost,
    #[error("no app is declared for this host")]
    NoApp,
    #[error(transparent)]
    Path(#[from] PathError),
}

impl Unlocated {
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoApp => StatusCode::NOT_FOUND,
            Self::BadHost | Self::Path(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Paths of ours on an app's host are always read strictly.
fn strictness(address: &Address, uri: &str) -> Strictness {
    if super::own_path::looks_ours(uri) { Strictness::Strict } else { address.gate.strictness }
}

impl<'a> Request<'a> {
    /// From what was asked to an app's address and a canonical target.
    ///
    /// # Errors
    /// If there is no such app, or the host or the path has an ambiguous spelling.
    pub fn locate(
        runtime: &'a Runtime,
        reader: Reader,
        asked: Asked<'a>,
        headers: &'a HeaderMap,
        client: Client,
    ) -> Result<Self, Unlocated> {
        let (host, port) = split_authority(asked.authority).ok_or(Unlocated::BadHost)?;
        let port = port.or(asked.secure.map(|secure| if secure { 443 } else { 80 }));
        let Destination { app, address } =
            runtime.destination(&host, port).ok_or(Unlocated::NoApp)?;
        let path = canonical(asked.uri, strictness(address, asked.uri))?;
        let declared = match &address.reach {
            Reach::Host { declared, .. } => Cow::Borrowed(declared.host.as_str()),
            Reach::Domain { .. } => Cow::Owned(runtime.addressing.declared(&host).to_owned()),
        };
        Ok(Self {
            reader,
            app,
            address,
            host,
            authority: asked.authority,
            target: Target { host: declared, path, method: Cow::Borrowed(asked.method), client },
            uri: asked.uri,
            headers,
        })
    }

    /// What a page at this address is rendered for.
    #[must_use]
    pub fn page(&self, status: StatusCode) -> For<'_> {
        For { host: Some(&self.host), ..For::app_host(status, self.headers) }
    }

    /// Where people reach this address.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.address.public_origin(&self.host)
    }

    /// The address of the request as a person sees it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.uri)
    }

    /// The host or domain that the session cookie of this address belongs to.
    #[must_use]
    pub fn cookie_host(&self) -> &str {
        match &self.address.reach {
            Reach::Host { .. } => &self.host,
            Reach::Domain { domain, .. } => domain,
        }
    }

    /// Answers the request: a path of ours, or a decision.
    pub async fn answer(&self, front: &ForwardAuth, runtime: &Runtime) -> Response<Body> {
        if let Some(own) = super::own_path::OwnPath::of(&self.target.path) {
            return Box::pin(own.answer(front, runtime, self)).await;
        }
        if self.is_preflight() && self.address.answers_preflight {
            return self.pass(front, runtime, None, self.now(front));
        }
        match self.session(front).await {
            Ok(Some(session)) => self.decide(front, runtime, &session).await,
            Ok(None) => self.without_session(front, runtime).await,
            Err(Unavailable) => answer::unavailable(front, runtime, self),
        }
    }

    pub(super) fn now(&self, front: &ForwardAuth) -> Millis {
        front.server.clock.now()
    }

    /// What is open to everybody is open; else a token of ours says who it is.
    async fn without_session(&self, front: &ForwardAuth, runtime: &Runtime) -> Response<Body> {
        let now = self.now(front);
        if let Decision::Allow = self.verdict(None, Reputation::Unknown, now).decision {
            return self.pass(front, runtime, None, now);
        }
        match Credential::of(self.headers) {
            Some(credential) => {
                Box::pin(super::token::answer(front, runtime, self, credential)).await
            }
            None => answer::login(front, runtime, self),
        }
    }

    async fn decide(
        &self,
        front: &ForwardAuth,
        runtime: &Runtime,
        session: &Arc<AppSession>,
    ) -> Response<Body> {
        let now = self.now(front);
        let profile = session.sign_in.account.peek();
        let standing = profile.standing(runtime);
        let person = standing.person(&profile.user.username, &session.sign_in.proofs);
        let reputation = self.reputation(front, &profile.user.id).await;
        let verdict = self.verdict(Some(&person), reputation, now);
        self.report(front, &profile.user.username, &verdict);
        match (verdict.decision, verdict.by) {
            (Decision::Allow, By::Open(_)) => self.pass(front, runtime, None, now),
            (Decision::Allow, _) if self.is_foreign_websocket() => {
                answer::refuse(front, runtime, self, Kind::ForeignOrigin)
            }
            (Decision::Allow, _) => {
                front.server.sessions.touch(&session.sign_in, now);
                if self.app.session.is_some() {
                    front.server.sessions.touch_in_app(session, now);
                }
                self.pass(front, runtime, Some((&session.remembered, &profile, &standing)), now)
            }
            (Decision::StepUp(_), _) => answer::step_up(front, runtime, self),
            (Decision::Deny | Decision::Login, _) => {
                answer::denied(front, runtime, self, &standing, &profile, &verdict)
            }
        }
    }

    /// The one decision.
    #[must_use]
    pub fn verdict<'q>(
        &'q self,
        person: Option<&'q access::Person<'q>>,
        reputation: Reputation,
        now: Millis,
    ) -> Verdict<'q> {
        let query = Query {
            access: &self.app.access,
            gate: Some(&self.address.gate),
            target: &self.target,
            person,
            now,
            reputation,
        };
        access::decide(&query, None)
    }

    /// How the account and the address behaved, asked only where a rule looks at it.
    pub async fn reputation(&self, front: &ForwardAuth, user_id: &str) -> Reputation {
        visitor::reputation_for(&front.server, &self.app.access, self.target.client, user_id).await
    }

    pub(super) fn report(&self, front: &ForwardAuth, username: &str, verdict: &Verdict<'_>) {
        for error in &verdict.errors {
            if front.loops.may_report("rule.error", self.now(front)) {
                tracing::warn!(app = %self.app.slug, %error, "a condition could not be judged");
                let data = serde_json::json!({ "place": error.place, "reason": error.reason });
                front.server.journal.note("rule.error", Some(username), Some(&self.app.slug), data);
            }
        }
    }

    /// The live session of this address's cookie. Without a cookie nothing is looked up.
    ///
    /// # Errors
    /// If a cookie is there and the store, which alone could know it, is away too long.
    pub async fn session(
        &self,
        front: &ForwardAuth,
    ) -> Result<Option<Arc<AppSession>>, Unavailable> {
        let sessions = &front.server.sessions;
        let Some(token) = cookies::find(self.headers, &self.address.cookie) else {
            return Ok(None);
        };
        if !sessions.in_contact() {
            return Err(Unavailable);
        }
        let (digest, now) = (sessions.digest(token), self.now(front));
        let found = match sessions.known_app_session(&digest, now) {
            Some(known) => Some(known),
            None => Box::pin(sessions.find_app_session(&digest)).await.map_err(|error| {
                tracing::warn!(%error, "a session could not be looked up");
                Unavailable
            })?,
        };
        Ok(found.filter(|session| {
            session.app_uid == self.app.uid
                && session.host == self.cookie_host()
                && self
                    .app
                    .session
                    .is_none_or(|limits| session.is_within(limits.idle, limits.absolute, now))
        }))
    }

    pub(super) fn pass(
        &self,
        front: &ForwardAuth,
        runtime: &Runtime,
        who: Option<super::identity::Who<'_>>,
        now: Millis,
    ) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = super::identity::headers(front, runtime, self, who, now);
        response
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.headers.contains_key("sec-websocket-key")
    }

    /// A handshake that another site's script began (`security.md` R13).
    pub(super) fn is_foreign_websocket(&self) -> bool {
        self.is_websocket()
            && self
                .headers
                .get_all("origin")
                .iter()
                .any(|origin| origin.as_bytes() != self.origin().to_string().as_bytes())
    }

    fn is_preflight(&self) -> bool {
        self.target.method == "OPTIONS"
            && self.headers.contains_key("origin")
            && self.headers.contains_key("access-control-request-method")
    }

    /// Whether a person waits for a page: only then may a login begin.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        if self.is_websocket() {
            return false;
        }
        match self.header("sec-fetch-mode") {
            Some(mode) => mode == "navigate",
            None => self.header("accept").is_some_and(|accept| accept.starts_with("text/html")),
        }
    }

    #[must_use]
    pub fn wants_json(&self) -> bool {
        self.header("accept").is_some_and(|accept| accept.contains("application/json"))
    }

    #[must_use]
    pub fn is_from_browser(&self) -> bool {
        self.headers.contains_key("sec-fetch-site") || self.headers.contains_key("sec-fetch-mode")
    }

    /// Where to come back to: this page for a GET, else the page that posted, else the root.
    #[must_use]
    pub fn return_to(&self) -> String {
        if matches!(self.target.method.as_ref(), "GET" | "HEAD") {
            return self.url();
        }
        let root = format!("{}/", self.origin());
        match self.header("referer") {
            Some(referer) if referer.starts_with(&root) => referer.to_owned(),
            _ => root,
        }
    }
}

/// The store cannot be asked, and what is known is too old to go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;
