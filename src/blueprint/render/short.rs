//! For editors: one line for each complaint.

use super::severity;
use crate::blueprint::diagnostic::{Diagnostic, Severity};
use crate::blueprint::source::Sources;

pub(super) fn render(list: &[Diagnostic], sources: &Sources) -> String {
    list.iter().map(|each| line(each, sources)).collect()
}

fn line(each: &Diagnostic, sources: &Sources) -> String {
    let span = each.span();
    let at = sources.position(span);
    let kind = match each.severity {
        Severity::Error => String::new(),
        other => format!("{}: ", severity(other)),
    };
    let message = each.message.replace('\n', " ");
    format!(
        "{}:{}:{}: {kind}{}: {message}\n",
        sources.name(span.file),
        at.line,
        at.column,
        each.code
    )
}
