//! `persona`, `test`, `invariant`: what must hold, written beside the rules.

use std::time::Duration;

use super::people::AttributeLines;
use super::source::{Name, Span, Spanned};
use crate::clock::Millis;
use crate::model::factor::Factor;

/// An invented identity.
#[derive(Clone, Debug)]
pub struct Persona {
    pub name: Name,
    pub groups: Vec<Name>,
    pub mfa: Option<Proven>,
    pub attributes: AttributeLines,
    pub at: Span,
}

/// A second factor that was proven `ago`; `None` for `mfa none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub factor: Option<Factor>,
    pub ago: Duration,
}

#[derive(Clone, Debug)]
pub struct Test {
    pub title: Spanned<String>,
    pub expectations: Vec<Expectation>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub struct Expectation {
    pub outcome: Outcome,
    /// A persona, or `anonymous`.
    pub who: Name,
    pub target: Spanned<TestTarget>,
    pub from: Option<std::net::IpAddr>,
    pub at_time: Option<Millis>,
    pub mfa: Option<Proven>,
    /// `claim`: its name and value.
    pub claim: Option<(String, String)>,
    /// `by=`: the text that the deciding rule's line must hold.
    pub by: Option<Spanned<String>>,
    pub method: Option<String>,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allow,
    Deny,
    Login,
    StepUp,
    Claim,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestTarget {
    /// Scheme, host and path; the query is cut.
    Url(String),
    App(String),
}

/// A condition over every expanded app.
#[derive(Clone, Debug)]
pub struct Invariant {
    pub title: Spanned<String>,
    pub condition: Spanned<String>,
    pub at: Span,
}
