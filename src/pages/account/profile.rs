//! Who the person is here. What files declare is theirs to change; a name that nobody declared is
//! the person's own.

use std::sync::Arc;

use super::{Answer, Own, Room, set_up};
use crate::blueprint::flow::{Flow, Purpose, StageKind};
use crate::mail;
use crate::store::User;
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{ErrorKind, Profile, ProfileProblem};

const PATH: &str = Room::Profile.path();

/// The longest name that a person may have.
const LONGEST_NAME: usize = 100;

pub fn show(own: &Own<'_>, problem: Option<(ProfileProblem, &str)>) -> Answer {
    let account = own.sign_in.account.profile();
    let standing = account.standing(&own.visit.runtime);
    let title = |slug: &String| {
        let groups = &own.visit.runtime.blueprint.groups;
        let found = groups.iter().find(|group| group.slug.value == *slug);
        found.and_then(|group| group.title.clone()).unwrap_or_else(|| slug.clone())
    };
    let page = Profile {
        username: account.user.username.clone(),
        name: problem.map_or_else(|| standing.name.clone(), |(_, given)| given.to_owned()),
        email: standing.email.clone(),
        groups: standing.group_names.iter().map(title).collect(),
        language: account.user.language.clone().unwrap_or_default(),
        languages: own.visit.look().named_languages(),
        is_declared: account.user.declared,
        is_saved: problem.is_none() && own.visit.query("done").is_some_and(|what| what == "1"),
        change_email: change_email(own, &account.user),
        is_email_changed: own.visit.query("done").is_some_and(|what| what == "email"),
        problem: problem.map(|(problem, _)| problem),
        action: PATH.to_owned(),
    };
    Ok(own.page(&page, problem.is_some()))
}

/// The flow that replaces an address: the first declared one, or the built-in one.
fn change_email(own: &Own<'_>, user: &User) -> Option<String> {
    let runtime = &own.visit.runtime;
    if user.declared || !mail::is_configured(runtime) {
        return None;
    }
    let replaces = |flow: &&Arc<Flow>| {
        flow.purpose == Purpose::Setup
            && flow.stages.iter().any(|stage| matches!(stage.kind, StageKind::EmailVerify { .. }))
    };
    let by_rank = |flow: &&Arc<Flow>| (flow.is_builtin(), flow.slug.value.clone());
    let flow = runtime.flows.values().filter(replaces).min_by_key(by_rank)?;
    Some(set_up(&flow.slug.value, &format!("{PATH}?done=email")))
}

pub async fn change(own: &Own<'_>, form: &Form) -> Answer {
    match form.text("do") {
        "language" => speak(own, form.text("language")).await,
        _ => rename(own, form.text("name")).await,
    }
}

/// Pages and mail are in this language from now on; without one the browser says.
async fn speak(own: &Own<'_>, language: &str) -> Answer {
    let server = own.visit.server;
    let known = own.visit.look().languages().any(|known| known == language);
    if !language.is_empty() && !known {
        return Ok(own.visit.error(ErrorKind::BadRequest));
    }
    let mut tx = server.store.begin().await?;
    tx.set_language(own.id(), (!language.is_empty()).then_some(language)).await?;
    tx.commit().await?;
    server.sessions.refresh_account(own.id()).await?;
    Ok(reply::see_other(&format!("{PATH}?done=1")))
}

async fn rename(own: &Own<'_>, name: &str) -> Answer {
    let user = own.user();
    if user.declared {
        return Ok(own.visit.error(ErrorKind::BadRequest));
    }
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return show(own, Some((ProfileProblem::BadName, name)));
    }
    let server = own.visit.server;
    let mut tx = server.store.begin().await?;
    if !tx.rename_user(&user.id, name).await? {
        return Ok(own.visit.error(ErrorKind::BadRequest));
    }
    tx.commit().await?;
    server.sessions.refresh_account(&user.id).await?;
    let data = serde_json::json!({ "user": user.id, "address": own.visit.address() });
    server.journal.note("profile.changed", Some(&user.username), None, data);
    Ok(reply::see_other(&format!("{PATH}?done=1")))
}
