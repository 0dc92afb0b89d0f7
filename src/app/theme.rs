//! The looks of pages and messages: the shipped one, with `custom-templates` and what brands name laid
//! over it, read again when a file changes. Files that do not render leave the last good look in place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::look_files::{self, LookFiles};
use super::options::Options;
use crate::blueprint::Blueprint;
use crate::web::assets::STYLE_SHEETS;
use crate::web::looks::Looks;
use crate::web::server::Server;
use crate::web::templates::{Overrides, TemplateError, Templates};

/// Pages and messages, and the directories that have a part in them.
pub struct Theme {
    pub looks: Looks,
    pub overrides: Vec<PathBuf>,
    pub watch: ThemeWatch,
}

/// Follows the owner's files.
pub struct ThemeWatch {
    options: Options,
    /// What was read last, whatever came of it.
    last: Files,
    good: Looks,
}

/// What is laid over the shipped look: everywhere, and by brand.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    everywhere: Result<Overrides, Vec<TemplateError>>,
    named: LookFiles,
}

impl Files {
    fn read(options: &Options, paths: &[PathBuf], blueprint: &Blueprint) -> Self {
        let folder = folder(options);
        let everywhere = match folder.is_dir() {
            true => Overrides::read(&folder),
            false => Ok(Overrides::none()),
        };
        Self { everywhere, named: look_files::read(options, paths, blueprint).0 }
    }

    /// Builds every look; what is wrong leaves the one that was there `before`, or the shipped one. The
    /// second value says whether the files that are laid over every look are in use.
    fn build(&self, before: Option<&Looks>, instead: &str) -> anyhow::Result<(Looks, bool)> {
        let everywhere = self.everywhere.as_ref().map_err(Vec::clone);
        let over =
            |upper: &Overrides| everywhere.clone().map(|under| under.clone().under(upper.clone()));
        let plain = built("custom-templates", over(&self.named.plain), instead);
        let is_used = plain.is_some();
        let plain = match (plain, before) {
            (Some(plain), _) => plain,
            (None, Some(before)) => Arc::clone(before.plain()),
            (None, None) => {
                Arc::new(Templates::shipped().map_err(|_| anyhow!("the shipped theme is damaged"))?)
            }
        };
        let mut of_brands = BTreeMap::new();
        for (slug, brand) in &self.named.brands {
            // What is wrong everywhere was told already.
            let look = match over(brand) {
                Ok(whole) => built(&format!("brand {slug}"), Ok(whole), instead),
                Err(_) => None,
            };
            let look = look.or_else(|| before.and_then(|before| before.own(slug).cloned()));
            of_brands.extend(look.map(|look| (slug.clone(), look)));
        }
        Ok((Looks::new(plain, of_brands), is_used))
    }
}

fn built(
    what: &str,
    overrides: Result<Overrides, Vec<TemplateError>>,
    instead: &str,
) -> Option<Arc<Templates>> {
    let built = overrides.and_then(|overrides| Templates::load(&overrides));
    built.map_err(|errors| complain(what, &errors, instead)).ok().map(Arc::new)
}

fn folder(options: &Options) -> PathBuf {
    options.environment.working_directory.join("custom-templates")
}

fn complain(what: &str, errors: &[TemplateError], instead: &str) {
    for error in errors {
        tracing::error!(%error, "{what} is not used: {instead}");
    }
}

/// The looks to begin with; `paths` is where each file of the blueprint lies.
///
/// # Errors
/// If the shipped one was built in broken.
pub fn load(options: &Options, paths: &[PathBuf], blueprint: &Blueprint) -> anyhow::Result<Theme> {
    let last = Files::read(options, paths, blueprint);
    let (looks, is_used) = last.build(None, "the shipped look is shown")?;
    let overrides = match &last.everywhere {
        Ok(overrides) if is_used => in_use(&folder(options), overrides),
        _ => Vec::new(),
    };
    let watch = ThemeWatch { options: options.clone(), last, good: looks.clone() };
    Ok(Theme { looks, overrides, watch })
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
        let (options, runtime) = (self.options.clone(), server.runtime.load_full());
        let read = move || Files::read(&options, &runtime.paths, &runtime.blueprint);
        let Ok(files) = tokio::task::spawn_blocking(read).await else { return };
        if files == self.last {
            return;
        }
        let before = self.good.clone();
        let building = tokio::task::spawn_blocking(move || {
            let built = files.build(Some(&before), "the last good look stays");
            (files, built)
        });
        let Ok((files, Ok((good, _)))) = building.await else {
            tracing::error!("the look could not be read to the end");
            return;
        };
        (self.last, self.good) = (files, good);
        let replaced = self.good.plain().replaced();
        if replaced.is_empty() {
            tracing::info!("the look of pages was read again");
        } else {
            tracing::info!(?replaced, "custom-templates is in use");
        }
        server.looks.store(Arc::new(self.good.clone()));
    }
}
