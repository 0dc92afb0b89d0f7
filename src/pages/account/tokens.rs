//! App passwords and API tokens: listed, made and revoked by their person. The text of a new one is
//! shown once, in the answer to the form.

use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::{Answer, Own, Room, prove_first};
use crate::access::Decision;
use crate::access::condition::Reputation;
use crate::blueprint::people::ConsoleRole;
use crate::clock::Millis;
use crate::mail::message::Message;
use crate::model::scope::Scope;
use crate::pages::trouble::Trouble;
use crate::pages::{notice, portal};
use crate::runtime::app::App;
use crate::store::{self, TokenKind};
use crate::token::{MakeError, Wanted};
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{
    ErrorKind, MadeToken, NewToken, OwnToken, TokenApp, TokenProblem, TokenScope, Tokens,
};

const PATH: &str = Room::Tokens.path();
/// Where a new one is asked for.
const NEW: &str = "/tokens?new=1";

/// How many days a token may last; 0 is without end.
const LIFETIMES: [u32; 4] = [30, 90, 365, 0];
const USUAL_LIFETIME: u32 = 365;

/// How long a form is good for one token and no more.
const FORM_LASTS: Duration = Duration::from_secs(86_400);

/// What was filled in, to be shown again with what is wrong.
struct Filled {
    kind: TokenKind,
    name: String,
    apps: Vec<String>,
    scopes: Vec<Scope>,
    days: u32,
}

pub async fn look(own: &Own<'_>) -> Answer {
    if own.visit.query("new").is_none() || !may_make(own) {
        return show(own, None, None).await;
    }
    if !own.is_fresh().await? {
        return Ok(prove_first(NEW));
    }
    let empty = Filled {
        kind: TokenKind::AppPassword,
        name: String::new(),
        apps: Vec::new(),
        scopes: Vec::new(),
        days: USUAL_LIFETIME,
    };
    ask(own, &empty, None).await
}

async fn ask(own: &Own<'_>, filled: &Filled, problem: Option<TokenProblem>) -> Answer {
    let apps = openable(own).into_iter().map(|app| TokenApp {
        slug: app.slug.clone(),
        title: app.title.clone(),
        chosen: filled.apps.contains(&app.slug),
    });
    let new = NewToken {
        kind: filled.kind.word(),
        name: filled.name.clone(),
        apps: apps.collect(),
        scopes: scopes(own)
            .iter()
            .map(|scope| TokenScope { word: scope.word(), chosen: filled.scopes.contains(scope) })
            .collect(),
        days: filled.days,
        lifetimes: LIFETIMES.to_vec(),
        once: own.visit.server.rng.token()?,
        problem,
    };
    show(own, Some(new), None).await
}

async fn show(own: &Own<'_>, new: Option<NewToken>, made: Option<MadeToken>) -> Answer {
    let server = own.visit.server;
    let now = server.clock.now();
    let title = |uid: &String| own.visit.runtime.app_by_uid(uid).map(|app| app.title.clone());
    let token = |token: store::Token| OwnToken {
        kind: token.kind.word(),
        apps: token.apps.iter().filter_map(title).collect(),
        scopes: token.scopes.iter().map(|scope| scope.word()).collect(),
        added: token.created_at.day(),
        used: token.used_at.map(Millis::day),
        expires: token.expires_at.map(Millis::day),
        is_expired: !token.is_live(now),
        id: token.id,
        name: token.name,
    };
    let has_problem = new.as_ref().is_some_and(|new| new.problem.is_some());
    let page = Tokens {
        tokens: server.tokens.list(own.id()).await?.into_iter().map(token).collect(),
        add: may_make(own).then(|| NEW.to_owned()),
        new,
        made,
        action: PATH.to_owned(),
    };
    Ok(own.page(&page, has_problem))
}

fn may_make(own: &Own<'_>) -> bool {
    own.visit.runtime.blueprint.settings.allows_at_run_time("tokens")
}

/// The apps that take tokens, whose front page is open to the person, and for which no rule asks for
/// a second factor: a token never meets that (`security.md` R15).
fn openable<'a>(own: &'a Own<'_>) -> Vec<&'a App> {
    let account = own.sign_in.account.profile();
    let standing = account.standing(&own.visit.runtime);
    let person = standing.person(&account.user.username, &own.sign_in.proofs);
    let is_open = |app: &&App| {
        let decision = portal::decision(own.visit, app, &person, Reputation::Score(0));
        app.takes_tokens()
            && app.access.requires.is_empty()
            && matches!(decision, Some(Decision::Allow))
    };
    own.visit.runtime.apps.iter().filter(is_open).collect()
}

/// What the person may let a token do by the API: it is for those who rule here.
fn scopes(own: &Own<'_>) -> &'static [Scope] {
    let runtime = &own.visit.runtime;
    let standing = own.sign_in.account.profile().standing(runtime);
    match runtime.role_in(&standing.group_names) {
        ConsoleRole::Admin => &Scope::ALL,
        ConsoleRole::Viewer | ConsoleRole::None => &[],
    }
}

pub async fn change(own: &Own<'_>, form: &Form) -> Answer {
    match form.text("do") {
        "revoke" => revoke(own, form.text("id")).await,
        "make" if !own.is_fresh().await? => Ok(prove_first(NEW)),
        "make" if may_make(own) => make(own, form).await,
        _ => Ok(own.visit.error(ErrorKind::BadRequest)),
    }
}

async fn revoke(own: &Own<'_>, id: &str) -> Answer {
    let username = own.user().username;
    match own.visit.server.tokens.revoke(id, Some(own.id()), &username).await {
        Ok(_) => Ok(reply::see_other(PATH)),
        Err(error) => trouble(own, error),
    }
}

async fn make(own: &Own<'_>, form: &Form) -> Answer {
    let server = own.visit.server;
    let Some(filled) = read(own, form) else {
        return Ok(own.visit.error(ErrorKind::BadRequest));
    };
    if !first_time(own, form.text("once")).await? {
        return Ok(reply::see_other(PATH));
    }
    let chosen = openable(own).into_iter().filter(|app| filled.apps.contains(&app.slug));
    let uids: Vec<String> = chosen.map(|app| app.uid.clone()).collect();
    let user = own.user();
    let lasts = Duration::from_secs(u64::from(filled.days).saturating_mul(86_400));
    let wanted = Wanted {
        user_id: &user.id,
        username: &user.username,
        kind: filled.kind,
        name: &filled.name,
        apps: &uids,
        scopes: &filled.scopes,
        expires_at: (filled.days > 0).then(|| server.clock.now().plus(lasts)),
        by: &user.username,
    };
    let problem = match server.tokens.create(wanted).await {
        Ok((text, token)) => {
            tell(own, &token).await?;
            let made = MadeToken {
                kind: token.kind.word(),
                name: token.name,
                text: text.reveal().to_owned(),
                username: user.username,
            };
            return show(own, None, Some(made)).await;
        }
        Err(MakeError::NoApp) => TokenProblem::NoApp,
        Err(MakeError::ScopeOfPassword) => TokenProblem::ScopeOfPassword,
        Err(MakeError::BadName) => TokenProblem::BadName,
        Err(MakeError::TooMany) => TokenProblem::TooMany,
        Err(error) => return trouble(own, error),
    };
    ask(own, &filled, Some(problem)).await
}

/// The form as it was filled in. `None` if no form of ours can hold that.
fn read(own: &Own<'_>, form: &Form) -> Option<Filled> {
    let kinds = [TokenKind::AppPassword, TokenKind::ApiToken];
    let days = form.text("days").parse().ok().filter(|days| LIFETIMES.contains(days))?;
    let ticked = |app: &&App| !form.text(&format!("app-{}", app.slug)).is_empty();
    let allowed = |scope: &Scope| !form.text(&format!("scope-{}", scope.word())).is_empty();
    Some(Filled {
        kind: kinds.into_iter().find(|kind| kind.word() == form.text("kind"))?,
        name: form.text("name").to_owned(),
        apps: openable(own).into_iter().filter(ticked).map(|app| app.slug.clone()).collect(),
        scopes: scopes(own).iter().copied().filter(allowed).collect(),
        days,
    })
}

/// A form that is sent twice makes one token.
async fn first_time(own: &Own<'_>, once: &str) -> Result<bool, Trouble> {
    let server = own.visit.server;
    let digest = server.key.digest(format!("token-form/{}/{once}", own.id()).as_bytes());
    let mut tx = server.store.begin().await?;
    let first = tx.use_once(&digest, server.clock.now().plus(FORM_LASTS)).await?;
    tx.commit().await?;
    Ok(first)
}

/// Whoever did not make it hears of it.
async fn tell(own: &Own<'_>, token: &store::Token) -> Result<(), Trouble> {
    let (visit, server, user) = (own.visit, own.visit.server, own.user());
    let message = Message::TokenMade {
        name: user.called().to_owned(),
        token: token.name.clone(),
        address: visit.address(),
        at: token.created_at,
    };
    let mut tx = server.store.begin().await?;
    notice::queue(visit, &mut tx, &user, &message).await?;
    tx.commit().await?;
    server.post.ring();
    tracing::info!(user = user.username, kind = token.kind.word(), "a token was made");
    Ok(())
}

fn trouble(own: &Own<'_>, error: MakeError) -> Answer {
    match error {
        MakeError::Store(error) => Err(error.into()),
        MakeError::Randomness(error) => Err(error.into()),
        error => Ok(refused(own, &error)),
    }
}

fn refused(own: &Own<'_>, error: &MakeError) -> Response<Body> {
    tracing::warn!(%error, user = own.user().username, "a token was not made");
    own.visit.error(ErrorKind::BadRequest)
}
