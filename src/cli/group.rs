//! `doorward group`.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Installation, Opened, user};
use crate::blueprint::people::Group as Declared;
use crate::runtime::Runtime;
use crate::store::{Owner, User};

#[derive(Debug, Args)]
pub struct Group {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put people into a group that files do not fill
    #[command(
        after_help = "Example:\n  doorward group add family bob carol\n\nFiles say who is in a group with `membership declared` or with `console admin`, and who in other groups is\nin by `in`: that is changed there."
    )]
    Add {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "USER", required = true)]
        users: Vec<String>,
        #[command(flatten)]
        at: Installation,
    },
    /// Take people out of a group that they were put into by this command, an invitation or a flow
    Remove {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "USER", required = true)]
        users: Vec<String>,
        #[command(flatten)]
        at: Installation,
    },
    /// List groups with their members
    List {
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
}

impl Group {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Add { group, users, at } => super::block_on(add(&at, &group, &users)),
            Command::Remove { group, users, at } => super::block_on(remove(&at, &group, &users)),
            Command::List { at, json } => super::block_on(list(&at, json)),
        }
    }
}

/// A group that people may be put into while the server runs, as the files in force have it.
async fn open(at: &Installation, slug: &str) -> anyhow::Result<(Opened, Runtime)> {
    let opened = Opened::at(at).await?;
    let Some(runtime) = opened.last_good().await? else {
        bail!("no files were ever in force here: start the server first");
    };
    let group = declared(&runtime, slug)?;
    if !runtime.may_be_joined(slug) {
        bail!(
            "who is in `{slug}` is said in files alone ({}): add the person's `in` there, or take \
             `membership declared` away",
            runtime.sources.place(group.at)
        );
    }
    Ok((opened, runtime))
}

fn declared<'r>(runtime: &'r Runtime, slug: &str) -> anyhow::Result<&'r Declared> {
    let groups = &runtime.blueprint.groups;
    if let Some(group) = groups.iter().find(|group| group.slug.value == slug) {
        return Ok(group);
    }
    let known: Vec<_> = groups.iter().map(|group| group.slug.value.as_str()).collect();
    bail!("no group `{slug}` is declared; there are: {}", known.join(", "))
}

async fn add(at: &Installation, slug: &str, names: &[String]) -> anyhow::Result<u8> {
    let (opened, _) = open(at, slug).await?;
    let people = everybody(&opened, names).await?;
    let mut tx = opened.stored.store.begin().await?;
    for person in &people {
        tx.put_membership(&person.id, slug, Owner::Runtime).await?;
        let data = serde_json::json!({ "user": person.id, "name": slug });
        super::note(&mut tx, "membership.added", &person.username, data).await?;
    }
    tx.commit().await?;
    eprintln!("{} in `{slug}` now; a running server takes it up within two seconds", told(names));
    Ok(0)
}

async fn remove(at: &Installation, slug: &str, names: &[String]) -> anyhow::Result<u8> {
    let (opened, runtime) = open(at, slug).await?;
    let people = everybody(&opened, names).await?;
    let mut tx = opened.stored.store.begin().await?;
    for person in &people {
        if !tx.delete_membership(&person.id, slug, Owner::Runtime).await? {
            bail!("{}", not_in(&runtime, person, slug));
        }
        let data = serde_json::json!({ "user": person.id, "name": slug });
        super::note(&mut tx, "membership.removed", &person.username, data).await?;
    }
    tx.commit().await?;
    eprintln!(
        "{} no more in `{slug}`; a running server takes it up within two seconds",
        told(names)
    );
    Ok(0)
}

/// Why somebody cannot be taken out, with the place if files put them in.
fn not_in(runtime: &Runtime, person: &User, slug: &str) -> String {
    let name = &person.username;
    let declared = runtime.declared.get(name);
    let by_files = declared.filter(|person| person.groups.iter().any(|group| group == slug));
    match by_files {
        Some(person) => format!("`{name}` is in `{slug}` by {}: change it there", person.place),
        None => format!("`{name}` was not put into `{slug}`; nothing was changed"),
    }
}

async fn everybody(opened: &Opened, names: &[String]) -> anyhow::Result<Vec<User>> {
    let mut people = Vec::new();
    for name in names {
        people.push(user::enabled(opened, name).await?);
    }
    Ok(people)
}

fn told(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        several => format!("{} are", several.join(", ")),
    }
}

async fn list(at: &Installation, json: bool) -> anyhow::Result<u8> {
    let opened = Opened::at(at).await?;
    let Some(runtime) = opened.last_good().await? else {
        bail!("no files were ever in force here: start the server first");
    };
    let read = opened.stored.store.read().await?;
    let mut people = std::collections::HashMap::new();
    let mut after = String::new();
    loop {
        let page = read.list_users(&after, 500).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.username_key);
        people.extend(page.into_iter().map(|user| (user.id, user.username)));
    }
    let memberships = read.list_memberships().await?;
    let members = |slug: &str| -> Vec<(&str, Owner)> {
        let mut found: Vec<_> = memberships
            .iter()
            .filter(|each| each.group == slug)
            .filter_map(|each| Some((people.get(&each.user_id)?.as_str(), each.owner)))
            .collect();
        found.sort_by_key(|(name, _)| (*name).to_owned());
        found
    };
    let groups = &runtime.blueprint.groups;
    if json {
        let line = |group: &Declared| {
            let slug = &group.slug.value;
            let members: Vec<_> = members(slug)
                .into_iter()
                .map(|(name, owner)| serde_json::json!({ "user": name, "by": owner.word() }))
                .collect();
            serde_json::json!({
                "group": slug,
                "title": group.title,
                "may-be-joined": runtime.may_be_joined(slug),
                "members": members,
            })
        };
        super::print_json(&groups.iter().map(line).collect())?;
        return Ok(0);
    }
    let mut text = String::new();
    for group in groups {
        let slug = &group.slug.value;
        let names: Vec<_> = members(slug)
            .into_iter()
            .map(|(name, owner)| match owner {
                Owner::Git => name.to_owned(),
                Owner::Runtime => format!("{name}*"),
            })
            .collect();
        text += &format!("{slug:<24} {}\n", names.join(", "));
    }
    if groups.is_empty() {
        text = "no group is declared\n".to_owned();
    }
    super::print(&text)?;
    Ok(0)
}
