//! A flow under way in one browser: found by its cookie, kept in the store between two steps.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::errand::Errand;
use super::{Answer, Trouble, action, too_many};
use crate::blueprint::flow::Flow;
use crate::clock::Millis;
use crate::flow::attempts::Starts;
use crate::flow::progress::Progress;
use crate::pages::pinned::Generation;
use crate::pages::visit::Visit;
use crate::secret::TokenDigest;
use crate::session::SignIn;
use crate::store::{NewFlowState, StoreError, Tx};
use crate::web::{reply, visitor};

/// A sign-in that takes longer begins anew.
pub const LASTS: Duration = Duration::from_secs(15 * 60);

/// A flow under way in one browser.
pub struct Attempt {
    pub cookie: String,
    digest: TokenDigest,
    pub generation: Arc<Generation>,
    pub flow: Arc<Flow>,
    pub progress: Progress,
    /// The version in the store; `None` before the first form was posted.
    version: Option<i64>,
    number: i64,
}

/// What came of writing down how far a flow came.
pub enum Saved {
    Yes,
    /// Another step of this flow was faster.
    Overtaken,
    /// The address began too many: nothing is written for so long.
    TooMany(Duration),
}

impl Attempt {
    /// The flow of this browser's cookie, if one is under way on this errand and for this person.
    pub async fn resume(
        visit: &Visit<'_>,
        errand: Errand,
        sign_in: Option<&SignIn>,
    ) -> Result<Option<Self>, Trouble> {
        let Some(cookie) = visit.cookie(&visit.flow_cookie()) else { return Ok(None) };
        let digest = visit.server.key.digest(cookie.as_bytes());
        let now = visit.server.clock.now();
        let found = visit.server.store.read().await?.find_flow_state(&digest, now).await?;
        let wanted = errand.flow(visit).map(|flow| flow.slug.value.as_str());
        let found = found
            .filter(|state| Some(state.flow.as_str()) == wanted && state.purpose == errand.path());
        let Some(state) = found else { return Ok(None) };
        let store = &visit.server.store;
        let generation = visit.pages.pinned.find(store, &visit.runtime, state.generation).await?;
        let Some(generation) = generation else { return Ok(None) };
        let flow = generation.flows.get(&state.flow).cloned();
        let Ok(progress) = serde_json::from_value::<Progress>(state.data) else { return Ok(None) };
        let theirs = !errand.is_inside_session()
            || sign_in.is_some_and(|s| progress.user_id.as_deref() == Some(s.account.id()));
        Ok(flow.filter(|_| theirs).map(|flow| Self {
            cookie: cookie.to_owned(),
            digest,
            generation,
            flow,
            progress,
            version: Some(state.version),
            number: state.generation,
        }))
    }

    /// A flow that begins: nothing is written before a form is posted.
    pub fn fresh(
        visit: &Visit<'_>,
        errand: Errand,
        sign_in: Option<&SignIn>,
    ) -> Result<Self, Trouble> {
        let runtime = &visit.runtime;
        let flow = errand.flow(visit).cloned().ok_or_else(|| StoreError::Other {
            place: "flows".to_owned(),
            reason: format!("there is no flow for {}", errand.path()),
        })?;
        let cookie = match visit.cookie(&visit.flow_cookie()) {
            Some(known) if known.len() == 43 => known.to_owned(),
            _ => visit.server.rng.token()?,
        };
        Ok(Self {
            digest: visit.server.key.digest(cookie.as_bytes()),
            cookie,
            generation: present(visit),
            flow,
            progress: errand.begin(visit, sign_in),
            version: None,
            number: runtime.generation,
        })
    }

    /// A flow that goes on from what happened elsewhere. Its cookie is new: the browser may have had
    /// another flow under way, or been given a cookie.
    pub fn going_on(
        visit: &Visit<'_>,
        generation: (i64, Arc<Generation>),
        flow: Arc<Flow>,
        progress: Progress,
    ) -> Result<Self, Trouble> {
        let cookie = visit.server.rng.token()?;
        let digest = visit.server.key.digest(cookie.as_bytes());
        let (number, generation) = generation;
        Ok(Self { cookie, digest, generation, flow, progress, version: None, number })
    }

    /// The number of the generation in which it began.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// Lets the flow wait for a mail that takes longer than a step should.
    pub async fn extend(&self, visit: &Visit<'_>, lasts: Duration) -> Result<(), Trouble> {
        let mut tx = visit.server.store.begin().await?;
        tx.extend_flow_state(&self.digest, visit.server.clock.now().plus(lasts)).await?;
        Ok(tx.commit().await?)
    }

    /// Writes how far the flow came and shows the next step by a redirect, so that going back or
    /// reloading posts nothing twice. A step that was taken already leads to where the flow is now.
    pub async fn save_and_turn(&mut self, visit: &Visit<'_>, errand: Errand) -> Answer {
        match self.save(visit, errand).await? {
            Saved::TooMany(wait) => Ok(too_many(visit, wait)),
            Saved::Yes | Saved::Overtaken => Ok(self.turn(visit)),
        }
    }

    /// Writes how far the flow came.
    pub async fn save(&mut self, visit: &Visit<'_>, errand: Errand) -> Result<Saved, Trouble> {
        if self.version.is_none() {
            return self.begin(visit, errand).await;
        }
        let mut tx = visit.server.store.begin().await?;
        let saved = self.advance(&mut tx, visit.server.clock.now()).await?;
        tx.commit().await?;
        Ok(if saved { Saved::Yes } else { Saved::Overtaken })
    }

    /// Writes how far the flow came together with what a step did; `false` if another step of this
    /// flow was faster, or nothing of it was written yet.
    pub async fn advance(&mut self, tx: &mut Tx, now: Millis) -> Result<bool, Trouble> {
        let Some(version) = self.version else { return Ok(false) };
        let data = serde_json::to_value(&self.progress).unwrap_or_default();
        let advanced = tx.advance_flow_state(&self.digest, version, &data, now).await?;
        self.version = Some(version.saturating_add(i64::from(advanced)));
        Ok(advanced)
    }

    /// Writes down a flow that begins, unless its address began too many. Nobody need have proven
    /// anything yet, so that this bounds what strangers can have written.
    async fn begin(&mut self, visit: &Visit<'_>, errand: Errand) -> Result<Saved, Trouble> {
        let (store, now) = (&visit.server.store, visit.server.clock.now());
        let starts = Starts::of(&visitor::address_key(visit.client));
        if let Some(wait) = starts.wait(store, now).await? {
            return Ok(Saved::TooMany(wait));
        }
        let mut tx = store.begin().await?;
        if !starts.count(&mut tx, now).await? {
            return Ok(Saved::TooMany(Starts::LONGEST_WAIT));
        }
        let data = serde_json::to_value(&self.progress).unwrap_or_default();
        let state = NewFlowState {
            digest: &self.digest,
            flow: &self.flow.slug.value,
            purpose: errand.path(),
            generation: self.number,
            data: &data,
            expires_at: now.plus(LASTS),
        };
        self.version = Some(tx.put_flow_state(state, now).await?);
        tx.commit().await?;
        Ok(Saved::Yes)
    }

    pub fn turn(&self, visit: &Visit<'_>) -> Response<Body> {
        self.turn_to(visit, &action(visit))
    }

    /// Goes on at another address.
    pub fn turn_to(&self, visit: &Visit<'_>, address: &str) -> Response<Body> {
        let mut response = reply::see_other(address);
        visit.set_cookie(&mut response, &visit.flow_cookie(), &self.cookie, Some(LASTS));
        response
    }

    /// Whether anything of it is in the store yet.
    pub fn is_stored(&self) -> bool {
        self.version.is_some()
    }

    /// Uses the flow up; `false` if somebody did already.
    pub async fn finish(&self, tx: &mut Tx, now: Millis) -> Result<bool, Trouble> {
        let Some(version) = self.version else { return Ok(true) };
        Ok(tx.consume_flow_state(&self.digest, version, now).await?.is_some())
    }

    /// Forgets the flow, whatever else its browser does with it.
    pub async fn drop(&self, visit: &Visit<'_>) -> Result<(), Trouble> {
        let mut tx = visit.server.store.begin().await?;
        self.finish(&mut tx, visit.server.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}

/// The flows in force.
pub fn present(visit: &Visit<'_>) -> Arc<Generation> {
    let runtime = &visit.runtime;
    Arc::new(Generation { flows: runtime.flows.clone(), sources: runtime.sources.clone() })
}
