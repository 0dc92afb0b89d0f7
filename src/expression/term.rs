//! The compiled form: typed, with every pattern, zone and constant worked out beforehand.

use jiff::tz::TimeZone;
use regex::Regex;

use super::catalogue::{Field, Function, Part};
use super::value::Value;

/// How many loops may stand within each other.
pub(super) const LOOPS_DEEP: usize = 2;

#[derive(Debug)]
pub(super) enum Term {
    Literal(Value<'static>),
    /// The variable of the loop at this depth.
    Local(usize),
    Field(Field),
    HasField(Field),
    HasKey(Box<[Term; 2]>),
    /// A list or a map, and what to look up.
    Index(Box<[Term; 2]>),
    Not(Box<Term>),
    Negate(Box<Term>),
    And(Box<[Term; 2]>),
    Or(Box<[Term; 2]>),
    /// Condition, then, else.
    If(Box<[Term; 3]>),
    Binary(Binary, Box<[Term; 2]>),
    List(Vec<Term>),
    Map(Vec<(Term, Term)>),
    Call(Function, Vec<Term>),
    Matches(Box<Term>, Box<Regex>),
    /// Part of a moment in a zone.
    Part(Part, Box<Term>, TimeZone),
    Loop(Box<Loop>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

#[derive(Debug)]
pub(super) struct Loop {
    pub kind: LoopKind,
    pub over: Term,
    /// The depth, which is the place of its variable.
    pub depth: usize,
    /// Items that fail it are left out; only `map` may have one.
    pub when: Option<Term>,
    pub body: Term,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}
