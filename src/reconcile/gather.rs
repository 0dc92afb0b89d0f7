//! Reads from the store what a plan needs.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{Active, Stored, StoredMembership, StoredObject, StoredSecret, StoredUser};
use crate::blueprint::object::Kind;
use crate::clock::Millis;
use crate::store::{Object, Owner, Read, Result, User};

/// People are read in pages of this size.
const PAGE: i64 = 500;

/// Older generations are not asked where secrets went; each remembers those before it.
const MOST_GENERATIONS: i64 = 20;

/// The name in a generation's summary under which the uses of secrets are remembered.
pub const SECRET_USES: &str = "secret_uses";

/// Reads the store as a plan sees it.
///
/// # Errors
/// If the store does not answer, or a row makes no sense.
pub async fn gather(read: &Read, now: Millis) -> Result<Stored> {
    let generation = read.find_active_generation().await?;
    Ok(Stored {
        active: generation.map(|generation| Active {
            number: generation.line.number,
            source_digest: generation.line.source_digest,
            model_digest: generation.line.model_digest,
            revision: generation.line.revision,
            applied_at: generation.line.applied_at,
            applied_by: generation.line.applied_by,
        }),
        objects: objects(read.list_live_objects().await?),
        tombstones: objects(read.list_tombstoned_objects().await?),
        users: users(read, now).await?,
        memberships: memberships(read).await?,
        sessions: counts(read.count_live_sessions(now).await?),
        app_sessions: counts(read.count_live_app_sessions(now).await?),
        logins: counts(read.count_flow_states(now).await?),
        secret_uses: secret_uses(read).await?,
        secrets: secrets(read).await?,
    })
}

/// From all generations that are kept: a rollback makes no secret forgotten.
async fn secret_uses(read: &Read) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in read.list_generations(MOST_GENERATIONS).await? {
        let uses = line.summary.get(SECRET_USES).cloned();
        let uses = uses.and_then(|uses| serde_json::from_value(uses).ok());
        let uses: BTreeMap<String, BTreeSet<String>> = uses.unwrap_or_default();
        for (name, places) in uses {
            all.entry(name).or_default().extend(places);
        }
    }
    Ok(all)
}

fn objects(rows: Vec<Object>) -> Vec<StoredObject> {
    let known = rows.into_iter().filter_map(|row| {
        // A kind of a later version is not ours to judge.
        Some(StoredObject {
            kind: Kind::from_word(&row.kind)?,
            uid: row.uid,
            slug: row.slug,
            declared_at: row.declared_at,
            protect: row.protect,
        })
    });
    known.collect()
}

async fn users(read: &Read, now: Millis) -> Result<Vec<StoredUser>> {
    let links: BTreeSet<String> = read.list_users_with_links(now).await?.into_iter().collect();
    let mut users = Vec::new();
    let mut after = String::new();
    loop {
        let page = read.list_users(&after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(users) };
        after.clone_from(&last.username_key);
        users.extend(page.into_iter().map(|user| stored_user(user, &links)));
    }
}

fn stored_user(user: User, links: &BTreeSet<String>) -> StoredUser {
    StoredUser {
        has_password: user.password_hash.is_some(),
        has_link: links.contains(&user.id),
        id: user.id,
        username: user.username,
        name: user.name,
        email: user.email,
        declared: user.declared,
        disabled: user.disabled,
        attributes: user.attributes,
        initial_password_applied: user.initial_password_applied,
    }
}

async fn memberships(read: &Read) -> Result<Vec<StoredMembership>> {
    let rows = read.list_memberships().await?.into_iter();
    let memberships = rows.map(|row| StoredMembership {
        user_id: row.user_id,
        group: row.group,
        declared: row.owner == Owner::Git,
    });
    Ok(memberships.collect())
}

async fn secrets(read: &Read) -> Result<Vec<StoredSecret>> {
    let rows = read.list_secrets().await?.into_iter();
    let secrets = rows.map(|row| StoredSecret {
        owner_uid: row.owner_uid,
        field: row.field,
        rotation: row.rotation,
    });
    Ok(secrets.collect())
}

fn counts(rows: Vec<(String, i64)>) -> BTreeMap<String, usize> {
    rows.into_iter().map(|(name, count)| (name, usize::try_from(count).unwrap_or(0))).collect()
}
