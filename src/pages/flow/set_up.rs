//! Choosing what to set up.

use axum::body::Body;
use http::Response;

use super::{Answer, Run, action};
use crate::blueprint::flow::{Flow, StageKind};
use crate::web::form::Form;
use crate::web::templates::{ChooseSetUp, SetUpChoice};

pub fn ask(run: &Run<'_>, flows: &[&Flow]) -> Response<Body> {
    let chosen = run.language();
    let choice = |flow: &&Flow| SetUpChoice {
        flow: flow.slug.value.clone(),
        title: run.visit.title(flow, chosen.as_deref()),
        kind: kind(flow),
    };
    let page = ChooseSetUp {
        who: run.who(),
        continue_to: run.continue_to(),
        choices: flows.iter().map(choice).collect(),
        action: action(run.visit),
    };
    run.ask(&page, false)
}

/// The first factor that a flow sets up.
pub fn kind(flow: &Flow) -> Option<&'static str> {
    flow.stages.iter().find_map(|stage| match stage.kind {
        StageKind::AuthenticatorTotp { .. } => Some("totp"),
        StageKind::AuthenticatorWebauthn { .. } => Some("webauthn"),
        StageKind::AuthenticatorEmail => Some("email-code"),
        StageKind::AuthenticatorDuo => Some("duo"),
        StageKind::RecoveryCodes { .. } => Some("recovery-code"),
        _ => None,
    })
}

pub async fn answer(mut run: Run<'_>, flows: &[&Flow], form: &Form) -> Answer {
    let chosen = form.text("with");
    let Some(flow) = flows.iter().find(|flow| flow.slug.value == chosen) else {
        return Ok(ask(&run, flows));
    };
    run.attempt.progress.enter(&flow.slug.value);
    run.save_and_turn().await
}
