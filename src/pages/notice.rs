//! Mail about what happened to an account, to whom it belongs.

use std::sync::Arc;

use super::trouble::Trouble;
use super::visit::Visit;
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Queued};
use crate::runtime::Runtime;
use crate::store::{Tx, User};
use crate::web::agent;
use crate::web::server::Server;

/// Queues a notice in the transaction of what it tells of, for people who have an address. Ring
/// after the commit. A notice that cannot be sent stands in nobody's way.
pub async fn queue(
    visit: &Visit<'_>,
    tx: &mut Tx,
    user: &User,
    message: &Message,
) -> Result<(), Trouble> {
    let Some(address) = &user.email else { return Ok(()) };
    let language = visit.language(user.language.as_deref());
    let to = Addressee { address, language: Some(&language) };
    let queued = visit.server.post.queue(&visit.runtime, tx, to, message).await?;
    match queued {
        Queued::Yes | Queued::NotConfigured => {}
        Queued::BadAddress | Queued::TooMany | Queued::Full => {
            let kind = message.kind().word();
            tracing::warn!(user = user.username, kind, why = ?queued, "a notice is not sent");
        }
    }
    Ok(())
}

/// The password was changed just now.
pub fn password_changed(visit: &Visit<'_>, user: &User) -> Message {
    Message::PasswordChanged {
        name: user.called().to_owned(),
        address: visit.address(),
        at: visit.server.clock.now(),
    }
}

/// Mail goes elsewhere from now on.
pub fn address_changed(visit: &Visit<'_>, user: &User) -> Message {
    Message::AddressChanged {
        name: user.called().to_owned(),
        address: visit.address(),
        at: visit.server.clock.now(),
    }
}

/// Somebody signed in with a browser that was not known.
pub fn new_device(visit: &Visit<'_>, user: &User) -> Message {
    Message::NewDevice {
        name: user.called().to_owned(),
        address: visit.address(),
        agent: agent::device(&visit.agent()),
        at: visit.server.clock.now(),
    }
}

/// Queues word of too many wrong guesses, which locked the account for a while. Nobody who waits for
/// a page learns that there is such an account: it goes its own way.
pub fn locked(visit: &Visit<'_>, user: &User) {
    let message = Message::Locked {
        name: user.called().to_owned(),
        address: visit.address(),
        at: visit.server.clock.now(),
    };
    let Some(address) = user.email.clone() else { return };
    let language = visit.language(user.language.as_deref());
    let (server, runtime) = (Arc::clone(&visit.pages.server), Arc::clone(&visit.runtime));
    let username = user.username.clone();
    tokio::spawn(async move {
        let to = Addressee { address: &address, language: Some(&language) };
        if let Err(error) = send(&server, &runtime, to, &message).await {
            tracing::warn!(user = username, %error, "a notice is not sent");
        }
    });
}

async fn send(
    server: &Server,
    runtime: &Runtime,
    to: Addressee<'_>,
    message: &Message,
) -> Result<(), Trouble> {
    let mut tx = server.store.begin().await?;
    server.post.queue(runtime, &mut tx, to, message).await?;
    tx.commit().await?;
    server.post.ring();
    Ok(())
}
