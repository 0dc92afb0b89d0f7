//! `${name}` inside quoted strings.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::constants::Constants;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::{Scalar, Spelling, Value};

/// The names that hold at a place.
pub(super) struct Scope<'a> {
    pub constants: &'a Constants,
    /// The parameters of the template around it.
    pub bound: Option<&'a HashMap<String, Value>>,
}

impl Scope<'_> {
    fn find(&self, name: &str) -> Option<&Value> {
        self.bound.and_then(|bound| bound.get(name)).or_else(|| self.constants.find(name))
    }

    fn names(&self) -> Vec<&str> {
        let bound = self.bound.into_iter().flat_map(|bound| bound.keys().map(String::as_str));
        let mut names: Vec<&str> = bound.chain(self.constants.names()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// What may stand between the braces.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

/// A `${` in a text.
pub(super) struct Part<'t> {
    /// From the dollar sign to the closing brace.
    pub range: Range<usize>,
    /// `None` if there is no brace or no name.
    pub name: Option<&'t str>,
}

/// Every `${` of a text.
pub(super) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.find("${")?;
        let inner = text.get(start + 2..)?;
        let len = inner.find('}');
        let name = len.and_then(|len| inner.get(..len)).filter(|name| is_name(name));
        let end = match (name, len) {
            (Some(name), _) => start + name.len() + 3,
            _ => start + 2,
        };
        at = end;
        Some(Part { range: start..end, name })
    })
}

/// The value with its variables replaced.
pub(super) fn replace(
    value: &Value,
    scope: &Scope,
    told: &mut HashSet<Span>,
    out: &mut Diagnostics,
) -> Value {
    let text = match value.text() {
        Some(text) if value.spelling == Spelling::Quoted && text.contains("${") => text,
        _ => return value.clone(),
    };
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    let withheld = out.names_withheld();
    let mut tell = |complaint: Diagnostic| {
        if told.insert(complaint.span()) {
            out.push(complaint);
        }
    };
    for part in parts(text) {
        replaced.push_str(text.get(at..part.range.start).unwrap_or(""));
        at = part.range.end;
        let span = place(value, text, &part.range);
        let Some(name) = part.name else {
            tell(stray(span));
            replaced.push_str("${");
            continue;
        };
        match scope.find(name) {
            Some(found) if part.range == (0..text.len()) => return whole(value, found),
            Some(found) if found.tag.is_some() => tell(secret_in_text(name, span)),
            Some(found) => replaced.push_str(&shown(&found.scalar)),
            None => {
                if !withheld {
                    tell(unknown(name, span, scope));
                }
                replaced.push_str(name);
            }
        }
    }
    replaced.push_str(text.get(at..).unwrap_or(""));
    Value { scalar: Scalar::Text(replaced), spelling: Spelling::Replaced, ..value.clone() }
}

/// A string that is nothing but a variable becomes the value itself.
fn whole(value: &Value, found: &Value) -> Value {
    Value {
        scalar: found.scalar.clone(),
        span: value.span,
        tag: value.tag.clone().or_else(|| found.tag.clone()),
        spelling: Spelling::Replaced,
    }
}

fn shown(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Whole(number) => number.to_string(),
        Scalar::Decimal(number) => number.to_string(),
        Scalar::Truth(truth) => truth.to_string(),
        Scalar::Null => String::new(),
    }
}

/// The place of a part, or of the whole string if escapes in it make counting useless.
fn place(value: &Value, text: &str, range: &Range<usize>) -> Span {
    let quotes = match value.span.len().checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return value.span,
    };
    let start = value.span.start as usize + quotes;
    Span::new(value.span.file, start + range.start, start + range.end)
}

fn stray(span: Span) -> Diagnostic {
    Diagnostic::error("blueprint::stray-variable", "`${` begins no variable")
        .at(span, "a name and `}` must follow")
        .help("variables are written ${name}; in a raw string, #\"…\"#, nothing is replaced")
}

fn secret_in_text(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("blueprint::secret-in-text", format!("`${{{name}}}` refers to a secret"))
        .at(span, "a secret cannot become a part of a text")
        .help(format!("write the string as \"${{{name}}}\" alone"))
}

fn unknown(name: &str, span: Span, scope: &Scope) -> Diagnostic {
    let message = format!("unknown variable `${{{name}}}`");
    let complaint = Diagnostic::error("blueprint::unknown-variable", message)
        .at(span, "not a `let` and not a template parameter");
    let names = scope.names();
    match nearest(name, names.iter().copied()) {
        Some(near) => {
            let near = format!("${{{near}}}");
            let complaint = complaint.help(format!("did you mean {near}?"));
            let exact = span.len() == name.len() + 3;
            if exact { complaint.fix(span, near) } else { complaint }
        }
        None if names.is_empty() => {
            complaint.help(format!("declare it at the top level: let {name} \"…\""))
        }
        None => complaint.help(format!("known here: {}", names.join(", "))),
    }
}
