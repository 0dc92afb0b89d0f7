//! Compiled access rules and gates.

use std::sync::Arc;
use std::time::Duration;

use super::condition::{ConditionError, Facts, Policy};
use super::groups::GroupSet;
use super::path::Strictness;
use super::person::{Person, PersonKind};
use crate::model::factor::Factor;
use crate::model::glob::Glob;

/// Who may use one app: rules of which the first match decides, then requirements.
#[derive(Debug, Default)]
pub struct AppAccess {
    pub app: String,
    pub requires: Vec<Requirement>,
    pub rules: Vec<Rule>,
    /// Whether any rule looks at the reputation of the account and the address.
    pub reads_reputation: bool,
}

/// A second factor that an allowed person must have proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Any second factor if empty.
    pub kinds: Vec<Factor>,
    pub within: Option<Duration>,
    /// `require mfa within hours=12`.
    pub text: String,
    pub place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

#[derive(Debug)]
pub struct Rule {
    pub effect: Effect,
    pub subjects: Subjects,
    pub path: Option<Glob>,
    pub method: Option<String>,
    pub when: Vec<Arc<Policy>>,
    pub unless: Vec<Arc<Policy>>,
    /// `allow group:admins if=on-lan`, as written.
    pub text: String,
    /// `apps/grafana.kdl:9`.
    pub place: String,
}

/// Whom a rule speaks of: one of these.
#[derive(Debug, Default)]
pub struct Subjects {
    pub everyone: bool,
    pub groups: GroupSet,
    pub users: Vec<String>,
    pub service_accounts: Vec<String>,
}

impl Subjects {
    #[must_use]
    pub fn include(&self, person: &Person<'_>) -> bool {
        let named = match person.kind {
            PersonKind::User => &self.users,
            PersonKind::ServiceAccount => &self.service_accounts,
        };
        self.everyone
            || person.groups.meets(&self.groups)
            || named.iter().any(|name| name == person.username)
    }
}

/// Whether a rule matched, and what could not be judged on the way.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    Miss,
    /// An erroring `deny` matches, an erroring `allow` does not.
    Error(ConditionError),
}

impl Rule {
    /// Judges one rule: subjects are *or*, everything else is *and*.
    #[must_use]
    pub fn judge(&self, facts: &Facts<'_>) -> Outcome {
        let meant = facts.person.is_some_and(|person| self.subjects.include(person));
        if !meant || !self.fits_request(facts) {
            return Outcome::Miss;
        }
        let mut trouble = None;
        for (policy, wanted) in self.conditions() {
            match policy.holds(facts) {
                Ok(holds) if holds == wanted => {}
                Ok(_) => return Outcome::Miss,
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        trouble.map_or(Outcome::Hit, Outcome::Error)
    }

    /// The policies of the rule, each with the value that it must have.
    pub fn conditions(&self) -> impl Iterator<Item = (&Policy, bool)> {
        let when = self.when.iter().map(|policy| (policy.as_ref(), true));
        when.chain(self.unless.iter().map(|policy| (policy.as_ref(), false)))
    }

    /// Whether the outcome may depend on the path.
    #[must_use]
    pub fn reads_path(&self) -> bool {
        self.path.is_some() || self.conditions().any(|(policy, _)| policy.reads_path())
    }

    /// Whether the outcome may depend on the reputation of the account and the address.
    #[must_use]
    pub fn reads_reputation(&self) -> bool {
        self.conditions().any(|(policy, _)| policy.reads_reputation())
    }

    fn fits_request(&self, facts: &Facts<'_>) -> bool {
        let target = facts.target;
        let path = self.path.as_ref().is_none_or(|glob| match self.effect {
            Effect::Allow => glob.matches(&target.path),
            Effect::Deny => glob.matches_folded(&target.path),
        });
        path && self.method.as_ref().is_none_or(|method| *method == target.method)
    }
}

/// What one address of an app lets through without a login.
#[derive(Debug, Default)]
pub struct Gate {
    pub bypass: Vec<Bypass>,
    /// If not empty, only these paths are behind the login.
    pub protect_only: Vec<Glob>,
    pub protect_place: String,
    /// Whether any rule of the app looks at paths.
    pub strictness: Strictness,
}

/// `Strictness` with a default for gates without rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathStrictness(pub bool);

impl From<PathStrictness> for Strictness {
    fn from(strict: PathStrictness) -> Self {
        if strict.0 { Self::Strict } else { Self::Lenient }
    }
}

#[derive(Debug)]
pub struct Bypass {
    pub paths: Vec<Glob>,
    /// Any method if empty.
    pub methods: Vec<String>,
    pub place: String,
}

impl Gate {
    /// The place of the line that lets this path through, if one does.
    #[must_use]
    pub fn opens(&self, path: &str, method: &str) -> Option<Open<'_>> {
        let bypass = self.bypass.iter().find(|bypass| {
            bypass.paths.iter().any(|glob| glob.matches(path))
                && (bypass.methods.is_empty() || bypass.methods.iter().any(|each| each == method))
        });
        if let Some(bypass) = bypass {
            return Some(Open::Bypass(bypass));
        }
        let guarded = self.protect_only.is_empty()
            || self.protect_only.iter().any(|glob| glob.matches_folded(path));
        (!guarded).then_some(Open::OutsideProtectOnly(&self.protect_place))
    }
}

/// Why a path needs no login.
#[derive(Clone, Copy, Debug)]
pub enum Open<'a> {
    Bypass(&'a Bypass),
    OutsideProtectOnly(&'a str),
}
