//! Whose account is it here? What a provider says is tied to an account by a connection; where there is
//! none, the person proves to be the account's own, or makes one (`security.md` R14).

use std::sync::Arc;

use super::ask_again;
use crate::blueprint::flow::{Flow, Identification};
use crate::blueprint::identity_source::Link;
use crate::blueprint::people::ConsoleRole;
use crate::flow::progress::{Asserted, Basis, Filled, First, Progress};
use crate::flow::stages::Next;
use crate::identity_source::Said;
use crate::pages::flow::attempt::{Attempt, Saved, present};
use crate::pages::flow::errand::Errand;
use crate::pages::flow::{
    Answer, Run, Trouble, action, by_way_of, expired, identification, is_enabled, proven, too_many,
    with,
};
use crate::pages::visit::Visit;
use crate::runtime::Runtime;
use crate::runtime::identity_source::IdentitySource;
use crate::store::{User, fold};
use crate::web::form::Form;
use crate::web::templates::{AskWhoseAccount, IdentifyProblem};

/// The provider vouches for somebody: whose account is it here?
pub async fn accept(mut run: Run<'_>, source: &IdentitySource, said: Said) -> Answer {
    let visit = run.visit;
    let generation = Arc::clone(&run.attempt.generation);
    let read = visit.server.store.read().await?;
    let mut connection = read.find_connection(&said.issuer, &said.subject).await?;
    let user = match &connection {
        Some(connection) => read.find_user(&connection.user_id).await?,
        None => None,
    };
    drop(read);
    // What an address was enough for ends with a console role: its person proves to be both.
    if let (Some(known), Some(user)) = (&connection, &user)
        && !known.proven
        && role(visit, user).await? != ConsoleRole::None
    {
        connection = None;
    }
    match run.next(&generation) {
        Some(Next::AskName(stage)) if stage.sources.iter().any(|it| it.value == source.slug) => {
            match (connection, user) {
                (Some(_), Some(user)) if is_enabled(visit, &user) => {
                    enter(run, source, &said, user, Basis::Connection).await
                }
                (Some(_), _) => {
                    refuse(run, stage, source, &said, "the account is disabled or gone")
                }
                (None, _) => first_time(run, stage, source, &said).await,
            }
        }
        Some(Next::AskPassword { .. }) if run.errand == Errand::StepUp => {
            let user = user.filter(|_| connection.is_some());
            match user.filter(|user| run.attempt.progress.user_id.as_ref() == Some(&user.id)) {
                Some(user) if is_enabled(visit, &user) => {
                    let now = visit.server.clock.now();
                    run.attempt.progress.first =
                        Some(First { at: now, password_set_at: user.password_set_at });
                    proven(run).await
                }
                _ => ask_again(run, source, IdentifyProblem::SourceUnknown).await,
            }
        }
        _ => Ok(run.attempt.turn(visit)),
    }
}

/// The account is known: what the provider says is the first proof. It is no second factor.
async fn enter(
    mut run: Run<'_>,
    source: &IdentitySource,
    said: &Said,
    user: User,
    basis: Basis,
) -> Answer {
    let now = run.visit.server.clock.now();
    tracing::debug!(user = user.username, source = source.slug, "came by a source");
    let progress = &mut run.attempt.progress;
    progress.asserted = Some(Asserted { basis, ..asserted(source, said) });
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
        basis: Basis::OwnProof,
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
        return enter(run, source, said, user.clone(), Basis::Address).await;
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

/// Whether the address that the provider verified is still the account's, and is enough for it.
pub async fn is_by_address(
    visit: &Visit<'_>,
    user: &User,
    asserted: Option<&Asserted>,
) -> Result<bool, Trouble> {
    let email = asserted.and_then(|asserted| asserted.email.as_deref()).map(fold);
    let same = email.is_some() && user.email.as_deref().map(fold) == email;
    Ok(same && role(visit, user).await? == ConsoleRole::None)
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
pub fn ask(run: &Run<'_>) -> Answer {
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

pub async fn answer(mut run: Run<'_>, form: &Form) -> Answer {
    match (form.text("account"), &mut run.attempt.progress.asserted) {
        ("new", Some(_)) => enroll(run).await,
        ("mine", Some(asserted)) => {
            asserted.chosen = true;
            run.save_and_turn().await
        }
        _ => ask(&run),
    }
}

/// Whether this enrollment may be gone through: one that is for people of sources alone, by them alone.
pub fn may_enroll(visit: &Visit<'_>, attempt: &Attempt) -> bool {
    let runtime = &visit.runtime;
    if !runtime.is_for_sources_alone(&attempt.flow) {
        return true;
    }
    let asserted = attempt.progress.asserted.as_ref();
    let source = asserted.and_then(|asserted| runtime.identity_source(&asserted.source));
    source.is_some_and(|source| source.enroll.as_ref() == Some(&attempt.flow.slug.value))
}

/// The flow by which people of this source come by an account.
fn enrollment<'r>(run: &'r Run<'_>, source: &IdentitySource) -> Option<&'r Arc<Flow>> {
    run.visit.runtime.flows.get(source.enroll.as_ref()?)
}

/// Goes on in the flow that makes an account, with what the provider said filled in. An address that it
/// has verified is verified here only where files trust it with that.
async fn enroll(run: Run<'_>) -> Answer {
    let visit = run.visit;
    let Some(asserted) = run.attempt.progress.asserted.clone() else { return Ok(expired(visit)) };
    let source = visit.runtime.identity_source(&asserted.source);
    // Whoever may not vouch for an address at sign-in does not do so for a new account either.
    let trusts_address = source.is_some_and(|source| source.link == Link::VerifiedEmail);
    let flow = source.and_then(|source| enrollment(&run, source)).cloned();
    let Some(flow) = flow else { return Ok(expired(visit)) };
    let mut tx = visit.server.store.begin().await?;
    if !run.attempt.finish(&mut tx, visit.server.clock.now()).await? {
        return Ok(expired(visit));
    }
    tx.commit().await?;
    let mut filled = Filled { username: asserted.username.clone(), ..Filled::default() };
    filled.fields.extend(asserted.name.clone().map(|name| ("name".to_owned(), name)));
    filled.email.clone_from(&asserted.email);
    let verified = asserted.email.clone().filter(|_| trusts_address);
    if verified.is_some() {
        filled.fixed.push("email".to_owned());
    }
    let progress = Progress {
        filled,
        verified,
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
