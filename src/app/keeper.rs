//! The configuration in force: read, judged, applied, published (`blueprints.md` 4.6).
//!
//! One reload at a time. Whatever goes wrong before the transaction leaves everything as it was,
//! and says so loudly; what goes wrong after it is *degraded* and tried again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::candidate::{self, Candidate, Demands, Known, Rejected};
use super::certificate::Certificate;
use super::dispatch::Fronts;
use super::generation::{applying, hold, plan_candidate, take, uids};
use super::named_files;
use super::options::Options;
use super::places::Places;
use super::publish::Publisher;
use super::verdict::{self, KeepError, Verdict};
use crate::blueprint::{load, read};
use crate::reconcile::{Confirmations, Outcome, Plan, gather};
use crate::repeats::Repeats;
use crate::runtime::Runtime;
use crate::runtime::health::{AwaitsRestart, Health, SyncState};
use crate::store::{Store, StoreError};

/// How often what was published is looked at again, in case somebody removed or edited it.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// Keeps files, store and runtime in step.
pub struct Keeper {
    pub options: Options,
    pub places: Places,
    pub fronts: Arc<Fronts>,
    /// What the main listener shows, if it speaks TLS.
    pub certificate: Option<Certificate>,
    /// What was last told, so that the same thing is not said every two seconds.
    last: Mutex<Last>,
    /// What could not be published, as the log was told.
    unpublished: Repeats,
}

#[derive(Debug, Default)]
struct Last {
    /// The digest that was judged last, whatever came of it.
    digest: String,
    /// When everything was last published; `None` if something is left to publish.
    published: Option<Instant>,
    /// What the last files that could be understood say and only a restart takes up.
    restart: Vec<AwaitsRestart>,
}

impl Keeper {
    #[must_use]
    pub fn new(
        options: Options,
        places: Places,
        fronts: Arc<Fronts>,
        certificate: Option<Certificate>,
    ) -> Self {
        let (last, unpublished) = (Mutex::default(), Repeats::default());
        Self { options, places, fronts, certificate, last, unpublished }
    }

    /// Notes what was judged at start, and what stood in the way of it.
    pub async fn begin(&self, digest: &str, refused: Option<&Verdict>) {
        let mut last = self.last.lock().await;
        digest.clone_into(&mut last.digest);
        match refused {
            Some(verdict) => self.tell(verdict, "start", false, &[]).await,
            None => self.forget_held().await,
        }
        last.published = self.publish().await;
    }

    /// Reads the files and takes them into force if they may be. A set that was judged before is
    /// not judged again unless somebody `insists`.
    pub async fn reload(
        &self,
        confirmations: &Confirmations,
        by: &str,
        insists: bool,
    ) -> (Verdict, Vec<PathBuf>) {
        let mut last = self.last.lock().await;
        let (roots, mode) = (self.options.roots.clone(), self.options.mode());
        let reading = tokio::task::spawn_blocking(move || {
            let reading = read::read(&roots);
            let digest = candidate::source_digest(&reading.sources);
            (reading, digest)
        });
        let Ok((mut reading, digest)) = reading.await else {
            return (Verdict::Failed(KeepError::Unread), Vec::new());
        };
        let watched = std::mem::take(&mut reading.watched);
        // Most looks end here: what was judged before is not understood again.
        let judged = digest == last.digest && reading.problems.is_empty();
        if judged && !insists && !self.texts_changed().await {
            if last.published.is_none_or(|at| at.elapsed() > LOOK_AGAIN) || self.has_certificate() {
                last.published = self.publish().await;
            }
            return (Verdict::Unchanged, watched);
        }
        let loaded =
            tokio::task::spawn_blocking(move || load::understand_read(reading, mode)).await;
        let Ok(loaded) = loaded else {
            return (Verdict::Failed(KeepError::Unread), watched);
        };
        let repeated = digest == last.digest;
        last.digest.clone_from(&digest);
        let considered = self.consider(loaded, confirmations, by, &mut last).await;
        let verdict = considered.unwrap_or_else(Verdict::Failed);
        if matches!(verdict, Verdict::Failed(_)) {
            // Not the files' fault: the next look tries again.
            last.digest.clear();
        }
        self.tell(&verdict, by, repeated && !insists, &last.restart).await;
        (verdict, watched)
    }

    /// Whether a text that the files in force name has changed beside them, and can be read.
    async fn texts_changed(&self) -> bool {
        let (options, runtime) = (self.options.clone(), self.fronts.server.runtime.load_full());
        let look = move || {
            let (texts, problems) =
                named_files::texts(&options, &runtime.paths, &runtime.blueprint);
            let changed = problems.is_empty() && texts != runtime.texts;
            if changed {
                tracing::info!("a text that the blueprints name was read again");
            }
            changed
        };
        tokio::task::spawn_blocking(look).await.unwrap_or(false)
    }

    /// Whether another certificate lies where the listener's is.
    fn has_certificate(&self) -> bool {
        self.certificate.as_ref().is_some_and(|shown| shown.has_changed(&self.options))
    }

    async fn consider(
        &self,
        loaded: load::Loaded,
        confirmations: &Confirmations,
        by: &str,
        last: &mut Last,
    ) -> Result<Verdict, KeepError> {
        let server = &self.fronts.server;
        let before = server.runtime.load_full();
        let candidate = match self.judge(loaded, before.generation).await? {
            Ok(candidate) => candidate,
            Err(rejected) => return Ok(Verdict::from(rejected)),
        };
        last.restart.clone_from(&candidate.restart);
        let plan = self.plan_for(Some(&before), &candidate, confirmations).await?;
        if plan.outcome() == Outcome::Held {
            hold(&applying(server, &plan, &candidate.runtime, by)).await;
            return Ok(Verdict::Held(Box::new(plan)));
        }
        let changes = plan.outcome() == Outcome::Changes;
        let same_text = candidate.runtime.source_digest == before.source_digest;
        let generation = take(&self.options, server, candidate, &plan, by).await?;
        last.published = self.publish().await;
        Ok(match changes {
            true => Verdict::Applied { generation, plan: Box::new(plan) },
            false if same_text => Verdict::Unchanged,
            false => Verdict::Refreshed,
        })
    }

    async fn judge(
        &self,
        loaded: load::Loaded,
        generation: i64,
    ) -> Result<Result<Candidate, Box<Rejected>>, KeepError> {
        let known = Known { uids: uids(&self.fronts.server.store).await?, generation };
        Ok(candidate::build(&self.options, &self.places, loaded, &known, Demands::All))
    }

    async fn plan_for(
        &self,
        before: Option<&Runtime>,
        candidate: &Candidate,
        confirmations: &Confirmations,
    ) -> Result<Plan, KeepError> {
        let server = &self.fronts.server;
        let stored = gather::gather(&server.store.read().await?, server.clock.now()).await?;
        Ok(plan_candidate(&self.options, before, candidate, &stored, confirmations))
    }

    /// What a reload would do, without doing it.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn plan(
        &self,
        confirmations: &Confirmations,
    ) -> Result<Result<Plan, Box<Rejected>>, KeepError> {
        let server = &self.fronts.server;
        let before = server.runtime.load_full();
        let loaded = load::load(&self.options.roots, self.options.mode());
        let candidate = match self.judge(loaded, before.generation).await? {
            Ok(candidate) => candidate,
            Err(rejected) => return Ok(Err(rejected)),
        };
        Ok(Ok(self.plan_for(Some(&before), &candidate, confirmations).await?))
    }

    /// Says once what came of it: in the log, in the events, and in the state of health.
    async fn tell(&self, verdict: &Verdict, by: &str, repeated: bool, restart: &[AwaitsRestart]) {
        let server = &self.fronts.server;
        let before = server.health.load_full();
        let (state, problems) = verdict.state();
        let since = if before.state == state { before.since } else { server.clock.now() };
        if state == SyncState::InSync {
            self.forget_held().await;
        }
        if !repeated {
            self.note(verdict, &problems, by);
            verdict::log(verdict, &problems, by, before.state);
        }
        for awaited in restart.iter().filter(|awaited| !before.restart.contains(awaited)) {
            tracing::warn!(by, "{awaited}");
        }
        let (remedy, degraded) = (verdict.remedy(), before.degraded.clone());
        let restart = restart.to_vec();
        let health = Health { state, since, problems, remedy, degraded, restart };
        server.health.store(Arc::new(health));
    }

    async fn forget_held(&self) {
        if let Err(error) = clear_held(&self.fronts.server.store).await {
            tracing::warn!(%error, "a held set of files could not be forgotten");
        }
    }

    fn note(&self, verdict: &Verdict, problems: &[String], by: &str) {
        let (kind, data) = match verdict {
            Verdict::Rejected(_) => {
                ("config.rejected", serde_json::json!({ "problems": problems }))
            }
            Verdict::Vanished(_) => ("config.held", serde_json::json!({ "reasons": problems })),
            // The others are noted in the transaction that they are.
            _ => return,
        };
        self.fronts.server.journal.note(kind, Some(by), None, data);
    }

    /// When everything was published, if it was.
    async fn publish(&self) -> Option<Instant> {
        let (options, places, fronts) = (&self.options, &self.places, &*self.fronts);
        let (certificate, told) = (self.certificate.as_ref(), &self.unpublished);
        let publisher = Publisher { options, places, fronts, certificate, told };
        publisher.publish().await.then(Instant::now)
    }
}

async fn clear_held(store: &Store) -> Result<(), StoreError> {
    if store.read().await?.find_held().await?.is_none() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    tx.clear_held().await?;
    tx.commit().await
}
