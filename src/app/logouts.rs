//! Tells applications that sign-ins have ended: on any node, in any way, and as soon as may be.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Millis;
use crate::oidc::logout;
use crate::repeats::{Repeats, Say};
use crate::store::{Logout, StoreError};
use crate::web::server::Server;

const LOOK: Duration = Duration::from_secs(1);
/// How far a look goes back: transactions end after the moment that they name.
const OVERLAP: Duration = Duration::from_secs(60);
/// The first look goes back further: ends may have been missed while nothing ran.
const FIRST: Duration = Duration::from_secs(7 * 86_400);
const BATCH: i64 = 200;
/// So many applications are told at once, and none keeps the others waiting.
const AT_ONCE: usize = 8;
/// Nobody else tries meanwhile.
const CLAIMED: Duration = Duration::from_secs(30);
/// How long to wait after each attempt that failed; after the last it is given up.
const AGAIN: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
    Duration::from_secs(3600),
];

/// Runs until `stop` says so.
pub async fn run(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let mut look = tokio::time::interval(LOOK);
    let told = Repeats::default();
    let mut back = FIRST;
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = crate::app::listen::told(&mut stop) => return,
        }
        match turn(&server, back).await {
            Ok(()) => back = OVERLAP,
            Err(error) if told.say("store", server.clock.now()) != Say::Nothing => {
                tracing::warn!(%error, "ends of sign-ins could not be looked for; the next look is soon");
            }
            Err(_) => {}
        }
    }
}

async fn turn(server: &Arc<Server>, back: Duration) -> Result<(), StoreError> {
    gather(server, back).await?;
    let mut telling = JoinSet::new();
    loop {
        let now = server.clock.now();
        if !server.store.read().await?.is_logout_due(now).await? {
            break;
        }
        let mut tx = server.store.begin().await?;
        let claimed = tx.claim_logout(now, now.plus(CLAIMED)).await?;
        tx.commit().await?;
        let Some(logout) = claimed else { break };
        if telling.len() >= AT_ONCE {
            telling.join_next().await;
        }
        telling.spawn(tell(Arc::clone(server), logout));
    }
    while telling.join_next().await.is_some() {}
    Ok(())
}

/// Finds ends that nobody has seen, and writes down who is to be told.
async fn gather(server: &Server, back: Duration) -> Result<(), StoreError> {
    let now = server.clock.now();
    loop {
        let found = server.store.read().await?.list_untold_ends(now.minus(back), BATCH).await?;
        if found.is_empty() {
            return Ok(());
        }
        let runtime = server.runtime.load_full();
        let mut tx = server.store.begin().await?;
        for end in &found {
            let listens = logout::listener(&runtime, end).is_some();
            if tx.note_end_seen(end, now).await? && listens {
                tx.insert_logout(end).await?;
            }
        }
        tx.commit().await?;
    }
}

async fn tell(server: Arc<Server>, logout: Logout) {
    let runtime = server.runtime.load_full();
    let told = logout::tell(&server, &runtime, &logout).await;
    let slug = runtime.app_by_uid(&logout.app_uid).map(|app| app.slug.clone()).unwrap_or_default();
    let tried = usize::try_from(logout.attempts).unwrap_or(usize::MAX);
    let again = AGAIN.get(tried.saturating_sub(1));
    let done = match (&told, again) {
        (Ok(()), _) => finish(&server, &logout, None).await,
        (Err(error), Some(wait)) => {
            tracing::warn!(app = slug, %error, "an application did not take that a sign-in has ended; it is told again");
            finish(&server, &logout, Some(server.clock.now().plus(*wait))).await
        }
        (Err(error), None) => {
            let data = json!({ "why": error.to_string(), "ended": logout.created_at.to_string() });
            server.journal.note("logout.given-up", None, Some(&format!("app:{slug}")), data);
            tracing::error!(app = slug, %error, "an application was not told that a sign-in has ended");
            finish(&server, &logout, None).await
        }
    };
    if let Err(error) = done {
        tracing::warn!(%error, "what an application was told could not be noted");
    }
}

async fn finish(server: &Server, logout: &Logout, again: Option<Millis>) -> Result<(), StoreError> {
    let mut tx = server.store.begin().await?;
    match again {
        Some(next) => tx.postpone_logout(logout, next).await?,
        None => tx.delete_logout(logout).await?,
    }
    tx.commit().await
}
