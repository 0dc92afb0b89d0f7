//! A checked expression, ready to be asked.

use super::catalogue::Context;
use super::check::{Problem, lowered};
use super::evaluate::Run;
use super::facts::Facts;
use super::term::Term;
use super::value::{Value, json};

/// A compiled expression. It never changes, and any number of threads may ask it.
#[derive(Debug)]
pub struct Program {
    term: Term,
    reads: Reads,
}

/// What an expression looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads {
    pub path: bool,
    pub attributes: Vec<String>,
    pub any_attribute: bool,
}

/// Why an expression has no answer. Whoever asks must treat it as neither true nor false.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("`{0}` is absent")]
    Absent(&'static str),
    #[error("there is no key `{0}`")]
    NoKey(String),
    #[error("the list has no such place")]
    NoPlace,
    #[error("a number is divided by zero")]
    DivisionByZero,
    #[error("a number is too large")]
    Overflow,
    #[error("`{0}` cannot be made of this value")]
    Unreadable(&'static str),
    #[error("a key is given twice")]
    RepeatedKey,
    #[error("the expression takes too many steps")]
    TooLong,
    #[error("the result is of the wrong kind")]
    WrongKind,
    #[error("the result cannot be written as JSON")]
    NotJson,
}

impl Program {
    /// Compiles `text`, which may use what `context` offers.
    ///
    /// # Errors
    /// Everything that [`super::check()`] complains about, but the kind of the result.
    pub fn compile(text: &str, context: Context) -> Result<Self, Vec<Problem>> {
        let lowered = lowered(text, context, None)?;
        Ok(Self { term: lowered.term, reads: lowered.reads })
    }

    /// The answer of a condition.
    ///
    /// # Errors
    /// If something it reads is absent, a sum goes wrong, or it takes too long.
    pub fn truth(&self, facts: &Facts<'_>) -> Result<bool, EvalError> {
        match Run::new(facts).whole(&self.term)? {
            Value::Truth(truth) => Ok(truth),
            _ => Err(EvalError::WrongKind),
        }
    }

    /// The answer as text.
    ///
    /// # Errors
    /// As [`Self::truth`], and if it is no text.
    pub fn text(&self, facts: &Facts<'_>) -> Result<String, EvalError> {
        match Run::new(facts).whole(&self.term)? {
            Value::Text(text) => Ok(text.into_owned()),
            _ => Err(EvalError::WrongKind),
        }
    }

    /// The answer as JSON.
    ///
    /// # Errors
    /// As [`Self::truth`], and if JSON has no form for it.
    pub fn json(&self, facts: &Facts<'_>) -> Result<serde_json::Value, EvalError> {
        json(&Run::new(facts).whole(&self.term)?)
    }

    /// Whether the answer may depend on `request.path`.
    #[must_use]
    pub fn reads_path(&self) -> bool {
        self.reads.path
    }

    /// The keys of `user.attributes` it looks at; `None` if it may look at any.
    #[must_use]
    pub fn reads_attributes(&self) -> Option<&[String]> {
        (!self.reads.any_attribute).then_some(self.reads.attributes.as_slice())
    }
}

#[cfg(test)]
mod tests;
