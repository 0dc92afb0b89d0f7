//! Sends what waits in the outbox, with the settings of the moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::mail_route;
use super::options::Options;
use crate::mail::carrier::{Carried, Carrier, Outcome};
use crate::mail::post::{Opened, PostError};
use crate::mail::smtp::{Failure, Patience};
use crate::repeats::{Repeats, Say};
use crate::web::reply;
use crate::web::server::Server;

/// How often the outbox is looked at without being told: other nodes fill it too.
const LOOK: Duration = Duration::from_secs(5);
/// How long nothing is tried after a failure that would meet every message.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a conversation under way may go on once the process is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Sends mail for one process.
struct Mailer {
    server: Arc<Server>,
    options: Options,
    /// Failures, as the log was told.
    told: Repeats,
    /// The compilation of the files that the last attempt went by.
    epoch: u64,
}

/// Sends until `stop` says so.
pub async fn run(server: Arc<Server>, options: Options, mut stop: watch::Receiver<bool>) {
    let epoch = server.runtime.load().epoch;
    let mut mailer = Mailer { server, options, told: Repeats::default(), epoch };
    let mut pause_until = None;
    loop {
        let now = mailer.server.clock.now();
        if mailer.files_changed().await || pause_until.is_none_or(|until| until <= now) {
            let paused = mailer.turn(&stop).await;
            pause_until = paused.then(|| mailer.server.clock.now().plus(PAUSE));
        }
        tokio::select! {
            () = mailer.server.post.rung() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = crate::app::listen::told(&mut stop) => return,
        }
    }
}

impl Mailer {
    /// New files may hold other settings of mail: what failed before is due at once.
    async fn files_changed(&mut self) -> bool {
        let epoch = self.server.runtime.load().epoch;
        if epoch == self.epoch {
            return false;
        }
        let hurried = async {
            let mut tx = self.server.store.begin().await?;
            tx.hurry_outgoing(self.server.clock.now()).await?;
            tx.commit().await
        };
        match hurried.await {
            Ok(()) => self.epoch = epoch,
            Err(error) => tracing::warn!(%error, "mail that failed could not be hurried"),
        }
        true
    }

    /// Sends everything that is due. True if nothing is worth trying for a while.
    async fn turn(&self, stop: &watch::Receiver<bool>) -> bool {
        match self.carry_all(stop).await {
            Ok(paused) => paused,
            Err(error) => {
                if self.told.say("store", self.server.clock.now()) != Say::Nothing {
                    tracing::warn!(%error, "the outbox does not answer; the next look is soon");
                }
                false
            }
        }
    }

    async fn carry_all(&self, stop: &watch::Receiver<bool>) -> Result<bool, PostError> {
        if self.server.store.read().await?.count_waiting(1).await? == 0 {
            return Ok(false);
        }
        loop {
            let runtime = self.server.runtime.load_full();
            let route = mail_route::route(&self.options, &runtime.blueprint);
            let declared = runtime.brand(None);
            let looks = self.server.looks.load_full();
            let templates = looks.of(declared);
            let (brand, home) = (reply::brand(declared, templates), runtime.external.to_string());
            let render = |opened: &Opened| {
                let language = opened.language.as_deref();
                let words = templates.render_mail((&brand, language), &home, &opened.message);
                words.map_err(|error| error.to_string())
            };
            let carrier = Carrier {
                store: &self.server.store,
                post: &self.server.post,
                route: route.as_ref(),
                render: &render,
                patience: Patience::default(),
            };
            for dropped in carrier.drop_expired().await? {
                let data = serde_json::json!({ "kind": dropped.kind, "message": dropped.id });
                self.server.journal.note("mail.expired", None, Some(&dropped.recipient), data);
                tracing::warn!(
                    kind = dropped.kind,
                    id = dropped.id,
                    "mail ran out before it could be sent"
                );
            }
            if *stop.borrow() {
                return Ok(false);
            }
            let mut stop = stop.clone();
            let enough = async {
                crate::app::listen::told(&mut stop).await;
                tokio::time::sleep(GRACE).await;
            };
            let Some(carried) = carrier.carry_one(enough).await? else { return Ok(false) };
            self.tell(&carried);
            if carried.outcome.concerns_all() {
                return Ok(true);
            }
        }
    }

    fn tell(&self, carried: &Carried) {
        let Carried { id, recipient, kind, attempts, outcome } = carried;
        match outcome {
            Outcome::Sent { reply } => {
                self.told.keep_only(&[]);
                tracing::info!(kind, id, attempts, reply, "mail was sent");
            }
            Outcome::Postponed { failure, next } => self.complain(carried, failure, *next),
            Outcome::GivenUp { failure } => {
                let data = serde_json::json!({
                    "kind": kind, "message": id, "attempts": attempts,
                    "stage": failure.stage.word(), "reason": failure.reason,
                });
                self.server.journal.note("mail.given-up", None, Some(recipient), data);
                tracing::error!(kind, id, attempts, %failure, remedy = failure.remedy, "mail was given up");
            }
            Outcome::Released => tracing::info!(kind, id, "mail waits for the next start"),
        }
    }

    /// The same failure is said ever more seldom.
    fn complain(&self, carried: &Carried, failure: &Failure, next: crate::clock::Millis) {
        let Carried { id, kind, attempts, .. } = carried;
        if self.told.say(&failure.to_string(), self.server.clock.now()) != Say::Nothing {
            tracing::warn!(kind, id, attempts, %failure, remedy = failure.remedy, %next, "mail could not be sent; it is tried again");
        }
    }
}
