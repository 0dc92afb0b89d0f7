//! `identification`: who is it.

use std::sync::Arc;

use super::errand::Errand;
use super::{Answer, Run, action, by_way_of, passkey, source, with};
use crate::blueprint::flow::{Accept, Identification, Purpose, StageKind};
use crate::blueprint::source::Name;
use crate::factor::passkey::Verification;
use crate::identity_source::Wish;
use crate::store::User;
use crate::web::form::Form;
use crate::web::templates::{Connecting, FlowLink, FlowLinkKind, Identify, IdentifyProblem};

/// A longer name is nobody's: the longest e-mail address (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// What is wrong, and the title of the source that it is about.
pub type Problem = (IdentifyProblem, Option<String>);

/// Asks for a name; a browser that has a passkey may offer it in its place.
pub fn ask(run: &Run<'_>, stage: &Identification, problem: Option<Problem>) -> Answer {
    let passkey = match stage.passkey_autofill {
        true => Some(passkey::challenge(run, Vec::new(), Verification::Required)?),
        false => None,
    };
    let action = action(run.visit);
    let again = problem.is_some();
    let (error, about) = problem.map_or((None, None), |(error, about)| (Some(error), about));
    let asserted = run.attempt.progress.asserted.as_ref();
    let page = Identify {
        title: run.visit.title(&run.attempt.flow, None),
        username: hinted(run),
        takes_names: stage.takes_names(),
        error,
        about,
        continue_to: run.continue_to(),
        links: links(run, stage),
        passkey,
        sources: source::buttons(run, stage),
        connecting: asserted.map(|asserted| Connecting {
            source: source::title(&run.visit.runtime, asserted),
            there: asserted.shown_as.clone(),
            start_over: with(&action, "restart=1"),
        }),
        action,
    };
    Ok(run.ask(&page, again))
}

/// Whom the app thinks it is (`login_hint`, OIDC Core §3.1.2.1): filled in, to be corrected.
fn hinted(run: &Run<'_>) -> String {
    let onward = run.visit.onward();
    let hint = onward.as_ref().and_then(|onward| onward.login_hint()).unwrap_or("");
    hint.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Ways to the flows that the stage names; to none that could not go on.
pub fn links(run: &Run<'_>, stage: &Identification) -> Vec<FlowLink> {
    let visit = run.visit;
    let link = |name: &Name| {
        let flow = visit.runtime.flows.get(&name.value)?;
        let kind = match flow.purpose {
            Purpose::Enrollment => FlowLinkKind::Enrollment,
            Purpose::Recovery => FlowLinkKind::Recovery,
            _ => FlowLinkKind::OtherWay,
        };
        let mails = flow.stages.iter().any(|each| matches!(each.kind, StageKind::EmailLink { .. }));
        if mails && !crate::mail::is_configured(&visit.runtime) {
            return None;
        }
        let mut url = by_way_of(Errand::for_purpose(flow.purpose)?.path(), &visit.next());
        url = with(&url, &format!("flow={}", flow.slug.value));
        Some(FlowLink { kind, url })
    };
    stage.links.iter().filter_map(link).collect()
}

/// A name was given. Nothing that follows tells whether anybody has it.
pub async fn answer(mut run: Run<'_>, stage: &Identification, form: &Form) -> Answer {
    let login = form.text("username");
    if login.is_empty() || !stage.takes_names() {
        return ask(&run, stage, Some((IdentifyProblem::Missing, None)));
    }
    if login.len() > LONGEST || login.contains('\0') {
        return ask(&run, stage, Some((IdentifyProblem::TooLong, None)));
    }
    let runtime = Arc::clone(&run.visit.runtime);
    let source = source::for_address(&run, stage, login).map(|source| source.slug.clone());
    if let Some(source) = source.and_then(|slug| runtime.identity_source(&slug)) {
        return source::send(run, source, Wish { hint: Some(login), again: false }).await;
    }
    let user = run.visit.server.store.read().await?.find_user_by_login(login).await?;
    let user = user.filter(|user| accepts(stage, user, login));
    run.attempt.progress.login = Some(login.to_owned());
    run.attempt.progress.user_id = user.map(|user| user.id);
    run.save_and_turn().await
}

/// Whether the stage takes this kind of name. `accept` unsaid takes both.
fn accepts(identification: &Identification, user: &User, login: &str) -> bool {
    let is_username = crate::store::fold(login) == user.username_key;
    let wanted = if is_username { Accept::Username } else { Accept::Email };
    identification.accept.is_empty() || identification.accept.contains(&wanted)
}
