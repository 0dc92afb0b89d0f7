//! Which declared object is which stored one: the same, renamed, back again, new, or gone.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{Stored, StoredObject, StoredUser};
use crate::blueprint::Blueprint;
use crate::blueprint::object::{Kind, Object};

/// What becomes of one object's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has a uid and keeps it.
    Keep {
        uid: String,
    },
    /// It keeps its uid under another name.
    Rename {
        uid: String,
        was: String,
    },
    /// It was removed and comes back with what it had.
    Revive {
        uid: String,
    },
    /// It was made at run time; a blueprint takes it over.
    Adopt {
        uid: String,
    },
    Add,
    Remove {
        uid: String,
    },
}

/// An object and its fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    pub kind: Kind,
    pub slug: String,
    pub fate: Fate,
}

/// Matches everything declared with everything stored, by kind and name.
#[must_use]
pub fn match_objects(after: &Blueprint, stored: &Stored) -> Vec<Matched> {
    let declared: BTreeSet<(Kind, &str)> =
        after.objects.iter().map(|object| (object.kind, object.slug.value.as_str())).collect();
    let mut taken = BTreeSet::new();
    let mut matched = BTreeMap::new();
    for object in &after.objects {
        let fate = fate(object, &declared, stored);
        if let Fate::Keep { uid } | Fate::Rename { uid, .. } = &fate {
            taken.insert(uid.clone());
        }
        let slug = object.slug.value.clone();
        matched.insert((object.kind, slug.clone()), Matched { kind: object.kind, slug, fate });
    }
    for gone in stored.objects.iter().filter(|object| !taken.contains(&object.uid)) {
        let fate = Fate::Remove { uid: gone.uid.clone() };
        let (kind, slug) = (gone.kind, gone.slug.clone());
        matched.entry((kind, slug.clone())).or_insert(Matched { kind, slug, fate });
    }
    matched.into_values().collect()
}

fn fate(object: &Object, declared: &BTreeSet<(Kind, &str)>, stored: &Stored) -> Fate {
    let slug = object.slug.value.as_str();
    if let Some(known) = stored.object(object.kind, slug) {
        return Fate::Keep { uid: known.uid.clone() };
    }
    if let Some(known) = former(object, declared, stored) {
        return Fate::Rename { uid: known.uid.clone(), was: known.slug.clone() };
    }
    let made = if object.kind == Kind::User { stored.user_named(slug) } else { None };
    match (stored.tombstone(object.kind, slug), made) {
        // Disabled and untouched since its removal: the same person comes back.
        (Some(gone), Some(user)) if came_back(gone, user) => Fate::Revive { uid: gone.uid.clone() },
        (_, Some(user)) => Fate::Adopt { uid: user.id.clone() },
        (Some(gone), None) if object.kind != Kind::User => Fate::Revive { uid: gone.uid.clone() },
        _ => Fate::Add,
    }
}

fn came_back(gone: &StoredObject, user: &StoredUser) -> bool {
    gone.uid == user.id && user.disabled
}

/// The stored object that `formerly` names, unless that name is still declared.
fn former<'a>(
    object: &Object,
    declared: &BTreeSet<(Kind, &str)>,
    stored: &'a Stored,
) -> Option<&'a StoredObject> {
    let was = object.formerly.as_ref()?.value.as_str();
    if declared.contains(&(object.kind, was)) {
        return None;
    }
    stored.object(object.kind, was)
}
