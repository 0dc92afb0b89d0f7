//! Rows of declared people: the fields that files own, and their memberships.

use super::{Applied, ApplyError, Applying, FirstPassword};
use crate::blueprint::object::Kind;
use crate::clock::Millis;
use crate::reconcile::people::{Fields, PersonChange};
use crate::store::{DeclaredUser, Owner, Tx};

pub async fn write(
    applying: &Applying<'_>,
    tx: &mut Tx,
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    let people = &applying.plan.people;
    let mut changes = Vec::new();
    for change in &people.changes {
        let uid = applied.uids.get(&(Kind::User, change.username.clone()));
        changes.push((uid.cloned().ok_or(ApplyError::Raced)?, change));
    }
    for (uid, change) in &changes {
        free_names(tx, uid, change, applying.now).await?;
    }
    for (uid, change) in &changes {
        put(applying, tx, uid, change, applied).await?;
    }
    for (user, group) in &people.evicted {
        tx.delete_membership(user, group, Owner::Runtime).await?;
    }
    applied.first_passwords = first_passwords(applying, tx, applied).await?;
    Ok(())
}

/// Two people may exchange names or addresses: each lets go of the old one first.
async fn free_names(
    tx: &mut Tx,
    uid: &str,
    change: &PersonChange,
    now: Millis,
) -> Result<(), ApplyError> {
    let (Some(fields), Some(_)) = (&change.fields, &change.uid) else { return Ok(()) };
    let Some(row) = tx.find_user(uid).await? else { return Err(ApplyError::Raced) };
    if row.username != fields.username || row.email != fields.email {
        let on_the_way = Fields {
            username: format!("{uid} on the way to another name"),
            email: None,
            ..fields.clone()
        };
        tx.put_declared_user(declared(uid, &on_the_way), now).await?;
    }
    Ok(())
}

async fn put(
    applying: &Applying<'_>,
    tx: &mut Tx,
    uid: &str,
    change: &PersonChange,
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    if let Some(fields) = &change.fields {
        tx.put_declared_user(declared(uid, fields), applying.now).await?;
        if fields.disabled {
            applied.ended_sessions.extend(tx.end_sessions_of(uid, applying.now).await?);
        }
    }
    for group in &change.leaves {
        tx.delete_membership(uid, group, Owner::Git).await?;
    }
    for group in &change.joins {
        tx.put_membership(uid, group, Owner::Git).await?;
    }
    Ok(())
}

fn declared<'a>(id: &'a str, fields: &'a Fields) -> DeclaredUser<'a> {
    DeclaredUser {
        id,
        username: &fields.username,
        name: &fields.name,
        email: fields.email.as_deref(),
        disabled: fields.disabled,
        attributes: &fields.attributes,
    }
}

async fn first_passwords(
    applying: &Applying<'_>,
    tx: &Tx,
    applied: &Applied,
) -> Result<Vec<FirstPassword>, ApplyError> {
    let mut first = Vec::new();
    for user in &applying.after.blueprint.users {
        let uid = applied.uids.get(&(Kind::User, user.name.value.clone()));
        let (Some(secret), Some(uid)) = (&user.initial_password, uid) else { continue };
        let row = tx.find_user(uid).await?.ok_or(ApplyError::Raced)?;
        if !row.initial_password_applied && row.password_hash.is_none() {
            first.push(FirstPassword {
                user_id: uid.clone(),
                username: row.username,
                secret: secret.clone(),
            });
        }
    }
    Ok(first)
}
