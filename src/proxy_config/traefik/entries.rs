//! What the file will hold: entries by section and name, each with the place it comes from.
//!
//! Refuses a name that is taken and every string that Traefik would run as a Go template
//! (`security.md` R2). Knows nothing of what entries mean.

use serde_json::{Map, Value};

use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;

/// Where an entry stands, such as `http.routers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    pub protocol: &'static str,
    pub kind: &'static str,
}

pub const ROUTERS: Section = Section { protocol: "http", kind: "routers" };
pub const SERVICES: Section = Section { protocol: "http", kind: "services" };
pub const MIDDLEWARES: Section = Section { protocol: "http", kind: "middlewares" };

/// Entries in the order in which they were added.
#[derive(Debug, Default)]
pub struct Entries {
    list: Vec<Entry>,
    problems: Diagnostics,
}

#[derive(Debug)]
struct Entry {
    section: Section,
    name: String,
    value: Value,
    at: Span,
}

impl Entries {
    /// Adds an entry unless its name is taken in its section.
    pub fn add(&mut self, section: Section, name: &str, value: Value, at: Span) {
        if let Some(first) = self.find(section, name) {
            let place = first.at;
            self.problem(name_taken(section, name, at).related("the other one", place, "here"));
            return;
        }
        if name.is_empty() || name.contains(|c: char| c == '@' || c.is_control()) {
            self.problem(bad_name(section, name, at));
            return;
        }
        self.list.push(Entry { section, name: name.to_owned(), value, at });
    }

    /// Adds what stands under no name of its own, such as the list of certificates.
    pub fn append(&mut self, section: Section, more: Vec<Value>, at: Span) {
        let same = |entry: &&mut Entry| entry.section == section && entry.name.is_empty();
        match self.list.iter_mut().find(same) {
            Some(Entry { value: Value::Array(list), .. }) => list.extend(more),
            _ => self.list.push(Entry { section, name: String::new(), value: more.into(), at }),
        }
    }

    pub fn problem(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    #[must_use]
    pub fn contains(&self, section: Section, name: &str) -> bool {
        self.find(section, name).is_some()
    }

    /// The whole tree, or everything that is wrong with it.
    pub fn finish(mut self) -> Result<Map<String, Value>, Vec<Diagnostic>> {
        for entry in &self.list {
            let mut path = format!("{}.{}", entry.section.protocol, entry.section.kind);
            if !entry.name.is_empty() {
                path = format!("{path}.{}", entry.name);
            }
            let in_name = holds_template(&entry.name).then(|| path.clone());
            if let Some(place) = in_name.or_else(|| template_in(&entry.value, &path)) {
                self.problems.push(template(&place, entry.at));
            }
        }
        if self.problems.has_errors() {
            return Err(self.problems.sorted());
        }
        Ok(tree(self.list))
    }

    fn find(&self, section: Section, name: &str) -> Option<&Entry> {
        self.list.iter().find(|entry| entry.section == section && entry.name == name)
    }
}

fn tree(list: Vec<Entry>) -> Map<String, Value> {
    let mut tree = Map::new();
    for entry in list {
        let protocol = tree.entry(entry.section.protocol).or_insert_with(empty);
        let Value::Object(protocol) = protocol else { continue };
        if entry.name.is_empty() {
            protocol.insert(entry.section.kind.to_owned(), entry.value);
            continue;
        }
        let section = protocol.entry(entry.section.kind).or_insert_with(empty);
        if let Value::Object(section) = section {
            section.insert(entry.name, entry.value);
        }
    }
    tree
}

fn empty() -> Value {
    Value::Object(Map::new())
}

/// Where within `value` Go's template language would begin.
fn template_in(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => holds_template(text).then(|| path.to_owned()),
        Value::Array(list) => list.iter().find_map(|item| template_in(item, path)),
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            let path = format!("{path}.{key}");
            if holds_template(key) { Some(path) } else { template_in(item, &path) }
        }),
        _ => None,
    }
}

fn holds_template(text: &str) -> bool {
    text.contains("{{")
}

fn template(path: &str, at: Span) -> Diagnostic {
    let message = format!("`{}` would hold a Go template", path.replace("{{", "{ {"));
    Diagnostic::error("traefik::template", message)
        .at(at, "this reaches Traefik's file")
        .help("Traefik runs `{{` in its files as a program; write the value itself")
}

fn name_taken(section: Section, name: &str, at: Span) -> Diagnostic {
    let message = format!("`{name}` stands twice among Traefik's {}", section.kind);
    Diagnostic::error("traefik::name-taken", message)
        .at(at, "the name is taken")
        .help("give one of the two another name")
}

fn bad_name(section: Section, name: &str, at: Span) -> Diagnostic {
    let message =
        format!("`{}` cannot be a name among Traefik's {}", name.escape_debug(), section.kind);
    Diagnostic::error("traefik::bad-name", message)
        .at(at, "not a name")
        .help("a name is not empty and holds no `@`, which stands before the provider")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::proxy_config::fixture::span;

    #[test]
    fn a_taken_name_is_told_with_both_places() {
        let mut entries = Entries::default();
        entries.add(ROUTERS, "a", json!({}), span(1));
        entries.add(SERVICES, "a", json!({}), span(2));
        entries.add(ROUTERS, "a", json!({}), span(3));
        let problems = entries.finish().unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, "traefik::name-taken");
        assert_eq!(problems[0].span(), span(3));
        assert_eq!(problems[0].related[0].label.span, span(1));
    }

    #[test]
    fn a_template_is_found_in_names_keys_lists_and_values() {
        let values = [
            json!("{{ env `X` }}"),
            json!({ "a": ["b", "{{"] }),
            json!({ "a": { "{{x}}": 1 } }),
            json!([[{ "a": "x{{{y" }]]),
        ];
        for value in values {
            let mut entries = Entries::default();
            entries.add(ROUTERS, "a", value.clone(), span(7));
            let problems = entries.finish().unwrap_err();
            assert_eq!(problems[0].code, "traefik::template", "{value}");
            assert_eq!(problems[0].span(), span(7));
        }
        let mut entries = Entries::default();
        entries.add(ROUTERS, "{{a}}", json!(1), span(7));
        assert_eq!(entries.finish().unwrap_err()[0].code, "traefik::template");
    }

    #[test]
    fn a_name_with_a_provider_is_refused() {
        for name in ["", "a@docker", "a\nb"] {
            let mut entries = Entries::default();
            entries.add(MIDDLEWARES, name, json!({}), span(1));
            assert_eq!(entries.finish().unwrap_err()[0].code, "traefik::bad-name", "{name:?}");
        }
    }
}
