//! Events on their way into the store. Noting one never waits; losing one is said in the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use crate::clock::Clock;
use crate::ids::Rng;
use crate::store::{Event, Store};

/// How many events may wait for the store.
const CAPACITY: usize = 4096;
const BATCH: usize = 256;

/// Takes events and hands them to the writer.
#[derive(Clone, Debug)]
pub struct Journal {
    queue: mpsc::Sender<Event>,
    clock: Clock,
    rng: Rng,
}

/// Writes what the journal took.
pub struct Writer {
    queue: mpsc::Receiver<Event>,
    store: Store,
}

/// Opens a journal and its writer.
#[must_use]
pub fn open(store: Store, clock: Clock, rng: Rng) -> (Journal, Writer) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Journal { queue: sender, clock, rng }, Writer { queue: receiver, store })
}

impl Journal {
    /// Notes that something happened: who did it, to what, and the particulars. Gives the name by
    /// which it can be asked about.
    pub fn note(
        &self,
        kind: &str,
        actor: Option<&str>,
        subject: Option<&str>,
        data: serde_json::Value,
    ) -> Option<String> {
        let at = self.clock.now();
        let id = self.rng.id("evt", at).ok()?;
        let event = Event {
            id: id.clone(),
            at,
            kind: kind.to_owned(),
            actor: actor.map(str::to_owned),
            subject: subject.map(str::to_owned),
            data,
        };
        if self.queue.try_send(event).is_err() {
            tracing::warn!(kind, "an event could not be kept: too many wait for the store");
            return None;
        }
        Some(id)
    }
}

impl Writer {
    /// Writes events in batches until the journal is closed or `stop` is told, and then the rest.
    pub async fn run(mut self, stop: Arc<Notify>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                taken = self.queue.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    self.write(&mut batch).await;
                }
                () = stop.notified() => {
                    self.queue.close();
                    while self.queue.recv_many(&mut batch, BATCH).await > 0 {
                        self.write(&mut batch).await;
                    }
                    return;
                }
            }
        }
    }

    async fn write(&self, batch: &mut Vec<Event>) {
        for patience in [0, 1, 5] {
            tokio::time::sleep(Duration::from_secs(patience)).await;
            match self.store(batch).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(%error, events = batch.len(), "events wait for the store")
                }
            }
        }
        batch.clear();
    }

    async fn store(&self, batch: &[Event]) -> Result<(), crate::store::StoreError> {
        let mut tx = self.store.begin().await?;
        for event in batch {
            tx.insert_event(event).await?;
        }
        tx.commit().await
    }
}
