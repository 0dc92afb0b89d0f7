//! One step of a flow: who it is about, what is known of them, and the page that asks.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::attempt::{Attempt, LASTS, Saved};
use super::conditions::{self, Conditions, Proven, Record};
use super::errand::{Errand, Need};
use super::{Answer, Trouble, agreement, app_of, is_enabled, too_many};
use crate::access::condition::Reputation;
use crate::blueprint::flow::{Field, Flow, StageKind};
use crate::expression::catalogue::Context;
use crate::expression::program::Program;
use crate::factor::{self, held::Held};
use crate::flow::progress::Progress;
use crate::flow::stages::{Agreed, Flows, Next};
use crate::model::factor::Factor;
use crate::pages::pinned::Generation;
use crate::pages::visit::Visit;
use crate::session::SignIn;
use crate::store::User;
use crate::web::csp::PageClass;
use crate::web::csrf;
use crate::web::reply::For;
use crate::web::templates::{Page, Person};

/// One step of a flow.
pub struct Run<'a> {
    pub visit: &'a Visit<'a>,
    pub errand: Errand,
    pub attempt: Attempt,
    /// The session that the step is taken in, if there is one.
    pub sign_in: Option<Arc<SignIn>>,
    pub need: Need,
    pub record: Record,
    /// Whom the flow is about, once that is proven.
    person: Option<Proven>,
    reputation: Reputation,
}

impl<'a> Run<'a> {
    /// A step of `attempt`, with what the store knows of its person. Nobody can tell from the time
    /// it takes whether there is one.
    pub async fn new(
        visit: &'a Visit<'a>,
        errand: Errand,
        attempt: Attempt,
        sign_in: Option<Arc<SignIn>>,
        need: Need,
    ) -> Result<Self, Trouble> {
        let person = attempt.progress.user_id.as_deref().unwrap_or("");
        let read = visit.server.store.read().await?;
        let held = Held::of(&read, person).await?;
        let browser = match visit.browser() {
            Some(digest) => read.find_browser(&digest, person).await?,
            None => None,
        };
        let is_proven = attempt.progress.first.is_some() || sign_in.is_some();
        let agreed = match is_proven && asks_for_agreement(&attempt.flow) {
            true => agreement::before(visit, &read, person, sign_in.as_deref()).await?,
            false => Agreed::default(),
        };
        drop(read);
        let remembered = browser.map(|browser| browser.proofs).unwrap_or_default();
        let account = match is_proven && !person.is_empty() {
            true => Some(visit.server.sessions.account(person).await?),
            false => None,
        };
        let reputation = visit.reputation(account.as_ref().map(|_| person)).await;
        let in_session = sign_in.as_ref().map(|sign_in| &sign_in.proven.factors);
        let proofs = remembered
            .iter()
            .chain(in_session.into_iter().flatten())
            .chain(&attempt.progress.proven);
        let person = account.map(|account| Proven::new(&account, &visit.runtime, proofs));
        let record = Record { held, remembered, agreed };
        Ok(Self { visit, errand, attempt, sign_in, need, record, person, reputation })
    }

    /// The first step of a flow that is gone through in a session.
    pub async fn first(
        visit: &'a Visit<'a>,
        errand: Errand,
        sign_in: &Arc<SignIn>,
    ) -> Result<Self, Trouble> {
        let attempt = Attempt::fresh(visit, errand, Some(sign_in))?;
        Self::new(visit, errand, attempt, Some(Arc::clone(sign_in)), Need::Nothing).await
    }

    /// What the flow asks for next.
    pub fn next<'f>(&mut self, generation: &'f Generation) -> Option<Next<'f>> {
        let slug = &self.attempt.flow.slug.value;
        let outer = generation.flows.get(slug)?;
        let flows = Flows { outer, all: &generation.flows };
        let conditions = Conditions {
            visit: self.visit,
            generation,
            person: self.person.as_ref(),
            reputation: self.reputation,
        };
        let wanted = self.need.wanted();
        Some(conditions.next(flows, &mut self.attempt.progress, &self.record, wanted))
    }

    /// Writes how far the flow came and shows the next step by a redirect.
    pub async fn save_and_turn(&mut self) -> Answer {
        self.attempt.save_and_turn(self.visit, self.errand).await
    }

    /// Writes what a page made for itself; where to go instead, if another step was faster.
    pub async fn keep(&mut self) -> Result<Option<Response<Body>>, Trouble> {
        Ok(match self.attempt.save(self.visit, self.errand).await? {
            Saved::Yes => None,
            Saved::Overtaken => Some(self.attempt.turn(self.visit)),
            Saved::TooMany(wait) => Some(too_many(self.visit, wait)),
        })
    }

    /// What is being set up, if anything is.
    pub fn pending<T: DeserializeOwned>(&self) -> Option<T> {
        let sealed = STANDARD.decode(self.attempt.progress.pending.as_ref()?).ok()?;
        factor::open(&self.visit.server.key, &self.bound(), &sealed).ok()
    }

    pub fn set_pending<T: Serialize>(&mut self, what: &T) -> Result<(), Trouble> {
        let server = self.visit.server;
        let sealed = factor::seal(&server.key, &server.rng, &self.bound(), what)?;
        self.attempt.progress.pending = Some(STANDARD.encode(sealed));
        Ok(())
    }

    /// What is pending belongs to this browser and this person.
    fn bound(&self) -> String {
        bound(&self.attempt.cookie, &self.attempt.progress)
    }

    /// Whether there is a choice to go back to.
    pub fn may_leave(&self) -> bool {
        !self.attempt.progress.inside.is_empty()
    }

    /// Where somebody goes who sets nothing up after all.
    pub fn cancel(&self) -> Option<String> {
        let next = (self.errand == Errand::SetUp).then(|| self.visit.next())?;
        Some(next.split('?').next().unwrap_or("/").to_owned())
    }

    /// The account that the flow is about, if it may sign in.
    pub async fn owner(&self) -> Result<Option<User>, Trouble> {
        let Some(id) = self.attempt.progress.user_id.as_deref() else { return Ok(None) };
        let user = self.visit.server.store.read().await?.find_user(id).await?;
        Ok(user.filter(|user| is_enabled(self.visit, user)))
    }

    /// The name of a new factor, until its person gives it another.
    pub fn name_for(&self, class: Factor) -> String {
        let plain = match class {
            Factor::Webauthn => "Passkey",
            Factor::Duo => "Duo",
            _ => "Authenticator app",
        };
        match self.record.held.of_class(class).count() {
            0 => plain.to_owned(),
            more => format!("{plain} {}", more.saturating_add(1)),
        }
    }

    /// What stands in a field to begin with. Before it is proven who somebody is, an expression that
    /// reads it gives nothing.
    pub fn default(&self, field: &Field) -> Option<String> {
        let expression = field.default.as_ref()?;
        let program = Program::compile(&expression.value, Context::Claim).ok()?;
        let app = app_of(self.visit).map_or("", |app| app.slug.as_str());
        let now = self.visit.server.clock.now();
        conditions::text(&program, self.person.as_ref(), app, now)
    }

    /// The language that the person chose, if the flow is gone through in a session.
    pub fn language(&self) -> Option<String> {
        self.sign_in.as_ref().and_then(|sign_in| sign_in.account.profile().user.language.clone())
    }

    /// The title of the app that the flow leads to.
    pub fn continue_to(&self) -> Option<String> {
        app_of(self.visit).map(|app| app.title.clone())
    }

    /// The person's name as it was typed, or as the session knows it.
    pub fn who(&self) -> String {
        self.attempt.progress.login.clone().unwrap_or_default()
    }

    /// The page of a stage; `again` if what was posted is asked for once more.
    pub fn ask<P: Page>(&self, page: &P, again: bool) -> Response<Body> {
        let visit = self.visit;
        let token = csrf::token(&visit.server.key, &self.attempt.cookie);
        let status = if again { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        // The last form ends in a redirect to an app, which `form-action` would stop.
        let class = PageClass::OnwardToApp;
        let user = self.sign_in.as_ref().map(|sign_in| {
            let profile = sign_in.account.profile();
            crate::pages::portal::shown(&profile.standing(&visit.runtime), &profile)
        });
        let user: Option<&Person> = user.as_ref().filter(|_| self.errand.is_inside_session());
        let wanted = For {
            class,
            user,
            csrf: Some(&token),
            ..For::sign_in_host(status, &visit.parts.headers)
        };
        let mut response = visit.page(wanted, page);
        let cookie = &self.attempt.cookie;
        visit.set_cookie(&mut response, &visit.flow_cookie(), cookie, Some(LASTS));
        response
    }

    /// The same, kept by the browser for as long as a mailed link is good.
    pub fn wait<P: Page>(&self, page: &P, again: bool, lasts: Duration) -> Response<Body> {
        let mut response = self.ask(page, again);
        let cookie = &self.attempt.cookie;
        let lasts = lasts.max(LASTS);
        self.visit.set_cookie(&mut response, &self.visit.flow_cookie(), cookie, Some(lasts));
        response
    }
}

/// What is pending belongs to one browser and one person.
pub fn bound(cookie: &str, progress: &Progress) -> String {
    format!("pending/{cookie}/{}", progress.user_id.as_deref().unwrap_or_default())
}

fn asks_for_agreement(flow: &Flow) -> bool {
    flow.stages
        .iter()
        .any(|stage| matches!(stage.kind, StageKind::Terms { .. } | StageKind::Consent { .. }))
}
