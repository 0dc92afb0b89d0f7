//! Who asks: what rules may know of a person.

use std::collections::BTreeMap;
use std::time::Duration;

use super::groups::GroupSet;
use crate::clock::Millis;
use crate::expression::facts::{Texts, UserFacts};
use crate::model::factor::Factor;

/// Attributes: each key has values in order.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// A person or a service account, with the proofs of this session.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    pub username: &'a str,
    pub kind: PersonKind,
    pub name: Option<&'a str>,
    /// The last verified address.
    pub email: Option<&'a str>,
    /// All groups, nested ones included.
    pub groups: &'a GroupSet,
    /// The same as names, sorted.
    pub group_names: &'a [String],
    pub attributes: &'a Attributes,
    pub proofs: &'a Proofs,
    pub disabled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonKind {
    User,
    ServiceAccount,
}

impl<'a> Person<'a> {
    /// The person as expressions see them; `mfa` are the words of the proofs.
    #[must_use]
    pub fn for_expressions(&self, mfa: &'a [&'a str]) -> UserFacts<'a> {
        UserFacts {
            username: self.username,
            name: self.name,
            email: self.email,
            groups: Texts::Strings(self.group_names),
            attributes: self.attributes,
            mfa: Texts::Borrowed(mfa),
        }
    }
}

/// When second factors were proven in this session or remembered browser (`security.md` R9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs(Vec<(Factor, Millis)>);

impl FromIterator<(Factor, Millis)> for Proofs {
    fn from_iter<I: IntoIterator<Item = (Factor, Millis)>>(proofs: I) -> Self {
        let mut all = Self::default();
        proofs.into_iter().for_each(|(factor, at)| all.add(factor, at));
        all
    }
}

impl Proofs {
    pub fn add(&mut self, factor: Factor, at: Millis) {
        self.0.retain(|(known, _)| *known != factor);
        self.0.push((factor, at));
    }

    /// Whether one of `kinds` (any if empty) was proven, not longer ago than `within`.
    #[must_use]
    pub fn hold(&self, kinds: &[Factor], within: Option<Duration>, now: Millis) -> bool {
        self.0.iter().any(|(factor, at)| {
            (kinds.is_empty() || kinds.contains(factor))
                && within.is_none_or(|limit| now.since(*at) <= limit && *at <= now)
        })
    }

    /// The proven factors, in the words of `user.mfa`.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(factor, _)| factor.word())
    }
}
