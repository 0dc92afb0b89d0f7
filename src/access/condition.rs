//! Compiled policies: three-valued conditions over a person and a request.

use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use super::groups::GroupSet;
use super::person::Person;
use super::target::{Client, Target};
use crate::clock::Millis;
use crate::expression::facts as expression;
use crate::expression::program::Program;
use crate::model::factor::Factor;
use crate::model::network::Network;
use crate::model::time_window::TimeWindow;

/// A named policy: all of its parts must hold.
#[derive(Debug)]
pub struct Policy {
    pub slug: String,
    /// `policies.kdl:3`.
    pub place: String,
    pub parts: Vec<Part>,
}

/// One condition and where it stands.
#[derive(Debug)]
pub struct Part {
    pub condition: Condition,
    pub place: String,
}

#[derive(Debug)]
pub enum Condition {
    Mfa {
        kinds: Vec<Factor>,
        within: Option<Duration>,
    },
    Network(Vec<Network>),
    Time(TimeWindow),
    Cel(Box<Program>),
    Equals {
        key: String,
        value: String,
    },
    /// The regular expression is anchored at both ends.
    Matches {
        key: String,
        pattern: Regex,
    },
    Reputation {
        min: i64,
    },
    Group(GroupSet),
    Use(Arc<Policy>),
    Any(Vec<Part>),
    Not(Vec<Part>),
}

/// What conditions are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Nobody, as long as it is not proven who asks: conditions on the person are errors.
    pub person: Option<&'a Person<'a>>,
    pub target: &'a Target<'a>,
    pub app: &'a str,
    pub now: Millis,
    pub reputation: Reputation,
}

/// What is known of how an account and an address behaved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reputation {
    /// It could not be looked up: conditions on it are errors.
    Unknown,
    Score(i64),
}

/// A condition that could not be judged: neither true nor false.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConditionError {
    pub place: String,
    pub reason: String,
}

/// True, false, or an error.
pub type Truth = Result<bool, ConditionError>;

impl Policy {
    /// Whether all parts hold. A false part settles it, even beside one in error.
    ///
    /// # Errors
    /// If a part cannot be judged and none is false.
    pub fn holds(&self, facts: &Facts<'_>) -> Truth {
        all(&self.parts, facts)
    }

    /// Whether any part looks at the path of the request.
    #[must_use]
    pub fn reads_path(&self) -> bool {
        self.parts.iter().any(Part::reads_path)
    }

    /// Whether any part looks at the reputation of the account and the address.
    #[must_use]
    pub fn reads_reputation(&self) -> bool {
        self.parts.iter().any(Part::reads_reputation)
    }
}

fn all(parts: &[Part], facts: &Facts<'_>) -> Truth {
    let mut trouble = None;
    for part in parts {
        match part.holds(facts) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    trouble.map_or(Ok(true), Err)
}

fn any(parts: &[Part], facts: &Facts<'_>) -> Truth {
    let mut trouble = None;
    for part in parts {
        match part.holds(facts) {
            Ok(false) => {}
            Ok(true) => return Ok(true),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    trouble.map_or(Ok(false), Err)
}

/// None of them may hold; an error anywhere is an error, since nobody knows what it hides.
fn none(parts: &[Part], facts: &Facts<'_>) -> Truth {
    let mut found = false;
    for part in parts {
        found |= part.holds(facts)?;
    }
    Ok(!found)
}

impl Part {
    fn reads_path(&self) -> bool {
        match &self.condition {
            Condition::Cel(program) => program.reads_path(),
            Condition::Use(policy) => policy.reads_path(),
            Condition::Any(parts) | Condition::Not(parts) => parts.iter().any(Self::reads_path),
            _ => false,
        }
    }

    fn reads_reputation(&self) -> bool {
        match &self.condition {
            Condition::Reputation { .. } => true,
            Condition::Use(policy) => policy.reads_reputation(),
            Condition::Any(parts) | Condition::Not(parts) => {
                parts.iter().any(Self::reads_reputation)
            }
            _ => false,
        }
    }

    fn holds(&self, facts: &Facts<'_>) -> Truth {
        match &self.condition {
            Condition::Mfa { kinds, within } => {
                Ok(self.person(facts)?.proofs.hold(kinds, *within, facts.now))
            }
            Condition::Network(networks) => self.network(networks, facts.target.client),
            Condition::Time(window) => Ok(window.holds(facts.now)),
            Condition::Cel(program) => self.cel(program, facts),
            Condition::Equals { key, value } => {
                Ok(values(self.person(facts)?, key).any(|each| each == value))
            }
            Condition::Matches { key, pattern } => {
                Ok(values(self.person(facts)?, key).any(|each| pattern.is_match(each)))
            }
            Condition::Reputation { min } => match facts.reputation {
                Reputation::Score(score) => Ok(score >= *min),
                Reputation::Unknown => Err(self.error("the reputation could not be looked up")),
            },
            Condition::Group(groups) => Ok(self.person(facts)?.groups.meets(groups)),
            Condition::Use(policy) => policy.holds(facts),
            Condition::Any(parts) => any(parts, facts),
            Condition::Not(parts) => none(parts, facts),
        }
    }

    fn person<'a>(&self, facts: &Facts<'a>) -> Result<&'a Person<'a>, ConditionError> {
        facts.person.ok_or_else(|| self.error("it is not proven yet who asks"))
    }

    fn network(&self, networks: &[Network], client: Client) -> Truth {
        match client {
            Client::Known(address) => Ok(networks.iter().any(|each| each.contains(address))),
            Client::Proxy(_) => Ok(false),
            Client::Unknown => Err(self.error("the client's address is not known")),
        }
    }

    fn cel(&self, program: &Program, facts: &Facts<'_>) -> Truth {
        let mfa: Vec<&str> = facts.person.iter().flat_map(|each| each.proofs.words()).collect();
        let client = match facts.target.client {
            Client::Known(address) => Some(address.to_string()),
            Client::Proxy(_) | Client::Unknown => None,
        };
        let asked = expression::Facts {
            user: facts.person.map(|person| person.for_expressions(&mfa)),
            request: Some(expression::RequestFacts {
                host: &facts.target.host,
                path: &facts.target.path,
                method: &facts.target.method,
                client_ip: client.as_deref(),
            }),
            app: Some(expression::AppFacts { slug: facts.app, ..Default::default() }),
            now: facts.now,
        };
        program.truth(&asked).map_err(|error| self.error(&error.to_string()))
    }

    fn error(&self, reason: &str) -> ConditionError {
        ConditionError { place: self.place.clone(), reason: reason.to_owned() }
    }
}

fn values<'a>(person: &'a Person<'a>, key: &str) -> impl Iterator<Item = &'a String> {
    person.attributes.get(key).into_iter().flatten()
}
