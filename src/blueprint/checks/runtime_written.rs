//! Access never rests on what the person can write (`security.md` R11).

use std::collections::BTreeMap;

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{FieldKind, StageKind};
use crate::blueprint::object::Kind;
use crate::blueprint::oidc::Subject;
use crate::blueprint::policy::{Condition, Part};
use crate::blueprint::source::Span;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    let read = read(view);
    for flow in &view.blueprint.flows {
        for stage in &flow.stages {
            let StageKind::Prompt { fields } = &stage.kind else { continue };
            // Hidden fields take no value from the request.
            let written = fields.iter().filter(|field| {
                matches!(field.kind, FieldKind::Text | FieldKind::Checkbox | FieldKind::Choice)
            });
            for field in written {
                let key = field.name.value.as_str();
                let Some(reader) = read.get(key).copied().or_else(|| dynamic(&read)) else {
                    continue;
                };
                let diagnostic = Diagnostic::error(
                    "blueprint::attribute-written-by-people",
                    format!(
                        "people write the attribute `{key}` themselves, and access rests on it"
                    ),
                )
                .at(field.name.span, "filled in by the person")
                .at(reader, "read here")
                .help("give the field another name, or set the attribute in the files");
                view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
            }
        }
    }
}

/// The attributes that policies, claims and headers read, and where.
fn read(view: &View<'_>) -> BTreeMap<String, Span> {
    let mut found = BTreeMap::new();
    for policy in &view.blueprint.policies {
        parts(&policy.parts, &mut found);
    }
    for app in &view.blueprint.apps {
        if let Some(Subject::Attribute { key: Some(key) }) = app.oidc.as_ref().map(|it| &it.subject)
        {
            found.entry(key.value.clone()).or_insert(key.span);
        }
        let claims = app.oidc.iter().flat_map(|oidc| &oidc.claims);
        let headers = app.proxies.iter().flat_map(|proxy| &proxy.headers);
        for line in claims.chain(headers) {
            expression(&line.value.value, line.value.span, &mut found);
        }
    }
    found
}

fn parts(parts_: &[Part], found: &mut BTreeMap<String, Span>) {
    for part in parts_ {
        match &part.condition {
            Condition::Attribute { key, .. } => {
                found.entry(key.clone()).or_insert(part.at);
            }
            Condition::Cel(text) => expression(&text.value, text.span, found),
            Condition::Any(inner) | Condition::Not(inner) => parts(inner, found),
            _ => {}
        }
    }
}

/// Any attribute at all, for expressions whose key is not a literal.
const ANY: &str = "*";

fn dynamic(read: &BTreeMap<String, Span>) -> Option<Span> {
    read.get(ANY).copied()
}

/// Finds `attributes.key`, `attributes["key"]` and `"key" in user.attributes`; whatever else
/// is done with the map reads all of it.
fn expression(text: &str, span: Span, found: &mut BTreeMap<String, Span>) {
    for (at, word) in text.match_indices("attributes") {
        let after = text.get(at + word.len()..).unwrap_or("").trim_start();
        let before = text.get(..at).unwrap_or("").trim_end();
        let key = dotted(after).or_else(|| indexed(after)).or_else(|| tested(before));
        found.entry(key.unwrap_or_else(|| ANY.to_owned())).or_insert(span);
    }
}

fn dotted(after: &str) -> Option<String> {
    let rest = after.strip_prefix('.')?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let is_call = rest.get(end..)?.trim_start().starts_with('(');
    (end > 0 && !is_call).then(|| rest.get(..end).map(ToOwned::to_owned)).flatten()
}

fn indexed(after: &str) -> Option<String> {
    let inner = after.strip_prefix('[')?.trim_start();
    let quote = inner.chars().next().filter(|c| *c == '\'' || *c == '"')?;
    let inner = inner.get(1..)?;
    let (key, rest) = inner.split_once(quote)?;
    rest.trim_start().starts_with(']').then(|| key.to_owned())
}

/// The literal before `in user.`.
fn tested(before: &str) -> Option<String> {
    let before = before.strip_suffix('.')?.trim_end().strip_suffix("user")?.trim_end();
    let before = before.strip_suffix("in")?.trim_end();
    let quote = before.chars().last().filter(|c| *c == '\'' || *c == '"')?;
    let inner = before.strip_suffix(quote)?;
    inner.rsplit_once(quote).map(|(_, key)| key.to_owned())
}
