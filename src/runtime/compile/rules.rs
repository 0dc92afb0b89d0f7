//! Rules of access, and how they are told.

use std::time::Duration;

use super::{CompileError, Compiler, Policies};
use crate::access::rule::{AppAccess, Effect, Requirement, Rule, Subjects};
use crate::blueprint::app as declared;
use crate::blueprint::source::{Name, Spanned};
use crate::model::subject::Subject;

impl Compiler<'_> {
    pub(super) fn access(
        &self,
        app: &declared::App,
        policies: &Policies,
    ) -> Result<AppAccess, CompileError> {
        let rules = app.access.rules.iter().map(|rule| self.rule(rule, policies));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        Ok(AppAccess {
            app: app.slug.value.clone(),
            requires: app.access.requires.iter().map(|need| self.requirement(need)).collect(),
            reads_reputation: rules.iter().any(Rule::reads_reputation),
            rules,
        })
    }

    fn requirement(&self, need: &declared::Requirement) -> Requirement {
        let (word, kinds) = match need.factor {
            declared::RequiredFactor::Mfa => ("mfa", Vec::new()),
            declared::RequiredFactor::One(factor) => (factor.word(), vec![factor]),
        };
        let within = need.within.map(|limit| format!(" within {}", duration_words(limit)));
        Requirement {
            kinds,
            within: need.within,
            text: format!("require {word}{}", within.unwrap_or_default()),
            place: self.sources.place(need.at),
        }
    }

    fn rule(&self, rule: &declared::Rule, policies: &Policies) -> Result<Rule, CompileError> {
        let all = |names: &[Name]| -> Result<Vec<_>, _> {
            names.iter().map(|name| self.policy(name, policies)).collect()
        };
        Ok(Rule {
            effect: match rule.effect {
                declared::Effect::Allow => Effect::Allow,
                declared::Effect::Deny => Effect::Deny,
            },
            subjects: self.subjects(&rule.subjects),
            path: rule.path.as_ref().map(|glob| glob.value.clone()),
            method: rule.method.clone(),
            when: all(&rule.when)?,
            unless: all(&rule.unless)?,
            text: rule_text(rule),
            place: self.sources.place(rule.at),
        })
    }

    pub(super) fn subjects(&self, declared: &[Spanned<Subject>]) -> Subjects {
        let mut subjects = Subjects::default();
        for subject in declared {
            match &subject.value {
                Subject::Everyone => subjects.everyone = true,
                Subject::Group(name) => {
                    if let Some(id) = self.groups.id(name) {
                        subjects.groups.insert(id);
                    }
                }
                Subject::User(name) => subjects.users.push(name.clone()),
                Subject::ServiceAccount(name) => subjects.service_accounts.push(name.clone()),
            }
        }
        subjects
    }
}

/// A rule in the words of a blueprint.
#[must_use]
pub fn rule_text(rule: &declared::Rule) -> String {
    let mut text = String::from(match rule.effect {
        declared::Effect::Allow => "allow",
        declared::Effect::Deny => "deny",
    });
    for subject in &rule.subjects {
        text += &format!(" {}", subject.value);
    }
    if let Some(path) = &rule.path {
        text += &format!(" path=\"{}\"", path.value.as_str());
    }
    if let Some(method) = &rule.method {
        text += &format!(" method={method}");
    }
    rule.when.iter().for_each(|name| text += &format!(" if={}", name.value));
    rule.unless.iter().for_each(|name| text += &format!(" unless={}", name.value));
    text
}

/// A duration in the units of a blueprint: `hours=12`.
#[must_use]
pub fn duration_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1)];
    let fitting = units.iter().find(|(_, size)| seconds > 0 && seconds.is_multiple_of(*size));
    fitting.map_or_else(
        || format!("seconds={seconds}"),
        |(name, size)| format!("{name}={}", seconds / size),
    )
}
