//! `doorward user`.

use std::path::Path;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use http::Method;

use super::{Installation, Opened, socket};
use crate::app::control::Ask;
use crate::app::password_link;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::store::User as StoredUser;

#[derive(Debug, Args)]
pub struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a one-time link to set a password; it lives for half an hour
    Link {
        /// The name of a declared user
        name: String,
        #[command(flatten)]
        at: Installation,
    },
    /// List people
    List {
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
}

impl User {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Link { name, at } => super::block_on(link(&at, &name)),
            Command::List { at, json } => super::block_on(list(&at, json)),
        }
    }
}

/// The installation, and where people sign in as its files say.
async fn open(at: &Installation) -> anyhow::Result<(Opened, String)> {
    let opened = Opened::at(at).await?;
    let declared = match &opened.loaded.blueprint {
        Some(blueprint) => Some(blueprint.settings.external_host.value.origin()),
        None => {
            let good = opened.last_good().await?;
            good.map(|good| good.blueprint.settings.external_host.value.origin())
        }
    };
    let declared = declared.ok_or_else(|| {
        anyhow!("the files have errors, and none were ever in force: see `doorward check`")
    })?;
    let declared = opened.places.addressing.public(&declared).to_string();
    Ok((opened, declared))
}

/// The installation, and where people sign in while the server runs.
pub(super) async fn open_with_address(at: &Installation) -> anyhow::Result<(Opened, String)> {
    let (opened, declared) = open(at).await?;
    let external = external(&opened.places.control, declared).await;
    Ok((opened, external))
}

/// Where people sign in: as the running server says, which may listen elsewhere than the files
/// and the arguments of this command say.
async fn external(control: &Path, declared: String) -> String {
    let asked = socket::ask(control, Method::GET, "/status", &Ask::default()).await;
    let answer = asked.ok().flatten();
    let told = answer.and_then(|answer| answer.json.get("external")?.as_str().map(str::to_owned));
    told.unwrap_or(declared)
}

/// Makes a link to set a password and prints it.
async fn link(at: &Installation, name: &str) -> anyhow::Result<u8> {
    let (opened, external) = open_with_address(at).await?;
    let user = enabled(&opened, name).await?;
    print_link(&opened, &external, &user).await
}

/// Somebody who may sign in.
pub(super) async fn enabled(opened: &Opened, name: &str) -> anyhow::Result<StoredUser> {
    let stored = &opened.stored;
    let user = stored.store.read().await?.find_user_by_username(name).await?;
    let Some(user) = user else {
        bail!(
            "there is no user `{name}`; `doorward user list` lists people. One who was just declared exists once the server has read the files"
        );
    };
    if user.disabled {
        bail!("`{name}` is disabled: a link would be worth nothing");
    }
    Ok(user)
}

pub(super) async fn print_link(
    opened: &Opened,
    external: &str,
    user: &StoredUser,
) -> anyhow::Result<u8> {
    let (stored, clock, rng) = (&opened.stored, Clock::machine(), Rng::system());
    let whom = (user, super::COMMAND_LINE);
    let url = password_link::make(&stored.store, &stored.key, (&clock, &rng), external, whom);
    super::print(&format!("{}\n", url.await?))?;
    eprintln!(
        "worth one use within 30 minutes; an earlier link for {} is worth nothing any more",
        user.username
    );
    Ok(0)
}

async fn list(at: &Installation, json: bool) -> anyhow::Result<u8> {
    let (opened, _) = open(at).await?;
    let read = opened.stored.store.read().await?;
    let mut people: Vec<StoredUser> = Vec::new();
    loop {
        let after = people.last().map_or("", |user| user.username_key.as_str()).to_owned();
        let page = read.list_users(&after, 500).await?;
        if page.is_empty() {
            break;
        }
        people.extend(page);
    }
    if json {
        let people: Vec<_> = people
            .iter()
            .map(|user| {
                serde_json::json!({
                    "name": user.username,
                    "title": user.name,
                    "email": user.email,
                    "declared": user.declared,
                    "disabled": user.disabled,
                    "password": user.password_hash.is_some(),
                })
            })
            .collect();
        super::print_json(&serde_json::json!(people))?;
        return Ok(0);
    }
    let mut text = String::new();
    for user in &people {
        let mut notes = Vec::new();
        if user.disabled {
            notes.push("disabled");
        }
        if user.password_hash.is_none() {
            notes.push("no password yet");
        }
        text += &format!(
            "{:<24} {:<32} {}\n",
            user.username,
            user.email.as_deref().unwrap_or(""),
            notes.join(", ")
        );
    }
    if people.is_empty() {
        text = "nobody yet: declare a `user` and start the server\n".to_owned();
    }
    super::print(&text)?;
    Ok(0)
}
