//! A new password in place of the old one, which is asked for, as are the factors that the account
//! holds.

use std::sync::Arc;

use axum::body::Body;
use http::Response;

use super::{Answer, Own, Room, prove_first};
use crate::factor::held::Held;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::hashing::{LONGEST, Verified};
use crate::flow::new_password;
use crate::pages::trouble::Trouble;
use crate::pages::{notice, set_password};
use crate::secret::Secret;
use crate::store::{NewPassword, Proven, User};
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{ChangePassword, ErrorKind, PasswordProblem, SignInProblem};
use crate::web::visitor;

const PATH: &str = Room::Password.path();

/// What is wrong with the old password, and with the new one.
type Problems = (Option<SignInProblem>, Vec<PasswordProblem>);

pub async fn look(own: &Own<'_>) -> Answer {
    if must_prove(own).await? {
        return Ok(prove_first(PATH));
    }
    Ok(ask(own, &own.user(), (None, Vec::new())))
}

/// The old password proves presence for whoever has nothing else.
async fn must_prove(own: &Own<'_>) -> Result<bool, Trouble> {
    let held = Held::of(&own.visit.server.store.read().await?, own.id()).await?;
    if held.is_empty() && own.user().password_hash.is_some() {
        return Ok(false);
    }
    Ok(!own.is_fresh().await?)
}

fn ask(own: &Own<'_>, user: &User, (current, problems): Problems) -> Response<Body> {
    let rules = own.visit.runtime.blueprint.settings.password;
    let page = ChangePassword {
        has_password: user.password_hash.is_some(),
        min_length: u32::try_from(rules.min_length).unwrap_or(u32::MAX),
        current,
        problems,
        action: PATH.to_owned(),
        back: Room::Security.path().to_owned(),
    };
    let has_problem = page.current.is_some() || !page.problems.is_empty();
    own.page(&page, has_problem)
}

pub async fn change(own: &Own<'_>, form: &Form) -> Answer {
    let visit = own.visit;
    let server = visit.server;
    if must_prove(own).await? {
        return Ok(prove_first(PATH));
    }
    let Some(user) = server.store.read().await?.find_user(own.id()).await? else {
        return Ok(visit.error(ErrorKind::BadRequest));
    };
    let current = form.secret("password");
    match prove(own, &user, &current).await? {
        Proof::Right => {}
        Proof::Wrong(problem) => return Ok(ask(own, &user, (Some(problem), Vec::new()))),
        Proof::Wait(wait) => return Ok(visit.too_many(wait, PATH.to_owned())),
    }
    let given = form.secret("new-password");
    let mut problems = set_password::judge(visit, form, &set_password::names_of(&user)).await?;
    if user.password_hash.is_some() && given == current {
        problems.push(new_password::Problem::Unchanged);
    }
    if !problems.is_empty() {
        let shown = problems.into_iter().map(set_password::shown).collect();
        return Ok(ask(own, &user, (None, shown)));
    }
    replace(own, &user, &given).await
}

/// What became of the old password.
enum Proof {
    Right,
    Wrong(SignInProblem),
    Wait(std::time::Duration),
}

/// The old password counts like one at a sign-in: a session that somebody left open is no place to
/// guess it from.
async fn prove(own: &Own<'_>, user: &User, given: &Secret) -> Result<Proof, Trouble> {
    let Some(hash) = &user.password_hash else { return Ok(Proof::Right) };
    if given.reveal().is_empty() {
        return Ok(Proof::Wrong(SignInProblem::Missing));
    }
    if given.reveal().len() > LONGEST {
        return Ok(Proof::Wrong(SignInProblem::TooLong));
    }
    let visit = own.visit;
    let server = visit.server;
    let address = visitor::address_key(visit.client);
    let guesses = Guesses::at_password(&user.username, Some(&user.id), address);
    let taken = guesses.take(&server.store, server.clock.now()).await?;
    if let Taken::Wait(wait) = taken {
        return Ok(Proof::Wait(wait));
    }
    let answer = match server.hasher.verify(given, Some(hash)).await {
        Ok(answer) => answer,
        Err(error) => {
            guesses.give_back(&server.store).await?;
            return Err(error.into());
        }
    };
    if answer == Verified::Wrong || taken == Taken::InVain {
        let data = serde_json::json!({ "address": visit.address(), "at": PATH });
        server.journal.note("login.failed", Some(&user.username), None, data);
        return Ok(Proof::Wrong(SignInProblem::Wrong));
    }
    guesses.succeeded(&server.store).await?;
    Ok(Proof::Right)
}

/// Every other session ends, and what browsers remember; this session gets a new token.
async fn replace(own: &Own<'_>, user: &User, given: &Secret) -> Answer {
    let visit = own.visit;
    let server = visit.server;
    let hash = server.hasher.hash(given, &server.rng).await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    let new = NewPassword { hash: &hash, must_change: false };
    if !tx.replace_password(&user.id, user.password_set_at, new, now).await? {
        return Ok(visit.error(ErrorKind::FormExpired));
    }
    if visit.runtime.administrators().any(|name| name == user.username) {
        tx.note_administrator().await?;
    }
    tx.forget_proofs_of(&user.id).await?;
    let mut ended = tx.end_sessions_except(&user.id, &own.sign_in.id, now).await?;
    let proven = Proven { first: Some(now), ..Proven::default() };
    let sign_in = Arc::clone(&own.sign_in);
    let Some(token) = server.sessions.confirm(&mut tx, &sign_in, proven).await? else {
        return Ok(visit.error(ErrorKind::FormExpired));
    };
    notice::queue(visit, &mut tx, user, &notice::password_changed(visit, user)).await?;
    tx.commit().await?;
    server.post.ring();
    ended.push(sign_in.id.clone());
    server.sessions.forget(&ended);
    let data = serde_json::json!({ "address": visit.address() });
    server.journal.note("password.changed", Some(&user.username), None, data);
    tracing::info!(user = user.username, address = visit.address(), "a password was changed");
    let mut response = reply::see_other(&format!("{}?done=password", Room::Security.path()));
    let stays = sign_in.stays_until().map(|until| until.since(now));
    visit.set_cookie(&mut response, &visit.session_cookie(), &token, stays);
    Ok(response)
}
