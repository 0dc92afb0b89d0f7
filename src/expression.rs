//! CEL: parsed, type-checked against a catalogue, compiled and evaluated.
//!
//! The `cel` crate reads the text; the checking, the compiled form and its evaluation are ours, because
//! an answer must be bounded in time (security.md R20), typed before it runs, and must never panic.
//! Knows nothing of blueprints, the store or HTTP: texts and facts come in, problems and values go out.

/// What an expression may name: variables, fields, functions and their types.
pub mod catalogue;
/// Every complaint about an expression, with its place.
pub mod check;
/// What an expression is asked about.
pub mod facts;
/// A checked expression, ready to be asked.
pub mod program;

/// Evaluates terms within a budget of steps.
mod evaluate;
/// The functions, applied to values.
mod functions;
/// From cel's tree to typed terms, collecting problems.
mod lower;
/// Guards, cel's parser, and its complaints in plain words.
mod parse;
/// Where a node of cel's tree stands in the text.
mod places;
/// The compiled form.
mod term;
/// The words of an expression, for places and guards.
mod tokens;
/// What a term evaluates to.
mod value;

pub use catalogue::{Context, Want};
pub use check::{Problem, check};
pub use facts::{AppFacts, Facts, RequestFacts, Texts, UserFacts};
pub use program::{EvalError, Program};
