//! One router as Traefik's API tells it, and where its middlewares lead.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::rule::Rule;
use super::traefik_api::full_name;
use crate::forward_auth::reader::Reader;

/// Chains within chains are looked at this deep; Traefik refuses circles itself.
const DEEPEST: usize = 8;

/// Middlewares by full name, such as `doorward@file`.
pub type Middlewares = BTreeMap<String, Value>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Router {
    pub name: String,
    pub provider: String,
    pub rule: Rule,
    pub priority: i64,
    pub entry_points: Vec<String>,
    pub middlewares: Vec<String>,
    pub service: String,
    pub status: String,
    pub error: Vec<String>,
}

impl Router {
    pub fn is_enabled(&self) -> bool {
        self.status != "disabled"
    }

    /// What it leads to is Traefik itself, such as its dashboard.
    pub fn is_internal(&self) -> bool {
        self.service.ends_with("@internal")
    }

    /// It leads to our own paths below an app's host.
    pub fn is_own_path(&self) -> bool {
        let rule = self.rule.as_str().replace("!PathPrefix(`/outpost.goauthentik.io/", "");
        rule.contains("PathPrefix(`/.doorward/")
            || rule.contains("PathPrefix(`/outpost.goauthentik.io/")
    }

    /// Traefik counts the letters of a rule where no priority is written.
    pub fn priority(&self) -> i64 {
        match self.priority {
            0 => i64::try_from(self.rule.as_str().len()).unwrap_or(i64::MAX),
            written => written,
        }
    }

    /// A name with the provider that it has when none is written.
    pub fn full_name(&self, name: &str) -> String {
        full_name(name, &self.provider)
    }

    pub fn is_guarded(&self, known: &Middlewares) -> bool {
        self.reaches(known, &asks_us)
    }

    pub fn is_redirect(&self, known: &Middlewares) -> bool {
        self.reaches(known, &|middleware| {
            ["redirectScheme", "redirectRegex"].iter().any(|kind| middleware.get(kind).is_some())
        })
    }

    /// The line that puts it behind the middleware of this name.
    pub fn guarding_line(&self, middleware: &str) -> String {
        let bare = self.name.split('@').next().unwrap_or(&self.name);
        match self.provider.as_str() {
            "docker" | "swarm" => format!(
                "labels:\n  - \"traefik.http.routers.{bare}.middlewares={middleware}@file\""
            ),
            _ => format!("{bare}:\n  middlewares: [\"{middleware}@file\"]   # first of all"),
        }
    }

    fn reaches(&self, known: &Middlewares, wanted: &dyn Fn(&Value) -> bool) -> bool {
        self.middlewares.iter().any(|name| leads(known, name, &self.provider, wanted, 0))
    }
}

fn asks_us(middleware: &Value) -> bool {
    let address = middleware.pointer("/forwardAuth/address").and_then(Value::as_str);
    let url = address.and_then(|address| url::Url::parse(address).ok());
    url.is_some_and(|url| Reader::of_path(url.path()).is_some())
}

fn leads(
    known: &Middlewares,
    name: &str,
    provider: &str,
    wanted: &dyn Fn(&Value) -> bool,
    depth: usize,
) -> bool {
    let full = full_name(name, provider);
    let Some(middleware) = known.get(&full).filter(|_| depth < DEEPEST) else {
        return false;
    };
    // Switched off, it guards nothing.
    if middleware.get("status").and_then(Value::as_str) == Some("disabled") {
        return false;
    }
    let provider = full.rsplit('@').next().unwrap_or(provider);
    let inner = middleware.pointer("/chain/middlewares").and_then(Value::as_array);
    let mut inner = inner.into_iter().flatten().filter_map(Value::as_str);
    wanted(middleware)
        || inner.any(|name| leads(known, name, provider, wanted, depth.saturating_add(1)))
}
