//! The plan: what a new set of files changes, whom it lets in or out, what holds it back.

use std::collections::{BTreeMap, BTreeSet};

use super::access_change::{self, AccessChanges};
use super::canonical::{Canonical, Thing, canonical, things};
use super::confirmation::Confirmations;
use super::effects::{Effects, effects};
use super::fields::{self, FieldChange};
use super::held::{self, Case, Reason, secrets};
use super::identity::{Fate, Matched, match_objects};
use super::people::{self, People};
use super::power::{Renamed, Side};
use super::stored::{Active, Stored};
use crate::blueprint::object::Kind;
use crate::blueprint::source::Position;
use crate::runtime::Runtime;

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
    /// Files that differ from the revision they are said to be.
    pub dirty: bool,
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
    /// All uses of secrets so far, to be remembered.
    pub secret_uses: BTreeMap<String, BTreeSet<String>>,
}

/// The set of files that the plan leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub source_digest: String,
    pub model_digest: String,
    pub revision: Option<String>,
    pub dirty: bool,
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
    let mut reasons = held::contradictions(after, stored, &matched, &given.vanished_roots);
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
        effects: effects(old, &after.blueprint, &changes, stored),
        people: people::compare(old, &after.blueprint, stored, &matched, &renamed),
        secret_uses: remembered(stored, before, after),
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
        } else if self.is_same_model() && self.changes.is_empty() && !self.people.writes() && !drifted
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
        dirty: given.dirty,
        roots: given.roots.clone(),
        files: after.sources.files.len(),
        nodes: things(&after.blueprint).iter().map(|thing| count_nodes(thing.node)).sum(),
    }
}

fn count_nodes(node: &crate::blueprint::tree::Node) -> usize {
    1 + node.kids.iter().map(count_nodes).sum::<usize>()
}

type Forms<'a> = BTreeMap<(&'a str, &'a str), (Thing<'a>, Canonical)>;

fn forms(runtime: &Runtime) -> Forms<'_> {
    let all = things(&runtime.blueprint).into_iter();
    all.map(|thing| ((thing.kind, thing.name), (thing, canonical(&thing)))).collect()
}

fn changes(
    before: Option<&Runtime>,
    after: &Runtime,
    stored: &Stored,
    matched: &[Matched],
) -> Vec<Change> {
    let old = before.map(forms).unwrap_or_default();
    let new = forms(after);
    let mut changes = Vec::new();
    for each in matched {
        changes.extend(object_change(before, after, stored, each, &old, &new));
    }
    changes.extend(single_changes(before, after, &old, &new));
    changes.sort_by(|a, b| (&a.kind, &a.slug).cmp(&(&b.kind, &b.slug)));
    changes
}

fn object_change(
    before: Option<&Runtime>,
    after: &Runtime,
    stored: &Stored,
    each: &Matched,
    old: &Forms<'_>,
    new: &Forms<'_>,
) -> Option<Change> {
    let kind = each.kind.word();
    let (op, uid, was) = match &each.fate {
        Fate::Keep { uid } => (Op::Update, Some(uid), None),
        Fate::Rename { uid, was } => (Op::Rename, Some(uid), Some(was)),
        Fate::Revive { uid } => (Op::Revive, Some(uid), None),
        Fate::Adopt { uid } => (Op::Adopt, Some(uid), None),
        Fate::Remove { uid } => (Op::Remove, Some(uid), None),
        Fate::Add => (Op::Add, None, None),
    };
    let old_form = old.get(&(kind, was.map_or(each.slug.as_str(), String::as_str)));
    let new_form = new.get(&(kind, each.slug.as_str()));
    let fields = match (op, old_form, new_form) {
        (Op::Update | Op::Rename, Some((_, old)), Some((_, new))) => fields::between(old, new),
        _ => Vec::new(),
    };
    if op == Op::Update && fields.is_empty() {
        return None;
    }
    let place = match (op, new_form, old_form.zip(before)) {
        (Op::Remove, _, Some(((thing, _), before))) => place(before, thing),
        (_, Some((thing, _)), _) => place(after, thing),
        _ => stored_place(stored, each),
    };
    let protected = stored.object(each.kind, was.unwrap_or(&each.slug)).is_some_and(|o| o.protect);
    Some(Change {
        op,
        kind: kind.to_owned(),
        slug: each.slug.clone(),
        was: was.cloned(),
        uid: uid.cloned(),
        at: place,
        fields,
        protected,
    })
}

/// Changes of what has no identity: settings, tests and their like.
fn single_changes(
    before: Option<&Runtime>,
    after: &Runtime,
    old: &Forms<'_>,
    new: &Forms<'_>,
) -> Vec<Change> {
    let Some(before) = before else { return first_singles(after, new) };
    let keys = old.keys().chain(new.keys()).filter(|(kind, _)| Kind::from_word(kind).is_none());
    let keys: BTreeSet<_> = keys.collect();
    let mut changes = Vec::new();
    for key in keys {
        let (op, fields, at) = match (old.get(key), new.get(key)) {
            (Some((_, old)), Some((thing, new))) => {
                let fields = fields::between(old, new);
                if fields.is_empty() {
                    continue;
                }
                (Op::Update, fields, place(after, thing))
            }
            (None, Some((thing, _))) => (Op::Add, Vec::new(), place(after, thing)),
            (Some((thing, _)), None) => (Op::Remove, Vec::new(), place(before, thing)),
            (None, None) => continue,
        };
        changes.push(single(op, key, at, fields));
    }
    changes
}

fn single(op: Op, key: &(&str, &str), at: Place, fields: Vec<FieldChange>) -> Change {
    let (kind, slug) = (key.0.to_owned(), key.1.to_owned());
    Change { op, kind, slug, was: None, uid: None, at, fields, protected: false }
}

fn first_singles(after: &Runtime, new: &Forms<'_>) -> Vec<Change> {
    let singles = new.iter().filter(|((kind, _), _)| Kind::from_word(kind).is_none());
    singles.map(|(key, (thing, _))| single(Op::Add, key, place(after, thing), Vec::new())).collect()
}

fn place(runtime: &Runtime, thing: &Thing<'_>) -> Place {
    let origin = thing.node.origin.as_ref();
    // What a template made is found at the row that used it.
    let at = origin.map_or(thing.at, |origin| {
        let mut outermost = origin;
        while let Some(outer) = &outermost.outer {
            outermost = outer;
        }
        outermost.used_at
    });
    Place {
        file: runtime.sources.name(at.file).to_owned(),
        position: Some(runtime.sources.position(at)),
        via: origin.map(|origin| origin.template.clone()),
    }
}

fn stored_place(stored: &Stored, each: &Matched) -> Place {
    let object = stored.object(each.kind, &each.slug);
    let file = object.map(|object| object.declared_at.clone()).unwrap_or_default();
    Place { file, position: None, via: None }
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

/// Removals that look like renames.
fn similar(before: Option<&Runtime>, after: &Runtime, changes: &[Change]) -> Vec<String> {
    let Some(before) = before else { return Vec::new() };
    let (old, new) = (forms(before), forms(after));
    let of = |op: Op| changes.iter().filter(move |change| change.op == op);
    let mut advice = Vec::new();
    for gone in of(Op::Remove) {
        let Some((_, gone_form)) = old.get(&(gone.kind.as_str(), gone.slug.as_str())) else {
            continue;
        };
        let alike = of(Op::Add).filter(|added| added.kind == gone.kind).find(|added| {
            let form = new.get(&(added.kind.as_str(), added.slug.as_str()));
            form.is_some_and(|(_, form)| form.likeness(gone_form) >= 60)
        });
        if let Some(added) = alike.filter(|_| Kind::from_word(&gone.kind).is_some()) {
            advice.push(format!(
                "{} {} is much like the removed {}: `formerly={}` would keep its identity and data",
                added.kind, added.slug, gone.slug, gone.slug
            ));
        }
    }
    advice
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
