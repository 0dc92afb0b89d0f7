//! Everybody and every group, as they were a moment ago. What depends on who looks is said by `view`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Trouble;
use super::index::Index;
use crate::access::groups::GroupSet;
use crate::access::person::Attributes;
use crate::clock::Millis;
use crate::model::posix_number::LOWEST;
use crate::runtime::Runtime;
use crate::runtime::compile::attribute_map;
use crate::store::{Read, Store, fold};
use crate::web::server::Server;

/// How long a directory is served without a look whether it is still so.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// An event may be written this much later than what it tells of, and by a clock that is behind.
const LATENESS: Duration = Duration::from_secs(30);
/// How often numbers are tried for while other nodes give them out.
const TRIES: usize = 10;

/// Everybody who may sign in, and every group.
#[derive(Debug, Default)]
pub struct Directory {
    /// The runtime that it was made with.
    epoch: u64,
    /// By username.
    pub people: Vec<Person>,
    /// As the files declare them: a group's place is its number among `GroupId`s.
    pub groups: Vec<Group>,
    by_name: HashMap<String, usize>,
    groups_by_name: HashMap<String, usize>,
    pub index: Index,
}

#[derive(Debug)]
pub struct Person {
    pub id: String,
    pub username: String,
    /// The username as it is compared.
    pub key: String,
    pub name: String,
    pub email: Option<String>,
    /// Nested ones too.
    pub groups: GroupSet,
    /// Those of the files.
    pub attributes: Attributes,
    /// `uidNumber`, and the `gidNumber` of their own group.
    pub number: i64,
    pub created_at: Millis,
}

#[derive(Debug)]
pub struct Group {
    pub uid: String,
    pub slug: String,
    pub title: Option<String>,
    pub attributes: Attributes,
    /// `gidNumber`.
    pub number: i64,
    /// Their places among the people, by nesting too.
    pub members: Vec<usize>,
    /// The groups that it is in.
    pub within: GroupSet,
}

impl Person {
    /// Their name, or their username if they have told none.
    #[must_use]
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.username } else { &self.name }
    }
}

impl Directory {
    #[must_use]
    pub fn person(&self, key: &str) -> Option<usize> {
        self.by_name.get(key).copied()
    }

    #[must_use]
    pub fn group(&self, key: &str) -> Option<usize> {
        self.groups_by_name.get(key).copied()
    }

    async fn read(server: &Server, runtime: &Runtime) -> Result<Self, Trouble> {
        let everybody = server.sessions.everybody(runtime).await?;
        let uids = group_uids(&server.store).await?;
        let mut directory = Self { epoch: runtime.epoch, ..Self::default() };
        for (place, group) in runtime.blueprint.groups.iter().enumerate() {
            let slug = group.slug.value.clone();
            directory.groups_by_name.insert(fold(&slug), place);
            directory.groups.push(Group {
                uid: uids.get(&slug).cloned().unwrap_or_else(|| format!("group:{slug}")),
                title: group.title.clone(),
                attributes: attribute_map(&group.attributes),
                number: 0,
                members: Vec::new(),
                within: runtime.groups.expand(group.within.iter().map(|name| name.value.as_str())),
                slug,
            });
        }
        for (place, (user, standing)) in everybody.into_iter().enumerate() {
            for group in &standing.group_names {
                if let Some(group) =
                    directory.group(&fold(group)).and_then(|at| directory.groups.get_mut(at))
                {
                    group.members.push(place);
                }
            }
            directory.by_name.insert(user.username_key.clone(), place);
            directory.people.push(Person {
                id: user.id,
                username: user.username,
                key: user.username_key,
                name: standing.name.clone(),
                email: standing.email.clone(),
                groups: standing.groups.clone(),
                attributes: standing.attributes.clone(),
                number: 0,
                created_at: user.created_at,
            });
        }
        directory.number(&server.store).await?;
        directory.index = Index::of(&directory.people, &directory.groups);
        Ok(directory)
    }

    /// Gives everybody and every group the number that is theirs for life.
    async fn number(&mut self, store: &Store) -> Result<(), Trouble> {
        for _ in 0..TRIES {
            let numbers = store.read().await?.list_posix_numbers().await?;
            let owners =
                self.people.iter().map(|it| &it.id).chain(self.groups.iter().map(|it| &it.uid));
            let missing: Vec<&str> =
                owners.map(String::as_str).filter(|owner| !numbers.contains_key(*owner)).collect();
            if missing.is_empty() {
                let of = |owner: &str, own: &Attributes, name: &str| {
                    let line = own.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    let declared = line.and_then(|(_, all)| all.first()?.parse().ok());
                    let declared = declared.filter(|number| *number >= LOWEST);
                    declared.or_else(|| numbers.get(owner).copied()).unwrap_or_default()
                };
                self.people
                    .iter_mut()
                    .for_each(|it| it.number = of(&it.id, &it.attributes, "uidNumber"));
                self.groups
                    .iter_mut()
                    .for_each(|it| it.number = of(&it.uid, &it.attributes, "gidNumber"));
                return Ok(());
            }
            let mut tx = store.begin().await?;
            tx.number(&missing).await?;
            tx.commit().await?;
        }
        Err(Trouble::Numbers)
    }
}

async fn group_uids(store: &Store) -> Result<HashMap<String, String>, Trouble> {
    let objects = store.read().await?.list_live_objects().await?;
    let groups = objects.into_iter().filter(|object| object.kind == "group");
    Ok(groups.map(|group| (group.slug, group.uid)).collect())
}

/// The directory that is served, made anew when something in it has changed.
#[derive(Debug, Default)]
pub struct Served(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    directory: Arc<Directory>,
    /// Up to here it is known to be so.
    so_at: Millis,
}

impl Served {
    /// The directory, not older than a second.
    pub(super) async fn get(
        &self,
        server: &Server,
        runtime: &Runtime,
    ) -> Result<Arc<Directory>, Trouble> {
        if !server.sessions.in_contact() {
            return Err(Trouble::NoContact);
        }
        // Whoever comes meanwhile waits for what the first finds out.
        let mut made = self.0.lock().await;
        let now = server.clock.now();
        if let Some(made) = made.as_mut().filter(|made| made.directory.epoch == runtime.epoch) {
            let is_fresh = made.so_at <= now && now.since(made.so_at) < LOOK_AFTER;
            if is_fresh || !has_changed(&server.store.read().await?, made.so_at).await? {
                if !is_fresh {
                    made.so_at = now;
                }
                return Ok(Arc::clone(&made.directory));
            }
        }
        let directory = Arc::new(Directory::read(server, runtime).await?);
        *made = Some(Made { directory: Arc::clone(&directory), so_at: now });
        Ok(directory)
    }
}

async fn has_changed(read: &Read, since: Millis) -> Result<bool, Trouble> {
    Ok(read.has_directory_changed_since(since.minus(LATENESS)).await?)
}
