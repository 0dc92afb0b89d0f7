//! The look of pages and messages: the shipped one with `custom-templates` laid over it, read
//! again when a file changes. Files that do not render leave the last good look in place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::options::Options;
use crate::web::assets::STYLE_SHEETS;
use crate::web::server::Server;
use crate::web::templates::{Overrides, TemplateError, Templates};

/// Pages and messages, and the directories that have a part in them.
pub struct Theme {
    pub templates: Templates,
    pub overrides: Vec<PathBuf>,
    pub watch: ThemeWatch,
}

/// Follows the owner's files.
pub struct ThemeWatch {
    folder: PathBuf,
    /// What was read last, whatever came of it.
    last: Result<Overrides, Vec<TemplateError>>,
}

fn folder(options: &Options) -> PathBuf {
    options.environment.working_directory.join("custom-templates")
}

fn read(folder: &Path) -> Result<Overrides, Vec<TemplateError>> {
    if folder.is_dir() { Overrides::read(folder) } else { Ok(Overrides::none()) }
}

fn complain(errors: &[TemplateError], instead: &str) {
    for error in errors {
        tracing::error!(%error, "custom-templates is not used: {instead}");
    }
}

/// The look to begin with.
///
/// # Errors
/// If the shipped one was built in broken.
pub fn load(options: &Options) -> anyhow::Result<Theme> {
    let folder = folder(options);
    let last = read(&folder);
    let loaded = last.clone().and_then(|overrides| {
        let templates = Templates::load(&overrides)?;
        Ok((templates, in_use(&folder, &overrides)))
    });
    let watch = ThemeWatch { folder, last };
    match loaded {
        Ok((templates, overrides)) => Ok(Theme { templates, overrides, watch }),
        Err(errors) => {
            complain(&errors, "the shipped look is shown");
            let shipped = Templates::shipped().map_err(|_| anyhow!("the shipped theme is damaged"));
            Ok(Theme { templates: shipped?, overrides: Vec::new(), watch })
        }
    }
}

/// The directory of templates, and that of style sheets in it, where they hold files.
fn in_use(folder: &Path, overrides: &Overrides) -> Vec<PathBuf> {
    let is_sheet = |name: &str| name.starts_with(STYLE_SHEETS);
    let any = |sheet: bool| overrides.files().any(|(name, _)| is_sheet(name) == sheet);
    let templates = any(false).then(|| folder.to_owned());
    templates.into_iter().chain(any(true).then(|| folder.join(STYLE_SHEETS))).collect()
}

impl ThemeWatch {
    /// Reads the files again and puts them in place if they changed and render.
    pub async fn look(&mut self, server: &Arc<Server>) {
        let folder = self.folder.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || read(&folder)).await else { return };
        if read == self.last {
            return;
        }
        self.last.clone_from(&read);
        let loaded = tokio::task::spawn_blocking(move || Templates::load(&read?)).await;
        match loaded {
            Ok(Ok(templates)) => {
                tracing::info!(replaced = ?templates.replaced(), "custom-templates is in use");
                server.templates.store(Arc::new(templates));
            }
            Ok(Err(errors)) => complain(&errors, "the last good look stays"),
            Err(_) => tracing::error!("custom-templates could not be read to the end"),
        }
    }
}
