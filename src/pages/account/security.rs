//! What an account is proven by, and where it is signed in. Nobody takes away more than the rules
//! leave.

use super::{Answer, Own, Room, prove_first, set_up};
use crate::access::Decision;
use crate::access::condition::Reputation;
use crate::blueprint::flow::{NotConfigured, Purpose, StageKind};
use crate::clock::Millis;
use crate::factor::held::Held;
use crate::mail::message::Message;
use crate::model::factor::Factor;
use crate::oidc::authorize::shares;
use crate::pages::{flow, notice, portal};
use crate::store::{self, Connection, Consent, Grant};
use crate::web::agent;
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{
    AddFactor, ErrorKind, OwnConnection, OwnConsent, OwnFactor, OwnSession, Security,
    SecurityProblem,
};

const PATH: &str = Room::Security.path();

/// The longest name that a person may give.
const LONGEST_NAME: usize = 64;

/// What is wrong, and what it is about.
type Problem = (SecurityProblem, Option<String>);

pub async fn show(own: &Own<'_>, problem: Option<Problem>) -> Answer {
    let server = own.visit.server;
    let read = server.store.read().await?;
    let held = Held::of(&read, own.id()).await?;
    let connections = read.list_connections_of(own.id()).await?;
    let now = server.clock.now();
    let sessions = read.list_live_sessions_of(own.id(), now).await?;
    let consents = read.list_consents_of(own.id(), now).await?;
    let grants = read.list_grants_of(own.id(), now).await?;
    drop(read);
    let (problem, about) = problem.map_or((None, None), |(what, about)| (Some(what), about));
    let session = |session: store::Session| OwnSession {
        here: session.id == own.sign_in.id,
        device: agent::device(&session.agent),
        address: session.address,
        seen: session.seen_at.minute(),
        id: session.id,
    };
    let page = Security {
        password_set: own.user().password_set_at.map(Millis::day),
        password_changed: own.visit.query("done").is_some_and(|what| what == "password"),
        connections: connections.iter().map(|each| connected(own, each)).collect(),
        factors: held.factors.iter().map(shown).collect(),
        recovery_codes: held.recovery_codes,
        add: choices(own),
        sessions: sessions.into_iter().map(session).collect(),
        consents: let_in(own, &consents, &grants),
        problem,
        about,
        action: PATH.to_owned(),
    };
    Ok(own.page(&page, problem.is_some()))
}

fn shown(factor: &store::Factor) -> OwnFactor {
    OwnFactor {
        id: factor.id.clone(),
        kind: factor.kind.word(),
        name: factor.name.clone(),
        added: factor.created_at.day(),
        used: factor.used_at.map(Millis::day),
    }
}

/// An account elsewhere; its source may be gone.
fn connected(own: &Own<'_>, connection: &Connection) -> OwnConnection {
    let source = flow::source_of(&own.visit.runtime, connection);
    OwnConnection {
        issuer: connection.issuer.clone(),
        subject: connection.subject.clone(),
        source: source.map_or_else(|| connection.source.clone(), |source| source.title.clone()),
        there: connection.shown_as.clone(),
        added: connection.created_at.day(),
        used: connection.used_at.day(),
        works: source.is_some(),
    }
}

/// An app that is there, and what it is told.
fn consented(own: &Own<'_>, consent: &Consent) -> Option<OwnConsent> {
    let app = own.visit.runtime.app_by_uid(&consent.app_uid)?;
    Some(OwnConsent {
        id: consent.app_uid.clone(),
        app: app.title.clone(),
        shares: consent.shares.clone(),
        given: consent.given_at.day(),
    })
}

/// The apps that know the person, by a consent or because they were let in without one: each once.
fn let_in(own: &Own<'_>, consents: &[Consent], grants: &[Grant]) -> Vec<OwnConsent> {
    let mut shown: Vec<_> = consents.iter().filter_map(|consent| consented(own, consent)).collect();
    for grant in grants {
        let Some(app) = own.visit.runtime.app_by_uid(&grant.app_uid) else { continue };
        if !shown.iter().any(|known| known.id == grant.app_uid) {
            shown.push(OwnConsent {
                id: grant.app_uid.clone(),
                app: app.title.clone(),
                shares: shares(app, &grant.scopes).into_iter().map(str::to_owned).collect(),
                given: grant.created_at.day(),
            });
        }
    }
    shown
}

/// What can be added: declared flows, and the built-in ones for what no declared flow sets up.
fn choices(own: &Own<'_>) -> Vec<AddFactor> {
    let mut flows: Vec<_> = own.visit.runtime.flows.values().collect();
    flows.retain(|flow| flow.purpose == Purpose::Setup);
    flows.sort_by_key(|flow| (flow.is_builtin(), flow.slug.value.clone()));
    let (mut choices, mut kinds) = (Vec::new(), Vec::new());
    for flow in flows {
        let kind = flow::set_up_kind(flow);
        let known = kinds.contains(&kind) && flow.is_builtin();
        if matches!(kind, Some("totp" | "webauthn")) && !known {
            kinds.push(kind);
            choices.push(AddFactor {
                title: own.visit.title(flow, own.user().language.as_deref()),
                url: set_up(&flow.slug.value, PATH),
            });
        }
    }
    choices
}

pub async fn change(own: &Own<'_>, form: &Form) -> Answer {
    let id = form.text("id");
    match form.text("do") {
        "rename" => rename(own, id, form.text("name")).await,
        "end" => end(own, Some(id)).await,
        "end-others" => end(own, None).await,
        "take-back" => take_back(own, id).await,
        "remove" | "disconnect" | "new-codes" if !own.is_fresh().await? => Ok(prove_first(PATH)),
        "remove" => remove(own, id).await,
        "disconnect" => disconnect(own, form.text("issuer"), form.text("subject")).await,
        "new-codes" => new_codes(own).await,
        _ => Ok(own.visit.error(ErrorKind::BadRequest)),
    }
}

async fn rename(own: &Own<'_>, id: &str, name: &str) -> Answer {
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        return show(own, Some((SecurityProblem::BadName, None))).await;
    }
    let mut tx = own.visit.server.store.begin().await?;
    tx.rename_factor(own.id(), id, name).await?;
    tx.commit().await?;
    Ok(reply::see_other(PATH))
}

async fn remove(own: &Own<'_>, id: &str) -> Answer {
    let (visit, server) = (own.visit, own.visit.server);
    let user_id = own.id();
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !tx.hold_account(user_id).await? {
        return Ok(visit.error(ErrorKind::BadRequest));
    }
    let held = Held::of(&tx, user_id).await?;
    let last = held.factors.iter().all(|factor| factor.id == id);
    if last && let Some(problem) = needed(own) {
        drop(tx);
        return show(own, Some(problem)).await;
    }
    let Some(removed) = tx.delete_factor(user_id, id).await? else {
        return Ok(reply::see_other(PATH));
    };
    if last {
        tx.delete_recovery_codes_of(user_id).await?;
    }
    tx.forget_proofs_of(user_id).await?;
    let ended = tx.end_sessions_except(user_id, &own.sign_in.id, now).await?;
    let user = &own.user();
    let message = Message::FactorRemoved {
        name: user.called().to_owned(),
        factor: removed.name.clone(),
        address: visit.address(),
        at: now,
    };
    notice::queue(visit, &mut tx, user, &message).await?;
    tx.commit().await?;
    server.post.ring();
    server.sessions.forget(&ended);
    let who = &user.username;
    let data = serde_json::json!({
        "factor": removed.kind.word(), "name": removed.name, "address": visit.address(),
    });
    server.journal.note("factor.removed", Some(who), None, data);
    tracing::info!(user = who, factor = removed.kind.word(), "a factor was removed");
    Ok(reply::see_other(PATH))
}

/// The account elsewhere signs nobody in here any more, unless it is the only way in.
async fn disconnect(own: &Own<'_>, issuer: &str, subject: &str) -> Answer {
    let (visit, server) = (own.visit, own.visit.server);
    let user_id = own.id();
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !tx.hold_account(user_id).await? {
        return Ok(visit.error(ErrorKind::BadRequest));
    }
    let all = tx.list_connections_of(user_id).await?;
    let this = all.iter().find(|each| each.issuer == issuer && each.subject == subject);
    let Some(this) = this else { return Ok(reply::see_other(PATH)) };
    let others = all.iter().filter(|each| *each != this);
    let mut others = others.filter(|each| flow::source_of(&visit.runtime, each).is_some());
    let held = Held::of(&tx, user_id).await?;
    let comes_otherwise = own.user().password_set_at.is_some()
        || held.has(Factor::Webauthn)
        || others.next().is_some();
    if !comes_otherwise {
        drop(tx);
        return show(own, Some((SecurityProblem::OnlyWayIn, None))).await;
    }
    tx.delete_connection(user_id, issuer, subject).await?;
    let ended = tx.end_sessions_except(user_id, &own.sign_in.id, now).await?;
    let user = &own.user();
    let shown = connected(own, this);
    let message = Message::FactorRemoved {
        name: user.called().to_owned(),
        factor: format!("{} ({})", shown.source, shown.there),
        address: visit.address(),
        at: now,
    };
    notice::queue(visit, &mut tx, user, &message).await?;
    tx.commit().await?;
    server.post.ring();
    server.sessions.forget(&ended);
    server.sessions.refresh_account(user_id).await?;
    let data = serde_json::json!({
        "user": user_id, "source": this.source, "name": shown.source, "there": shown.there,
        "address": visit.address(),
    });
    server.journal.note("connection.removed", Some(&user.username), None, data);
    Ok(reply::see_other(PATH))
}

/// What asks this person for a factor, so that the last one stays.
fn needed(own: &Own<'_>) -> Option<Problem> {
    let visit = own.visit;
    let asks = visit.runtime.authentication_flow(None).is_some_and(|flow| {
        flow.stages.iter().any(|stage| match &stage.kind {
            StageKind::AuthenticatorValidate(each) => each.not_configured != NotConfigured::Skip,
            _ => false,
        })
    });
    if asks {
        return Some((SecurityProblem::NeededToSignIn, None));
    }
    let profile = own.sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let none = crate::access::person::Proofs::default();
    let person = standing.person(&profile.user.username, &none);
    let app = visit.runtime.apps.iter().find(|app| {
        let decision = portal::decision(visit, app, &person, Reputation::Score(0));
        decision.is_some_and(|decision| matches!(decision, Decision::StepUp(_)))
    })?;
    Some((SecurityProblem::NeededByApp, Some(app.title.clone())))
}

/// The old codes are worth nothing from now on; the new ones are shown by a flow.
async fn new_codes(own: &Own<'_>) -> Answer {
    let mut tx = own.visit.server.store.begin().await?;
    tx.delete_recovery_codes_of(own.id()).await?;
    tx.commit().await?;
    Ok(reply::see_other(&set_up("builtin.recovery-codes", PATH)))
}

/// The app is told nothing more, and asks again.
async fn take_back(own: &Own<'_>, app_uid: &str) -> Answer {
    let server = own.visit.server;
    let mut tx = server.store.begin().await?;
    let now = server.clock.now();
    let had_consent = tx.delete_consent(own.id(), app_uid).await?;
    let revoked = tx.revoke_grants_of(own.id(), app_uid, "by-person", now).await?;
    if !had_consent && revoked == 0 {
        return Ok(reply::see_other(PATH));
    }
    let ended = tx.end_app_sessions_of_user(own.id(), app_uid, now).await?;
    tx.commit().await?;
    server.sessions.forget_app_sessions(&ended);
    let app = own.visit.runtime.app_by_uid(app_uid);
    let data = serde_json::json!({
        "app": app.map(|app| app.slug.as_str()), "name": app.map(|app| app.title.as_str()),
        "address": own.visit.address(),
    });
    server.journal.note("consent.revoked", Some(&own.user().username), None, data);
    Ok(reply::see_other(PATH))
}

/// Ends one other session of this person, or all others.
async fn end(own: &Own<'_>, only: Option<&str>) -> Answer {
    let server = own.visit.server;
    let now = server.clock.now();
    let user_id = own.id();
    let mut tx = server.store.begin().await?;
    let ended = match only {
        None => tx.end_sessions_except(user_id, &own.sign_in.id, now).await?,
        Some(id) => {
            let theirs = tx.find_session_by_id(id).await?.filter(|it| it.user_id == user_id);
            match theirs {
                Some(session) if tx.end_session(&session.id, now).await? => vec![session.id],
                _ => Vec::new(),
            }
        }
    };
    tx.commit().await?;
    server.sessions.forget(&ended);
    let who = &own.user().username;
    let data = serde_json::json!({ "count": ended.len(), "address": own.visit.address() });
    server.journal.note("sessions.ended", Some(who), None, data);
    Ok(reply::see_other(PATH))
}
