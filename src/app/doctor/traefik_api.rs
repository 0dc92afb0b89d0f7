//! Lists from Traefik's API, page after page.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ask::{AskError, Asker};
use crate::model::web_url::WebUrl;

/// More pages than anybody has.
const MOST_PAGES: usize = 50;

/// Everything of a kind: `routers`, `middlewares` or `services`.
///
/// # Errors
/// If the API does not answer, or answers something else.
pub async fn list(asker: &Asker, api: &WebUrl, kind: &str) -> Result<Vec<Value>, AskError> {
    let base = api.as_str().trim_end_matches('/');
    let path = format!("api/http/{kind}");
    let mut all = Vec::new();
    let mut page = "1".to_owned();
    for _ in 0..MOST_PAGES {
        let url = format!("{base}/{path}?per_page=100&page={page}");
        let answer = asker.get(&url, &[]).await?;
        if answer.status != 200 {
            return Err(AskError::Other(format!("/{path} gave {}", answer.status)));
        }
        let listed: Vec<Value> = serde_json::from_str(&answer.body)
            .map_err(|_| AskError::Other(format!("/{path} is not a list of Traefik's API")))?;
        all.extend(listed);
        // The last page names the first as its next.
        match answer.next_page {
            Some(next) if next != "1" && next != page => page = next,
            _ => break,
        }
    }
    Ok(all)
}

/// A name with the provider that it has when none is written.
pub fn full_name(name: &str, provider: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{provider}") }
}

/// The same by full name, such as `doorward@file`.
pub fn by_name(all: Vec<Value>) -> BTreeMap<String, Value> {
    let named = all.into_iter().filter_map(|each| {
        let name = each.get("name").and_then(Value::as_str)?.to_owned();
        Some((name, each))
    });
    named.collect()
}
