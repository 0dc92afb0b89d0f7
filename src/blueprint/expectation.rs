//! `persona`, `test`, `invariant`: what must hold, written beside the rules.

use std::time::Duration;

use super::decode;
use super::people::{AttributeLines, attribute_lines};
use super::source::{Name, Span, Spanned};
use super::tree::Node;
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

impl Persona {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            name: decode::name(node)?,
            groups: decode::kid_words(node, "in"),
            mfa: proven(node),
            attributes: attribute_lines(node),
            at: node.head(),
        })
    }
}

impl Test {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            title: decode::name(node)?,
            expectations: node.kids_named("expect").filter_map(expectation).collect(),
            at: node.head(),
        })
    }
}

impl Invariant {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            title: decode::name(node)?,
            condition: decode::kid_word(node, "cel")?,
            at: node.head(),
        })
    }
}

impl Outcome {
    /// The word in blueprints.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Login => "login",
            Self::StepUp => "step-up",
            Self::Claim => "claim",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Allow, Self::Deny, Self::Login, Self::StepUp, Self::Claim]
            .into_iter()
            .find(|outcome| outcome.word() == word)
    }
}

/// `mfa none`, or a factor and how long ago it was proven.
fn proven(node: &Node) -> Option<Proven> {
    let mfa = node.kid("mfa")?;
    let word = decode::name(mfa)?;
    let minutes: u64 = decode::kid_number(mfa, "minutes").unwrap_or(0);
    Some(Proven {
        factor: Factor::from_word(&word.value),
        ago: Duration::from_secs(minutes.saturating_mul(60)),
    })
}

fn expectation(node: &Node) -> Option<Expectation> {
    let mut words = decode::words(node).into_iter();
    let outcome = Outcome::from_word(&words.next()?.value)?;
    let who = words.next()?;
    let target = words.next()?;
    let claim = decode::prop_text(node, "name").zip(decode::prop_text(node, "value"));
    Some(Expectation {
        outcome,
        who,
        target: Spanned::new(test_target(&target.value), target.span),
        from: decode::prop_text(node, "from").and_then(|text| text.parse().ok()),
        at_time: decode::prop_text(node, "at").and_then(|text| moment(&text)),
        mfa: proven(node),
        claim,
        by: decode::prop_name(node, "by"),
        method: decode::prop_text(node, "method"),
        at: node.line,
    })
}

fn test_target(text: &str) -> TestTarget {
    match text.strip_prefix("app:") {
        Some(slug) => TestTarget::App(slug.to_owned()),
        None => TestTarget::Url(text.split(['?', '#']).next().unwrap_or(text).to_owned()),
    }
}

fn moment(text: &str) -> Option<Millis> {
    text.parse::<jiff::Timestamp>().ok().map(|moment| Millis(moment.as_millisecond()))
}
