//! `email-verify`: an address is shown to be somebody's by a link that only the browser which began
//! can use (`security.md` R10).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::mail_link::{self, minutes, note_sent};
use super::{Answer, Run, Trouble, action, with};
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Queued};
use crate::pages::notice;
use crate::pages::visit::Visit;
use crate::runtime::Runtime;
use crate::secret::sha256_hex;
use crate::store::{StoreError, Tx};
use crate::web::form::Form;
use crate::web::server::Server;
use crate::web::templates::{CSRF_FIELD, ErrorKind, ErrorPage, MailedLink};

const ELSEWHERE: &str = "This link belongs to the browser where you began. Open it there, or begin \
    again here.";

const DECLARED: &str = "Your address stands in the files of this place. Whoever runs it can change \
    it there.";

/// Sends the link once. Opened in this browser, it asks to be confirmed.
pub async fn ask(mut run: Run<'_>, lasts: Duration, address: &str) -> Answer {
    if run.attempt.progress.user_id.is_some() && run.owner().await?.is_none_or(|user| user.declared)
    {
        return Ok(declared(run.visit));
    }
    if let Some(token) = run.visit.query("verify")
        && is_right(&run, &token)
    {
        return Ok(confirm(&run, address, &token));
    }
    if run.attempt.progress.mailed.is_none()
        && let Some(elsewhere) = send(&mut run, lasts, address).await?
    {
        return Ok(elsewhere);
    }
    Ok(mail_link::sent(&run, MailedLink::Verify, address, lasts, false))
}

fn confirm(run: &Run<'_>, address: &str, token: &str) -> Response<Body> {
    mail_link::confirm(run.visit, MailedLink::Verify, address.to_owned(), token)
}

/// Whether this is the token that the flow waits for.
fn is_right(run: &Run<'_>, token: &str) -> bool {
    let wanted = run.attempt.progress.mailed.as_ref().and_then(|mailed| mailed.token.as_ref());
    wanted.is_some_and(|wanted| *wanted == sha256_hex(token.as_bytes()))
}

/// Files own this person's address.
fn declared(visit: &Visit<'_>) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::BadRequest);
    page.detail = Some(DECLARED.to_owned());
    visit.error_with(page)
}

/// The link was opened where no flow waits for it.
pub fn elsewhere(visit: &Visit<'_>) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::LinkExpired);
    page.detail = Some(ELSEWHERE.to_owned());
    page.retry = Some(action(visit));
    visit.error_with(page)
}

/// The link was confirmed. The form's token was made from it, so it is looked at in place of the
/// cookie's.
pub async fn enter(mut run: Run<'_>, address: String, token: &str, form: &Form) -> Answer {
    let visit = run.visit;
    if !visit.is_ours(Some(token), form.text(CSRF_FIELD)) || !is_right(&run, token) {
        return Ok(elsewhere(visit));
    }
    let server = visit.server;
    let now = server.clock.now();
    let progress = &mut run.attempt.progress;
    progress.verified = Some(address.clone());
    progress.mailed = None;
    let user_id = progress.user_id.clone();
    let mut tx = server.store.begin().await?;
    if let Some(id) = &user_id
        && !replace(visit, &mut tx, id, &address).await?
    {
        return Ok(visit.error(ErrorKind::LinkExpired));
    }
    let who = progress.login.clone();
    if !run.attempt.advance(&mut tx, now).await? {
        return Ok(run.attempt.turn(visit));
    }
    tx.commit().await?;
    server.post.ring();
    if let Some(id) = &user_id {
        server.sessions.refresh_account(id).await?;
    }
    let kind = if user_id.is_some() { "address.changed" } else { "address.verified" };
    let data = serde_json::json!({ "user": user_id, "address": visit.address() });
    server.journal.note(kind, who.as_deref(), None, data);
    Ok(run.attempt.turn(visit))
}

/// Gives an account that is there another address. What browsers remember ends, since links to a new
/// password go there (`security.md` R9), and the old address is told. False if it may not be.
async fn replace(visit: &Visit<'_>, tx: &mut Tx, id: &str, address: &str) -> Result<bool, Trouble> {
    let Some(user) = tx.find_user(id).await? else { return Ok(false) };
    let is_set = match tx.set_verified_email(id, address).await {
        Err(StoreError::Conflict { .. }) => false,
        other => other?,
    };
    if is_set && user.email.as_deref() != Some(address) {
        tx.forget_proofs_of(id).await?;
        notice::queue(visit, tx, &user, &notice::address_changed(visit, &user)).await?;
    }
    Ok(is_set)
}

/// Another link is asked for.
pub async fn answer(mut run: Run<'_>, lasts: Duration, address: &str) -> Answer {
    if !mail_link::may_send(&run) {
        return Ok(mail_link::sent(&run, MailedLink::Verify, address, lasts, true));
    }
    match send(&mut run, lasts, address).await? {
        Some(elsewhere) => Ok(elsewhere),
        None => Ok(run.attempt.turn(run.visit)),
    }
}

async fn send(
    run: &mut Run<'_>,
    lasts: Duration,
    address: &str,
) -> Result<Option<Response<Body>>, Trouble> {
    let visit = run.visit;
    let token = visit.server.rng.token()?;
    let digest = sha256_hex(token.as_bytes());
    if let Some(elsewhere) = note_sent(run, Some(digest), lasts).await? {
        return Ok(Some(elsewhere));
    }
    let url = format!("{}{}", visit.runtime.external, action(visit));
    let letter = Letter {
        server: Arc::clone(&visit.pages.server),
        runtime: Arc::clone(&visit.runtime),
        to: address.to_owned(),
        language: visit.language(None),
        name: run.who(),
        own: run.attempt.progress.user_id.clone(),
        url: with(&url, &format!("verify={token}")),
        minutes: minutes(lasts),
    };
    tokio::spawn(async move {
        if let Err(trouble) = letter.send().await {
            tracing::warn!(%trouble, "a link could not be mailed");
        }
    });
    Ok(None)
}

/// A link to be mailed, unless somebody has the address already: then they are told so, and the page
/// says the same to whoever asked.
struct Letter {
    server: Arc<Server>,
    runtime: Arc<Runtime>,
    to: String,
    /// Whoever asks reads this language.
    language: String,
    name: String,
    own: Option<String>,
    url: String,
    minutes: u32,
}

impl Letter {
    async fn send(self) -> Result<(), Trouble> {
        let holder = self.server.store.read().await?.find_user_by_email(&self.to).await?;
        let holder = holder.filter(|user| self.own.as_ref() != Some(&user.id));
        let message = match holder {
            Some(user) => Message::AddressTaken { name: user.username },
            None => {
                Message::VerifyAddress { name: self.name, url: self.url, minutes: self.minutes }
            }
        };
        let mut tx = self.server.store.begin().await?;
        let to = Addressee { address: &self.to, language: Some(&self.language) };
        let queued = self.server.post.queue(&self.runtime, &mut tx, to, &message).await?;
        if queued != Queued::Yes {
            tracing::warn!(why = ?queued, "a link to verify an address is not mailed");
            return Ok(());
        }
        tx.commit().await?;
        self.server.post.ring();
        Ok(())
    }
}
