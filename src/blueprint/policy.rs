//! `policy`: named conditions.

use std::time::Duration;

use super::source::{Name, Span, Spanned};
use crate::model::factor::Factor;
use crate::model::network::Network;
use crate::model::time_window::TimeWindow;

/// All parts must hold.
#[derive(Clone, Debug)]
pub struct Policy {
    pub slug: Name,
    pub formerly: Option<Name>,
    pub parts: Vec<Part>,
    pub at: Span,
}

/// One condition and where it stands.
#[derive(Clone, Debug)]
pub struct Part {
    pub condition: Condition,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub enum Condition {
    /// A second factor was proven: one of `kinds` (any if empty), `within` the time if given.
    Mfa {
        kinds: Vec<Factor>,
        within: Option<Duration>,
    },
    /// The client's address lies in one of these.
    Network(Vec<Network>),
    Time(TimeWindow),
    Cel(Spanned<String>),
    Attribute {
        key: String,
        test: AttributeTest,
    },
    Reputation {
        min: i64,
    },
    /// Member of one of these.
    Group(Vec<Name>),
    Use(Name),
    /// One of these holds.
    Any(Vec<Part>),
    /// None of these holds.
    Not(Vec<Part>),
}

#[derive(Clone, Debug)]
pub enum AttributeTest {
    Equals(String),
    /// The whole value matches.
    Matches(Spanned<String>),
}
