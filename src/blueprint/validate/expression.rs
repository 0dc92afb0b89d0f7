//! Regular expressions and CEL. The only place here that knows how they are checked.

use super::value::Bad;
use crate::blueprint::schema::{CelContext, CelWant};
use crate::expression::{self, Context, Problem};

/// What is wrong with a CEL expression.
pub(super) fn cel(text: &str, context: CelContext, want: CelWant) -> Vec<Bad> {
    let context = match context {
        CelContext::Policy => Context::Policy,
        CelContext::Claim | CelContext::Header => Context::Claim,
        CelContext::Source => Context::Source,
        CelContext::Invariant => Context::Invariant,
    };
    let want = match want {
        CelWant::Truth => expression::Want::Truth,
        CelWant::Text => expression::Want::Text,
        CelWant::Anything => expression::Want::Any,
    };
    expression::check(text, context, want).into_iter().map(bad).collect()
}

fn bad(problem: Problem) -> Bad {
    let bad = Bad::new(problem.code, problem.message, problem.label).part(problem.range);
    Bad { help: problem.help, ..bad }
}

/// What is wrong with a regular expression; it has to match a value as a whole.
pub(super) fn regex(text: &str) -> Option<Bad> {
    const HELP: &str = "Rust regex syntax: no look-around, no back-references; linear time";
    let message = "this regular expression does not compile";
    let problem = match regex_syntax::parse(text) {
        Ok(_) => return too_large(text),
        Err(problem) => problem,
    };
    let (label, start, end) = match &problem {
        regex_syntax::Error::Parse(error) => {
            (error.kind().to_string(), error.span().start.offset, error.span().end.offset)
        }
        regex_syntax::Error::Translate(error) => {
            (error.kind().to_string(), error.span().start.offset, error.span().end.offset)
        }
        _ => ("it is not valid".to_owned(), 0, text.len()),
    };
    Some(Bad::new("blueprint::bad-regex", message, label).part(start..end).help(HELP))
}

fn too_large(text: &str) -> Option<Bad> {
    let whole = format!("^(?:{text})$");
    let large = regex::RegexBuilder::new(&whole).size_limit(1 << 20).build().is_err();
    large.then(|| {
        Bad::new(
            "blueprint::bad-regex",
            "this regular expression does not compile",
            "it is too large",
        )
        .help("make it shorter, or its repetitions smaller")
    })
}
