//! Every complaint about an expression, with its place.

use std::ops::Range;

use super::catalogue::{Context, Type, Want};
use super::lower::Lowering;
use super::parse::parse;
use super::program::Reads;
use super::term::Term;

pub(super) const BAD_EXPRESSION: &str = "blueprint::bad-expression";
pub(super) const UNKNOWN_FIELD: &str = "blueprint::unknown-field";
pub(super) const UNKNOWN_FUNCTION: &str = "blueprint::unknown-function";
pub(super) const WRONG_TYPE: &str = "blueprint::wrong-type";
pub(super) const BAD_REGEX: &str = "blueprint::bad-regex";
pub(super) const UNKNOWN_ZONE: &str = "blueprint::unknown-zone";

/// One complaint about an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable, such as `blueprint::unknown-field`.
    pub code: &'static str,
    /// Bytes within the expression, on letters' borders and as small as the mistake.
    pub range: Range<usize>,
    /// A sentence without a full stop; names stand in backticks.
    pub message: String,
    /// What is written under the place.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

/// Everything that is wrong with `text` at a place that offers `context` and needs `want`.
#[must_use]
pub fn check(text: &str, context: Context, want: Want) -> Vec<Problem> {
    lowered(text, context, Some(want)).err().unwrap_or_default()
}

/// What comes of an expression without mistakes.
pub(super) struct Lowered {
    pub term: Term,
    pub reads: Reads,
}

/// Parses, checks and compiles in one go, so that what is checked is what runs.
pub(super) fn lowered(
    text: &str,
    context: Context,
    want: Option<Want>,
) -> Result<Lowered, Vec<Problem>> {
    let (root, places) = parse(text, context).map_err(|problem| vec![problem])?;
    let mut lowering = Lowering::new(context, places);
    let result = lowering.value(&root);
    if let Some(want) = want {
        lowering.result(&root, &result.kind, want);
    }
    let (mut problems, reads) = lowering.finish();
    if problems.is_empty() {
        return Ok(Lowered { term: result.term, reads });
    }
    problems.sort_by_key(|problem| (problem.range.start, problem.range.end));
    problems.dedup();
    Err(problems)
}

/// Why a result of type `kind` is not what is wanted: the label, and help.
pub(super) fn unwanted(kind: &Type, want: Want) -> Option<(String, &'static str)> {
    let help = match (want, kind) {
        (_, Type::Unknown) | (Want::Truth, Type::Truth) | (Want::Text, Type::Text) => return None,
        (Want::Any, kind) if is_json(kind) => return None,
        (Want::Truth, _) => "compare it, for example with ==",
        (Want::Text, Type::List(_)) => "join it: list.join(',')",
        (Want::Text, Type::Truth) => "choose a text: condition ? 'yes' : 'no'",
        (Want::Text, _) => "turn it into text: string(value)",
        (Want::Any, _) => "JSON has text as its keys",
    };
    Some((format!("this is {kind}"), help))
}

fn is_json(kind: &Type) -> bool {
    match kind {
        Type::List(element) => is_json(element),
        Type::Map(key, value) => matches!(**key, Type::Text | Type::Unknown) && is_json(value),
        _ => true,
    }
}

/// The name among `known` that was probably meant by `word`.
pub(super) fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (word.chars().count() / 4).max(1);
    known
        .map(|name| {
            let same = name.eq_ignore_ascii_case(word);
            (if same { 0 } else { strsim::osa_distance(name, word) }, name)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
