//! Mail about what happened to an account, to whom it belongs.

use super::trouble::Trouble;
use super::visit::Visit;
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Queued};
use crate::store::{Tx, User};

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
