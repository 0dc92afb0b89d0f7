//! Identities: who goes, who is renamed, who comes.

use super::{Applied, ApplyError, Applying, Uids};
use crate::blueprint::object::Kind;
use crate::ids::NoRandomness;
use crate::reconcile::identity::Fate;
use crate::store::{NewObject, Tx};

/// The uid of everything declared: known ones kept, new ones made.
pub fn uids(applying: &Applying<'_>) -> Result<Uids, NoRandomness> {
    let mut uids = Uids::new();
    for each in &applying.plan.matched {
        let uid = match &each.fate {
            Fate::Keep { uid }
            | Fate::Rename { uid, .. }
            | Fate::Revive { uid }
            | Fate::Adopt { uid } => uid.clone(),
            Fate::Add => applying.rng.id(each.kind.prefix(), applying.now)?,
            Fate::Remove { .. } => continue,
        };
        uids.insert((each.kind, each.slug.clone()), uid);
    }
    Ok(uids)
}

/// Marks what is gone, ends its sessions, and hands removed users to run time.
pub async fn tombstone(
    applying: &Applying<'_>,
    tx: &mut Tx,
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    let now = applying.now;
    for each in &applying.plan.matched {
        let Fate::Remove { uid } = &each.fate else { continue };
        if !tx.tombstone_object(uid, now).await? {
            return Err(ApplyError::Raced);
        }
        match each.kind {
            Kind::App => applied.ended_app_sessions.extend(tx.end_app_sessions_of(uid, now).await?),
            Kind::User => {
                tx.release_user(uid).await?;
                // Whoever enables the account again decides anew what it may do.
                tx.replace_git_memberships(uid, &[]).await?;
                applied.ended_sessions.extend(tx.end_sessions_of(uid, now).await?);
            }
            _ => {}
        }
    }
    Ok(())
}

pub async fn rename(applying: &Applying<'_>, tx: &mut Tx) -> Result<(), ApplyError> {
    for each in &applying.plan.matched {
        let Fate::Rename { uid, was } = &each.fate else { continue };
        if !tx.rename_object(uid, &each.slug).await? {
            return Err(ApplyError::Raced);
        }
        if each.kind == Kind::Group {
            // Members of a group that had this name long ago are not members of this one.
            tx.delete_group(&each.slug).await?;
            tx.rename_group(was, &each.slug).await?;
        }
    }
    Ok(())
}

/// Inserts what is new, brings back what was removed, and notes where everything stands.
pub async fn insert(applying: &Applying<'_>, tx: &mut Tx, uids: &Uids) -> Result<(), ApplyError> {
    let Applying { plan, after, now, .. } = *applying;
    for object in &after.blueprint.objects {
        let slug = &object.slug.value;
        let each = plan.matched.iter().find(|m| m.kind == object.kind && m.slug == *slug);
        let uid = uids.get(&(object.kind, slug.clone()));
        let (Some(each), Some(uid)) = (each, uid) else { return Err(ApplyError::Raced) };
        let place = after.sources.place(object.at);
        let kind = object.kind.word();
        let new = NewObject { uid, kind, slug, declared_at: &place, protect: object.protect };
        match &each.fate {
            Fate::Add => {
                if object.kind == Kind::Group {
                    tx.delete_group(slug).await?;
                }
                tx.insert_object(new, now).await?;
            }
            Fate::Adopt { .. } => adopt(tx, new, now).await?,
            Fate::Revive { .. } => {
                if !tx.revive_object(uid).await? {
                    return Err(ApplyError::Raced);
                }
                tx.put_object_place(uid, &place, object.protect).await?;
            }
            Fate::Keep { .. } | Fate::Rename { .. } => {
                let known = plan.places.get(uid);
                if known != Some(&(place.clone(), object.protect)) {
                    tx.put_object_place(uid, &place, object.protect).await?;
                }
            }
            Fate::Remove { .. } => {}
        }
    }
    Ok(())
}

/// Somebody who left the files once and is adopted again has an identity already.
async fn adopt(
    tx: &mut Tx,
    new: NewObject<'_>,
    now: crate::clock::Millis,
) -> Result<(), ApplyError> {
    let Some(known) = tx.find_object(new.uid).await? else {
        return Ok(tx.insert_object(new, now).await?);
    };
    if !tx.revive_object(new.uid).await? {
        return Err(ApplyError::Raced);
    }
    if known.slug != new.slug {
        tx.rename_object(new.uid, new.slug).await?;
    }
    tx.put_object_place(new.uid, new.declared_at, new.protect).await?;
    Ok(())
}
