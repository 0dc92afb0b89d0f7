//! `/if/admin/`: what state the place is in, who is here and what happened, for those whose group opens
//! the console. It changes nothing.

use axum::body::Body;
use http::{Response, StatusCode};

use super::trouble::Trouble;
use super::visit::Visit;
use super::{portal, sign_out};
use crate::blueprint::people::ConsoleRole;
use crate::clock::Millis;
use crate::session::Standing;
use crate::store::{Event, EventFilter, User};
use crate::web::reply::{self, For};
use crate::web::templates::{Admin, AdminEvent, AdminPerson, ErrorKind};

/// So much of each is shown.
const PEOPLE: i64 = 200;
const EVENTS: i64 = 100;

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match show(visit).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn show(visit: &Visit<'_>) -> Result<Response<Body>, Trouble> {
    let Some(sign_in) = visit.sign_in_for(None).await? else {
        return Ok(reply::see_other("/sign-in?next=%2Fif%2Fadmin%2F"));
    };
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    // Whoever has no role learns of no such page.
    if !has_role(visit, &standing) {
        return Ok(visit.error(ErrorKind::NotFound));
    }
    let read = visit.server.store.read().await?;
    let people = read.list_users("", PEOPLE).await?;
    let events = read.list_events(EventFilter::default(), EVENTS).await?;
    drop(read);
    let (runtime, health) = (&visit.runtime, visit.server.health.load());
    let page = Admin {
        state: health.state.word(),
        since: health.since.minute(),
        generation: runtime.generation,
        revision: runtime.revision.clone(),
        files: runtime.sources.files.len(),
        apps: runtime.apps.len(),
        problems: health.problems.clone(),
        remedy: health.remedy.map(str::to_owned),
        people: people.iter().map(|user| person(visit, user)).collect(),
        events: events.into_iter().map(shown).collect(),
    };
    let user = portal::shown(&standing, &profile);
    let csrf = sign_out::csrf_token(visit);
    let wanted = For {
        user: Some(&user),
        csrf: csrf.as_deref(),
        ..For::sign_in_host(StatusCode::OK, &visit.parts.headers)
    };
    Ok(visit.page(wanted, &page))
}

fn has_role(visit: &Visit<'_>, standing: &Standing) -> bool {
    !standing.disabled && visit.runtime.role_in(&standing.group_names) != ConsoleRole::None
}

fn person(visit: &Visit<'_>, user: &User) -> AdminPerson {
    let declared = visit.runtime.declared.get(&user.username);
    AdminPerson {
        username: user.username.clone(),
        name: user.name.clone(),
        email: user.email.clone(),
        place: declared.map(|person| person.place.clone()),
        is_disabled: user.disabled || declared.is_some_and(|person| person.disabled),
        signed_in: user.signed_in_at.map(Millis::minute),
    }
}

fn shown(event: Event) -> AdminEvent {
    AdminEvent {
        kind: event.kind,
        when: event.at.minute(),
        actor: event.actor,
        subject: event.subject,
        address: event.data.get("address").and_then(|value| value.as_str()).map(str::to_owned),
    }
}
