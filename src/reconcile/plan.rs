//! The plan: what a new set of files changes, whom it lets in or out, what holds it back.

use std::collections::{BTreeMap, BTreeSet};

use super::access_change::{self, AccessChanges};
use super::canonical::things;
use super::changes::{changes, similar};
use super::confirmation::Confirmations;
use super::effects::{Effects, effects};
use super::fields::FieldChange;
use super::generated::{self, GeneratedSecret};
use super::held::{self, Case, Reason, secrets};
use super::identity::{Fate, Matched, match_objects};
use super::people::{self, People};
use super::power::{Renamed, Side};
use super::stored::{Active, Stored};
use crate::blueprint::object::Kind;
use crate::blueprint::source::Position;
use crate::runtime::Runtime;
use crate::runtime::health::AwaitsRestart;

/// Everything that a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The generation in force, compiled from its stored sources.
    pub before: Option<&'a Runtime>,
    pub after: &'a Runtime,
    pub stored: &'a Stored,
    pub confirmations: &'a Confirmations,
    pub given: &'a Given,
}

/// What was found out on the way to a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Roots that are missing, unreadable or without a file.
    pub vanished_roots: Vec<String>,
    pub warnings: Vec<String>,
    pub tests: TestCounts,
    /// What the files say and only a restart of the running server takes up.
    pub restart: Vec<AwaitsRestart>,
    /// The directories as given, for people.
    pub roots: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestCounts {
    pub passed: usize,
    pub failed: usize,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub base: Option<Active>,
    pub target: Target,
    pub changes: Vec<Change>,
    pub people: People,
    pub access: AccessChanges,
    pub effects: Effects,
    /// What must be confirmed before anything of this is applied.
    pub held: Vec<Reason>,
    /// What was held and is confirmed.
    pub confirmed: Vec<Reason>,
    pub warnings: Vec<String>,
    pub tests: TestCounts,
    pub matched: Vec<Matched>,
    /// Former names of groups and their present ones.
    pub renamed_groups: Renamed,
    /// Secrets to be made.
    pub generated: Vec<GeneratedSecret>,
    /// Where stored objects stand and whether they are protected, by uid.
    pub places: BTreeMap<String, (String, bool)>,
    /// All uses of secrets so far, to be remembered.
    pub secret_uses: BTreeMap<String, BTreeSet<String>>,
}

/// The set of files that the plan leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub source_digest: String,
    pub model_digest: String,
    pub revision: Option<String>,
    pub roots: String,
    pub files: usize,
    pub nodes: usize,
}

/// What becomes of one object or of a node that stands once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub op: Op,
    pub kind: String,
    /// Empty for what stands once.
    pub slug: String,
    pub was: Option<String>,
    pub uid: Option<String>,
    pub at: Place,
    pub fields: Vec<FieldChange>,
    pub protected: bool,
}

/// Where something stands; for what is gone, where it stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub position: Option<Position>,
    /// The template that made it.
    pub via: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    Update,
    Add,
    Rename,
    Revive,
    Adopt,
    Remove,
}

/// What a plan comes to. The numbers are exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Nothing,
    Changes,
    Held,
}

/// Plans without touching anything.
#[must_use]
pub fn plan(question: &Question<'_>) -> Plan {
    let Question { before, after, stored, confirmations, given } = *question;
    let matched = match_objects(&after.blueprint, stored);
    let renamed = renamed_groups(&matched);
    let none = Renamed::new();
    let old_side = before.map(|runtime| Side { runtime, stored, renamed: &none });
    let new_side = Side { runtime: after, stored, renamed: &renamed };
    let changes = changes(before, after, stored, &matched);
    let old = before.map(|runtime| &runtime.blueprint);
    let mut reasons = held::contradictions(before, after, stored, &matched, &given.vanished_roots);
    if let Some(side) = old_side {
        let case = Case { before: side, after: new_side, stored, matched: &matched };
        reasons.extend(held::reasons(&case));
    }
    let (confirmed, held) = split(reasons, confirmations);
    let mut warnings = given.warnings.clone();
    warnings.extend(similar(before, after, &changes));
    warnings.extend(useless(confirmations, &confirmed));
    if before.is_none() && stored.active.is_some() {
        warnings.push(
            "the running generation cannot be read by this version: changed fields are not shown"
                .to_owned(),
        );
    }
    Plan {
        base: stored.active.clone(),
        target: target(after, given),
        access: access_change::compare(old_side, new_side, &matched),
        effects: effects(old, &after.blueprint, &changes, stored, &given.restart),
        people: people::compare(old, &after.blueprint, stored, &matched, &renamed),
        secret_uses: remembered(stored, before, after),
        generated: generated::missing(old, &after.blueprint, stored, &matched),
        places: places(stored),
        changes,
        held,
        confirmed,
        warnings,
        tests: given.tests,
        matched,
        renamed_groups: renamed,
    }
}

impl Plan {
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let drifted = self.people.drift.iter().any(|drift| drift.restored);
        if !self.held.is_empty() {
            Outcome::Held
        } else if self.is_same_model()
            && self.changes.is_empty()
            && !self.people.writes()
            && !drifted
        {
            Outcome::Nothing
        } else {
            Outcome::Changes
        }
    }

    /// Whether the new files mean what the running ones mean: positions aside, nothing to do.
    #[must_use]
    pub fn is_same_model(&self) -> bool {
        self.base.as_ref().is_some_and(|base| base.model_digest == self.target.model_digest)
    }

    #[must_use]
    pub fn count(&self, op: Op) -> usize {
        self.changes.iter().filter(|change| change.op == op).count()
    }
}

impl Outcome {
    /// The exit code of `plan`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Changes => 2,
            Self::Held => 3,
        }
    }

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Changes => "changes",
            Self::Held => "held",
        }
    }
}

impl People {
    /// Whether anything is to be written.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.changes.is_empty() || !self.released.is_empty() || !self.evicted.is_empty()
    }
}

fn places(stored: &Stored) -> BTreeMap<String, (String, bool)> {
    let places = stored.objects.iter();
    places.map(|each| (each.uid.clone(), (each.declared_at.clone(), each.protect))).collect()
}

fn renamed_groups(matched: &[Matched]) -> Renamed {
    let renamed = matched.iter().filter_map(|each| match &each.fate {
        Fate::Rename { was, .. } if each.kind == Kind::Group => {
            Some((was.clone(), each.slug.clone()))
        }
        _ => None,
    });
    renamed.collect()
}

fn target(after: &Runtime, given: &Given) -> Target {
    Target {
        source_digest: after.source_digest.clone(),
        model_digest: after.model_digest.clone(),
        revision: after.revision.clone(),
        roots: given.roots.clone(),
        files: after.sources.files.len(),
        nodes: things(&after.blueprint).iter().map(|thing| count_nodes(thing.node)).sum(),
    }
}

fn count_nodes(node: &crate::blueprint::tree::Node) -> usize {
    1 + node.kids.iter().map(count_nodes).sum::<usize>()
}

impl std::fmt::Display for Place {
    /// `apps/more.kdl:5 via template internal-web`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(position) = self.position {
            write!(f, ":{}", position.line)?;
        }
        match &self.via {
            Some(template) => write!(f, " via template {template}"),
            None => Ok(()),
        }
    }
}

fn split(reasons: Vec<Reason>, confirmations: &Confirmations) -> (Vec<Reason>, Vec<Reason>) {
    let is_confirmed = |reason: &Reason| {
        !reason.confirm.is_empty()
            && reason.confirm.iter().all(|argument| confirmations.has(argument))
    };
    reasons.into_iter().partition(is_confirmed)
}

/// Confirmations of things that are not held. One that is part of several is not useless yet.
fn useless(confirmations: &Confirmations, confirmed: &[Reason]) -> Vec<String> {
    let used: Confirmations = Confirmations::parse(
        confirmed.iter().flat_map(|reason| &reason.confirm).map(String::as_str),
    )
    .unwrap_or_default();
    let idle = confirmations.iter().filter(|argument| !used.iter().any(|each| each == *argument));
    idle.map(|argument| format!("`{argument}` confirms nothing here")).collect()
}

fn remembered(
    stored: &Stored,
    before: Option<&Runtime>,
    after: &Runtime,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut uses = stored.secret_uses.clone();
    for runtime in before.into_iter().chain([after]) {
        for (name, places) in secrets::uses(&runtime.blueprint) {
            uses.entry(name).or_default().extend(places);
        }
    }
    uses
}
