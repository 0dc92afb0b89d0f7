//! The store and the master key, opened, and seen to belong together.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};

use super::options::Options;
use super::places::Places;
use super::secrets::Secrets;
use crate::blueprint::settings::Server;
use crate::clock::Clock;
use crate::ids::Rng;
use crate::reconcile::Plan;
use crate::reconcile::apply::Applying;
use crate::runtime::Runtime;
use crate::secret::{MasterKey, Secret};
use crate::store::{KeyCheck, Limits, Opening, Store};

/// The opened store with its key, before anything is read into it.
pub struct Opened {
    pub store: Store,
    pub opening: Opening,
    pub key: Arc<MasterKey>,
    /// The same as it is written.
    pub key_text: Secret,
    pub key_file: Option<(PathBuf, KeyOrigin)>,
}

impl Opened {
    /// What applying a plan needs, where no server runs yet.
    pub fn applying<'a>(
        &'a self,
        rng: &'a Rng,
        plan: &'a Plan,
        after: &'a Runtime,
        actor: &'a str,
    ) -> Applying<'a> {
        let now = Clock::machine().now();
        Applying { store: &self.store, key: &self.key, rng, now, plan, after, actor }
    }
}

/// Where the master key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    Created,
    Found,
}

/// Opens store and master key, and sees that they belong together.
///
/// # Errors
/// If one cannot be opened, or they do not.
pub async fn open(options: &Options, places: &Places, declared: &Server) -> anyhow::Result<Opened> {
    make_directory(&places.directory)?;
    let (store, opening) =
        Store::open(&places.state, Limits::default(), Clock::machine().now()).await?;
    with_key(options, places, declared, store, opening).await
}

/// Opens a store that is there already with its key, and makes neither.
///
/// # Errors
/// If there is none, or as `open`.
pub async fn open_existing(
    options: &Options,
    places: &Places,
    declared: &Server,
) -> anyhow::Result<Opened> {
    let now = Clock::machine().now();
    let store = Store::open_existing(&places.state, Limits::default(), now).await?;
    with_key(options, places, declared, store, Opening::Opened).await
}

async fn with_key(
    options: &Options,
    places: &Places,
    declared: &Server,
    store: Store,
    opening: Opening,
) -> anyhow::Result<Opened> {
    let (text, key_file) = key_text(options, places, declared, opening)?;
    let key = Arc::new(MasterKey::parse(&text).context("the master key cannot be used")?);
    let mut tx = store.begin().await?;
    let check = tx.check_key(key.fingerprint()).await?;
    tx.commit().await?;
    if check == KeyCheck::Differs {
        let from = key_file
            .as_ref()
            .map_or("the declared master key".to_owned(), |(path, _)| path.display().to_string());
        bail!(
            "{from} is not the key that {} was made with; put the right key in its place, or restore \
             both from the same backup",
            store.place()
        );
    }
    Ok(Opened { store, opening, key, key_text: text, key_file })
}

/// Makes the directory of the state, for its owner alone.
///
/// # Errors
/// If it cannot be made.
pub fn make_directory(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.with_context(|| {
        format!("{} cannot be made; see who owns the directory above it", directory.display())
    })
}

type KeyFile = Option<(PathBuf, KeyOrigin)>;

/// The declared key; else a file beside the state, made at the first start.
fn key_text(
    options: &Options,
    places: &Places,
    declared: &Server,
    opening: Opening,
) -> anyhow::Result<(Secret, KeyFile)> {
    if let Some(reference) = &declared.master_key {
        match Secrets::new(options).resolve(reference) {
            Ok(Some(text)) => return Ok((text, None)),
            Err(error) if !options.dev => {
                return Err(anyhow!("server master-key ({}): {error}", reference.origin.shown()));
            }
            Ok(None) | Err(_) => {}
        }
    }
    let path = places.directory.join("master.key");
    match fs::read_to_string(&path) {
        Ok(text) => {
            refuse_public_key(&path)?;
            Ok((Secret::new(text.trim()), Some((path, KeyOrigin::Found))))
        }
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && opening == Opening::Created =>
        {
            let text = MasterKey::generate(&Rng::system())?;
            write_private(&path, text.reveal())?;
            Ok((text, Some((path, KeyOrigin::Created))))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "{} is missing: the state was made with a key that lay there. Put it back from your \
             backup; without it sealed secrets and sessions cannot be read",
            path.display()
        ),
        Err(error) => Err(anyhow!("{} cannot be read: {error}", path.display())),
    }
}

fn refuse_public_key(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{} can be read by others: chmod 600 {}", path.display(), path.display());
    }
    Ok(())
}

/// Writes a file that only its owner may read; never through a link, never over another.
///
/// # Errors
/// If it is there already or cannot be made.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.with_context(|| format!("{} cannot be made", path.display()))?;
    writeln!(file, "{text}")?;
    Ok(file.sync_all()?)
}
