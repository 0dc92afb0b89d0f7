//! Policies, each after those that it uses.

use std::sync::Arc;

use regex::Regex;

use super::{CompileError, Compiler, Policies};
use crate::access::condition::{Condition, Part, Policy};
use crate::access::groups::GroupSet;
use crate::blueprint::policy as written;
use crate::blueprint::source::{Name, Span};
use crate::expression::catalogue::Context;

impl Compiler<'_> {
    /// Compiles every policy after those that it uses.
    pub(super) fn policies(&self) -> Result<Policies, CompileError> {
        let mut done = Policies::new();
        let mut left: Vec<&written::Policy> = self.blueprint.policies.iter().collect();
        while !left.is_empty() {
            let (ready, waiting): (Vec<_>, Vec<_>) = left.iter().partition(|policy| {
                uses(&policy.parts).iter().all(|name| done.contains_key(*name))
            });
            if ready.is_empty() {
                let stuck = waiting
                    .first()
                    .map_or_else(Span::default, |policy: &&written::Policy| policy.at);
                return Err(self.fault(stuck, "a policy uses itself or one that is unknown"));
            }
            for policy in ready {
                let parts = self.parts(&policy.parts, &done)?;
                let slug = policy.slug.value.clone();
                let place = self.sources.place(policy.at);
                done.insert(slug.clone(), Arc::new(Policy { slug, place, parts }));
            }
            left = waiting;
        }
        Ok(done)
    }

    fn parts(&self, parts: &[written::Part], done: &Policies) -> Result<Vec<Part>, CompileError> {
        parts.iter().map(|part| self.part(part, done)).collect()
    }

    fn part(&self, part: &written::Part, done: &Policies) -> Result<Part, CompileError> {
        let condition = match &part.condition {
            written::Condition::Mfa { kinds, within } => {
                Condition::Mfa { kinds: kinds.clone(), within: *within }
            }
            written::Condition::Network(networks) => Condition::Network(networks.clone()),
            written::Condition::Time(window) => Condition::Time(window.clone()),
            written::Condition::Cel(text) => {
                Condition::Cel(Box::new(self.program(text, Context::Policy)?))
            }
            written::Condition::Attribute { key, test } => self.attribute(key, test, part.at)?,
            written::Condition::Reputation { min } => Condition::Reputation { min: *min },
            written::Condition::Group(names) => Condition::Group(self.direct_groups(names)),
            written::Condition::Use(name) => Condition::Use(self.policy(name, done)?),
            written::Condition::Any(parts) => Condition::Any(self.parts(parts, done)?),
            written::Condition::Not(parts) => Condition::Not(self.parts(parts, done)?),
        };
        Ok(Part { condition, place: self.sources.place(part.at) })
    }

    fn attribute(
        &self,
        key: &str,
        test: &written::AttributeTest,
        at: Span,
    ) -> Result<Condition, CompileError> {
        let key = key.to_owned();
        Ok(match test {
            written::AttributeTest::Equals(value) => {
                Condition::Equals { key, value: value.clone() }
            }
            written::AttributeTest::Matches(pattern) => {
                let whole = format!("^(?:{})$", pattern.value);
                Condition::Matches {
                    key,
                    pattern: Regex::new(&whole).map_err(|e| self.fault(at, e))?,
                }
            }
        })
    }

    fn direct_groups(&self, names: &[Name]) -> GroupSet {
        let mut set = GroupSet::default();
        names.iter().filter_map(|name| self.groups.id(&name.value)).for_each(|id| set.insert(id));
        set
    }

    pub(super) fn policy(&self, name: &Name, done: &Policies) -> Result<Arc<Policy>, CompileError> {
        let found = done.get(&name.value).cloned();
        found.ok_or_else(|| self.fault(name.span, format!("unknown policy `{}`", name.value)))
    }
}

fn uses(parts: &[written::Part]) -> Vec<&str> {
    fn of(part: &written::Part) -> Vec<&str> {
        match &part.condition {
            written::Condition::Use(name) => vec![name.value.as_str()],
            written::Condition::Any(parts) | written::Condition::Not(parts) => uses(parts),
            _ => Vec::new(),
        }
    }
    parts.iter().flat_map(of).collect()
}
