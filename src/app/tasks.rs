//! What runs beside requests: contact with the store, sessions seen, cleaning up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::runtime::Runtime;
use crate::signing::{SIGNS_FOR, SigningError, Tended};
use crate::store::Retention;
use crate::web::server::Server;

const CONTACT: Duration = Duration::from_secs(1);
const OVERLAP: Duration = Duration::from_secs(30);
const FLUSH: Duration = Duration::from_secs(15);
const CLEAN: Duration = Duration::from_secs(10 * 60);

/// Runs until `stop` says so; the last thing is to write down which sessions were seen.
pub async fn run(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let mut contact = tokio::time::interval(CONTACT);
    let mut flush = tokio::time::interval(FLUSH);
    let mut clean = tokio::time::interval_at(tokio::time::Instant::now() + CLEAN, CLEAN);
    loop {
        tokio::select! {
            _ = contact.tick() => keep_contact(&server).await,
            _ = flush.tick() => flush_sessions(&server).await,
            _ = clean.tick() => clean_up(&server).await,
            () = crate::app::listen::told(&mut stop) => break,
        }
    }
    flush_sessions(&server).await;
}

/// Asks for a sign of life and for what others ended. Looks back further than the last look, since
/// clocks of nodes differ and transactions end after the moment they name.
async fn keep_contact(server: &Server) {
    let asked = async {
        server.sessions.keep_contact().await?;
        let since = server.clock.now().minus(OVERLAP);
        server.sessions.follow_endings(since).await?;
        server.sessions.follow_accounts(since).await?;
        if let Err(error) = server.signing_keys.follow().await {
            tracing::warn!(%error, "signing keys could not be read again");
        }
        server.tokens.follow_revocations(since).await
    };
    if let Err(error) = asked.await {
        tracing::warn!(%error, "the store does not answer");
    }
}

async fn flush_sessions(server: &Server) {
    if let Err(error) = server.sessions.flush().await {
        tracing::warn!(%error, "sessions that were seen could not be written down; the next try is soon");
    }
    if let Err(error) = server.tokens.flush().await {
        tracing::warn!(%error, "tokens that were used could not be written down; the next try is soon");
    }
}

/// Makes the keys that apps' tokens are signed with, their successors in time, and forgets old ones.
pub async fn tend_signing_keys(server: &Server, runtime: &Runtime) -> Result<(), SigningError> {
    let clients = runtime.apps.iter().filter_map(|app| app.client.as_ref());
    let mut wanted: Vec<_> = clients.map(|client| client.signing).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(());
    }
    let signs_for = runtime.blueprint.settings.key_rotation.unwrap_or(SIGNS_FOR);
    for tended in server.signing_keys.tend(&wanted, signs_for).await? {
        let (kind, data) = match tended {
            Tended::Made(algorithm, from) => {
                let data = serde_json::json!({ "algorithm": algorithm, "signs-from": from });
                ("key.made", data)
            }
            Tended::Forgotten(algorithm, id) => {
                ("key.forgotten", serde_json::json!({ "algorithm": algorithm, "key": id }))
            }
        };
        server.journal.note(kind, None, None, data);
    }
    Ok(())
}

async fn clean_up(server: &Server) {
    let runtime = server.runtime.load_full();
    if let Err(error) = tend_signing_keys(server, &runtime).await {
        tracing::warn!(%error, "signing keys could not be tended; the next try is in ten minutes");
    }
    let settings = &runtime.blueprint.settings;
    let mut retention =
        Retention { tombstones: settings.reconcile.keep_tombstones, ..Retention::default() };
    if let Some(events) = settings.retain_events {
        retention.events = events;
    }
    match server.store.clean_up(&retention, server.clock.now()).await {
        Ok(cleaned) => tracing::debug!(?cleaned, "cleaned up"),
        Err(error) => {
            tracing::warn!(%error, "old rows could not be cleaned up; the next try is in ten minutes")
        }
    }
}
