//! A factor that was set up becomes the account's.

use super::{Answer, Run, Trouble, expired};
use crate::factor::held::Held;
use crate::flow::stages::may_add;
use crate::mail::message::Message;
use crate::model::factor::Factor as Class;
use crate::pages::notice;
use crate::store::Factor;
use crate::web::templates::ErrorKind;

/// Keeps a factor and how far the flow came, both or neither. Who may add one is asked again under
/// the account's lock: of two flows that begin with none, one adds the first (`security.md` R9).
pub async fn keep(mut run: Run<'_>, factor: Factor) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let now = server.clock.now();
    if !run.attempt.is_stored()
        && let Some(elsewhere) = run.keep().await?
    {
        return Ok(elsewhere);
    }
    let mut tx = server.store.begin().await?;
    if !tx.hold_account(&factor.user_id).await? {
        return Ok(expired(visit));
    }
    let held = Held::of(&tx, &factor.user_id).await?;
    if !may_add(&held, &run.attempt.progress) {
        tracing::warn!(user = run.who(), "a factor was to be added by somebody who proved none");
        return Ok(expired(visit));
    }
    if !tx.insert_factor(&factor).await? {
        return Ok(visit.error(ErrorKind::BadRequest));
    }
    let progress = &mut run.attempt.progress;
    progress.prove(factor.kind, Some(&factor.id), now);
    progress.pending = None;
    progress.advance();
    if !run.attempt.advance(&mut tx, now).await? {
        return Ok(run.attempt.turn(visit));
    }
    if let Some(user) = tx.find_user(&factor.user_id).await? {
        let message = Message::FactorAdded {
            name: user.called().to_owned(),
            factor: factor.name.clone(),
            address: visit.address(),
            at: now,
        };
        notice::queue(visit, &mut tx, &user, &message).await?;
    }
    tx.commit().await?;
    server.post.ring();
    let data = serde_json::json!({
        "factor": factor.kind.word(), "name": factor.name, "address": visit.address(),
    });
    server.journal.note("factor.added", Some(&run.who()), None, data);
    tracing::info!(user = run.who(), factor = factor.kind.word(), "a factor was added");
    Ok(run.attempt.turn(visit))
}

/// A factor of which nothing secret is kept here.
pub fn unsealed(
    run: &Run<'_>,
    user_id: String,
    kind: Class,
    name: String,
) -> Result<Factor, Trouble> {
    let server = run.visit.server;
    let now = server.clock.now();
    Ok(Factor {
        id: server.rng.id("fac", now)?,
        user_id,
        kind,
        name,
        credential: None,
        sealed: Vec::new(),
        counter: 0,
        created_at: now,
        used_at: None,
    })
}
