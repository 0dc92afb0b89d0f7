//! `email-link`: a link proves who somebody is, in whichever browser confirms it (`security.md` R10).
//!
//! The browser that asked learns nothing and goes nowhere. What the link leads to lies in the store as
//! a flow of its own, under the digest of the link.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::attempt::Attempt;
use super::errand::Errand;
use super::{Answer, Run, Trouble, action, is_enabled, with};
use crate::blueprint::flow::Purpose;
use crate::clock::Millis;
use crate::flow::progress::{First, Mailed, Progress};
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Queued};
use crate::pages::visit::Visit;
use crate::runtime::Runtime;
use crate::store::{FlowState, NewFlowState, User};
use crate::web::csp::PageClass;
use crate::web::csrf;
use crate::web::form::Form;
use crate::web::reply::For;
use crate::web::server::Server;
use crate::web::templates::{CSRF_FIELD, ConfirmLink, ErrorKind, MailSent, MailedLink};

/// Mails that one flow sends, and how long to wait between two.
const MOST: u32 = 4;
const PAUSE: Duration = Duration::from_secs(60);

/// The purpose of a flow that waits for its link.
fn waiting(errand: Errand) -> String {
    format!("link:{}", errand.path())
}

/// Sends the link once, and says that it was sent. Reloading sends nothing.
pub async fn ask(mut run: Run<'_>, lasts: Duration) -> Answer {
    if run.attempt.progress.mailed.is_none()
        && let Some(elsewhere) = send(&mut run, lasts).await?
    {
        return Ok(elsewhere);
    }
    Ok(sent(&run, kind_of(run.attempt.flow.purpose), &run.who(), lasts, false))
}

/// Another link is asked for.
pub async fn answer(mut run: Run<'_>, lasts: Duration) -> Answer {
    if !may_send(&run) {
        return Ok(sent(&run, kind_of(run.attempt.flow.purpose), &run.who(), lasts, true));
    }
    match send(&mut run, lasts).await? {
        Some(elsewhere) => Ok(elsewhere),
        None => Ok(run.attempt.turn(run.visit)),
    }
}

fn kind_of(purpose: Purpose) -> MailedLink {
    match purpose {
        Purpose::Recovery => MailedLink::Recovery,
        _ => MailedLink::SignIn,
    }
}

/// Whether the flow may send one more.
pub fn may_send(run: &Run<'_>) -> bool {
    let now = run.visit.server.clock.now();
    run.attempt.progress.mailed.as_ref().is_none_or(|mailed| {
        mailed.count < MOST && (now < mailed.at || now.since(mailed.at) >= PAUSE)
    })
}

/// The page that says that a mail is on its way, whether or not there is anybody to get it.
pub fn sent(
    run: &Run<'_>,
    what: MailedLink,
    to: &str,
    lasts: Duration,
    too_soon: bool,
) -> Response<Body> {
    let action = action(run.visit);
    let page = MailSent {
        what,
        to: to.to_owned(),
        minutes: minutes(lasts),
        again: run.attempt.progress.mailed.as_ref().is_none_or(|mailed| mailed.count < MOST),
        too_soon,
        restart: with(&action, "restart=1"),
        action,
    };
    run.wait(&page, false, lasts)
}

pub fn minutes(lasts: Duration) -> u32 {
    u32::try_from(lasts.as_secs().div_ceil(60)).unwrap_or(u32::MAX)
}

/// Notes in the flow that a mail is sent, with the digest of its token if this browser waits for it.
/// Some answer if another step was faster.
pub async fn note_sent(
    run: &mut Run<'_>,
    token: Option<String>,
    lasts: Duration,
) -> Result<Option<Response<Body>>, Trouble> {
    let progress = &mut run.attempt.progress;
    let count = progress.mailed.as_ref().map_or(0, |mailed| mailed.count).saturating_add(1);
    progress.mailed = Some(Mailed { at: run.visit.server.clock.now(), count, token });
    let elsewhere = run.keep().await?;
    if elsewhere.is_none() {
        run.attempt.extend(run.visit, lasts).await?;
    }
    Ok(elsewhere)
}

/// Whether there is an account is looked up when the page is long on its way, so that nobody can tell
/// from the time that it took.
async fn send(run: &mut Run<'_>, lasts: Duration) -> Result<Option<Response<Body>>, Trouble> {
    if let Some(elsewhere) = note_sent(run, None, lasts).await? {
        return Ok(Some(elsewhere));
    }
    let visit = run.visit;
    let Some(user_id) = run.attempt.progress.user_id.clone() else { return Ok(None) };
    let letter = Letter {
        server: Arc::clone(&visit.pages.server),
        runtime: Arc::clone(&visit.runtime),
        user_id,
        errand: run.errand,
        flow: run.attempt.flow.slug.value.clone(),
        purpose: run.attempt.flow.purpose,
        generation: run.attempt.number(),
        progress: run.attempt.progress.clone(),
        address: format!("{}{}", visit.runtime.external, action(visit)),
        language: visit.language(None),
        lasts,
    };
    tokio::spawn(async move {
        if let Err(trouble) = letter.send().await {
            tracing::warn!(%trouble, "a link could not be mailed");
        }
    });
    Ok(None)
}

/// A link to be mailed.
struct Letter {
    server: Arc<Server>,
    runtime: Arc<Runtime>,
    user_id: String,
    errand: Errand,
    flow: String,
    purpose: Purpose,
    generation: i64,
    progress: Progress,
    /// The address of the flow, which the link is added to.
    address: String,
    /// Whoever asks reads this language.
    language: String,
    lasts: Duration,
}

impl Letter {
    async fn send(self) -> Result<(), Trouble> {
        let user = self.server.store.read().await?.find_user(&self.user_id).await?;
        let Some(user) = user.filter(|user| crate::session::is_enabled(&self.runtime, user)) else {
            return Ok(());
        };
        let Some(to) = &user.email else {
            tracing::info!(user = user.username, "no link is mailed: the account has no address");
            return Ok(());
        };
        let (now, token) = (self.server.clock.now(), self.server.rng.token()?);
        let data = serde_json::to_value(self.after(&user, now)).unwrap_or_default();
        let digest = self.server.key.digest(token.as_bytes());
        let state = NewFlowState {
            digest: &digest,
            flow: &self.flow,
            purpose: &waiting(self.errand),
            generation: self.generation,
            data: &data,
            expires_at: now.plus(self.lasts),
        };
        let mut tx = self.server.store.begin().await?;
        tx.put_flow_state(state, now).await?;
        let message = self.message(&user, with(&self.address, &format!("link={token}")));
        let language = user.language.as_ref().unwrap_or(&self.language);
        let to = Addressee { address: to, language: Some(language) };
        let queued = self.server.post.queue(&self.runtime, &mut tx, to, &message).await?;
        if queued != Queued::Yes {
            tracing::warn!(user = user.username, why = ?queued, "a link is not mailed");
            return Ok(());
        }
        tx.commit().await?;
        self.server.post.ring();
        let kind = message.kind().word();
        self.server.journal.note("link.mailed", Some(&user.username), None, kind.into());
        Ok(())
    }

    /// How far the flow has come once the link is confirmed.
    fn after(&self, user: &User, now: Millis) -> Progress {
        let first = First { at: now, password_set_at: user.password_set_at };
        let mut progress = self.progress.clone();
        progress.mailed = None;
        progress.by_link = true;
        progress.linked_by = user.email.clone();
        progress.first = progress.first.or(Some(first));
        progress.must_change = user.must_change && user.password_hash.is_some();
        progress.advance();
        progress
    }

    fn message(&self, user: &User, url: String) -> Message {
        let (name, minutes) = (user.called().to_owned(), minutes(self.lasts));
        match self.purpose {
            Purpose::Recovery => Message::RecoveryLink { name, url, minutes },
            _ => Message::SignInLink { name, url, minutes },
        }
    }
}

/// A mailed link was opened. Nothing happens before the button is pressed: mail is read by machines.
pub async fn open(visit: &Visit<'_>, errand: Errand, token: &str) -> Answer {
    let Some(state) = find(visit, errand, token).await? else {
        return Ok(visit.error(ErrorKind::LinkExpired));
    };
    let who = serde_json::from_value::<Progress>(state.data).ok().and_then(|found| found.login);
    let what = match errand {
        Errand::Recover => MailedLink::Recovery,
        _ => MailedLink::SignIn,
    };
    Ok(confirm(visit, what, who.unwrap_or_default(), token))
}

/// Asks to confirm. The link is what a foreign page cannot know: the form's token is made from it.
pub fn confirm(visit: &Visit<'_>, what: MailedLink, who: String, token: &str) -> Response<Body> {
    let token = csrf::token(&visit.server.key, token);
    let class = PageClass::OnwardToApp;
    let wanted = For {
        class,
        csrf: Some(&token),
        ..For::sign_in_host(StatusCode::OK, &visit.parts.headers)
    };
    visit.page(wanted, &ConfirmLink { what, who })
}

async fn find(
    visit: &Visit<'_>,
    errand: Errand,
    token: &str,
) -> Result<Option<FlowState>, Trouble> {
    let digest = visit.server.key.digest(token.as_bytes());
    let now = visit.server.clock.now();
    let found = visit.server.store.read().await?.find_flow_state(&digest, now).await?;
    Ok(found.filter(|state| state.purpose == waiting(errand)))
}

/// The link is confirmed: it is used up, and the flow goes on in this browser.
pub async fn enter(visit: &Visit<'_>, errand: Errand, token: &str, form: &Form) -> Answer {
    if !visit.is_ours(Some(token), form.text(CSRF_FIELD)) {
        return Ok(visit.error(ErrorKind::FormExpired));
    }
    let (server, now) = (visit.server, visit.server.clock.now());
    let Some(state) = find(visit, errand, token).await? else {
        return Ok(visit.error(ErrorKind::LinkExpired));
    };
    let generation =
        visit.pages.pinned.find(&server.store, &visit.runtime, state.generation).await?;
    let flow = generation.as_ref().and_then(|found| found.flows.get(&state.flow).cloned());
    let progress = serde_json::from_value::<Progress>(state.data).ok();
    let (Some(generation), Some(flow), Some(mut progress)) = (generation, flow, progress) else {
        return Ok(visit.error(ErrorKind::LinkExpired));
    };
    let user_id = progress.user_id.clone().unwrap_or_default();
    let user = server.store.read().await?.find_user(&user_id).await?;
    let Some((user, first)) = user.zip(progress.first) else {
        return Ok(visit.error(ErrorKind::LinkExpired));
    };
    // A link is worth nothing after another password or address was set.
    let stands = user.password_set_at == first.password_set_at && user.email == progress.linked_by;
    if !stands || !is_enabled(visit, &user) {
        return Ok(visit.error(ErrorKind::LinkExpired));
    }
    let mut tx = server.store.begin().await?;
    if tx.consume_flow_state(&state.digest, state.version, now).await?.is_none() {
        return Ok(visit.error(ErrorKind::LinkUsed));
    }
    tx.commit().await?;
    progress.first = Some(First { at: now, ..first });
    let mut attempt = Attempt::going_on(visit, (state.generation, generation), flow, progress)?;
    let data = serde_json::json!({ "address": visit.address(), "for": errand.path() });
    server.journal.note("link.opened", Some(&user.username), None, data);
    attempt.save_and_turn(visit, errand).await
}
