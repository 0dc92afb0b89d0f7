//! Tells chosen events elsewhere, as files say (`notify`): each once and in order, tried again until
//! it is told or a day has passed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::options::Options;
use super::secrets::Secrets;
use super::webhook;
use crate::blueprint::settings::Notify;
use crate::clock::Millis;
use crate::mail::message::Message;
use crate::mail::post::{Addressee, PostError, Queued};
use crate::repeats::{Repeats, Say};
use crate::store::{Event, Notices, StoreError};
use crate::web::server::Server;

/// How often events are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Whoever writes an event has done so after this time.
const LATE: Duration = Duration::from_secs(3);
/// How long one node has for one look.
const LEASE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// An event that could not be told for so long is passed over.
const GIVEN_UP: Duration = Duration::from_secs(24 * 60 * 60);
const AT_ONCE: i64 = 50;

/// Why an event was not told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Webhook(#[from] webhook::WebhookError),
    #[error("its token: {0}")]
    Token(String),
    #[error("no mail to {0}: {1:?}")]
    Mail(String, Queued),
}

/// Tells events until `stop` says so.
pub async fn run(server: Arc<Server>, options: Options, mut stop: watch::Receiver<bool>) {
    let told = Repeats::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = crate::app::listen::told(&mut stop) => return,
        }
        let runtime = server.runtime.load_full();
        for notify in &runtime.blueprint.notifies {
            if let Err(error) = look(&server, &options, notify).await
                && told.say(&error.to_string(), server.clock.now()) != Say::Nothing
            {
                let notify = &notify.slug.value;
                tracing::warn!(notify, %error, "an event could not be told; it is tried again");
            }
        }
    }
}

/// Tells what is new, if this node has the turn.
async fn look(server: &Server, options: &Options, notify: &Notify) -> Result<(), NotifyError> {
    let slug = notify.slug.value.as_str();
    let now = server.clock.now();
    let read = server.store.read().await?;
    let Some(known) = read.find_notices(slug).await? else {
        let newest = read.newest_event().await?.unwrap_or_default();
        drop(read);
        let mut tx = server.store.begin().await?;
        tx.begin_notices(slug, &newest, now).await?;
        return Ok(tx.commit().await?);
    };
    let waits = read.list_events_after(&known.event_id, now.minus(LATE), 1).await?;
    drop(read);
    if waits.is_empty() || now < known.due_at {
        return Ok(());
    }
    let mut tx = server.store.begin().await?;
    let claimed = tx.claim_notices(slug, now, now.plus(LEASE)).await?;
    tx.commit().await?;
    let Some(claimed) = claimed else { return Ok(()) };
    let read = server.store.read().await?;
    let events = read.list_events_after(&claimed.event_id, now.minus(LATE), AT_ONCE).await?;
    drop(read);
    for event in &events {
        if !wants(notify, &event.kind) {
            continue;
        }
        if let Err(error) = tell(server, options, notify, event).await {
            return fail(server, &claimed, event, error).await;
        }
        pass(server, slug, &event.id, now.plus(LEASE)).await?;
    }
    match events.last() {
        Some(last) => pass(server, slug, &last.id, now).await,
        None => Ok(()),
    }
}

async fn pass(server: &Server, slug: &str, event_id: &str, due: Millis) -> Result<(), NotifyError> {
    let mut tx = server.store.begin().await?;
    tx.pass_notices(slug, event_id, due).await?;
    Ok(tx.commit().await?)
}

/// The next try comes ever later, and after a day the event is passed over.
async fn fail(
    server: &Server,
    claimed: &Notices,
    event: &Event,
    error: NotifyError,
) -> Result<(), NotifyError> {
    let now = server.clock.now();
    let slug = &claimed.slug;
    if claimed.first_failed_at.is_some_and(|first| now.since(first) > GIVEN_UP) {
        tracing::error!(notify = slug, event = event.id, kind = event.kind, %error, "an event was given up: nobody is told of it");
        return pass(server, slug, &event.id, now).await;
    }
    let pause = FIRST_PAUSE.saturating_mul(1 << claimed.failures.min(12)).min(LONGEST_PAUSE);
    let mut tx = server.store.begin().await?;
    tx.postpone_notices(slug, (now, now.plus(pause)), &error.to_string()).await?;
    tx.commit().await?;
    Err(error)
}

/// Whether files want this kind told: its name, or `family.*`, or the family alone.
fn wants(notify: &Notify, kind: &str) -> bool {
    let family = kind.split_once('.').map_or(kind, |(family, _)| family);
    notify.events.iter().any(|wanted| {
        wanted.value == kind
            || wanted.value == family
            || wanted.value.strip_suffix(".*").is_some_and(|wanted| wanted == family)
    })
}

/// Tells one event everywhere that a `notify` names.
///
/// # Errors
/// If one of the places did not take it.
pub async fn tell(
    server: &Server,
    options: &Options,
    notify: &Notify,
    event: &Event,
) -> Result<(), NotifyError> {
    let runtime = server.runtime.load_full();
    let external = runtime.external.to_string();
    if let Some(address) = &notify.email {
        let message = Message::Notice {
            what: webhook::sentence(event),
            event: event.kind.clone(),
            at: event.at,
        };
        let to = Addressee { address: &address.value, language: None };
        let mut tx = server.store.begin().await?;
        let queued = server.post.queue(&runtime, &mut tx, to, &message).await?;
        if queued != Queued::Yes {
            return Err(NotifyError::Mail(address.value.clone(), queued));
        }
        tx.commit().await?;
        server.post.ring();
    }
    post(options, notify, event, &external).await
}

/// Posts one event to the webhook, if there is one.
///
/// # Errors
/// If it was not taken.
pub async fn post(
    options: &Options,
    notify: &Notify,
    event: &Event,
    external: &str,
) -> Result<(), NotifyError> {
    let Some(url) = &notify.webhook else { return Ok(()) };
    let secrets = Secrets::new(options);
    let token = match &notify.token {
        Some(reference) => {
            secrets.resolve(reference).map_err(|error| NotifyError::Token(error.to_string()))?
        }
        None => None,
    };
    let format = notify.format.as_ref().map_or("json", |format| format.value.as_str());
    Ok(webhook::send((&url.value, format), token.as_ref(), event, external).await?)
}
