//! `doorward backup` and `doorward restore`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Installation, Opened, block_on};
use crate::app::backup::{self, Counted};
use crate::app::opening::{make_directory, write_private};
use crate::app::places::Places;
use crate::blueprint::load;
use crate::clock::Clock;
use crate::model::counted::counted;
use crate::secret::{MasterKey, Secret};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward backup /mnt/backup/doorward-$(date +%F).backup\n  doorward backup FILE --passphrase-file /etc/doorward/backup-passphrase\n\nThe server goes on meanwhile. Kept are people with their factors and app passwords, groups, secrets, every\nset of files that was in force, and events; people sign in anew after a restore. Without a passphrase the\nmaster key is not in the file: keep a copy of it apart."
)]
pub struct Backup {
    /// Where it is written; never over another file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Seal the master key into it with the passphrase that this file holds
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    at: Installation,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward restore doorward.backup --master-key-file master.key\n  doorward restore doorward.backup --passphrase-file backup-passphrase --state postgres://doorward@db/doorward\n  doorward restore doorward.backup --look\n\nA backup is restored where there is no state yet: move the old one away first. It is looked at whole before\nanything is written, and goes into SQLite or PostgreSQL, wherever it came from."
)]
pub struct Restore {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The master key that belongs to it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    master_key_file: Option<PathBuf>,
    /// The passphrase that opens the master key in it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Only see whether it is whole
    #[arg(long)]
    look: bool,
    #[command(flatten)]
    at: Installation,
}

impl Backup {
    pub fn run(self) -> anyhow::Result<u8> {
        block_on(self.write())
    }

    async fn write(self) -> anyhow::Result<u8> {
        if self.file.exists() {
            bail!(
                "{} is there already: name another file, or remove it first",
                self.file.display()
            );
        }
        let passphrase = self.passphrase_file.as_deref().map(secret_in).transpose()?;
        let opened = Opened::at(&self.at).await?;
        let stored = &opened.stored;
        let key_file = stored.key_file.as_ref().map(|(path, _)| path.clone());
        let text = passphrase.as_ref().map(|_| stored.key_text.clone());
        let sealed = text.as_ref().zip(passphrase.as_ref());
        let now = Clock::machine().now();
        let made = backup::write(&stored.store, (&stored.key, sealed), &self.file, now).await?;
        eprintln!("{}: {}", self.file.display(), summary(&made));
        if passphrase.is_none() {
            let lies = key_file
                .map_or("the declared master key".to_owned(), |path| path.display().to_string());
            eprintln!("the master key is not in it: keep a copy of {lies} apart from it");
        }
        Ok(0)
    }
}

impl Restore {
    pub fn run(self) -> anyhow::Result<u8> {
        block_on(self.fill())
    }

    async fn fill(self) -> anyhow::Result<u8> {
        let passphrase = self.passphrase_file.as_deref().map(secret_in).transpose()?;
        let found = backup::verify(&self.file, passphrase.as_ref())?;
        eprintln!(
            "{}: {}, made {} by version {}",
            self.file.display(),
            summary(&found),
            found.made,
            found.version
        );
        if self.look {
            eprintln!("it is whole");
            return Ok(0);
        }
        let given = self.master_key_file.as_deref().map(secret_in).transpose()?;
        let key = found.key.clone().or(given);
        let options = self.at.options();
        let loaded = load::load(&options.roots, options.mode());
        let places = Places::new(&options, &loaded.server)?;
        let lies = places.directory.join("master.key");
        let key = match key {
            Some(key) => key,
            None if lies.is_file() => secret_in(&lies)?,
            None => bail!(
                "the master key that belongs to the backup is needed: --master-key-file FILE, or --passphrase-file FILE if it is in the backup"
            ),
        };
        if MasterKey::parse(&key)?.fingerprint() != found.fingerprint {
            bail!(
                "this is another master key than the backup was made with ({})",
                found.fingerprint
            );
        }
        if let Some(running) = super::socket::installed(&places.control).await?
            && running.is_at(&places)
        {
            bail!("a server runs on this state: stop it first");
        }
        make_directory(&places.directory)?;
        // First the key: a store without one is worth nothing, a key without a store does no harm.
        let brings_key = places.master_key.is_none() && !lies.is_file();
        if brings_key {
            write_private(&lies, key.reveal())?;
        }
        let restored = backup::restore(&self.file, &places.state, Clock::machine().now()).await;
        if restored.is_err() && brings_key {
            let _ = std::fs::remove_file(&lies);
        }
        restored?;
        eprintln!("restored into {}; start the server, and people sign in anew", places.state);
        Ok(0)
    }
}

fn secret_in(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(Secret::new(text.trim()))
}

fn summary(found: &Counted) -> String {
    let people = usize::try_from(found.users).unwrap_or(usize::MAX);
    let rows = usize::try_from(found.rows).unwrap_or(usize::MAX);
    format!("{} in {}", counted(people, "account"), counted(rows, "row"))
}
