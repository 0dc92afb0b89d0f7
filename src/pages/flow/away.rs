//! A browser that was sent elsewhere, and comes back to the flow that it was sent from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

use super::{Trouble, run};
use crate::flow::progress::Progress;
use crate::pages::visit::Visit;

/// What this browser was sent away with, as its flow keeps it.
pub async fn sent<T: DeserializeOwned>(visit: &Visit<'_>) -> Result<Option<T>, Trouble> {
    let server = visit.server;
    let Some(cookie) = visit.cookie(&visit.flow_cookie()) else { return Ok(None) };
    let digest = server.key.digest(cookie.as_bytes());
    let now = server.clock.now();
    let Some(state) = server.store.read().await?.find_flow_state(&digest, now).await? else {
        return Ok(None);
    };
    let Ok(progress) = serde_json::from_value::<Progress>(state.data) else { return Ok(None) };
    let pending = progress.pending.as_deref().and_then(|text| STANDARD.decode(text).ok());
    let bound = run::bound(cookie, &progress);
    Ok(pending.and_then(|sealed| crate::factor::open::<T>(&server.key, &bound, &sealed).ok()))
}

/// The address of the flow with what the visit brings, each under a name that the flow knows it by.
pub fn with_answer(visit: &Visit<'_>, back: &str, names: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (brought, known) in names {
        if let Some(value) = visit.query(brought) {
            query.append_pair(known, &value);
        }
    }
    super::with(back, &query.finish())
}
