//! A code by mail: proof that somebody reads the account's verified address. It goes to no address
//! that a visitor types (`security.md` 18), and proves nothing to whoever came by a mailed link,
//! which is the same proof again (`security.md` R9).

use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::factor;
use super::{Answer, Run, Trouble, added, no_mail, sends_mail, too_many};
use crate::factor::codes::Outcome;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::progress::SentCode;
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Queued};
use crate::model::factor::Factor;
use crate::secret::TokenDigest;
use crate::web::form::Form;
use crate::web::templates::{ErrorKind, ErrorPage, FactorProblem};
use crate::web::visitor;

/// How long a code is good.
const LASTS: Duration = Duration::from_secs(10 * 60);
/// How soon another may be asked for.
const PAUSE: Duration = Duration::from_secs(60);
/// Wrong guesses that one code bears.
const GUESSES: u32 = 5;
/// Codes that one flow sends.
const MOST: u32 = 5;

const NO_ADDRESS: &str = "No verified e-mail address belongs to this account. \
    The person who runs this place can help.";

/// Sends a code if none is out that is good. What to show instead of the question, if anything.
pub async fn send_first(run: &mut Run<'_>) -> Result<Option<Response<Body>>, Trouble> {
    if !sends_mail(run.visit) {
        return Ok(Some(no_mail(run.visit)));
    }
    let now = run.visit.server.clock.now();
    let sent = run.attempt.progress.code.as_ref();
    if sent.is_some_and(|sent| now < sent.at.plus(LASTS) && sent.wrong < GUESSES) {
        return Ok(None);
    }
    send(run).await
}

/// Another code is asked for: the one before is worth nothing.
pub async fn send_again(mut run: Run<'_>) -> Answer {
    let now = run.visit.server.clock.now();
    let last = run.attempt.progress.code.as_ref().map(|sent| sent.at.plus(PAUSE));
    if let Some(next) = last.filter(|next| now < *next) {
        return Ok(too_many(run.visit, next.since(now)));
    }
    match send(&mut run).await? {
        Some(elsewhere) => Ok(elsewhere),
        None => Ok(run.attempt.turn(run.visit)),
    }
}

/// Writes the digest of a new code with the flow and queues the mail, both or neither.
async fn send(run: &mut Run<'_>) -> Result<Option<Response<Body>>, Trouble> {
    let visit = run.visit;
    let server = visit.server;
    let count = run.attempt.progress.code.as_ref().map_or(0, |sent| sent.count);
    if count >= MOST {
        return Ok(Some(too_many(visit, LASTS)));
    }
    let Some(user) = run.owner().await? else { return Ok(Some(super::expired(visit))) };
    let Some(address) = &user.email else { return Ok(Some(no_address(run))) };
    if !run.attempt.is_stored()
        && let Some(elsewhere) = run.keep().await?
    {
        return Ok(Some(elsewhere));
    }
    let now = server.clock.now();
    let code = code(run)?;
    run.attempt.progress.code = Some(SentCode {
        digest: hex(&digest(run, &code)),
        at: now,
        wrong: 0,
        count: count.saturating_add(1),
    });
    let minutes = u32::try_from(LASTS.as_secs() / 60).unwrap_or(u32::MAX);
    let message = Message::Code { name: user.called().to_owned(), code, minutes };
    let language = visit.language(user.language.as_deref());
    let to = Addressee { address, language: Some(&language) };
    let mut tx = server.store.begin().await?;
    if !run.attempt.advance(&mut tx, now).await? {
        return Ok(Some(run.attempt.turn(visit)));
    }
    let queued = server.post.queue(&visit.runtime, &mut tx, to, &message).await?;
    if queued != Queued::Yes {
        tracing::warn!(user = user.username, why = ?queued, "a code is not mailed");
        return Ok(Some(too_many(visit, LASTS)));
    }
    tx.commit().await?;
    server.post.ring();
    Ok(None)
}

fn no_address(run: &Run<'_>) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::Unavailable);
    page.detail = Some(NO_ADDRESS.to_owned());
    run.visit.error_with(page)
}

/// Six digits, every one as likely as any other.
fn code(run: &Run<'_>) -> Result<String, Trouble> {
    let mut bytes = [0_u8; 8];
    run.visit.server.rng.fill(&mut bytes)?;
    Ok(format!("{:06}", u64::from_le_bytes(bytes) % 1_000_000))
}

/// A code is worth something in this browser's flow and for this person alone.
fn digest(run: &Run<'_>, code: &str) -> TokenDigest {
    let person = run.attempt.progress.user_id.as_deref().unwrap_or_default();
    let bound = format!("email-code/{}/{person}/{code}", run.attempt.cookie);
    run.visit.server.key.digest(bound.as_bytes())
}

fn hex(digest: &TokenDigest) -> String {
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Looks a typed code up. It is used up by a right guess, and by too many wrong ones.
pub async fn prove(run: &mut Run<'_>, given: &str) -> Result<Outcome, Trouble> {
    let now = run.visit.server.clock.now();
    let typed: String = given.chars().filter(char::is_ascii_digit).collect();
    let given = hex(&digest(run, &typed));
    let Some(sent) = &mut run.attempt.progress.code else { return Ok(Outcome::Expired) };
    if now >= sent.at.plus(LASTS) || sent.wrong >= GUESSES {
        return Ok(Outcome::Expired);
    }
    if sent.digest != given {
        sent.wrong = sent.wrong.saturating_add(1);
        let was_last = sent.wrong >= GUESSES;
        run.keep().await?;
        return Ok(if was_last { Outcome::Expired } else { Outcome::Wrong });
    }
    sent.wrong = GUESSES;
    let id = run.record.held.of_class(Factor::EmailCode).next().map(|factor| factor.id.clone());
    if let Some(id) = &id {
        let mut tx = run.visit.server.store.begin().await?;
        tx.use_factor(id, now.0, now).await?;
        tx.commit().await?;
    }
    Ok(Outcome::Right { by: id })
}

/// `authenticator-email`: the address becomes a factor once a code from it was typed.
pub async fn ask_set_up(mut run: Run<'_>, problem: Option<FactorProblem>) -> Answer {
    if let Some(elsewhere) = send_first(&mut run).await? {
        return Ok(elsewhere);
    }
    let classes = [Factor::EmailCode];
    let asked =
        factor::Ask { class: Factor::EmailCode, classes: &classes, remembered: None, problem };
    factor::ask(&run, asked)
}

pub async fn answer_set_up(mut run: Run<'_>, form: &Form) -> Answer {
    let server = run.visit.server;
    if form.text("again") == "1" {
        return send_again(run).await;
    }
    let given = form.text("code");
    if given.is_empty() {
        return ask_set_up(run, Some(FactorProblem::Missing)).await;
    }
    let now = server.clock.now();
    let Some(user) = run.owner().await? else { return Ok(super::expired(run.visit)) };
    let guesses = Guesses::at_code(&user.id, visitor::address_key(run.visit.client));
    if let Taken::Wait(wait) = guesses.take(&server.store, now).await? {
        return Ok(too_many(run.visit, wait));
    }
    match prove(&mut run, given).await? {
        Outcome::Right { .. } => guesses.succeeded(&server.store).await?,
        Outcome::Wrong | Outcome::Used => return ask_set_up(run, Some(FactorProblem::Wrong)).await,
        Outcome::Expired => return ask_set_up(run, Some(FactorProblem::Expired)).await,
    }
    let Some(address) = user.email else { return Ok(no_address(&run)) };
    let factor = added::unsealed(&run, user.id, Factor::EmailCode, address)?;
    added::keep(run, factor).await
}
