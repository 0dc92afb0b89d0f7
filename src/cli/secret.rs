//! `doorward secret`.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Installation, Opened};
use crate::app::generated::{self, Generated};
use crate::store::Store;

#[derive(Debug, Args)]
pub struct Secret {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the value of a generated secret; that it was shown is noted among the events
    #[command(
        after_help = "Example:\n  doorward secret show app:gitea\n\nA new value is made by `client-secret generated rotate=2` (any changed number); the old one stays good for a day."
    )]
    Show {
        /// Whose secret, such as app:gitea
        #[arg(value_name = "KIND:NAME")]
        owner: String,
        /// Which one, where there are several, such as scim.token
        field: Option<String>,
        #[command(flatten)]
        at: Installation,
    },
    /// List generated secrets, without their values
    List {
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
}

impl Secret {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::Show { owner, field, at } => {
                super::block_on(show(&at, &owner, field.as_deref()))
            }
            Command::List { at, json } => super::block_on(list(&at, json)),
        }
    }
}

async fn open(at: &Installation) -> anyhow::Result<(Store, Vec<Generated>)> {
    let opened = Opened::at(at).await?;
    let Some(good) = opened.last_good().await? else {
        bail!("no files were ever in force here: secrets are made when the server takes the first");
    };
    let stored = opened.stored;
    let secrets = generated::open(&stored.store, &stored.key, &good.blueprint).await?;
    Ok((stored.store, secrets))
}

async fn show(at: &Installation, owner: &str, field: Option<&str>) -> anyhow::Result<u8> {
    let (store, secrets) = open(at).await?;
    let fits = |secret: &&Generated| {
        secret.subject == owner && field.is_none_or(|field| secret.field == field)
    };
    let found: Vec<_> = secrets.iter().filter(fits).collect();
    let secret = match found.as_slice() {
        [one] => one,
        [] => {
            bail!("{owner} has no generated secret; `doorward secret list` shows which there are")
        }
        several => {
            let fields: Vec<_> = several.iter().map(|secret| secret.field.as_str()).collect();
            bail!("{owner} has several: name one of {}", fields.join(", "));
        }
    };
    let mut tx = store.begin().await?;
    let data = serde_json::json!({ "field": secret.field, "rotation": secret.rotation });
    super::note(&mut tx, "secret.shown", &secret.subject, data).await?;
    tx.commit().await?;
    super::print(&format!("{}\n", secret.value.reveal()))?;
    Ok(0)
}

async fn list(at: &Installation, json: bool) -> anyhow::Result<u8> {
    let (_, secrets) = open(at).await?;
    if json {
        let all: Vec<_> = secrets.iter().map(line).collect();
        super::print_json(&serde_json::json!(all))?;
        return Ok(0);
    }
    let mut text = String::new();
    for secret in &secrets {
        let to = secret.deliver.as_ref().map(|path| format!("  → {path}")).unwrap_or_default();
        let (subject, field) = (&secret.subject, &secret.field);
        text += &format!("{subject:<32} {field:<22} #{}{to}\n", secret.rotation);
    }
    if secrets.is_empty() {
        text = "none: no file says `generated`\n".to_owned();
    }
    super::print(&text)?;
    Ok(0)
}

fn line(secret: &Generated) -> serde_json::Value {
    serde_json::json!({
        "owner": secret.subject,
        "field": secret.field,
        "rotation": secret.rotation,
        "deliver": secret.deliver,
    })
}
