//! `doorward keys`: the keys that tokens are signed with.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Installation, Opened};
use crate::clock::Clock;
use crate::ids::Rng;
use crate::jose::Algorithm;
use crate::signing::{AHEAD, SigningKeys, Stage};

#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the keys, and what each is doing
    List {
        #[command(flatten)]
        at: Installation,
        /// Print for scripts
        #[arg(long)]
        json: bool,
    },
    /// Make keys that take over from those that sign
    #[command(
        after_help = "Examples:\n  doorward keys rotate\n  doorward keys rotate --algorithm ES256 --now --forget\n\nKeys are replaced every 90 days by themselves. A new one is published for two days before it signs, so that every\napp knows it in time; what the old one signed stays good. With --now it signs at once: apps that keep our keys for a\nwhile may refuse people until they look again. --forget is for a key that somebody stole: nothing that the old keys\nsigned is believed any more."
    )]
    Rotate {
        /// RS256, PS256, ES256 or EdDSA; left out: all that are in use
        #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
        algorithm: Option<Algorithm>,
        /// Sign with the new keys at once
        #[arg(long)]
        now: bool,
        /// Forget the old keys at once
        #[arg(long, requires = "now")]
        forget: bool,
        #[command(flatten)]
        at: Installation,
    },
}

fn algorithm(word: &str) -> Result<Algorithm, String> {
    let known = || Algorithm::ALL.map(Algorithm::word).join(", ");
    Algorithm::from_word(word).ok_or_else(|| format!("it is one of {}", known()))
}

impl Keys {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.command {
            Command::List { at, json } => super::block_on(list(&at, json)),
            Command::Rotate { algorithm, now, forget, at } => {
                super::block_on(rotate(&at, algorithm, When { now, forget }))
            }
        }
    }
}

struct When {
    now: bool,
    forget: bool,
}

async fn open(at: &Installation) -> anyhow::Result<(Opened, SigningKeys)> {
    let opened = Opened::at(at).await?;
    let (store, key) = (opened.stored.store.clone(), opened.stored.key.clone());
    let keys = SigningKeys::new(store, key, Clock::machine(), Rng::system());
    keys.follow().await?;
    Ok((opened, keys))
}

async fn list(at: &Installation, as_json: bool) -> anyhow::Result<u8> {
    let (_opened, keys) = open(at).await?;
    let all = keys.list();
    if as_json {
        let all = all.iter().map(|(kept, stage)| {
            json!({
                "algorithm": kept.key.algorithm(), "id": kept.key.id(), "state": word(*stage),
                "made": kept.created_at.to_string(), "signs-from": kept.signs_from.to_string(),
            })
        });
        super::print_json(&json!(all.collect::<Vec<_>>()))?;
        return Ok(0);
    }
    if all.is_empty() {
        eprintln!(
            "there are no keys yet: they are made when the first app with `oidc` is taken into force"
        );
    }
    let mut text = String::new();
    for (kept, stage) in all {
        let (algorithm, from) = (kept.key.algorithm().word(), kept.signs_from.minute());
        text += &format!("{algorithm:<6} {:<8} from {from}  {}\n", word(stage), kept.key.id());
    }
    super::print(&text)?;
    Ok(0)
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Next => "next",
        Stage::Signing => "signing",
        Stage::Retired => "retired",
    }
}

async fn rotate(at: &Installation, wanted: Option<Algorithm>, when: When) -> anyhow::Result<u8> {
    let (opened, keys) = open(at).await?;
    let before = keys.list();
    let mut algorithms: Vec<_> = before.iter().map(|(kept, _)| kept.key.algorithm()).collect();
    algorithms.dedup();
    algorithms.retain(|algorithm| wanted.is_none_or(|wanted| wanted == *algorithm));
    if algorithms.is_empty() {
        bail!("no such key is in use: see `doorward keys list`");
    }
    let now = Clock::machine().now();
    let from = if when.now { now } else { now.plus(AHEAD) };
    for algorithm in &algorithms {
        if !keys.rotate(*algorithm, from).await? {
            bail!("another process made a key at the same moment: see `doorward keys list`");
        }
    }
    if when.forget {
        for (kept, _) in
            before.iter().filter(|(kept, _)| algorithms.contains(&kept.key.algorithm()))
        {
            keys.forget(kept).await?;
        }
    }
    let words: Vec<_> = algorithms.iter().map(|algorithm| algorithm.word()).collect();
    let mut tx = opened.stored.store.begin().await?;
    let data =
        json!({ "algorithms": words, "signs-from": from.to_string(), "forgot": when.forget });
    super::note(&mut tx, "keys.rotated", "keys", data).await?;
    tx.commit().await?;
    let what = words.join(", ");
    match when.now {
        true => eprintln!(
            "{what}: the new keys sign now; a running server takes them up within two seconds"
        ),
        false => eprintln!("{what}: the new keys are published, and sign from {}", from.minute()),
    }
    Ok(0)
}
