//! `terms` and `consent`: what a person agrees to before they go on.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::errand::Errand;
use super::{Answer, Run, Trouble, action, by_way_of, go_on};
use crate::flow::stages::{Agreed, Next};
use crate::pages::onward::Onward;
use crate::pages::visit::Visit;
use crate::session::SignIn;
use crate::store::{Consent, Read, Terms, Tx};
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{AskConsent, AskTerms, ErrorKind};

/// What somebody agreed to before this flow.
pub async fn before(
    visit: &Visit<'_>,
    read: &Read,
    user_id: &str,
    sign_in: Option<&SignIn>,
) -> Result<Agreed, Trouble> {
    let terms = read.list_agreements_of(user_id).await?;
    let (Some(onward), Some(sign_in)) = (visit.onward(), sign_in) else {
        return Ok(Agreed { consent: false, terms });
    };
    let now = visit.server.clock.now();
    let consent = read.find_consent(user_id, &onward.app().uid).await?;
    let covers = |consent: Consent| {
        let anew = onward.consent_since().is_some_and(|since| consent.given_at < since);
        !anew && consent.covers(&onward.shares(), &sign_in.id, now)
    };
    Ok(Agreed { consent: consent.is_some_and(covers), terms })
}

/// Where somebody who may enter an app has to go first, if the flow that it is entered by asks
/// something: `here` is the way into the app.
pub async fn first(
    visit: &Visit<'_>,
    sign_in: &Arc<SignIn>,
    here: &str,
) -> Result<Option<Response<Body>>, Trouble> {
    let Some(onward) = Onward::of(visit, here) else { return Ok(None) };
    let flow = onward.authorization_flow(visit);
    if flow.is_none_or(|flow| flow.stages.is_empty()) {
        return Ok(None);
    }
    let way = by_way_of(Errand::Authorize.path(), here);
    Ok((!is_settled(visit, sign_in, here).await?).then(|| reply::see_other(&way)))
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
    let Some(onward) = run.visit.onward() else {
        return Ok(run.visit.error(ErrorKind::BadRequest));
    };
    let app = onward.app();
    let days = remember.map(|lasts| lasts.as_secs() / 86_400);
    let page = AskConsent {
        app: app.title.clone(),
        host: onward.host().unwrap_or_default(),
        shares: onward.shares().into_iter().map(str::to_owned).collect(),
        days: days.and_then(|days| u32::try_from(days.max(1)).ok()),
        action: action(run.visit),
    };
    Ok(run.ask(&page, false))
}

/// The person lets the app know, or goes back to where they came from.
pub async fn answer_consent(mut run: Run<'_>, remember: Option<Duration>, form: &Form) -> Answer {
    let visit = run.visit;
    let (Some(onward), Some(sign_in)) = (visit.onward(), run.sign_in.clone()) else {
        return Ok(super::expired(visit));
    };
    let (server, app) = (visit.server, onward.app());
    let shares: Vec<String> = onward.shares().into_iter().map(str::to_owned).collect();
    let data = serde_json::json!({
        "app": app.slug, "name": app.title, "shares": shares, "address": visit.address(),
    });
    let who = run.who();
    if form.text("do") != "allow" {
        server.journal.note("consent.refused", Some(&who), None, data);
        return Ok(onward.refused(visit));
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
