//! `doorward import`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::blueprint::guard::MAX_FILE;
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::carried::Fate;
use crate::import::{Imported, Input, Wishes, authelia, authentik, yaml};
use crate::model::counted::counted;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  doorward import authelia configuration.yml users_database.yml --into blueprints\n  doorward check\n  doorward plan\n\nStandard error lists every line that did not carry, with its place and why. Nothing that exists is\noverwritten without --force. Moving step by step: docs/moving-from-authelia.md and\ndocs/moving-from-authentik.md."
)]
pub struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Write Authelia's configuration and users database as blueprints
    #[command(
        after_help = "Example:\n  doorward import authelia configuration.yml users_database.yml --admin-group admins --into blueprints\n\nHosts that only a wildcard names: --host files.example.com --host books.example.com"
    )]
    Authelia(Authelia),
    /// Write blueprints of authentik as ours
    #[command(
        after_help = "Example:\n  docker exec authentik-worker ak export_blueprint > export.yaml\n  doorward import authentik export.yaml --external-host https://auth.example.com --into blueprints"
    )]
    Authentik(Files),
}

#[derive(Debug, Args)]
struct Authelia {
    /// A host that only wildcards or the default policy cover; several times
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
struct Files {
    /// YAML files, or `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write one file, instead of to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    out: Option<PathBuf>,
    /// Write a file for each part into a directory: settings, people, policies, flows, apps
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Where people sign in, such as https://auth.example.com
    #[arg(long, value_name = "URL")]
    external_host: Option<String>,
    /// The group whose members open the admin console
    #[arg(long, value_name = "GROUP")]
    admin_group: Option<String>,
    /// The list of what did not carry as JSON, on standard error
    #[arg(long)]
    json: bool,
}

impl Import {
    pub fn run(self) -> anyhow::Result<u8> {
        match self.from {
            From::Authelia(Authelia { host, files }) => {
                let wishes = files.wishes(host)?;
                let imported = authelia::import(&files.read()?, &wishes)?;
                files.finish(&imported)
            }
            From::Authentik(files) => {
                let wishes = files.wishes(Vec::new())?;
                let imported = authentik::import(&files.read()?, &wishes)?;
                files.finish(&imported)
            }
        }
    }
}

impl Files {
    fn wishes(&self, hosts: Vec<String>) -> anyhow::Result<Wishes> {
        if let Some(url) = &self.external_host
            && let Some(why) = fault(Want::ExternalHost, url)
        {
            bail!("--external-host {url}: {why}");
        }
        for host in &hosts {
            if let Some(why) = fault(Want::Host, host) {
                bail!("--host {host}: {why}");
            }
        }
        let (external_host, admin_group) = (self.external_host.clone(), self.admin_group.clone());
        Ok(Wishes { external_host, hosts, admin_group })
    }

    fn read(&self) -> anyhow::Result<Vec<Input>> {
        self.files.iter().map(|path| read(path)).collect()
    }

    fn finish(&self, imported: &Imported) -> anyhow::Result<u8> {
        let Imported { document, report } = imported;
        if self.into.is_none() && document.text().len() > MAX_FILE {
            bail!(
                "this is more than one file may hold\n  help: name a directory: --into blueprints"
            );
        }
        match (&self.out, &self.into) {
            (Some(path), _) => write_all(&[(path.clone(), document.text())], self.force)?,
            (None, Some(directory)) => {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot make {}", directory.display()))?;
                let files = document.files().into_iter();
                let files: Vec<_> =
                    files.map(|(name, text)| (directory.join(name), text)).collect();
                write_all(&files, self.force)?;
            }
            (None, None) => super::print(&document.text())?,
        }
        if self.json {
            eprintln!("{:#}", report.json());
            return Ok(0);
        }
        eprint!("{}", report.text());
        let count = |fate| counted(report.count(fate), "line");
        eprintln!(
            "{} not carried, {} changed, {} to do by hand; next: doorward check",
            count(Fate::NotCarried),
            count(Fate::Changed),
            count(Fate::ToDo)
        );
        Ok(0)
    }
}

/// Reads a file that may be anything.
fn read(path: &Path) -> anyhow::Result<Input> {
    let name = path.display().to_string();
    let most = yaml::LARGEST as u64 + 1;
    let mut bytes = Vec::new();
    if name == "-" {
        std::io::stdin().take(most).read_to_end(&mut bytes).context("standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
        file.take(most).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    }
    let name = if name == "-" { "stdin".to_owned() } else { name };
    if bytes.len() > yaml::LARGEST {
        bail!(
            "{name}: the file has more than {} bytes\n  help: leave out what is not configuration",
            yaml::LARGEST
        );
    }
    let Ok(text) = String::from_utf8(bytes) else {
        bail!("{name}: this is no text\n  help: name the YAML file itself, in UTF-8");
    };
    Ok(Input { name, text })
}

/// Writes files that only their owner reads, since they may hold hashes; all of them or none.
fn write_all(files: &[(PathBuf, String)], force: bool) -> anyhow::Result<()> {
    let there = files.iter().find(|(path, _)| path.symlink_metadata().is_ok());
    if let Some((path, _)) = there.filter(|_| !force) {
        bail!(
            "{} exists\n  help: write somewhere else, or replace it with --force",
            path.display()
        );
    }
    for (path, text) in files {
        write(path, text, force).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str, force: bool) -> std::io::Result<()> {
    if !force {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        return file.write_all(text.as_bytes());
    }
    // Beside it and then in its place: nobody reads a half.
    let beside = path.with_extension("kdl.new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&beside, path)
}
