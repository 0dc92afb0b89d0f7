//! Rows of declared people: what the files want beside what the store holds.
//!
//! A field that the files did not change but the store did is drift: it is reported, and undone
//! only where the files say `drift enforce`.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{Fate, Matched};
use super::power::{Renamed, takes_runtime_members};
use super::stored::{Stored, StoredUser};
use crate::blueprint::Blueprint;
use crate::blueprint::object::Kind;
use crate::blueprint::people::User;
use crate::blueprint::settings::DriftRule;
use crate::runtime::compile::attribute_map;

/// What blueprints write into a user's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    pub disabled: bool,
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// What to write for one declared user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonChange {
    pub username: String,
    /// Absent for somebody new.
    pub uid: Option<String>,
    /// The row, if it changes.
    pub fields: Option<Fields>,
    /// Memberships that the files own.
    pub joins: Vec<String>,
    pub leaves: Vec<String>,
}

/// Something that was changed behind the files' back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// `user bob`.
    pub what: String,
    pub field: String,
    pub declared: String,
    pub found: String,
    pub restored: bool,
}

/// Everything to write about people, and the drift found on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    pub changes: Vec<PersonChange>,
    /// Uids of users who leave the files: disabled and handed to run time.
    pub released: Vec<String>,
    /// Run-time memberships of groups whose list the files own: user and group.
    pub evicted: Vec<(String, String)>,
    pub drift: Vec<Drift>,
}

/// Compares what the files want of people with what is stored.
#[must_use]
pub fn compare(
    before: Option<&Blueprint>,
    after: &Blueprint,
    stored: &Stored,
    matched: &[Matched],
    renamed: &Renamed,
) -> People {
    let mut people = People::default();
    let enforce = after.settings.reconcile.drift == DriftRule::Enforce;
    for each in matched.iter().filter(|each| each.kind == Kind::User) {
        let (uid, was) = match &each.fate {
            Fate::Remove { uid } => {
                people.released.push(uid.clone());
                continue;
            }
            Fate::Add => (None, None),
            Fate::Rename { uid, was } => (Some(uid), Some(was)),
            Fate::Keep { uid } => (Some(uid), Some(&each.slug)),
            Fate::Revive { uid } | Fate::Adopt { uid } => (Some(uid), None),
        };
        let Some(user) = after.users.iter().find(|user| user.name.value == each.slug) else {
            continue;
        };
        let old =
            before.zip(was).and_then(|(b, was)| b.users.iter().find(|u| u.name.value == *was));
        let row = uid.and_then(|uid| stored.user(uid));
        let compared = Compared { user, old, row, stored, renamed, enforce };
        compared.write(uid.cloned(), &mut people);
    }
    evictions(before, after, stored, renamed, enforce, &mut people);
    people
}

struct Compared<'a> {
    user: &'a User,
    old: Option<&'a User>,
    row: Option<&'a StoredUser>,
    stored: &'a Stored,
    renamed: &'a Renamed,
    enforce: bool,
}

impl Compared<'_> {
    fn write(&self, uid: Option<String>, people: &mut People) {
        let fields = self.fields(&mut people.drift);
        let (joins, leaves) = self.memberships(&mut people.drift);
        let written = self.row.filter(|row| row.declared).map(of_row);
        let fields = (written.as_ref() != Some(&fields)).then_some(fields);
        if fields.is_some() || !joins.is_empty() || !leaves.is_empty() {
            let username = self.user.name.value.clone();
            people.changes.push(PersonChange { username, uid, fields, joins, leaves });
        }
    }

    /// The row to be: the files' fields, but what drifted stays unless it is to be undone.
    fn fields(&self, drift: &mut Vec<Drift>) -> Fields {
        let wanted = of_user(self.user);
        let (Some(row), Some(old)) = (self.row.filter(|row| row.declared), self.old) else {
            return wanted;
        };
        let (found, old) = (of_row(row), of_user(old));
        let show = |email: &Option<String>| email.clone().unwrap_or_else(|| "none".to_owned());
        let mut judge =
            |field: &str, same: bool, unchanged: bool, declared: String, found: String| {
                let drifted = !same && unchanged;
                if drifted {
                    let what = format!("user {}", self.user.name.value);
                    let field = field.to_owned();
                    drift.push(Drift { what, field, declared, found, restored: self.enforce });
                }
                drifted && !self.enforce
            };
        let keep_name = judge(
            "title",
            found.name == wanted.name,
            old.name == wanted.name,
            wanted.name.clone(),
            found.name.clone(),
        );
        let keep_email = judge(
            "email",
            found.email == wanted.email,
            old.email == wanted.email,
            show(&wanted.email),
            show(&found.email),
        );
        let keep_attributes = judge(
            "attributes",
            found.attributes == wanted.attributes,
            old.attributes == wanted.attributes,
            format!("{:?}", wanted.attributes),
            format!("{:?}", found.attributes),
        );
        // Whether somebody is disabled is never left to drift towards more rights.
        let keep_disabled = judge(
            "disabled",
            found.disabled == wanted.disabled,
            old.disabled == wanted.disabled,
            wanted.disabled.to_string(),
            found.disabled.to_string(),
        ) && found.disabled;
        Fields {
            username: wanted.username,
            name: if keep_name { found.name } else { wanted.name },
            email: if keep_email { found.email } else { wanted.email },
            disabled: if keep_disabled { found.disabled } else { wanted.disabled },
            attributes: if keep_attributes { found.attributes } else { wanted.attributes },
        }
    }

    fn memberships(&self, drift: &mut Vec<Drift>) -> (Vec<String>, Vec<String>) {
        let wanted = groups(self.user);
        let found = self.row.map(|row| self.declared_memberships(row)).unwrap_or_default();
        let old: BTreeSet<&str> = self.old.map(groups).unwrap_or_default();
        let old: BTreeSet<&str> = old.into_iter().map(|name| now(self.renamed, name)).collect();
        let mut report = |group: &str, declared: &str, found: &str| {
            let what = format!("user {}", self.user.name.value);
            let (declared, found) = (format!("{declared} {group}"), format!("{found} {group}"));
            let field = "in".to_owned();
            drift.push(Drift { what, field, declared, found, restored: self.enforce });
            self.enforce
        };
        let joins = wanted
            .difference(&found)
            .filter(|group| !old.contains(*group) || report(group, "in", "not in"));
        let joins = joins.map(|group| (*group).to_owned()).collect();
        let leaves = found.difference(&wanted).filter(|group| {
            // A row that no generation wrote gives rights that no file shows.
            old.contains(*group) || self.old.is_none() || report(group, "not in", "in")
        });
        (joins, leaves.map(|group| (*group).to_owned()).collect())
    }

    fn declared_memberships(&self, row: &StoredUser) -> BTreeSet<&str> {
        let mine = self.stored.memberships.iter();
        let mine = mine.filter(|each| each.user_id == row.id && each.declared);
        mine.map(|each| now(self.renamed, &each.group)).collect()
    }
}

/// Run-time memberships of groups whose member list the files own.
fn evictions(
    before: Option<&Blueprint>,
    after: &Blueprint,
    stored: &Stored,
    renamed: &Renamed,
    enforce: bool,
    people: &mut People,
) {
    let closed = |blueprint: &Blueprint, name: &str| {
        let mut groups = blueprint.groups.iter();
        groups.any(|group| group.slug.value == name && !takes_runtime_members(group))
    };
    for membership in stored.memberships.iter().filter(|membership| !membership.declared) {
        let group = now(renamed, &membership.group);
        let was_closed = before.is_some_and(|before| closed(before, &membership.group));
        if !closed(after, group) || !was_closed {
            continue;
        }
        let name = stored.user(&membership.user_id).map_or("?", |user| user.username.as_str());
        people.drift.push(Drift {
            what: format!("group {group}"),
            field: "members".to_owned(),
            declared: format!("without {name}"),
            found: format!("with {name}, who has no rights by it"),
            restored: enforce,
        });
        if enforce {
            people.evicted.push((membership.user_id.clone(), membership.group.clone()));
        }
    }
}

fn now<'a>(renamed: &'a Renamed, group: &'a str) -> &'a str {
    renamed.get(group).map_or(group, String::as_str)
}

fn groups(user: &User) -> BTreeSet<&str> {
    user.groups.iter().map(|name| name.value.as_str()).collect()
}

/// What the files say of a user.
#[must_use]
pub fn of_user(user: &User) -> Fields {
    Fields {
        username: user.name.value.clone(),
        name: user.title.clone().unwrap_or_else(|| user.name.value.clone()),
        email: user.email.as_ref().map(|email| email.value.clone()),
        disabled: user.disabled,
        attributes: attribute_map(&user.attributes),
    }
}

fn of_row(row: &StoredUser) -> Fields {
    Fields {
        username: row.username.clone(),
        name: row.name.clone(),
        email: row.email.clone(),
        disabled: row.disabled,
        attributes: row.attributes.clone(),
    }
}
