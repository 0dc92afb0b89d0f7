//! For GitHub: workflow commands that become remarks beside the lines of a change.

use super::{Places, severity};
use crate::blueprint::diagnostic::{Diagnostic, Severity};

pub(super) fn render(list: &[Diagnostic], places: &Places) -> String {
    list.iter().map(|each| command(each, places)).collect()
}

fn command(each: &Diagnostic, places: &Places) -> String {
    let span = each.span();
    let start = places.start(span);
    let end = places.end(span);
    let kind = match each.severity {
        Severity::Advice => "notice",
        other => severity(other),
    };
    let mut place = format!("file={},line={}", property(places.name(span)), start.line);
    if end.line == start.line {
        place.push_str(&format!(",col={},endColumn={}", start.column, end.column));
    } else {
        place.push_str(&format!(",endLine={}", end.line));
    }
    format!("::{kind} {place},title={}::{}\n", property(each.code), data(&sentence(each)))
}

/// Message, label and help; GitHub shows no marks under the line.
fn sentence(each: &Diagnostic) -> String {
    let label =
        each.labels.first().map(|label| label.text.as_str()).filter(|text| !text.is_empty());
    let lines = [Some(each.message.as_str()), label, each.help.as_deref()];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
