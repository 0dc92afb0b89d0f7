//! A middleware file for Traefik, ours or a person's own: does it ask the right address, take every
//! identity header from our answer, and let no client choose the target?

use std::path::Path;

use serde_json::{Map, Value};

use super::Case;
use super::declared;
use super::finding::Finding;
use crate::blueprint::app::{App, IdentityHeaders};
use crate::forward_auth::reader::{Dialect, Reader};
use crate::proxy_config::identity_headers::{self, REPEATED};

const TOPIC: &str = "middleware";

/// What Traefik builds anew once they are deleted: these tell us the target.
const TARGET: [&str; 3] = ["X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Uri"];

/// The file, and what is known about this installation.
#[derive(Debug)]
pub struct Facts<'a> {
    pub name: String,
    pub text: &'a str,
    pub apps: &'a [App],
    /// `doorward:9000`, as `reach-doorward-at` says.
    pub reach: Option<String>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(case: &Case<'a>, path: &Path, text: &'a str) -> Self {
        let reach = declared::reach_at(case).map(|(url, _)| url.origin().authority().into_owned());
        Self { name: path.display().to_string(), text, apps: &case.blueprint.apps, reach }
    }
}

pub(crate) fn look(case: &Case<'_>, path: &Path) -> Vec<Finding> {
    match std::fs::read_to_string(path) {
        Ok(text) => judge(&Facts::new(case, path, &text)),
        Err(error) => vec![
            Finding::error(TOPIC, format!("{} cannot be read", path.display()))
                .why(error.to_string())
                .change("doorward doctor --middleware /etc/traefik/dynamic/auth.yml"),
        ],
    }
}

/// Says what is wrong with every middleware of the file that asks Doorward.
pub fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let Ok(tree) = serde_saphyr::from_str::<Value>(facts.text) else {
        return vec![
            Finding::error(TOPIC, format!("{} is no YAML that can be read", facts.name))
                .why(
                    "Traefik ignores the whole file, and routers that name its middlewares go dark",
                )
                .change("write it as YAML; of TOML files nothing is known here"),
        ];
    };
    let none = Map::new();
    let all = tree.pointer("/http/middlewares").and_then(Value::as_object).unwrap_or(&none);
    let asking = all.iter().filter_map(|(name, each)| Some((name, each.get("forwardAuth")?)));
    let mut found = Vec::new();
    let mut any = false;
    for (name, middleware) in asking {
        any = true;
        found.extend(examine(facts, all, name, middleware));
    }
    if !any {
        found.push(
            Finding::warning(TOPIC, format!("{} holds no forwardAuth middleware", facts.name))
                .why("nothing in it asks Doorward")
                .change(example(facts)),
        );
    }
    found
}

fn examine(
    facts: &Facts<'_>,
    all: &Map<String, Value>,
    name: &str,
    middleware: &Value,
) -> Vec<Finding> {
    let shown = format!("{name} in {}", facts.name);
    let address = middleware.get("address").and_then(Value::as_str).unwrap_or("");
    let reader = match reader(facts, &shown, address) {
        Ok(reader) => reader,
        Err(finding) => return vec![finding],
    };
    let mut found: Vec<Finding> = host(facts, &shown, address).into_iter().collect();
    found.extend(headers(facts, &shown, middleware, reader.identity));
    found.extend(trust(all, &shown, name, middleware));
    if found.is_empty() {
        found.push(Finding::ok(TOPIC, format!("{shown} asks {address} and lists every header")));
    }
    found
}

fn example(facts: &Facts<'_>) -> String {
    format!(
        "address: \"http://{}/auth/traefik\"",
        facts.reach.as_deref().unwrap_or("127.0.0.1:9000")
    )
}

fn reader(facts: &Facts<'_>, shown: &str, address: &str) -> Result<Reader, Finding> {
    let url = url::Url::parse(address).ok();
    let path = url.as_ref().map_or("", |url| url.path());
    match Reader::of_path(path) {
        Some(reader) if reader.dialect == Dialect::Forwarded => Ok(reader),
        Some(_) => Err(Finding::error(TOPIC, format!("{shown} asks {path}, which is for nginx"))
            .why("Traefik says the target in other headers, so every request would be refused")
            .change(example(facts))),
        None => Err(Finding::error(
            TOPIC,
            format!("{shown} asks {address}, which is no endpoint of Doorward"),
        )
        .why("every request would be answered with 404")
        .change(example(facts))),
    }
}

/// `security.md` R16: the endpoint answers only under the name that is declared.
fn host(facts: &Facts<'_>, shown: &str, address: &str) -> Option<Finding> {
    let url = url::Url::parse(address).ok()?;
    let host = url.host_str()?;
    let named = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let same = facts.reach.as_deref().is_some_and(|reach| reach.eq_ignore_ascii_case(&named));
    (!same && !declared::is_loopback(host)).then(|| {
        Finding::error(
            TOPIC,
            format!("{shown} asks {named}, which `reach-doorward-at` does not name"),
        )
        .why("decision endpoints answer only under that name; any other gets 404")
        .change(format!("traefik {{\n    reach-doorward-at \"{}://{named}\"\n}}", url.scheme()))
    })
}

fn headers(
    facts: &Facts<'_>,
    shown: &str,
    middleware: &Value,
    unsaid: IdentityHeaders,
) -> Vec<Finding> {
    let listed = Listed::of(middleware);
    let names = identity_headers::union(facts.apps, unsaid);
    let aliases = identity_headers::aliases(&names);
    let missing = |wanted: &[String]| -> Vec<String> {
        wanted.iter().filter(|name| !listed.has(name)).cloned().collect()
    };
    let mut found = Vec::new();
    let unguarded = missing(&names);
    if !unguarded.is_empty() {
        found.push(
            Finding::error(TOPIC, format!("{shown} does not list {}", unguarded.join(", ")))
                .why("a header that is not listed passes from the client to the application: anybody can be anybody")
                .change(lines(&unguarded)),
        );
    }
    let repeated: Vec<String> = REPEATED.iter().map(ToString::to_string).collect();
    let wanted = [missing(&aliases), missing(&repeated)].concat();
    if !wanted.is_empty() {
        found.push(
            Finding::warning(TOPIC, format!("{shown} does not list {}", wanted.join(", ")))
                .why(reasons(&wanted))
                .change(lines(&wanted)),
        );
    }
    found
}

fn reasons(missing: &[String]) -> String {
    let mut reasons = Vec::new();
    if missing.iter().any(|name| name.contains('_')) {
        reasons.push("servers in the manner of CGI read a client's Remote_User as Remote-User");
    }
    if missing.iter().any(|name| name == "Cookie") {
        reasons.push("without `Cookie` the application sees the session cookie");
    }
    if missing.iter().any(|name| name == "Authorization") {
        reasons.push(
            "without `Authorization` the application sees credentials that were meant for Doorward",
        );
    }
    if missing.iter().any(|name| name == "X-Forwarded-Host") {
        reasons.push("without `X-Forwarded-Host` the application no longer learns its own name");
    }
    reasons.join("; ")
}

fn lines(names: &[String]) -> String {
    let rows: Vec<String> = names.iter().map(|name| format!("  - \"{name}\"")).collect();
    format!("authResponseHeaders:\n{}", rows.join("\n"))
}

/// What the proxy takes from our answer alone.
struct Listed<'a> {
    names: Vec<&'a str>,
    pattern: Option<regex::Regex>,
}

impl<'a> Listed<'a> {
    fn of(middleware: &'a Value) -> Self {
        let list = middleware.get("authResponseHeaders").and_then(Value::as_array);
        let pattern = middleware.get("authResponseHeadersRegex").and_then(Value::as_str);
        Self {
            names: list.into_iter().flatten().filter_map(Value::as_str).collect(),
            pattern: pattern
                .filter(|text| !text.is_empty())
                .and_then(|text| regex::Regex::new(text).ok()),
        }
    }

    fn has(&self, name: &str) -> bool {
        // Traefik compares a pattern with the name in Go's canonical form.
        self.names.iter().any(|listed| listed.eq_ignore_ascii_case(name))
            || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(&canonical(name)))
    }
}

fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first
            .into_iter()
            .chain(letters.map(|letter| letter.to_ascii_lowercase()))
            .collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// `security.md` R1.
fn trust(all: &Map<String, Value>, shown: &str, name: &str, middleware: &Value) -> Option<Finding> {
    if middleware.get("trustForwardHeader").and_then(Value::as_bool) != Some(true) {
        return Some(
            Finding::warning(TOPIC, format!("{shown} does not say `trustForwardHeader: true`"))
                .why("behind an outer proxy Doorward would see its address and scheme instead of the client's")
                .change("trustForwardHeader: true   # and delete the target headers before, see docs/traefik.md"),
        );
    }
    (!deleted_before(all, name)).then(|| {
        Finding::warning(TOPIC, format!("{shown} lets a client inside `trustedIPs` choose the target"))
            .why("Traefik passes an incoming X-Forwarded-Uri on: a rule for a path could be talked round")
            .change(chain(name))
    })
}

/// Whether some chain deletes the names of the target right before this middleware.
fn deleted_before(all: &Map<String, Value>, name: &str) -> bool {
    all.values().any(|each| {
        let list = each.pointer("/chain/middlewares").and_then(Value::as_array);
        let names: Vec<&str> =
            list.into_iter().flatten().filter_map(Value::as_str).map(bare).collect();
        let Some(at) = names.iter().position(|each| *each == name) else { return false };
        names.iter().take(at).any(|before| all.get(*before).is_some_and(deletes))
    })
}

fn bare(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn deletes(middleware: &Value) -> bool {
    let headers = middleware.pointer("/headers/customRequestHeaders").and_then(Value::as_object);
    headers.is_some_and(|headers| {
        TARGET.iter().all(|name| {
            let mut entries = headers.iter();
            entries.any(|(key, value)| key.eq_ignore_ascii_case(name) && value.as_str() == Some(""))
        })
    })
}

fn chain(name: &str) -> String {
    let rows: Vec<String> = TARGET.iter().map(|each| format!("        {each}: \"\"")).collect();
    format!(
        "{name}-chain:   # and name this one in the routers\n  chain: {{ middlewares: [{name}-delete, {name}] }}\n\
         {name}-delete:\n  headers:\n      customRequestHeaders:\n{}",
        rows.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;
    use crate::app::doctor::sample::Sample;
    use crate::proxy_config::identity_headers::{AUTHENTIK, REMOTE};

    const APP: &str =
        "app wiki { proxy \"https://wiki.example.com\"; access { allow group:admins; }; }";

    fn judged(text: &str) -> Vec<Finding> {
        let server = "listen \"0.0.0.0:9000\"; trusted-proxies \"172.18.0.0/16\"";
        let sample = Sample::home(server, "reach-doorward-at \"http://authentik:9000\"", APP);
        judge(&Facts::new(&sample.case(), Path::new("auth.yml"), text))
    }

    fn file(path: &str, headers: &[String], chain: bool) -> String {
        let list = headers.join(", ");
        let chain = if chain {
            "    c: {chain: {middlewares: [d, authentik@file]}}\n    d: {headers: {customRequestHeaders: \
             {X-Forwarded-Host: '', X-Forwarded-Method: '', X-Forwarded-Uri: ''}}}\n"
        } else {
            ""
        };
        format!(
            "http:\n  middlewares:\n    authentik:\n      forwardAuth:\n        address: http://authentik:9000{path}\n        \
             trustForwardHeader: true\n        authResponseHeaders: [{list}]\n{chain}"
        )
    }

    fn whole(set: &[&str]) -> Vec<String> {
        let names: Vec<String> = set.iter().map(ToString::to_string).collect();
        let aliases = identity_headers::aliases(&names);
        [names, aliases, REPEATED.iter().map(ToString::to_string).collect()].concat()
    }

    #[test]
    fn a_complete_file_is_fine() {
        let found = judged(&file("/auth/traefik", &whole(&REMOTE), true));
        assert!(found.iter().all(|each| each.level == Level::Ok), "{found:?}");
        let found = judged(&file("/outpost.goauthentik.io/auth/traefik", &whole(&AUTHENTIK), true));
        assert!(found.iter().all(|each| each.level == Level::Ok), "{found:?}");
    }

    #[test]
    fn a_missing_identity_header_is_an_error_that_names_it() {
        let mut names = whole(&AUTHENTIK);
        names.retain(|name| name != "X-authentik-uid");
        let found = judged(&file("/outpost.goauthentik.io/auth/traefik", &names, true));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].change.as_deref(),
            Some("authResponseHeaders:\n  - \"X-authentik-uid\"")
        );
    }

    #[test]
    fn aliases_and_repeated_headers_are_warnings() {
        let names: Vec<String> = REMOTE.iter().map(ToString::to_string).collect();
        let found = judged(&file("/auth/traefik", &names, true));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].level, Level::Warning);
        assert!(
            found[0].what.contains("Remote_User") && found[0].what.contains("Cookie"),
            "{found:?}"
        );
    }

    #[test]
    fn a_trusting_middleware_without_the_chain_is_warned_about() {
        let found = judged(&file("/auth/traefik", &whole(&REMOTE), false));
        assert_eq!((found.len(), found[0].level), (1, Level::Warning));
        assert!(found[0].what.contains("choose the target"), "{found:?}");
    }

    #[test]
    fn a_wrong_path_a_wrong_dialect_and_a_wrong_name_are_errors() {
        for path in ["/auth", "/auth/nginx", "/outpost.goauthentik.io/auth/nginx"] {
            let found = judged(&file(path, &whole(&REMOTE), true));
            assert_eq!((found.len(), found[0].level), (1, Level::Error), "{path}");
        }
        let other = file("/auth/traefik", &whole(&REMOTE), true)
            .replace("http://authentik:", "http://door:");
        let found = judged(&other);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].change.as_deref().is_some_and(|line| line.contains("http://door:9000")));
    }

    #[test]
    fn a_pattern_of_names_counts_as_listed() {
        let text = file("/auth/traefik", &whole(&["X-Nothing"]), true).replace(
            "authResponseHeaders: ",
            "authResponseHeadersRegex: '(?i)^remote[-_]'\n        authResponseHeaders: ",
        );
        assert!(judged(&text).iter().all(|each| each.level == Level::Ok), "{:?}", judged(&text));
    }

    #[test]
    fn what_is_no_yaml_or_asks_nobody_is_said() {
        assert_eq!(judged("http: {").first().map(|each| each.level), Some(Level::Error));
        assert_eq!(judged("http: {}").first().map(|each| each.level), Some(Level::Warning));
    }
}
