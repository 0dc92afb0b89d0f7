//! A passkey in place of name and password, or beside them.

use super::{Answer, Run, Trouble, identification, is_enabled, too_many};
use crate::factor::ceremony::{self, Purpose};
use crate::factor::codes::Outcome;
use crate::factor::passkey::{self, Proof, RelyingParty, Verification};
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::progress::First;
use crate::model::factor::Factor;
use crate::store::{self, User};
use crate::web::form::Form;
use crate::web::templates::{IdentifyProblem, PasskeyChallenge};
use crate::web::visitor;
use webauthn_rs_core::proto::{AuthenticationState, Credential, PublicKeyCredential};

/// A challenge for this browser. Nothing is written for it.
pub fn challenge(
    run: &Run<'_>,
    held: Vec<Credential>,
    verification: Verification,
) -> Result<PasskeyChallenge, Trouble> {
    let (visit, server) = (run.visit, run.visit.server);
    let asked = relying_party(run)?.ask_to_prove(held, verification)?;
    let at = (Purpose::Prove, run.attempt.cookie.as_str());
    let now = visit.server.clock.now();
    let sealed = ceremony::seal(&server.key, &server.rng, at, asked.state, now)?;
    Ok(PasskeyChallenge { options: asked.options, sealed })
}

pub fn relying_party(run: &Run<'_>) -> Result<RelyingParty, Trouble> {
    let runtime = &run.visit.runtime;
    let title = runtime.blueprint.brands.first().and_then(|brand| brand.title.as_deref());
    Ok(RelyingParty::new(&runtime.external, title.unwrap_or("Doorward"))?)
}

/// What the browser sent back.
struct Given<'f> {
    sealed: &'f str,
    state: AuthenticationState,
    answer: PublicKeyCredential,
}

fn read<'f>(run: &Run<'_>, form: &'f Form) -> Option<Given<'f>> {
    let server = run.visit.server;
    let sealed = form.text("ceremony");
    let at = (Purpose::Prove, run.attempt.cookie.as_str());
    let state = ceremony::open(&server.key, at, sealed, server.clock.now())?;
    let answer = passkey::read_answer(form.text("answer"))?;
    Some(Given { sealed, state, answer })
}

/// Checks what was given against the passkey that it names, and uses both up.
async fn check(
    run: &Run<'_>,
    given: &Given<'_>,
    factor: &store::Factor,
) -> Result<Option<Proof>, Trouble> {
    let server = run.visit.server;
    let credential = passkey::stored(&server.key, factor)?;
    let proof = match relying_party(run)?.proven(&given.answer, &given.state, &credential) {
        Ok(proof) => proof,
        Err(reason) => {
            tracing::info!(factor = factor.id, reason, "a passkey did not prove anything");
            return Ok(None);
        }
    };
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    let counter = i64::from(proof.counter);
    let fresh = ceremony::consume(&mut tx, &server.key, given.sealed, now).await?
        && match proof.counter {
            0 => tx.use_countless_factor(&factor.id, now).await?,
            _ => tx.use_factor(&factor.id, counter, now).await?,
        };
    if !fresh {
        tracing::warn!(factor = factor.id, "a passkey's answer came twice, or its count went back");
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(proof))
}

/// A proof besides another: the passkey is one of the account's.
pub async fn prove_second(run: &Run<'_>, form: &Form) -> Result<Outcome, Trouble> {
    let Some(given) = read(run, form) else { return Ok(Outcome::Wrong) };
    let id = passkey::credential_id(given.answer.raw_id.as_slice());
    let mut held = run.record.held.of_class(Factor::Webauthn);
    let Some(factor) = held.find(|factor| factor.credential.as_deref() == Some(id.as_str())) else {
        return Ok(Outcome::Wrong);
    };
    let proof = check(run, &given, factor).await?;
    let right = Outcome::Right { by: Some(factor.id.clone()) };
    Ok(if proof.is_some() { right } else { Outcome::Wrong })
}

/// A proof in place of name and password: the device says whose it is, and has verified them.
pub async fn answer(mut run: Run<'_>, form: &Form) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let now = server.clock.now();
    let guesses = Guesses::at_key(visitor::address_key(visit.client));
    if let Taken::Wait(wait) = guesses.take(&server.store, now).await? {
        return Ok(too_many(visit, wait));
    }
    let Some((user, factor)) = prove_first(&run, form).await? else {
        let data = serde_json::json!({ "address": visit.address(), "factor": "webauthn" });
        server.journal.note("login.failed", None, None, data);
        let generation = std::sync::Arc::clone(&run.attempt.generation);
        return match run.next(&generation) {
            Some(crate::flow::stages::Next::AskName(stage)) => {
                identification::ask(&run, stage, Some((IdentifyProblem::Passkey, None)))
            }
            _ => Ok(super::expired(visit)),
        };
    };
    guesses.give_back(&server.store).await?;
    tracing::debug!(user = user.username, factor = factor.id, "came with a passkey");
    let progress = &mut run.attempt.progress;
    progress.login = Some(user.username);
    progress.user_id = Some(user.id);
    progress.first = Some(First { at: now, password_set_at: user.password_set_at });
    progress.must_change = user.must_change && user.password_set_at.is_some();
    progress.prove(Factor::Webauthn, Some(&factor.id), now);
    run.save_and_turn().await
}

async fn prove_first(run: &Run<'_>, form: &Form) -> Result<Option<(User, store::Factor)>, Trouble> {
    let visit = run.visit;
    let Some(given) = read(run, form) else { return Ok(None) };
    let id = passkey::credential_id(given.answer.raw_id.as_slice());
    let read = visit.server.store.read().await?;
    let Some(factor) = read.find_passkey(&id).await? else { return Ok(None) };
    let handle = given.answer.response.user_handle.as_ref().map(AsRef::<[u8]>::as_ref);
    if handle != Some(factor.user_id.as_bytes()) {
        return Ok(None);
    }
    let user = read.find_user(&factor.user_id).await?;
    drop(read);
    let Some(user) = user.filter(|user| is_enabled(visit, user)) else { return Ok(None) };
    let proof = check(run, &given, &factor).await?;
    Ok(proof.filter(|proof| proof.verified).map(|_| (user, factor)))
}
