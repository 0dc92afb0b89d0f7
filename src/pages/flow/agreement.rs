//! `terms` and `consent`: what a person agrees to before they go on.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::errand::Errand;
use super::{Answer, Run, Trouble, action, app_of, by_way_of, go_on};
use crate::blueprint::app::IdentityHeaders;
use crate::flow::stages::{Agreed, Next};
use crate::forward_auth::handover::Entry;
use crate::pages::visit::Visit;
use crate::runtime::app::App;
use crate::session::SignIn;
use crate::store::{Consent, Read, Terms, Tx};
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{AskConsent, AskTerms, ErrorKind};

const IDENTITY: [&str; 4] = ["username", "name", "email", "groups"];

/// What an app is told of whoever enters it, in the words of the page.
pub fn shares(app: &App) -> Vec<&'static str> {
    let told = |address: &&crate::runtime::app::Address| address.identity != IdentityHeaders::None;
    let mut words = Vec::new();
    if app.addresses.iter().any(|address| told(&address)) {
        words.extend(IDENTITY);
    }
    if app.addresses.iter().any(|address| !address.headers.is_empty()) {
        words.push("more");
    }
    words
}

/// What somebody agreed to before this flow.
pub async fn before(
    visit: &Visit<'_>,
    read: &Read,
    user_id: &str,
    sign_in: Option<&SignIn>,
) -> Result<Agreed, Trouble> {
    let terms = read.list_agreements_of(user_id).await?;
    let (Some(app), Some(sign_in)) = (app_of(visit), sign_in) else {
        return Ok(Agreed { consent: false, terms });
    };
    let now = visit.server.clock.now();
    let consent = read.find_consent(user_id, &app.uid).await?;
    let covers = |consent: Consent| consent.covers(&shares(app), &sign_in.id, now);
    Ok(Agreed { consent: consent.is_some_and(covers), terms })
}

/// Where somebody who may enter an app has to go first: through the flow that it is entered by.
pub async fn first(
    visit: &Visit<'_>,
    sign_in: &Arc<SignIn>,
) -> Result<Option<Response<Body>>, Trouble> {
    let query = visit.parts.uri.query().unwrap_or("");
    let Entry::Open(app) = visit.entry(query, sign_in).await else {
        return Ok(None);
    };
    let flow = visit.runtime.authorization_flow(app);
    if flow.is_none_or(|flow| flow.stages.is_empty()) {
        return Ok(None);
    }
    let asked = visit.parts.uri.path_and_query().map_or("/", |asked| asked.as_str());
    let way = by_way_of(Errand::Authorize.path(), asked);
    Ok((!is_settled(visit, sign_in, asked).await?).then(|| reply::see_other(&way)))
}

/// Whether the flow has nothing to ask.
async fn is_settled(
    visit: &Visit<'_>,
    sign_in: &Arc<SignIn>,
    asked: &str,
) -> Result<bool, Trouble> {
    let to = by_way_of(Errand::Authorize.path(), asked);
    let Some(inner) = visit.at(&to) else { return Ok(false) };
    let mut run = Run::first(&inner, Errand::Authorize, sign_in).await?;
    let generation = Arc::clone(&run.attempt.generation);
    Ok(matches!(run.next(&generation), Some(Next::Done)))
}

pub fn ask_terms(run: &Run<'_>, terms: &Terms, again: bool) -> Answer {
    let Some(text) = run.visit.runtime.text(&terms.file) else {
        tracing::error!(file = terms.file, "terms to be agreed to are not there");
        return Ok(run.visit.error(ErrorKind::Internal));
    };
    let page = AskTerms {
        blocks: crate::web::prose::blocks(text),
        version: terms.version.clone(),
        continue_to: run.continue_to(),
        is_unticked: again,
        action: action(run.visit),
    };
    Ok(run.ask(&page, again))
}

/// Terms are kept with the account once it is proven whose agreement it is.
pub async fn answer_terms(mut run: Run<'_>, terms: Terms, form: &Form) -> Answer {
    if form.text("agree").is_empty() {
        return ask_terms(&run, &terms, true);
    }
    run.attempt.progress.agreed.push(terms);
    if run.errand != Errand::Authorize {
        return run.save_and_turn().await;
    }
    let Some(sign_in) = run.sign_in.clone() else { return Ok(super::expired(run.visit)) };
    let mut tx = run.visit.server.store.begin().await?;
    keep(&mut tx, &run, sign_in.account.id()).await?;
    tx.commit().await?;
    go_on(run).await
}

/// Writes down what was agreed to in a flow.
pub async fn keep(tx: &mut Tx, run: &Run<'_>, user_id: &str) -> Result<(), Trouble> {
    let now = run.visit.server.clock.now();
    for terms in &run.attempt.progress.agreed {
        tx.put_agreement(user_id, terms, now).await?;
        let data = serde_json::json!({
            "name": terms.file, "version": terms.version, "address": run.visit.address(),
        });
        run.visit.server.journal.note("terms.agreed", Some(&run.who()), None, data);
    }
    Ok(())
}

pub fn ask_consent(run: &Run<'_>, remember: Option<Duration>) -> Answer {
    let Some(app) = app_of(run.visit) else { return Ok(run.visit.error(ErrorKind::BadRequest)) };
    let launch = app.launch_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let days = remember.map(|lasts| lasts.as_secs() / 86_400);
    let page = AskConsent {
        app: app.title.clone(),
        host: launch.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default(),
        shares: shares(app).into_iter().map(str::to_owned).collect(),
        days: days.and_then(|days| u32::try_from(days.max(1)).ok()),
        action: action(run.visit),
    };
    Ok(run.ask(&page, false))
}

/// The person lets the app know, or goes back to where they came from.
pub async fn answer_consent(mut run: Run<'_>, remember: Option<Duration>, form: &Form) -> Answer {
    let visit = run.visit;
    let (Some(app), Some(sign_in)) = (app_of(visit), run.sign_in.clone()) else {
        return Ok(super::expired(visit));
    };
    let server = visit.server;
    let shares: Vec<String> = shares(app).into_iter().map(str::to_owned).collect();
    let data = serde_json::json!({
        "app": app.slug, "name": app.title, "shares": shares, "address": visit.address(),
    });
    let who = run.who();
    if form.text("do") != "allow" {
        server.journal.note("consent.refused", Some(&who), None, data);
        return Ok(reply::see_other("/"));
    }
    let now = server.clock.now();
    let consent = Consent {
        user_id: sign_in.account.id().to_owned(),
        app_uid: app.uid.clone(),
        shares,
        session_id: remember.is_none().then(|| sign_in.id.clone()),
        given_at: now,
        expires_at: remember.map_or_else(|| sign_in.expires_at(), |lasts| now.plus(lasts)),
    };
    let mut tx = server.store.begin().await?;
    tx.put_consent(&consent).await?;
    tx.commit().await?;
    server.journal.note("consent.given", Some(&who), None, data);
    run.record.agreed.consent = true;
    go_on(run).await
}
