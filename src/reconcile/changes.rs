//! What is added, changed, renamed and removed, each with its fields and its place.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical::{Canonical, Thing, canonical, things};
use super::fields::{self, FieldChange};
use super::identity::{Fate, Matched};
use super::plan::{Change, Op, Place};
use super::stored::Stored;
use crate::blueprint::object::Kind;
use crate::runtime::Runtime;

type Forms<'a> = BTreeMap<(&'a str, &'a str), (Thing<'a>, Canonical)>;

fn forms(runtime: &Runtime) -> Forms<'_> {
    let all = things(&runtime.blueprint).into_iter();
    all.map(|thing| ((thing.kind, thing.name), (thing, canonical(&thing)))).collect()
}

/// All changes, by kind and name.
#[must_use]
pub fn changes(
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

/// Removals that look like renames.
#[must_use]
pub fn similar(before: Option<&Runtime>, after: &Runtime, changes: &[Change]) -> Vec<String> {
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
