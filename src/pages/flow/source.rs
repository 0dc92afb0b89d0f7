//! Signing in through another provider: the browser is sent there and comes back to `/source/NAME` with
//! a code (`security.md` R14).
//!
//! What the provider says is tied to an account here by a connection. Where there is none, the person
//! proves to be the account's own, or makes one.

use std::sync::Arc;

use axum::body::Body;
use http::Response;

use super::attempt::{Attempt, Saved, present};
use super::errand::Errand;
use super::{
    Answer, Run, Trouble, action, away, by_way_of, expired, identification, is_enabled, password,
    too_many, with,
};
use crate::blueprint::flow::Identification;
use crate::blueprint::identity_source::Link;
use crate::blueprint::people::ConsoleRole;
use crate::flow::progress::{Asserted, Filled, First, Progress};
use crate::flow::stages::Next;
use crate::identity_source::{self, Said, Sent, SourceError, Way, Wish};
use crate::pages::visit::Visit;
use crate::runtime::Runtime;
use crate::runtime::identity_source::IdentitySource;
use crate::store::{Connection, User};
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{
    AskWhoseAccount, ErrorKind, IdentifyProblem, SignInProblem, SourceButton,
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
        .filter(|source| source.client_secret.is_some())
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
    let redirect_uri = redirect_uri(visit, source);
    let sources = &visit.server.identity_sources;
    let address = match sources.address(way(visit, source, &redirect_uri), &sent, wish).await {
        Ok(address) => address,
        Err(error) => {
            note(visit, source, &error);
            return ask_again(run, source, problem(&error)).await;
        }
    };
    run.set_pending(&sent)?;
    if let Some(elsewhere) = run.keep().await? {
        return Ok(elsewhere);
    }
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
    let slug = visit.path().strip_prefix(BACK);
    let Some(sent) = sent.filter(|sent| Some(sent.source.as_str()) == slug) else {
        return visit.error(ErrorKind::FormExpired);
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
    match redeem(visit, source, &sent).await {
        Ok(said) => accept(run, source, said).await,
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
        true => tracing::warn!(source = slug, address, %error, "a source did not sign anybody in"),
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

/// The provider vouches for somebody: whose account is it here?
async fn accept(mut run: Run<'_>, source: &IdentitySource, said: Said) -> Answer {
    let visit = run.visit;
    let generation = Arc::clone(&run.attempt.generation);
    let read = visit.server.store.read().await?;
    let connection = read.find_connection(&said.issuer, &said.subject).await?;
    let user = match &connection {
        Some(connection) => read.find_user(&connection.user_id).await?,
        None => None,
    };
    drop(read);
    match run.next(&generation) {
        Some(Next::AskName(stage)) if stage.sources.iter().any(|it| it.value == source.slug) => {
            match (connection, user) {
                (Some(_), Some(user)) if is_enabled(visit, &user) => {
                    enter(run, source, &said, user).await
                }
                (Some(_), _) => {
                    refuse(run, stage, source, &said, "the account is disabled or gone")
                }
                (None, _) => first_time(run, stage, source, &said).await,
            }
        }
        Some(Next::AskPassword { .. }) if run.errand == Errand::StepUp => {
            match user.filter(|user| run.attempt.progress.user_id.as_ref() == Some(&user.id)) {
                Some(user) if is_enabled(visit, &user) => {
                    let now = visit.server.clock.now();
                    run.attempt.progress.first =
                        Some(First { at: now, password_set_at: user.password_set_at });
                    super::proven(run).await
                }
                _ => ask_again(run, source, IdentifyProblem::SourceUnknown).await,
            }
        }
        _ => Ok(run.attempt.turn(visit)),
    }
}

/// The account is known: what the provider says is the first proof. It is no second factor.
async fn enter(mut run: Run<'_>, source: &IdentitySource, said: &Said, user: User) -> Answer {
    let now = run.visit.server.clock.now();
    tracing::debug!(user = user.username, source = source.slug, "came by a source");
    let progress = &mut run.attempt.progress;
    progress.asserted = Some(asserted(source, said));
    progress.login = Some(user.username);
    progress.user_id = Some(user.id);
    progress.first = Some(First { at: now, password_set_at: user.password_set_at });
    progress.must_change = user.must_change && user.password_set_at.is_some();
    run.save_and_turn().await
}

fn asserted(source: &IdentitySource, said: &Said) -> Asserted {
    Asserted {
        source: source.slug.clone(),
        issuer: said.issuer.clone(),
        subject: said.subject.clone(),
        shown_as: said.shown().to_owned(),
        username: said.suggested_name().map(str::to_owned),
        name: said.name.clone(),
        email: said.email.clone(),
        groups: said.granted(source),
        chosen: false,
    }
}

/// Nobody came by this account of the provider's before.
async fn first_time(
    mut run: Run<'_>,
    stage: &Identification,
    source: &IdentitySource,
    said: &Said,
) -> Answer {
    let namesake = namesake(run.visit, said).await?;
    if source.link == Link::VerifiedEmail
        && let Some(user) = &namesake
        && role(run.visit, user).await? == ConsoleRole::None
    {
        return enter(run, source, said, user.clone()).await;
    }
    let may_connect = source.link != Link::Never && stage.takes_names();
    // With the same address there is no second account.
    let may_enroll = enrollment(&run, source).is_some() && namesake.is_none();
    if !may_connect && !may_enroll {
        return refuse(run, stage, source, said, "no account here is connected to it");
    }
    run.attempt.progress.asserted =
        Some(Asserted { chosen: !(may_connect && may_enroll), ..asserted(source, said) });
    match may_connect {
        true => run.save_and_turn().await,
        false => enroll(run).await,
    }
}

/// Whoever has the address that the provider verified.
async fn namesake(visit: &Visit<'_>, said: &Said) -> Result<Option<User>, Trouble> {
    let Some(email) = &said.email else { return Ok(None) };
    let user = visit.server.store.read().await?.find_user_by_email(email).await?;
    Ok(user.filter(|user| is_enabled(visit, user)))
}

async fn role(visit: &Visit<'_>, user: &User) -> Result<ConsoleRole, Trouble> {
    let account = visit.server.sessions.account(&user.id).await?;
    let standing = account.profile().standing(&visit.runtime);
    Ok(visit.runtime.role_in(&standing.group_names))
}

fn refuse(
    run: Run<'_>,
    stage: &Identification,
    source: &IdentitySource,
    said: &Said,
    reason: &str,
) -> Answer {
    let (visit, slug, who) = (run.visit, &source.slug, said.shown());
    tracing::info!(source = slug, who, address = visit.address(), reason, "a sign-in failed");
    let data = serde_json::json!({
        "address": visit.address(), "source": slug, "there": who, "reason": reason,
    });
    visit.server.journal.note("login.failed", None, None, data);
    let problem = (IdentifyProblem::SourceUnknown, Some(source.title.clone()));
    identification::ask(&run, stage, Some(problem))
}

/// Whether it is still to be said if there is an account already.
pub fn is_undecided(run: &Run<'_>) -> bool {
    run.attempt.progress.asserted.as_ref().is_some_and(|asserted| !asserted.chosen)
}

/// Asks whether there is an account already.
pub fn ask_whose(run: &Run<'_>) -> Answer {
    let Some(asserted) = &run.attempt.progress.asserted else {
        return Ok(run.attempt.turn(run.visit));
    };
    let action = action(run.visit);
    let page = AskWhoseAccount {
        source: title(&run.visit.runtime, asserted),
        there: asserted.shown_as.clone(),
        continue_to: run.continue_to(),
        start_over: with(&action, "restart=1"),
        action,
    };
    Ok(run.ask(&page, false))
}

/// What a source is called, also once it is gone.
pub fn title(runtime: &Runtime, asserted: &Asserted) -> String {
    let found = runtime.identity_source(&asserted.source);
    found.map_or_else(|| asserted.source.clone(), |source| source.title.clone())
}

pub async fn answer_whose(mut run: Run<'_>, form: &Form) -> Answer {
    match (form.text("account"), &mut run.attempt.progress.asserted) {
        ("new", Some(_)) => enroll(run).await,
        ("mine", Some(asserted)) => {
            asserted.chosen = true;
            run.save_and_turn().await
        }
        _ => ask_whose(&run),
    }
}

/// The flow by which people of this source come by an account.
fn enrollment<'r>(
    run: &'r Run<'_>,
    source: &IdentitySource,
) -> Option<&'r Arc<crate::blueprint::flow::Flow>> {
    run.visit.runtime.flows.get(source.enroll.as_ref()?)
}

/// Goes on in the flow that makes an account, with what the provider said filled in. An address that it
/// has verified is verified here.
async fn enroll(run: Run<'_>) -> Answer {
    let visit = run.visit;
    let Some(asserted) = run.attempt.progress.asserted.clone() else { return Ok(expired(visit)) };
    let source = visit.runtime.identity_source(&asserted.source);
    let flow = source.and_then(|source| enrollment(&run, source)).cloned();
    let Some(flow) = flow else { return Ok(expired(visit)) };
    let mut tx = visit.server.store.begin().await?;
    if !run.attempt.finish(&mut tx, visit.server.clock.now()).await? {
        return Ok(expired(visit));
    }
    tx.commit().await?;
    let mut filled = Filled { username: asserted.username.clone(), ..Filled::default() };
    filled.fields.extend(asserted.name.clone().map(|name| ("name".to_owned(), name)));
    if let Some(email) = &asserted.email {
        filled.email = Some(email.clone());
        filled.fixed.push("email".to_owned());
    }
    let progress = Progress {
        filled,
        verified: asserted.email.clone(),
        asserted: Some(Asserted { chosen: true, ..asserted }),
        ..Progress::default()
    };
    let slug = flow.slug.value.clone();
    let generation = (visit.runtime.generation, present(visit));
    let mut attempt = Attempt::going_on(visit, generation, flow, progress)?;
    match attempt.save(visit, Errand::Enroll).await? {
        Saved::TooMany(wait) => return Ok(too_many(visit, wait)),
        Saved::Yes | Saved::Overtaken => {}
    }
    let there = with(&by_way_of(Errand::Enroll.path(), &visit.next()), &format!("flow={slug}"));
    Ok(attempt.turn_to(visit, &there))
}
