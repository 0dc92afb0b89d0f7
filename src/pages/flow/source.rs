//! Signing in through another provider: the browser is sent there and comes back to `/source/NAME` with
//! a code (`security.md` R14).
//!
//! This is the journey; `whose` says where it ends.

use std::sync::Arc;

use axum::body::Body;
use http::Response;

use super::errand::Errand;
use super::{Answer, Run, Trouble, action, away, expired, identification, password, too_many};
use crate::blueprint::flow::Identification;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::stages::Next;
use crate::identity_source::{self, Said, Sent, SourceError, Way, Wish};
use crate::pages::visit::Visit;
use crate::runtime::Runtime;
use crate::runtime::identity_source::IdentitySource;
use crate::store::Connection;
use crate::web::reply;
use crate::web::templates::{ErrorKind, ErrorPage, IdentifyProblem, SignInProblem, SourceButton};
use crate::web::visitor;

/// Whose account it is.
mod whose;

pub use whose::{
    answer as answer_whose, ask as ask_whose, is_by_address, is_undecided, may_enroll, title,
};

const BACK: &str = "/source/";

/// What a provider brings back, and the names that the flow knows it by.
const BROUGHT: [(&str, &str); 4] = [
    ("state", "source-state"),
    ("code", "source-code"),
    ("iss", "source-iss"),
    ("error", "source-error"),
];

/// Whether browsers come back to this path from a source.
pub fn is_back(path: &str) -> bool {
    path.strip_prefix(BACK).is_some_and(|slug| !slug.is_empty() && !slug.contains('/'))
}

fn redirect_uri(visit: &Visit<'_>, source: &IdentitySource) -> String {
    format!("{}{BACK}{}", visit.runtime.external, source.slug)
}

fn way<'a>(visit: &'a Visit<'_>, source: &'a IdentitySource, redirect_uri: &'a str) -> Way<'a> {
    Way { source, outbound: &visit.server.outbound, redirect_uri }
}

/// The sources that a stage offers and that can be asked.
fn offered<'r>(
    runtime: &'r Runtime,
    stage: &'r Identification,
) -> impl Iterator<Item = &'r IdentitySource> {
    let sources = stage.sources.iter().filter_map(|name| runtime.identity_source(&name.value));
    sources.filter(|source| source.client_secret.is_some())
}

/// Ways to the sources that a stage names. Only a sign-in is begun by one.
pub fn buttons(run: &Run<'_>, stage: &Identification) -> Vec<SourceButton> {
    if run.errand != Errand::SignIn || run.attempt.progress.asserted.is_some() {
        return Vec::new();
    }
    offered(&run.visit.runtime, stage).map(button).collect()
}

fn button(source: &IdentitySource) -> SourceButton {
    SourceButton { name: source.slug.clone(), title: source.title.clone() }
}

/// The source that people with this address are sent to, unless they just come from one.
pub fn for_address<'r>(
    run: &'r Run<'_>,
    stage: &'r Identification,
    address: &str,
) -> Option<&'r IdentitySource> {
    let may = run.errand == Errand::SignIn && run.attempt.progress.asserted.is_none();
    offered(&run.visit.runtime, stage).find(|source| may && source.is_for(address))
}

/// A button was pressed.
pub async fn choose(run: Run<'_>, stage: &Identification, slug: &str) -> Answer {
    let runtime = Arc::clone(&run.visit.runtime);
    let offered = buttons(&run, stage).iter().any(|button| button.name == slug);
    match runtime.identity_source(slug).filter(|_| offered) {
        Some(source) => send(run, source, Wish::default()).await,
        None => identification::ask(&run, stage, None),
    }
}

/// The connections by which the person of a session may show up once more: what they have in the place
/// of a password.
pub async fn own(run: &Run<'_>) -> Result<Vec<SourceButton>, Trouble> {
    let Some(user) = run.owner().await?.filter(|user| user.password_set_at.is_none()) else {
        return Ok(Vec::new());
    };
    if run.errand != Errand::StepUp {
        return Ok(Vec::new());
    }
    let runtime = &run.visit.runtime;
    let connections = run.visit.server.store.read().await?.list_connections_of(&user.id).await?;
    let mut buttons: Vec<_> = connections
        .iter()
        .filter_map(|each| source_of(runtime, each))
        .filter(|source| source.client_secret.is_some() && source.can_ask_again())
        .map(button)
        .collect();
    buttons.dedup();
    Ok(buttons)
}

/// The source of a connection, as long as the same provider stands behind it.
pub fn source_of<'r>(runtime: &'r Runtime, connection: &Connection) -> Option<&'r IdentitySource> {
    let source = runtime.identity_source(&connection.source)?;
    (source.issuer() == connection.issuer).then_some(source)
}

/// Somebody in a session shows up once more.
pub async fn show_up(run: Run<'_>, slug: &str) -> Answer {
    let runtime = Arc::clone(&run.visit.runtime);
    let theirs = own(&run).await?.iter().any(|button| button.name == slug);
    match runtime.identity_source(slug).filter(|_| theirs) {
        Some(source) => send(run, source, Wish { again: true, ..Wish::default() }).await,
        None => password::ask(&run, None).await,
    }
}

/// Sends the browser away.
pub async fn send(mut run: Run<'_>, source: &IdentitySource, wish: Wish<'_>) -> Answer {
    let visit = run.visit;
    let rng = &visit.server.rng;
    let sent = Sent {
        source: source.slug.clone(),
        issuer: source.issuer().to_owned(),
        state: rng.token()?,
        nonce: rng.token()?,
        verifier: rng.token()?,
        back: action(visit),
        again_since: wish.again.then(|| visit.server.clock.now()),
    };
    run.set_pending(&sent)?;
    // Written first, so that strangers begin no more than they may before anybody is asked.
    if let Some(elsewhere) = run.keep().await? {
        return Ok(elsewhere);
    }
    let redirect_uri = redirect_uri(visit, source);
    let sources = &visit.server.identity_sources;
    let address = match sources.address(way(visit, source, &redirect_uri), &sent, wish).await {
        Ok(address) => address,
        Err(error) => {
            note(visit, source, &error);
            return ask_again(run, source, problem(&error)).await;
        }
    };
    let mut response = reply::see_other(&address);
    let cookie = &run.attempt.cookie;
    visit.set_cookie(&mut response, &visit.flow_cookie(), cookie, Some(super::attempt::LASTS));
    Ok(response)
}

/// A browser came back: its flow goes on where it was sent from.
pub async fn come_back(visit: &Visit<'_>) -> Response<Body> {
    let sent = match away::sent::<Sent>(visit).await {
        Ok(sent) => sent,
        Err(trouble) => return visit.unavailable(&trouble),
    };
    // Each source has an address of its own, so that none can pass its code off as another's.
    let slug = visit.path().strip_prefix(BACK).unwrap_or_default();
    if visit.runtime.identity_source(slug).is_none() {
        return visit.error(ErrorKind::NotFound);
    }
    let Some(sent) = sent.filter(|sent| sent.source == slug) else {
        let mut page = ErrorPage::new(ErrorKind::FormExpired);
        page.retry = Some(Errand::SignIn.path().to_owned());
        return visit.error_with(page);
    };
    match visit.at(&away::with_answer(visit, &sent.back, &BROUGHT)) {
        Some(there) => Box::pin(super::get(&there)).await,
        None => expired(visit),
    }
}

/// Whether this visit brings an answer of a source along.
pub fn brings_answer(visit: &Visit<'_>) -> bool {
    visit.query("source-state").is_some()
}

/// Looks at the answer, once: whatever comes of it, another needs another journey.
pub async fn answer(mut run: Run<'_>) -> Answer {
    let visit = run.visit;
    let sent = run.pending::<Sent>();
    let Some(sent) = sent.filter(|sent| Some(&sent.state) == visit.query("source-state").as_ref())
    else {
        // The address without the answer: a page shown again asks again.
        return Ok(reply::see_other(&action(visit)));
    };
    run.attempt.progress.pending = None;
    if let Some(elsewhere) = run.keep().await? {
        return Ok(elsewhere);
    }
    let runtime = Arc::clone(&visit.runtime);
    let Some(source) = runtime.identity_source(&sent.source) else { return Ok(expired(visit)) };
    // Answers that are worth nothing are counted, as passkeys are: each has others asked.
    let guesses = Guesses::at_key(visitor::address_key(visit.client));
    if let Taken::Wait(wait) = guesses.take(&visit.server.store, visit.server.clock.now()).await? {
        return Ok(too_many(visit, wait));
    }
    match redeem(visit, source, &sent).await {
        Ok(said) => {
            guesses.give_back(&visit.server.store).await?;
            whose::accept(run, source, said).await
        }
        Err(error) => {
            note(visit, source, &error);
            ask_again(run, source, problem(&error)).await
        }
    }
}

async fn redeem(
    visit: &Visit<'_>,
    source: &IdentitySource,
    sent: &Sent,
) -> Result<Said, SourceError> {
    let server = visit.server;
    let brought = identity_source::Answer {
        code: visit.query("source-code"),
        issuer: visit.query("source-iss"),
        error: visit.query("source-error"),
    };
    let redirect_uri = redirect_uri(visit, source);
    let way = way(visit, source, &redirect_uri);
    server.identity_sources.redeem(way, sent, &brought, server.clock.now()).await
}

fn problem(error: &SourceError) -> IdentifyProblem {
    match error.is_trouble() {
        true => IdentifyProblem::SourceUnreachable,
        false => IdentifyProblem::SourceRefused,
    }
}

/// Tells whoever runs the place; visitors are told less.
fn note(visit: &Visit<'_>, source: &IdentitySource, error: &SourceError) {
    let (slug, address) = (&source.slug, visit.address());
    match error.is_trouble() {
        true => {
            tracing::warn!(source = slug, address, %error, "a source did not sign anybody in: `doorward doctor` asks it");
        }
        false => tracing::info!(source = slug, address, %error, "a source did not sign anybody in"),
    }
    let data =
        serde_json::json!({ "address": address, "source": slug, "reason": error.to_string() });
    visit.server.journal.note("login.failed", None, None, data);
}

/// The page that the browser was sent from, with what went wrong.
async fn ask_again(mut run: Run<'_>, source: &IdentitySource, problem: IdentifyProblem) -> Answer {
    let generation = Arc::clone(&run.attempt.generation);
    match run.next(&generation) {
        Some(Next::AskName(stage)) => {
            identification::ask(&run, stage, Some((problem, Some(source.title.clone()))))
        }
        Some(Next::AskPassword { .. }) => {
            password::ask(&run, Some(SignInProblem::SourceFailed)).await
        }
        _ => Ok(run.attempt.turn(run.visit)),
    }
}
