//! For programs: everything, with places in bytes and in lines and columns.

use serde::Serialize;

use super::{Places, severity};
use crate::blueprint::diagnostic::{Diagnostic, Label};
use crate::blueprint::source::{Position, Span};

#[derive(Serialize)]
struct Complaint<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    labels: Vec<Note<'a>>,
    help: Option<&'a str>,
    related: Vec<Remark<'a>>,
    fix: Option<Edit<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    bytes: Bytes,
    start: Position,
    end: Position,
}

/// The end is not part of the range.
#[derive(Serialize)]
struct Bytes {
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Note<'a> {
    text: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Serialize)]
struct Remark<'a> {
    message: &'a str,
    #[serde(flatten)]
    note: Note<'a>,
}

/// The text at the place is to be replaced.
#[derive(Serialize)]
struct Edit<'a> {
    replacement: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

pub(super) fn render(list: &[Diagnostic], places: &Places) -> String {
    let complaints: Vec<_> = list.iter().map(|each| complaint(each, places)).collect();
    let mut text = serde_json::to_string_pretty(&complaints).unwrap_or_else(|_| "[]".to_owned());
    text.push('\n');
    text
}

fn complaint<'a>(each: &'a Diagnostic, places: &'a Places<'_>) -> Complaint<'a> {
    Complaint {
        code: each.code,
        severity: severity(each.severity),
        message: &each.message,
        place: place(each.span(), places),
        labels: each.labels.iter().map(|label| note(label, places)).collect(),
        help: each.help.as_deref(),
        related: each
            .related
            .iter()
            .map(|related| Remark { message: &related.message, note: note(&related.label, places) })
            .collect(),
        fix: each
            .fix
            .as_ref()
            .map(|fix| Edit { replacement: &fix.replacement, place: place(fix.span, places) }),
    }
}

fn note<'a>(label: &'a Label, places: &'a Places<'_>) -> Note<'a> {
    Note { text: &label.text, place: place(label.span, places) }
}

fn place<'a>(span: Span, places: &'a Places<'_>) -> Place<'a> {
    Place {
        file: places.name(span),
        bytes: Bytes { start: span.start, end: span.end },
        start: places.start(span),
        end: places.end(span),
    }
}
