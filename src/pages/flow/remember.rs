//! The browser that a person signed in with, and the proofs that it remembers (`security.md` R9).

use std::time::Duration;

use axum::body::Body;
use http::Response;

use super::{Run, Trouble};
use crate::clock::Millis;
use crate::pages::visit::Visit;
use crate::store::{Browser, Tx};

/// As long as browsers keep any cookie.
const LASTS: Duration = Duration::from_secs(400 * 86_400);

/// What is known of the browser after a sign-in.
pub struct Noted {
    /// The cookie's value.
    token: String,
    /// Nobody signed in with it as this person before.
    pub is_new: bool,
    /// The person never signed in with any browser before.
    pub is_first: bool,
}

/// Notes that the person came with this browser, which remembers what was proven if they let it.
pub async fn note(
    tx: &mut Tx,
    run: &Run<'_>,
    user_id: &str,
    now: Millis,
) -> Result<Noted, Trouble> {
    let visit = run.visit;
    let token = match visit.cookie(&visit.browser_cookie()) {
        Some(known) if known.len() == 43 => known.to_owned(),
        _ => visit.server.rng.token()?,
    };
    let digest = visit.server.key.digest(token.as_bytes());
    let known = tx.find_browser(&digest, user_id).await?;
    let mut proofs = known.as_ref().map(|known| known.proofs.clone()).unwrap_or_default();
    if run.attempt.progress.remember {
        proofs.extend(run.attempt.progress.proven.iter().map(|(factor, at)| (*factor, *at)));
    }
    let browser = Browser {
        digest,
        user_id: user_id.to_owned(),
        proofs,
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        seen_at: now,
        address: visit.address(),
        agent: visit.agent(),
    };
    let is_new = known.is_none();
    let is_first = is_new && tx.list_browsers_of(user_id).await?.is_empty();
    tx.put_browser(&browser).await?;
    Ok(Noted { token, is_new, is_first })
}

/// The browser is known again by this.
pub fn set_cookie(visit: &Visit<'_>, response: &mut Response<Body>, noted: &Noted) {
    visit.set_cookie(response, &visit.browser_cookie(), &noted.token, Some(LASTS));
}
