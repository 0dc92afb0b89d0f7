//! `doorward invite`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Installation, Opened, user};
use crate::clock::{Clock, Millis};
use crate::flow::invitations::{self, Told, Wanted};
use crate::ids::Rng;
use crate::mail::post::Post;
use crate::store::Invitation;

#[derive(Debug, Args)]
pub struct Invite {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an invitation to an account of one's own; its link is printed once
    #[command(
        after_help = "Examples:\n  doorward invite create --group family --email bob@example.com --mail\n  doorward invite create --uses 20 --days 2 --note \"the party\"\n\nAn address that you give counts as verified. People can be put into no group that opens the console."
    )]
    Create {
        /// A group that whoever comes is put into; several times
        #[arg(long = "group", value_name = "SLUG")]
        groups: Vec<String>,
        /// Their e-mail address, which they cannot change
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Mail the link to that address
        #[arg(long, requires = "email")]
        mail: bool,
        /// Another field of the flow's forms, which they cannot change; several times
        #[arg(long = "field", value_name = "NAME=VALUE")]
        fields: Vec<String>,
        /// For how many people it is good
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
        uses: u64,
        /// For how many days
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
        /// What it is for, to know it again
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// The flow that they go through, if it is not the usual one
        #[arg(long, value_name = "SLUG")]
        flow: Option<String>,
        #[command(flatten)]
        at: Installation,
    },
    /// List invitations that are still kept
    List {
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
    /// Take an invitation back
    Revoke {
        /// As `doorward invite list` prints it, such as inv_01J8Z3…
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        at: Installation,
    },
}

impl Invite {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Create { groups, email, mail, fields, uses, days, note, flow, at } => {
                let mut filled = BTreeMap::new();
                for field in &fields {
                    let Some((name, value)) = field.split_once('=') else {
                        bail!("`{field}` is no field: write --field NAME=VALUE");
                    };
                    filled.insert(name.to_owned(), value.to_owned());
                }
                filled.extend(email.map(|email| ("email".to_owned(), email)));
                let lasts = Duration::from_secs(u64::from(days) * 86_400);
                let by = super::COMMAND_LINE.to_owned();
                let wanted = Wanted { flow, groups, fields: filled, uses, lasts, note, by };
                super::block_on(create(&at, wanted, mail))
            }
            Command::List { at, json } => super::block_on(list(&at, json)),
            Command::Revoke { id, at } => super::block_on(revoke(&at, &id)),
        }
    }
}

async fn create(at: &Installation, wanted: Wanted, mail: bool) -> anyhow::Result<u8> {
    let (opened, external) = user::open_with_address(at).await?;
    let Some(runtime) = opened.last_good().await? else {
        bail!("no files were ever in force here: start the server before inviting people");
    };
    let (clock, rng, stored) = (Clock::machine(), Rng::system(), &opened.stored);
    let now = clock.now();
    let mut tx = stored.store.begin().await?;
    let made = invitations::make(&mut tx, &runtime, (&stored.key, &rng), wanted, now).await;
    let (token, invitation) = made?;
    let url = invitations::address(&external, &invitation, &token);
    if mail {
        let post = Post::new(Arc::clone(&stored.key), clock, rng);
        invitations::mail(&post, &runtime, &mut tx, (&invitation, &url), now).await?;
        eprintln!("the link is mailed as soon as the server runs");
    }
    let data = invitations::noted(&invitation);
    super::note(&mut tx, "invitation.made", &invitation.id, data).await?;
    tx.commit().await?;
    super::print(&format!("{url}\n"))?;
    let people = match invitation.uses_left {
        1 => "one person".to_owned(),
        count => format!("{count} people"),
    };
    eprintln!(
        "good for {people} until {}; take it back: doorward invite revoke {}",
        invitation.expires_at.day(),
        invitation.id
    );
    Ok(0)
}

async fn list(at: &Installation, json: bool) -> anyhow::Result<u8> {
    let opened = Opened::at(at).await?;
    let all = opened.stored.store.read().await?.list_invitations().await?;
    let now = Clock::machine().now();
    if json {
        let all: Vec<_> = all.iter().map(|each| Told::of(each, now)).collect();
        super::print_json(&serde_json::to_value(all)?)?;
        return Ok(0);
    }
    let mut text: String = all.iter().map(|each| as_line(each, now)).collect();
    if all.is_empty() {
        text = "none: `doorward invite create` makes one\n".to_owned();
    }
    super::print(&text)?;
    Ok(0)
}

fn as_line(invitation: &Invitation, now: Millis) -> String {
    let end = match (invitation.uses_left, now < invitation.expires_at) {
        (0, _) => "used up".to_owned(),
        (_, false) => format!("expired {}", invitation.expires_at.day()),
        (left, true) => format!("good for {left} until {}", invitation.expires_at.day()),
    };
    let email = invitation.fields.get("email").map_or("", String::as_str);
    let groups = invitation.groups.join(",");
    format!("{}  {email:<28} {groups:<20} {end}  {}\n", invitation.id, invitation.note)
}

async fn revoke(at: &Installation, id: &str) -> anyhow::Result<u8> {
    let opened = Opened::at(at).await?;
    let mut tx = opened.stored.store.begin().await?;
    if !tx.delete_invitation(id).await? {
        bail!("there is no invitation {id}; `doorward invite list` lists them");
    }
    super::note(&mut tx, "invitation.revoked", id, serde_json::json!({})).await?;
    tx.commit().await?;
    eprintln!("taken back: nobody comes by it any more");
    Ok(0)
}
