//! `authenticator-webauthn`: a new passkey or security key.

use webauthn_rs_core::proto::RegistrationState;

use super::{Answer, Run, Trouble, action, added, passkey as first};
use crate::factor::ceremony::{self, Purpose};
use crate::factor::passkey::{self, Owner, Verification, Wish};
use crate::model::factor::Factor;
use crate::store;
use crate::web::form::Form;
use crate::web::templates::{FactorProblem, PasskeyChallenge, SetUpPasskey};

/// What a stage asks of a new passkey, in the words of blueprints.
pub fn wish(verification: Option<&str>, resident: Option<&str>, attestation: Option<&str>) -> Wish {
    Wish {
        verification: match verification {
            Some("required") => Verification::Required,
            Some("discouraged") => Verification::Discouraged,
            _ => Verification::Preferred,
        },
        resident: !matches!(resident, Some("discouraged")),
        attestation: attestation == Some("direct"),
    }
}

pub fn ask(run: &Run<'_>, wish: Wish, problem: Option<FactorProblem>) -> Answer {
    let page = SetUpPasskey {
        who: run.who(),
        passkey: challenge(run, wish)?,
        error: problem,
        may_leave: run.may_leave(),
        cancel: run.cancel(),
        action: action(run.visit),
    };
    Ok(run.ask(&page, problem.is_some()))
}

fn challenge(run: &Run<'_>, wish: Wish) -> Result<PasskeyChallenge, Trouble> {
    let server = run.visit.server;
    let held = run.record.held.of_class(Factor::Webauthn);
    let held = held.map(|factor| passkey::stored(&server.key, factor));
    let held = held.collect::<Result<Vec<_>, _>>()?;
    let (who, id) = (run.who(), run.attempt.progress.user_id.as_deref().unwrap_or_default());
    let owner = Owner { user_id: id, username: &who, name: &who };
    let asked = first::relying_party(run)?.ask_to_make(owner, wish, &held)?;
    let at = (Purpose::SetUp, run.attempt.cookie.as_str());
    let now = server.clock.now();
    let sealed = ceremony::seal(&server.key, &server.rng, at, asked.state, now)?;
    Ok(PasskeyChallenge { options: asked.options, sealed })
}

pub async fn answer(run: Run<'_>, wish: Wish, form: &Form) -> Answer {
    let server = run.visit.server;
    let now = server.clock.now();
    let at = (Purpose::SetUp, run.attempt.cookie.as_str());
    let sealed = form.text("ceremony");
    let state: Option<RegistrationState> = ceremony::open(&server.key, at, sealed, now);
    let Some(state) = state else { return ask(&run, wish, Some(FactorProblem::Wrong)) };
    let credential = match first::relying_party(&run)?.made(form.text("answer"), &state) {
        Ok(credential) => credential,
        Err(reason) => {
            tracing::info!(reason, "a passkey could not be set up");
            return ask(&run, wish, Some(FactorProblem::Wrong));
        }
    };
    let id = server.rng.id("fac", now)?;
    let factor = store::Factor {
        user_id: run.attempt.progress.user_id.clone().unwrap_or_default(),
        kind: Factor::Webauthn,
        name: run.name_for(Factor::Webauthn),
        credential: Some(passkey::credential_id(&credential.cred_id)),
        sealed: crate::factor::seal(&server.key, &server.rng, &id, &credential)?,
        counter: i64::from(credential.counter),
        created_at: now,
        used_at: None,
        id,
    };
    added::keep(run, factor).await
}
