//! Removal and adoption.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Reason};
use crate::blueprint::object::Kind;
use crate::blueprint::people::ConsoleRole;
use crate::reconcile::identity::{Fate, Matched};
use crate::reconcile::power::Side;
use crate::reconcile::stored::{Stored, StoredObject};
use crate::runtime::Runtime;
use crate::store::fold;

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    guard(case, &removed(case.stored, case.matched), reasons);
    last_admin(case, reasons);
}

/// Protected objects that would go.
pub fn protected_objects(stored: &Stored, matched: &[Matched]) -> Vec<Reason> {
    let gone = removed(stored, matched).into_iter();
    gone.filter(|object| object.protect).map(protected).collect()
}

fn removed<'a>(stored: &'a Stored, matched: &[Matched]) -> Vec<&'a StoredObject> {
    let gone = matched.iter().filter(|each| matches!(each.fate, Fate::Remove { .. }));
    gone.filter_map(|each| stored.object(each.kind, &each.slug)).collect()
}

fn protected(object: &StoredObject) -> Reason {
    let name = format!("{} {}", object.kind.word(), object.slug);
    let sentence = format!("{name} is protected");
    Reason::new("protected", name, object.declared_at.clone(), sentence)
        .confirmed_by("--allow-prune", &format!("{}:{}", object.kind.word(), object.slug))
}

/// More than so many and more than so large a part of a kind. The rule in force counts, not the
/// one that comes with the removal.
fn guard(case: &Case<'_>, removed: &[&StoredObject], reasons: &mut Vec<Reason>) {
    let rules = case.old_files().settings.reconcile;
    let (most, percent) = (rules.prune_count as usize, rules.prune_percent as usize);
    let mut kinds: BTreeMap<Kind, Vec<&StoredObject>> = BTreeMap::new();
    removed.iter().for_each(|object| kinds.entry(object.kind).or_default().push(object));
    for (kind, gone) in kinds {
        let all = case.stored.objects.iter().filter(|object| object.kind == kind).count();
        if gone.len() <= most || gone.len() * 100 <= all * percent {
            continue;
        }
        let word = kind.word();
        let sentence = format!(
            "{} of {all} objects of kind {word} would be removed: more than {most} and more than {percent} %",
            gone.len()
        );
        let mut reason =
            Reason::new("prune-guard", format!("kind {word}"), String::new(), sentence);
        for object in gone {
            reason = reason.confirmed_by("--allow-prune", &format!("{word}:{}", object.slug));
        }
        reasons.push(reason);
    }
}

/// Somebody could sign in as a console admin before, and nobody could afterwards.
fn last_admin(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let old_uid = |name: &str| case.stored.object(Kind::User, name).map(|user| user.uid.clone());
    let new_uid = |name: &str| uid_after(case.matched, name);
    let removed = |uid: &str| {
        let is = |each: &Matched| matches!(&each.fate, Fate::Remove { uid: gone } if gone == uid);
        case.matched.iter().any(is)
    };
    let usable = |side: Side<'_>, uid_of: &dyn Fn(&str) -> Option<String>, leaving: bool| {
        side.accounts(uid_of).iter().any(|account| {
            let gone = leaving && account.stored.is_some_and(|user| removed(&user.id));
            !gone && account.is_usable() && side.account_role(account) == ConsoleRole::Admin
        })
    };
    if usable(case.before, &old_uid, false) && !usable(case.after, &new_uid, true) {
        let sentence = "nobody with `console admin` and a way to sign in would be left".to_owned();
        reasons.push(
            Reason::new("no-console-admin", "console".to_owned(), String::new(), sentence)
                .confirmed_by("--allow", "no-console-admin"),
        );
    }
}

/// The uid that a declared user has or keeps.
pub fn uid_after(matched: &[Matched], name: &str) -> Option<String> {
    let each = matched.iter().find(|each| each.kind == Kind::User && each.slug == name)?;
    match &each.fate {
        Fate::Keep { uid }
        | Fate::Rename { uid, .. }
        | Fate::Revive { uid }
        | Fate::Adopt { uid } => Some(uid.clone()),
        Fate::Add | Fate::Remove { .. } => None,
    }
}

/// Newly declared names that exist at run time.
pub fn adoptions(after: &Runtime, stored: &Stored, matched: &[Matched]) -> Vec<Reason> {
    let taken = matched.iter().filter(|each| matches!(each.fate, Fate::Adopt { .. }));
    let reasons = taken.map(|each| {
        let (kind, slug) = (each.kind.word(), &each.slug);
        let object = after.blueprint.objects.iter();
        let object = object.clone().find(|o| o.kind == each.kind && o.slug.value == *slug);
        let place = object.map(|object| after.sources.place(object.at)).unwrap_or_default();
        let sentence = format!("{kind} {slug} exists at run time and would be taken over");
        Reason::new("adoption", format!("{kind} {slug}"), place, sentence)
            .confirmed_by("--adopt", &format!("{kind}:{slug}"))
    });
    let renames = matched.iter().filter_map(|each| renamed_onto(after, stored, matched, each));
    reasons.chain(renames).collect()
}

/// A user whose new name belongs to somebody else.
fn renamed_onto(
    after: &Runtime,
    stored: &Stored,
    matched: &[Matched],
    each: &Matched,
) -> Option<Reason> {
    let Fate::Rename { uid, .. } = &each.fate else { return None };
    let other = stored.user_named(&each.slug).filter(|user| user.id != *uid)?;
    let moves_away = matched.iter().any(|theirs| {
        matches!(&theirs.fate, Fate::Rename { uid, .. } if *uid == other.id)
            && fold(&theirs.slug) != fold(&each.slug)
    });
    if each.kind != Kind::User || moves_away {
        return None;
    }
    let user = after.blueprint.users.iter().find(|user| user.name.value == each.slug)?;
    let sentence = format!(
        "user {} is to be renamed to `{}`, which is the name of another account: choose another name",
        each.slug, other.username
    );
    let place = after.sources.place(user.at);
    Some(Reason::new("name-taken", format!("user {}", each.slug), place, sentence))
}

/// Declared addresses that belong to an account which the files do not own.
pub fn addresses_taken(after: &Runtime, stored: &Stored, matched: &[Matched]) -> Vec<Reason> {
    let ours: BTreeSet<&str> = matched
        .iter()
        .filter(|each| each.kind == Kind::User)
        .filter_map(|each| match &each.fate {
            Fate::Keep { uid }
            | Fate::Rename { uid, .. }
            | Fate::Revive { uid }
            | Fate::Adopt { uid }
            | Fate::Remove { uid } => Some(uid.as_str()),
            Fate::Add => None,
        })
        .collect();
    let strangers =
        || stored.users.iter().filter(|user| !user.disabled && !ours.contains(user.id.as_str()));
    let taken = after.blueprint.users.iter().filter(|user| !user.disabled).filter_map(|user| {
        let email = user.email.as_ref()?;
        let key = fold(&email.value);
        let other =
            strangers().find(|other| other.email.as_ref().is_some_and(|own| fold(own) == key))?;
        let name = &user.name.value;
        let sentence = format!(
            "the e-mail address of user {name} belongs to the account `{}`: change one of the two",
            other.username
        );
        let place = after.sources.place(user.at);
        Some(Reason::new("address-taken", format!("user {name}"), place, sentence))
    });
    taken.collect()
}

/// `formerly` that names something which is still declared.
pub fn still_there(after: &Runtime) -> Vec<Reason> {
    let objects = &after.blueprint.objects;
    let contradicting = objects.iter().filter_map(|object| {
        let was = object.formerly.as_ref()?;
        let other = objects.iter().find(|o| o.kind == object.kind && o.slug.value == was.value)?;
        let kind = object.kind.word();
        let sentence = format!(
            "`formerly={}` names a {kind} that is still declared at {}: remove one of the two",
            was.value,
            after.sources.place(other.at)
        );
        let name = format!("{kind} {}", object.slug.value);
        Some(Reason::new("still-there", name, after.sources.place(object.at), sentence))
    });
    contradicting.collect()
}
