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

/// What is done to an account that is there.
mod change;
/// Everybody, a line each.
mod list;
/// One person.
mod show;

#[derive(Debug, Args)]
pub struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a one-time link to set a password; it lives for half an hour
    Link {
        #[command(flatten)]
        of: Named,
    },
    /// List people
    List {
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
    /// Show what is known of one person: groups, factors, sessions, tokens
    Show {
        #[command(flatten)]
        of: Named,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
    /// End every session of a person, and what browsers remember of their second factors
    SignOut {
        #[command(flatten)]
        of: Named,
    },
    /// Close an account that no file declares: nobody signs in to it, and its tokens open nothing
    #[command(
        after_help = "An account that files declare is closed there: write `disabled` into its `user`. `doorward user sign-out`\nends its sessions at once."
    )]
    Disable {
        #[command(flatten)]
        of: Named,
    },
    /// Open an account again that was closed, or that files no longer declare
    Enable {
        #[command(flatten)]
        of: Named,
    },
    /// Delete an account that no file declares, with all that belongs to it
    Delete {
        #[command(flatten)]
        of: Named,
        /// Do it: nothing brings it back
        #[arg(long)]
        yes: bool,
    },
}

/// One person of an installation.
#[derive(Debug, Args)]
struct Named {
    /// Their user name
    #[arg(value_name = "USER")]
    name: String,
    #[command(flatten)]
    at: Installation,
}

impl User {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Link { of } => super::block_on(link(&of)),
            Command::List { at, json } => super::block_on(list::print(&at, json)),
            Command::Show { of, json } => super::block_on(show::print(&of, json)),
            Command::SignOut { of } => super::block_on(change::sign_out(&of)),
            Command::Disable { of } => super::block_on(change::disable(&of)),
            Command::Enable { of } => super::block_on(change::enable(&of)),
            Command::Delete { of, yes } => super::block_on(change::delete(&of, yes)),
        }
    }
}

impl Named {
    /// The person, whether or not they may sign in.
    async fn find(&self) -> anyhow::Result<(Opened, StoredUser)> {
        let opened = Opened::at(&self.at).await?;
        let user = find(&opened, &self.name).await?;
        Ok((opened, user))
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
async fn link(of: &Named) -> anyhow::Result<u8> {
    let (opened, external) = open_with_address(&of.at).await?;
    let user = enabled(&opened, &of.name).await?;
    print_link(&opened, &external, &user).await
}

/// Somebody who may sign in.
pub(super) async fn enabled(opened: &Opened, name: &str) -> anyhow::Result<StoredUser> {
    let user = find(opened, name).await?;
    if user.disabled {
        bail!("`{name}` is disabled: `doorward user show {name}` says why");
    }
    Ok(user)
}

async fn find(opened: &Opened, name: &str) -> anyhow::Result<StoredUser> {
    let found = opened.stored.store.read().await?.find_user_by_username(name).await?;
    found.ok_or_else(|| {
        anyhow!(
            "there is no user `{name}`; `doorward user list` lists people. One who was just declared exists once the server has read the files"
        )
    })
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
