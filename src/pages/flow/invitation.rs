//! `invitation`: who may come. Looking at one uses nothing up.

use axum::body::Body;
use http::Response;

use super::{Answer, Run, Trouble, action};
use crate::blueprint::flow::Purpose;
use crate::flow::attempts::{Guesses, Taken};
use crate::store::Invitation;
use crate::web::form::Form;
use crate::web::templates::AskInvitation;
use crate::web::visitor;

/// Goes on by the invitation in the address, if the flow has none yet.
pub async fn take_from_address(run: &mut Run<'_>) -> Result<(), Trouble> {
    let needed = run.attempt.flow.purpose == Purpose::Enrollment
        && run.attempt.progress.invitation.is_none();
    let Some(given) = run.visit.query("invitation").filter(|_| needed) else { return Ok(()) };
    if let Some(invitation) = find(run, &given).await? {
        accept(run, invitation);
    }
    Ok(())
}

/// Whoever made it vouches for an address that it says.
fn accept(run: &mut Run<'_>, invitation: Invitation) {
    run.attempt.progress.verified = invitation.fields.get("email").cloned();
    run.attempt.progress.filled.fix(&invitation.fields);
    run.attempt.progress.invitation = Some(invitation.id);
}

/// An invitation to this flow that is still good for somebody.
async fn find(run: &Run<'_>, given: &str) -> Result<Option<Invitation>, Trouble> {
    let server = run.visit.server;
    let digest = server.key.digest(given.as_bytes());
    let found = server.store.read().await?.find_invitation(&digest).await?;
    let (now, flow) = (server.clock.now(), &run.attempt.flow.slug.value);
    Ok(found.filter(|found| found.is_usable(now) && found.flow == *flow))
}

pub fn ask(run: &Run<'_>, wrong: bool) -> Response<Body> {
    let flow = &run.attempt.flow;
    let page = AskInvitation {
        title: run.visit.title(flow, None),
        wrong: wrong || run.visit.query("invitation").is_some(),
        action: action(run.visit),
    };
    run.ask(&page, wrong)
}

/// An invitation was typed or pasted, as it is or with its address.
pub async fn answer(mut run: Run<'_>, form: &Form) -> Answer {
    let visit = run.visit;
    let given = form.text("invitation");
    let given = given.rsplit_once("invitation=").map_or(given, |(_, token)| token);
    let guesses = Guesses::at_key(visitor::address_key(visit.client));
    if let Taken::Wait(wait) = guesses.take(&visit.server.store, visit.server.clock.now()).await? {
        return Ok(super::too_many(visit, wait));
    }
    let Some(invitation) = find(&run, given).await? else { return Ok(ask(&run, true)) };
    guesses.give_back(&visit.server.store).await?;
    accept(&mut run, invitation);
    run.save_and_turn().await
}
