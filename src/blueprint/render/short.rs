//! For editors: one line for each complaint.

use super::{Places, severity};
use crate::blueprint::diagnostic::{Diagnostic, Severity};

pub(super) fn render(list: &[Diagnostic], places: &Places) -> String {
    list.iter().map(|each| line(each, places)).collect()
}

fn line(each: &Diagnostic, places: &Places) -> String {
    let span = each.span();
    let at = places.start(span);
    let kind = match each.severity {
        Severity::Error => String::new(),
        other => format!("{}: ", severity(other)),
    };
    let message = each.message.replace('\n', " ");
    let through = each.expansions().map(|label| {
        let (name, at) = (places.name(label.span), places.start(label.span));
        format!(" ({}: {name}:{}:{})", label.text, at.line, at.column)
    });
    let through = through.collect::<String>();
    let name = places.name(span);
    format!("{name}:{}:{}: {kind}{}: {message}{through}\n", at.line, at.column, each.code)
}
