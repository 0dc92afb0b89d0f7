//! The one decision.

use super::condition::{ConditionError, Facts, Reputation};
use super::person::Person;
use super::rule::{AppAccess, Effect, Gate, Open, Outcome, Requirement, Rule};
use super::target::Target;
use crate::clock::Millis;

/// Everything that a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    pub access: &'a AppAccess,
    /// The address that was asked for; `None` where no proxy is involved (the portal).
    pub gate: Option<&'a Gate>,
    pub target: &'a Target<'a>,
    /// `None` without a valid session.
    pub person: Option<&'a Person<'a>>,
    pub now: Millis,
    pub reputation: Reputation,
}

/// What to do with the request.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    Allow,
    Deny,
    /// Allowed, once this is met.
    StepUp(&'a Requirement),
    /// Nobody is signed in.
    Login,
}

impl Decision<'_> {
    /// The word of `expect` and `explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::StepUp(_) => "step-up",
            Self::Login => "login",
        }
    }
}

/// What made the decision.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// A `bypass` line, or the path lies outside `protect-only`: no identity is told.
    Open(Open<'a>),
    Rule(&'a Rule),
    /// No rule matched.
    Default,
    /// The account is disabled.
    Disabled,
    NoSession,
}

impl By<'_> {
    /// The line as written, or a description in its place.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Open(Open::Bypass(_)) => "bypass",
            Self::Open(Open::OutsideProtectOnly(_)) => "outside protect-only",
            Self::Rule(rule) => &rule.text,
            Self::Default => "no rule matched",
            Self::Disabled => "the account is disabled",
            Self::NoSession => "nobody is signed in",
        }
    }

    /// `apps/grafana.kdl:9`, where a line decided.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Open(Open::Bypass(bypass)) => Some(&bypass.place),
            Self::Open(Open::OutsideProtectOnly(place)) => Some(place),
            Self::Rule(rule) => Some(&rule.place),
            Self::Default | Self::Disabled | Self::NoSession => None,
        }
    }
}

/// The decision, what made it, and the conditions that could not be judged.
#[derive(Debug)]
pub struct Verdict<'a> {
    pub decision: Decision<'a>,
    pub by: By<'a>,
    pub errors: Vec<ConditionError>,
}

/// Each rule that was looked at, for `explain`.
#[derive(Debug, Default)]
pub struct Trace<'a> {
    pub rules: Vec<(&'a Rule, Outcome)>,
}

/// Decides one request: first match wins, an error denies, and so does silence.
#[must_use]
pub fn decide<'a>(query: &Query<'a>, mut trace: Option<&mut Trace<'a>>) -> Verdict<'a> {
    let verdict = |decision, by, errors| Verdict { decision, by, errors };
    if let Some(open) = query.gate.and_then(|g| g.opens(&query.target.path, &query.target.method)) {
        return verdict(Decision::Allow, By::Open(open), Vec::new());
    }
    let Some(person) = query.person else {
        return verdict(Decision::Login, By::NoSession, Vec::new());
    };
    if person.disabled {
        return verdict(Decision::Deny, By::Disabled, Vec::new());
    }
    let facts = query.facts(person);
    let mut errors = Vec::new();
    for rule in &query.access.rules {
        let outcome = rule.judge(&facts);
        let matched = match &outcome {
            Outcome::Hit => true,
            Outcome::Miss => false,
            Outcome::Error(error) => {
                errors.push(error.clone());
                rule.effect == Effect::Deny
            }
        };
        if let Some(trace) = trace.as_deref_mut() {
            trace.rules.push((rule, outcome));
        }
        if matched {
            return verdict(query.effect(rule, person), By::Rule(rule), errors);
        }
    }
    verdict(Decision::Deny, By::Default, errors)
}

impl<'a> Query<'a> {
    fn facts(&self, person: &'a Person<'a>) -> Facts<'a> {
        Facts {
            person: Some(person),
            target: self.target,
            app: &self.access.app,
            now: self.now,
            reputation: self.reputation,
        }
    }

    /// What a matching rule comes to. A person who would be denied is not asked for a key.
    fn effect(&self, rule: &Rule, person: &Person<'_>) -> Decision<'a> {
        match rule.effect {
            Effect::Deny => Decision::Deny,
            Effect::Allow => {
                let unmet =
                    |need: &&Requirement| !person.proofs.hold(&need.kinds, need.within, self.now);
                self.access.requires.iter().find(unmet).map_or(Decision::Allow, Decision::StepUp)
            }
        }
    }
}
