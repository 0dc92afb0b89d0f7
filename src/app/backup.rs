//! A whole store in one file, and back: lines of JSON, the first of which says what it is and the last of which
//! that nothing is missing.
//!
//! The file holds password hashes and sealed secrets, and the master key only where a passphrase seals it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::clock::Millis;
use crate::ids::Rng;
use crate::secret::{MasterKey, Secret, hex};
use crate::store::{Filling, KEPT, StateUrl, Store, Table};

const FORMAT: &str = "doorward-backup/1";
/// What a sealed master key is bound to.
const BINDING: &str = "backup/master-key";
/// A longer line is none of ours: the sources of a generation are the longest.
const LONGEST_LINE: u64 = 256 * 1024 * 1024;
/// Shorter passphrases are guessed.
const SHORTEST_PASSPHRASE: usize = 12;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    /// The version that wrote it.
    version: String,
    /// The schema of the store.
    schema: i64,
    /// When it was made, RFC 3339.
    made: String,
    /// Which master key opens what is sealed in it.
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_key: Option<SealedKey>,
}

/// The master key, sealed by a passphrase.
#[derive(Debug, Serialize, Deserialize)]
struct SealedKey {
    /// The salt of Argon2id, base64.
    salt: String,
    sealed: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    rows: u64,
    /// SHA-256 of every line before this one, in hex.
    sha256: String,
}

/// What a backup turned out to hold.
#[derive(Debug)]
pub struct Counted {
    pub rows: u64,
    pub users: u64,
    pub made: String,
    pub version: String,
    /// The master key, if it was sealed in the file and the passphrase opened it.
    pub key: Option<Secret>,
    /// Which master key belongs to it.
    pub fingerprint: String,
}

/// A writer that remembers what it wrote.
struct Digested<W> {
    to: W,
    digest: Context,
}

impl<W: Write> Digested<W> {
    fn line(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.to.write_all(&text)?)
    }
}

/// Writes everything into a file that nobody else may read. Whole or not at all: what is under way lies beside it.
///
/// # Errors
/// If the store cannot be read or the file cannot be written.
pub async fn write(
    store: &Store,
    key: (&MasterKey, Option<(&Secret, &Secret)>),
    to: &Path,
    now: Millis,
) -> anyhow::Result<Counted> {
    let (key, sealed) = key;
    let sealed_key = sealed.map(|(text, passphrase)| seal(text, passphrase)).transpose()?;
    let beside = beside(to);
    let _ = fs::remove_file(&beside);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let file = file.with_context(|| format!("{} cannot be made", beside.display()))?;
    let written = fill(store, key, sealed_key, &file, now).await;
    let done = written.and_then(|counted| {
        file.sync_all()?;
        fs::rename(&beside, to)
            .with_context(|| format!("{} cannot be put in place", to.display()))?;
        Ok(counted)
    });
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

async fn fill(
    store: &Store,
    key: &MasterKey,
    sealed_key: Option<SealedKey>,
    file: &File,
    now: Millis,
) -> anyhow::Result<Counted> {
    let mut out = Digested { to: BufWriter::new(file), digest: Context::new(&SHA256) };
    let dump = store.dump().await?;
    let head = Head {
        format: FORMAT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: dump.schema().await?,
        made: now.to_string(),
        key: key.fingerprint().to_owned(),
        sealed_key,
    };
    out.line(&head)?;
    let (mut rows, mut users) = (0_u64, 0);
    for table in &KEPT {
        let mut last = None;
        loop {
            let page = dump.page(table, last.as_ref()).await?;
            let Some(end) = page.last().cloned() else { break };
            for row in &page {
                out.line(&(table.name, row))?;
            }
            rows += page.len() as u64;
            users += if table.name == "users" { page.len() as u64 } else { 0 };
            last = Some(end);
        }
    }
    drop(dump);
    let sha256 = hex(out.digest.finish().as_ref());
    serde_json::to_writer(&mut out.to, &Tail { rows, sha256 })?;
    writeln!(out.to)?;
    out.to.flush()?;
    let Head { made, version, key: fingerprint, .. } = head;
    Ok(Counted { rows, users, made, version, key: None, fingerprint })
}

/// Reads a whole backup and sees that nothing is missing and nothing is damaged.
///
/// # Errors
/// If it is none, or not whole, or the passphrase does not open its key.
pub fn verify(from: &Path, passphrase: Option<&Secret>) -> anyhow::Result<Counted> {
    let (head, tail, users) = read(from, |_, _| {})?;
    let key = opened(&head, passphrase)?;
    let Head { made, version, key: fingerprint, .. } = head;
    Ok(Counted { rows: tail.rows, users, made, version, key, fingerprint })
}

/// Fills a store that is not there yet with what a backup holds. It was verified before: what is damaged is
/// refused whole.
///
/// # Errors
/// If the store is there already, or refuses a row; then nothing is kept.
pub async fn restore(from: &Path, url: &StateUrl, now: Millis) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let (head, ..) = read(from, |table, row| rows.push((table, row)))?;
    let mut filling = Filling::begin(url, head.schema, now).await?;
    for (table, row) in rows {
        if !filling.put(table, row).await? {
            bail!("{}: a row of `{}` makes no sense", from.display(), table.name);
        }
    }
    Ok(filling.finish(now).await?)
}

type Whole = (Head, Tail, u64);

/// Goes through a backup from its first line to its last.
fn read(
    from: &Path,
    mut each: impl FnMut(&'static Table, Map<String, Value>),
) -> anyhow::Result<Whole> {
    let damaged = |line: u64, why: &str| {
        anyhow!(
            "{}:{line}: {why}: the backup is damaged or cut off, and nothing of it is taken",
            from.display()
        )
    };
    let file = File::open(from).with_context(|| format!("{} cannot be read", from.display()))?;
    let mut lines = BufReader::new(file);
    let mut digest = Context::new(&SHA256);
    let first = line(&mut lines)?.ok_or_else(|| damaged(1, "it is empty"))?;
    let head: Head = serde_json::from_slice(&first)
        .ok()
        .filter(|head: &Head| head.format == FORMAT)
        .ok_or_else(|| anyhow!("{} is no backup of Doorward ({FORMAT})", from.display()))?;
    digest.update(&first);
    let (mut rows, mut users) = (0_u64, 0_u64);
    loop {
        let number = rows + 2;
        let text = line(&mut lines)?.ok_or_else(|| damaged(number, "the last line is missing"))?;
        if let Ok(tail) = serde_json::from_slice::<Tail>(&text) {
            if hex(digest.clone().finish().as_ref()) != tail.sha256 || tail.rows != rows {
                return Err(damaged(number, "the digest is another"));
            }
            if line(&mut lines)?.is_some() {
                return Err(damaged(number + 1, "something stands behind the last line"));
            }
            return Ok((head, tail, users));
        }
        let (name, row): (String, Map<String, Value>) =
            serde_json::from_slice(&text).map_err(|_| damaged(number, "this is no row"))?;
        let table = Table::of(&name).ok_or_else(|| damaged(number, "this is a row of no table"))?;
        digest.update(&text);
        rows += 1;
        users += u64::from(name == "users");
        each(table, row);
    }
}

fn line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut text)?;
    Ok((!text.is_empty()).then_some(text))
}

/// What lies there while a backup is written.
fn beside(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn seal(key: &Secret, passphrase: &Secret) -> anyhow::Result<SealedKey> {
    if passphrase.reveal().chars().count() < SHORTEST_PASSPHRASE {
        bail!(
            "a passphrase has at least {SHORTEST_PASSPHRASE} characters: whoever has the file may try as often as they like"
        );
    }
    let rng = Rng::system();
    let mut salt = [0; 16];
    rng.fill(&mut salt)?;
    let sealed = derived(passphrase, &salt)?.seal(key, BINDING, &rng)?;
    Ok(SealedKey { salt: STANDARD.encode(salt), sealed: STANDARD.encode(sealed) })
}

fn opened(head: &Head, passphrase: Option<&Secret>) -> anyhow::Result<Option<Secret>> {
    let (Some(sealed), Some(passphrase)) = (&head.sealed_key, passphrase) else { return Ok(None) };
    let salt = STANDARD.decode(&sealed.salt).context("the salt of the sealed key is damaged")?;
    let bytes = STANDARD.decode(&sealed.sealed).context("the sealed key is damaged")?;
    let opened = derived(passphrase, &salt)?.open(&bytes, BINDING);
    Ok(Some(
        opened.map_err(|_| anyhow!("the passphrase does not open the master key in the backup"))?,
    ))
}

/// The key that a passphrase comes to (RFC 9106 §4, second recommendation).
fn derived(passphrase: &Secret, salt: &[u8]) -> anyhow::Result<MasterKey> {
    let params = Params::new(64 * 1024, 3, 4, Some(32)).map_err(|error| anyhow!("{error}"))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut bytes = Zeroizing::new([0_u8; 32]);
    let made = argon.hash_password_into(passphrase.reveal().as_bytes(), salt, bytes.as_mut());
    made.map_err(|error| anyhow!("{error}"))?;
    Ok(MasterKey::parse(&Secret::new(hex(bytes.as_ref())))?)
}
