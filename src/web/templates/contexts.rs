//! What templates are given, as Markdown: gathered from the samples that every theme is checked with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::pages::KINDS;
use super::{Page, Place};
use crate::mail::message::Message;

/// Every template with its values, as `doorward reference --templates` prints it.
#[must_use]
pub fn contexts() -> String {
    let mut text = "# What templates are given\n\nGenerated: `doorward reference --templates` prints this page, \
                    and edits to it are lost. [Looks](looks.md) says how a template of one's own takes the \
                    place of a shipped one, and what stands in every page.\n\n## Pages\n\n"
        .to_owned();
    for kind in KINDS {
        text.push_str(&(kind.describe)());
    }
    text.push_str(
        "## Messages\n\nEach is a pair of `.html` and `.txt`.\n\n| Template | Given |\n|---|---|\n",
    );
    for message in Message::samples("x") {
        let values: Vec<String> =
            message.values().keys().map(|name| format!("`mail.{name}`")).collect();
        let action = message.proof().map(|_| "`action()`".to_owned());
        let all: Vec<String> = values.into_iter().chain(action).collect();
        let _ = writeln!(text, "| `mail/{}` | {} |", message.kind().word(), all.join(", "));
    }
    text
}

/// One page: its hosts and the values that its samples have.
pub(super) fn describe<P: Page>() -> String {
    let mut found = BTreeMap::new();
    for sample in P::samples() {
        let value = serde_json::to_value(sample).unwrap_or_default();
        gather("page", &value, &mut found);
    }
    let hosts: Vec<&str> = P::PLACES.iter().map(|place| host(*place)).collect();
    let mut text = format!("### `{}`\n\nOn {}.\n\n", P::TEMPLATE, hosts.join(" and on "));
    found.remove("page");
    if found.is_empty() {
        return text + "Nothing of its own.\n\n";
    }
    text.push_str("| Value | Is |\n|---|---|\n");
    for (path, kinds) in found {
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let _ = writeln!(text, "| `{path}` | {} |", kinds.join(" or "));
    }
    text + "\n"
}

fn host(place: Place) -> &'static str {
    match place {
        Place::SignInHost => "the sign-in host",
        Place::AppHost => "the host of an app",
    }
}

/// The kinds of value at each path, over all samples.
fn gather(
    path: &str,
    value: &serde_json::Value,
    found: &mut BTreeMap<String, BTreeSet<&'static str>>,
) {
    use serde_json::Value;
    let kind = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "values",
    };
    found.entry(path.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(each) => each.iter().for_each(|one| gather(&format!("{path}[]"), one, found)),
        Value::Object(each) => {
            each.iter().for_each(|(name, one)| gather(&format!("{path}.{name}"), one, found));
        }
        _ => {}
    }
}
