//! The apps that a person may use.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Response, StatusCode};

use super::visit::Visit;
use crate::access::condition::Reputation;
use crate::access::{self, Decision, Query, Target};
use crate::runtime::app::App;
use crate::session::{Profile, SignIn, Standing};
use crate::web::reply::{self, For};
use crate::web::templates::{AppCard, Category, Person, Portal, Templates};

/// So many apps are worth a field to search in.
const WORTH_SEARCHING: usize = 7;

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    let sign_in = match visit.sign_in_for(None).await {
        Ok(Some(sign_in)) => sign_in,
        Ok(None) => return reply::see_other("/sign-in"),
        Err(error) => return visit.unavailable(&error),
    };
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let reputation = visit.reputation(Some(&profile.user.id)).await;
    let categories = categories(visit, &sign_in, &profile, &standing, reputation);
    let count: usize = categories.iter().map(|category| category.apps.len()).sum();
    let page = Portal { categories, is_searchable: count >= WORTH_SEARCHING };
    let user = shown(&standing, &profile);
    let csrf = super::sign_out::csrf_token(visit);
    let wanted = For {
        user: Some(&user),
        csrf: csrf.as_deref(),
        ..For::sign_in_host(StatusCode::OK, &visit.parts.headers)
    };
    visit.page(wanted, &page)
}

/// The person as pages show them.
pub fn shown(standing: &Standing, profile: &Profile) -> Person {
    let username = profile.user.username.clone();
    let name = if standing.name.is_empty() { username.clone() } else { standing.name.clone() };
    Person { name, username, language: profile.user.language.clone() }
}

/// Apps without a category come first, then the categories by name.
fn categories(
    visit: &Visit<'_>,
    sign_in: &SignIn,
    profile: &Profile,
    standing: &Standing,
    reputation: Reputation,
) -> Vec<Category> {
    let person = standing.person(&profile.user.username, &sign_in.proofs);
    let look = visit.look();
    let mut by_title: BTreeMap<Option<String>, Vec<AppCard>> = BTreeMap::new();
    for app in visit.runtime.apps.iter().filter(|app| !app.hidden) {
        if let Some(card) = card(visit, app, &person, (reputation, &look)) {
            by_title.entry(app.category.clone()).or_default().push(card);
        }
    }
    let sorted = by_title.into_iter().map(|(title, mut apps)| {
        apps.sort_by_key(|app| app.title.to_lowercase());
        Category { title, apps }
    });
    sorted.collect()
}

/// What the rules say to the person at the app's front page, if it has one.
pub fn decision<'a>(
    visit: &Visit<'_>,
    app: &'a App,
    person: &access::Person<'_>,
    reputation: Reputation,
) -> Option<Decision<'a>> {
    let parsed = url::Url::parse(app.launch_url.as_deref()?).ok()?;
    let target = Target {
        host: parsed.host_str().unwrap_or("").to_owned().into(),
        path: parsed.path().to_owned().into(),
        method: "GET".into(),
        client: visit.client,
    };
    let query = Query {
        access: &app.access,
        gate: None,
        target: &target,
        person: Some(person),
        now: visit.server.clock.now(),
        reputation,
    };
    Some(match access::decide(&query, None).decision {
        Decision::StepUp(_) => {
            app.access.requires.first().map_or(Decision::Allow, Decision::StepUp)
        }
        Decision::Allow => Decision::Allow,
        Decision::Deny => Decision::Deny,
        Decision::Login => Decision::Login,
    })
}

/// A card, if the person may open the app's front page.
fn card(
    visit: &Visit<'_>,
    app: &App,
    person: &access::Person<'_>,
    (reputation, look): (Reputation, &Templates),
) -> Option<AppCard> {
    let decision = decision(visit, app, person, reputation)?;
    let url = app.launch_url.clone()?;
    let parsed = url::Url::parse(&url).ok()?;
    let needs_second_factor = matches!(decision, Decision::StepUp(_));
    let open = needs_second_factor || matches!(decision, Decision::Allow);
    let icon = look.assets().marks().icon(&app.slug);
    open.then(|| AppCard {
        slug: app.slug.clone(),
        title: app.title.clone(),
        description: None,
        host: parsed.host_str().unwrap_or("").to_owned(),
        icon: icon.map(str::to_owned),
        url,
        needs_second_factor,
    })
}
