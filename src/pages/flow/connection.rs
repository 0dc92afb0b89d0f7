//! An account elsewhere, tied to the account here by whoever has proven to be both.

use super::Trouble;
use crate::clock::Millis;
use crate::flow::progress::{Asserted, Basis};
use crate::mail::message::Message;
use crate::pages::visit::Visit;
use crate::store::{NewConnection, StoreError, Tx, User};

/// What came of tying one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Added,
    /// It was there, and gives other groups now.
    Changed,
    Same,
    /// It is tied to another account, or not any more to this one.
    SomebodyElses,
}

/// Ties what a provider said to an account, or takes down what it says now.
pub async fn keep(
    tx: &mut Tx,
    asserted: &Asserted,
    user_id: &str,
    now: Millis,
) -> Result<Kept, StoreError> {
    let before = tx.find_connection(&asserted.issuer, &asserted.subject).await?;
    // It was taken away while the sign-in was under way.
    if before.is_none() && asserted.basis == Basis::Connection {
        return Ok(Kept::SomebodyElses);
    }
    let connection = NewConnection {
        issuer: &asserted.issuer,
        subject: &asserted.subject,
        user_id,
        source: &asserted.source,
        shown_as: &asserted.shown_as,
        groups: &asserted.groups,
        proven: asserted.basis == Basis::OwnProof,
    };
    Ok(match (tx.put_connection(connection, now).await?, before) {
        (false, _) => Kept::SomebodyElses,
        (true, None) => Kept::Added,
        (true, Some(before)) if before.groups != asserted.groups => Kept::Changed,
        (true, Some(_)) => Kept::Same,
    })
}

/// Mail about a new way in.
pub fn notice(visit: &Visit<'_>, user: &User, asserted: &Asserted) -> Message {
    let source = super::source::title(&visit.runtime, asserted);
    Message::FactorAdded {
        name: user.called().to_owned(),
        factor: format!("{source} ({})", asserted.shown_as),
        address: visit.address(),
        at: visit.server.clock.now(),
    }
}

/// Tells the rest of this node, and by an event the others, that the account is worth something else.
pub async fn tell(
    visit: &Visit<'_>,
    user: &User,
    asserted: &Asserted,
    kept: Kept,
) -> Result<(), Trouble> {
    let kind = match kept {
        Kept::Added => "connection.added",
        Kept::Changed => "connection.changed",
        Kept::Same | Kept::SomebodyElses => return Ok(()),
    };
    visit.server.sessions.refresh_account(&user.id).await?;
    let data = serde_json::json!({
        "user": user.id, "source": asserted.source, "there": asserted.shown_as,
        "name": super::source::title(&visit.runtime, asserted),
        "groups": asserted.groups, "address": visit.address(),
    });
    visit.server.journal.note(kind, Some(&user.username), None, data);
    Ok(())
}
