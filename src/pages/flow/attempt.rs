//! A flow under way in one browser: found by its cookie, kept in the store between two steps.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::{Answer, Trouble, action, app_of, too_many};
use crate::blueprint::flow::Flow;
use crate::clock::Millis;
use crate::flow::attempts::Starts;
use crate::flow::stages::Progress;
use crate::pages::pinned::Generation;
use crate::pages::visit::Visit;
use crate::secret::TokenDigest;
use crate::store::{NewFlowState, StoreError, Tx};
use crate::web::{reply, visitor};

/// A sign-in that takes longer begins anew.
pub const LASTS: Duration = Duration::from_secs(15 * 60);

/// A sign-in under way in one browser.
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

impl Attempt {
    /// The sign-in of this browser's cookie, if one is under way.
    pub async fn resume(visit: &Visit<'_>) -> Result<Option<Self>, Trouble> {
        let Some(cookie) = visit.cookie(&visit.flow_cookie()) else { return Ok(None) };
        let digest = visit.server.key.digest(cookie.as_bytes());
        let now = visit.server.clock.now();
        let found = visit.server.store.read().await?.find_flow_state(&digest, now).await?;
        let Some(state) = found.filter(|state| is_wanted(visit, &state.flow)) else {
            return Ok(None);
        };
        let store = &visit.server.store;
        let generation = visit.pages.pinned.find(store, &visit.runtime, state.generation).await?;
        let Some(generation) = generation else { return Ok(None) };
        let flow = generation.flows.get(&state.flow).cloned();
        let progress = serde_json::from_value(state.data);
        Ok(match (flow, progress) {
            (Some(flow), Ok(progress)) => Some(Self {
                cookie: cookie.to_owned(),
                digest,
                generation,
                flow,
                progress,
                version: Some(state.version),
                number: state.generation,
            }),
            _ => None,
        })
    }

    /// A sign-in that begins: nothing is written before a form is posted.
    pub fn fresh(visit: &Visit<'_>) -> Result<Self, Trouble> {
        let runtime = &visit.runtime;
        let flow = runtime.authentication_flow(app_of(visit)).cloned();
        let flow = flow.ok_or_else(|| StoreError::Other {
            place: "flows".to_owned(),
            reason: "there is no flow to sign in with".to_owned(),
        })?;
        let cookie = match visit.cookie(&visit.flow_cookie()) {
            Some(known) if known.len() == 43 => known.to_owned(),
            _ => visit.server.rng.token()?,
        };
        Ok(Self {
            digest: visit.server.key.digest(cookie.as_bytes()),
            cookie,
            generation: Arc::new(Generation {
                flows: runtime.flows.clone(),
                sources: runtime.sources.clone(),
            }),
            flow,
            progress: Progress::default(),
            version: None,
            number: runtime.generation,
        })
    }

    /// Writes how far the flow came and shows the next step by a redirect, so that going back or
    /// reloading posts nothing twice. A step that was taken already leads to where the flow is now.
    pub async fn save_and_turn(&self, visit: &Visit<'_>) -> Answer {
        let now = visit.server.clock.now();
        let data = serde_json::to_value(&self.progress).unwrap_or_default();
        let Some(version) = self.version else {
            return match self.begin(visit, &data, now).await? {
                Some(wait) => Ok(too_many(visit, wait)),
                None => Ok(self.turn(visit)),
            };
        };
        let mut tx = visit.server.store.begin().await?;
        tx.advance_flow_state(&self.digest, version, &data, now).await?;
        tx.commit().await?;
        Ok(self.turn(visit))
    }

    /// Writes down a flow that begins, unless its address began too many: then how long to wait.
    /// Nobody has proven anything yet, so that this bounds what strangers can have written.
    async fn begin(
        &self,
        visit: &Visit<'_>,
        data: &serde_json::Value,
        now: Millis,
    ) -> Result<Option<Duration>, Trouble> {
        let store = &visit.server.store;
        let starts = Starts::of(&visitor::address_key(visit.client));
        if let Some(wait) = starts.wait(store, now).await? {
            return Ok(Some(wait));
        }
        let mut tx = store.begin().await?;
        if !starts.count(&mut tx, now).await? {
            return Ok(Some(Starts::LONGEST_WAIT));
        }
        let state = NewFlowState {
            digest: &self.digest,
            flow: &self.flow.slug.value,
            purpose: "authentication",
            generation: self.number,
            data,
            expires_at: now.plus(LASTS),
        };
        tx.put_flow_state(state, now).await?;
        tx.commit().await?;
        Ok(None)
    }

    fn turn(&self, visit: &Visit<'_>) -> Response<Body> {
        let mut response = reply::see_other(&action(visit));
        visit.set_cookie(&mut response, &visit.flow_cookie(), &self.cookie, Some(LASTS));
        response
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

/// Whether a flow under way is the one that leads to where this visit goes.
fn is_wanted(visit: &Visit<'_>, flow: &str) -> bool {
    let wanted = visit.runtime.authentication_flow(app_of(visit));
    wanted.is_some_and(|wanted| wanted.slug.value == flow)
}
