//! `doorward notify`.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Installation, blueprint};
use crate::app::notify;
use crate::app::places::Places;
use crate::blueprint::load;
use crate::blueprint::settings::Notify as Declared;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::store::Event;

#[derive(Debug, Args)]
pub struct Notify {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Post a test event to the webhooks of the files right now, and tell what each answers
    #[command(
        after_help = "Examples:\n  doorward notify test\n  doorward notify test ops\n\nIt needs no running server. Give it the same --read-from and credentials as the server. Mail is tried with\n`doorward email test ADDRESS`.\n\nExit codes: 0 if every webhook took it, 1 otherwise."
    )]
    Test {
        /// The only `notify` to try
        #[arg(value_name = "SLUG")]
        slug: Option<String>,
        #[command(flatten)]
        at: Installation,
    },
}

impl Notify {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Test { slug, at } => super::block_on(test(&at, slug.as_deref())),
        }
    }
}

async fn test(at: &Installation, slug: Option<&str>) -> anyhow::Result<u8> {
    let (blueprint, sources) = blueprint(at)?;
    let options = at.options();
    let server = load::load(&options.roots, options.mode()).server;
    let places = Places::new(&options, &server)?;
    let external = places.addressing.public(&blueprint.settings.external_host.value.origin());
    let wanted: Vec<&Declared> = blueprint
        .notifies
        .iter()
        .filter(|notify| slug.is_none_or(|slug| notify.slug.value == slug))
        .collect();
    if wanted.is_empty() {
        let known: Vec<_> =
            blueprint.notifies.iter().map(|notify| notify.slug.value.as_str()).collect();
        match (slug, known.is_empty()) {
            (_, true) => bail!("no file declares a `notify`: see `doorward reference notify`"),
            (Some(slug), false) => bail!("no notify `{slug}`; there are: {}", known.join(", ")),
            (None, false) => {}
        }
    }
    let now = Clock::machine().now();
    let event = Event {
        id: Rng::system().id("evt", now)?,
        at: now,
        kind: "notify.test".to_owned(),
        actor: Some(super::COMMAND_LINE.to_owned()),
        subject: None,
        data: serde_json::json!({ "text": "this is a test" }),
    };
    let mut failed = false;
    for declared in wanted {
        let (slug, place) = (&declared.slug.value, sources.place(declared.at));
        if declared.webhook.is_none() {
            say(&format!("{slug}: mails {}; try it with `doorward email test`", mailed(declared)))?;
            continue;
        }
        match notify::post(&options, declared, &event, &external.to_string()).await {
            Ok(()) => say(&format!("{slug}: taken"))?,
            Err(error) => {
                failed = true;
                say(&format!("{slug}: not taken: {error} (declared at {place})"))?;
            }
        }
    }
    Ok(u8::from(failed))
}

fn mailed(declared: &Declared) -> &str {
    declared.email.as_ref().map_or("nobody", |email| email.value.as_str())
}

fn say(line: &str) -> anyhow::Result<()> {
    super::print(&format!("{line}\n"))
}
