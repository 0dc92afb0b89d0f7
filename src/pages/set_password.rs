//! Setting a password by a one-time link (`security.md` R17). Looking at the page uses nothing up.

use std::path::Path;

use axum::body::Body;
use http::{Response, StatusCode};

use super::notice;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::flow::hashing::Verified;
use crate::flow::new_password::{self, LINK_PURPOSE, Problem};
use crate::flow::{attempts, breached};
use crate::secret::{Secret, TokenDigest};
use crate::store::{NewPassword, User};
use crate::web::csrf;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{CSRF_FIELD, ErrorKind, PasswordProblem, PasswordReason, SetPassword};

/// A link that is worth something, and whose it is.
struct Valid {
    token: String,
    digest: TokenDigest,
    user: User,
}

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match find(visit).await {
        Ok(Ok(link)) => ask(visit, &link, &[]),
        Ok(Err(worthless)) => visit.error(worthless),
        Err(trouble) => visit.unavailable(&trouble),
    }
}

pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    match set(visit, &form).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

/// The link of this visit, or why it is worth nothing. One that was replaced is not known any more
/// and counts as expired.
async fn find(visit: &Visit<'_>) -> Result<Result<Valid, ErrorKind>, Trouble> {
    let Some(token) = visit.query("token") else { return Ok(Err(ErrorKind::LinkExpired)) };
    let digest = visit.server.key.digest(token.as_bytes());
    let read = visit.server.store.read().await?;
    let Some(link) = read.find_link(&digest, LINK_PURPOSE).await? else {
        return Ok(Err(ErrorKind::LinkExpired));
    };
    if link.used_at.is_some() {
        return Ok(Err(ErrorKind::LinkUsed));
    }
    if !link.is_usable(visit.server.clock.now()) {
        return Ok(Err(ErrorKind::LinkExpired));
    }
    let user = read.find_user(&link.user_id).await?.filter(|user| !user.disabled);
    Ok(user.map(|user| Valid { token, digest, user }).ok_or(ErrorKind::LinkExpired))
}

fn ask(visit: &Visit<'_>, link: &Valid, problems: &[Problem]) -> Response<Body> {
    let rules = visit.runtime.blueprint.settings.password;
    let page = SetPassword {
        who: link.user.username.clone(),
        reason: PasswordReason::Link,
        min_length: u32::try_from(rules.min_length).unwrap_or(u32::MAX),
        problems: problems.iter().map(|problem| shown(*problem)).collect(),
        action: None,
    };
    // The link itself is what a foreign page cannot know: the form's token is made from it.
    let token = csrf::token(&visit.server.key, &link.token);
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let wanted = For { csrf: Some(&token), ..For::sign_in_host(status, &visit.parts.headers) };
    visit.page(wanted, &page)
}

async fn set(visit: &Visit<'_>, form: &Form) -> Result<Response<Body>, Trouble> {
    let server = visit.server;
    let link = match find(visit).await? {
        Ok(link) => link,
        Err(worthless) => return Ok(visit.error(worthless)),
    };
    if !visit.is_ours(Some(&link.token), form.text(CSRF_FIELD)) {
        return Ok(visit.error(ErrorKind::FormExpired));
    }
    let given = form.secret("new-password");
    let mut problems = judge(visit, form, &names_of(&link.user)).await?;
    if problems.is_empty() && is_the_one_to_replace(visit, &link.user, &given).await? {
        problems.push(Problem::Unchanged);
    }
    if !problems.is_empty() {
        return Ok(ask(visit, &link, &problems));
    }
    let hash = server.hasher.hash(&given, &server.rng).await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if tx.consume_link(&link.digest, LINK_PURPOSE, now).await?.is_none() {
        return Ok(visit.error(ErrorKind::LinkUsed));
    }
    tx.set_password(&link.user.id, NewPassword { hash: &hash, must_change: false }, now).await?;
    if visit.runtime.administrators().any(|name| name == link.user.username) {
        tx.note_administrator().await?;
    }
    // Whoever holds the link is let in by it: a lockout of guesses does not keep them out.
    attempts::forget(&mut tx, &link.user).await?;
    tx.forget_proofs_of(&link.user.id).await?;
    let ended = tx.end_sessions_of(&link.user.id, now).await?;
    notice::queue(visit, &mut tx, &link.user, &notice::password_changed(visit, &link.user)).await?;
    tx.commit().await?;
    server.post.ring();
    server.sessions.forget(&ended);
    let who = Some(link.user.username.as_str());
    server.journal.note("password.set", who, None, serde_json::json!({ "by": "link" }));
    tracing::info!(user = link.user.username, "a password was set by a one-time link");
    Ok(reply::see_other("/sign-in"))
}

/// A password that must change does not stay by way of a link either.
async fn is_the_one_to_replace(
    visit: &Visit<'_>,
    user: &User,
    given: &Secret,
) -> Result<bool, Trouble> {
    let hash = user.password_hash.as_ref().filter(|_| user.must_change);
    let Some(hash) = hash else { return Ok(false) };
    Ok(visit.server.hasher.verify(given, Some(hash)).await? != Verified::Wrong)
}

/// What is wrong with the new password of a form. `names` are what whoever guesses would begin with.
pub async fn judge(
    visit: &Visit<'_>,
    form: &Form,
    names: &[&str],
) -> Result<Vec<Problem>, Trouble> {
    let settings = &visit.runtime.blueprint.settings;
    let (rules, list) = (settings.password, visit.runtime.breached_list.clone());
    let (given, again) = (form.secret("new-password"), form.secret("new-password-again"));
    let title = visit.runtime.brand(None).and_then(|brand| brand.title.clone());
    let title = title.unwrap_or_else(|| "Doorward".to_owned());
    let names: Vec<String> = names.iter().map(ToString::to_string).chain([title]).collect();
    let judged = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut problems = new_password::check(&given, &again, rules, &names);
        if problems.is_empty() && list.is_some_and(|list| is_listed(&list, &given)) {
            problems.push(Problem::Common);
        }
        problems
    });
    Ok(judged.await?)
}

/// A list that cannot be read keeps nobody from setting a password: it is one safeguard of several.
fn is_listed(list: &Path, given: &Secret) -> bool {
    breached::holds(list, given).unwrap_or_else(|error| {
        tracing::warn!(list = %list.display(), %error, "the list of passwords from breaches could not be asked: a new password was not compared with it");
        false
    })
}

/// What a password should not be made of.
pub fn names_of(user: &User) -> Vec<&str> {
    let email = user.email.as_deref().into_iter();
    let local = user.email.as_deref().and_then(|email| email.split('@').next());
    email.chain(local).chain([user.username.as_str(), user.name.as_str()]).collect()
}

/// The page's word for a problem.
pub fn shown(problem: Problem) -> PasswordProblem {
    match problem {
        Problem::TooShort => PasswordProblem::TooShort,
        Problem::TooLong => PasswordProblem::TooLong,
        Problem::HoldsName => PasswordProblem::ContainsName,
        Problem::TooSimple => PasswordProblem::TooWeak,
        Problem::Common => PasswordProblem::Common,
        Problem::Mismatch => PasswordProblem::Mismatch,
        Problem::Unchanged => PasswordProblem::Unchanged,
    }
}
