//! The files that brands and apps name: pictures, style sheets and templates. What cannot be read is a
//! warning at its place, and the shipped look stands in for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::named_files::{find, read_bytes, read_text};
use super::options::Options;
use crate::blueprint::Blueprint;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::settings::Brand;
use crate::blueprint::source::Spanned;
use crate::web::assets::PICTURES;
use crate::web::colour::Colour;
use crate::web::templates::{Marks, Overrides, Picture};

const LARGEST_PICTURE: u64 = 1024 * 1024;
const LARGEST_SHEET: u64 = 256 * 1024;

/// What files lay over the shipped look.
#[derive(Debug, PartialEq, Eq)]
pub struct LookFiles {
    /// On hosts that no brand is for.
    pub plain: Overrides,
    pub brands: BTreeMap<String, Overrides>,
}

/// Reads the files; `paths` is where each file of the blueprint lies.
pub fn read(
    options: &Options,
    paths: &[PathBuf],
    blueprint: &Blueprint,
) -> (LookFiles, Vec<Diagnostic>) {
    let mut reading = Reading { options, paths, problems: Vec::new() };
    let icons: BTreeMap<_, _> = blueprint
        .apps
        .iter()
        .filter_map(|app| {
            let icon = reading.picture(app.icon.as_ref(), "the app is shown by its first letter");
            Some((app.slug.value.clone(), icon?))
        })
        .collect();
    let brands = blueprint.brands.iter().map(|brand| {
        let files = reading.brand(brand, icons.clone());
        (brand.slug.value.clone(), files)
    });
    let brands = brands.collect();
    let plain = Overrides::none().with(Marks { icons, ..Marks::default() });
    (LookFiles { plain, brands }, reading.problems)
}

struct Reading<'a> {
    options: &'a Options,
    paths: &'a [PathBuf],
    problems: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn brand(&mut self, brand: &Brand, icons: BTreeMap<String, Picture>) -> Overrides {
        let mark = "the shipped mark is shown";
        let marks = Marks {
            logo: self.picture(brand.logo.as_ref(), mark),
            favicon: self.picture(brand.favicon.as_ref(), mark),
            background: self.picture(brand.background.as_ref(), "nothing is shown"),
            colour: brand.color.as_ref().and_then(|colour| Colour::parse(&colour.value)),
            css: self
                .file(brand.css.as_ref(), "it is left out", |path| read_text(path, LARGEST_SHEET)),
            icons,
        };
        let own = self.file(brand.templates.as_ref(), "the shipped pages are shown", |path| {
            Overrides::read(path).map_err(|errors| {
                errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            })
        });
        own.unwrap_or_default().without_scripts().with(marks)
    }

    fn picture(&mut self, named: Option<&Spanned<String>>, instead: &str) -> Option<Picture> {
        self.file(named, instead, |path| {
            let extension = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
            let extension = extension.to_ascii_lowercase();
            if !PICTURES.contains(&extension.as_str()) {
                return Err(format!(
                    "is no picture: its name ends in none of {}",
                    PICTURES.join(", ")
                ));
            }
            Ok(Picture { extension, bytes: read_bytes(path, LARGEST_PICTURE)?.into() })
        })
    }

    fn file<T>(
        &mut self,
        named: Option<&Spanned<String>>,
        instead: &str,
        read: impl Fn(&Path) -> Result<T, String>,
    ) -> Option<T> {
        let named = named?;
        let read = find(self.options, self.paths, named).and_then(|path| read(&path));
        read.map_err(|reason| {
            self.problems.push(
                Diagnostic::warning("blueprint::asset", format!("`{}` is not used", named.value))
                    .at(named.span, reason)
                    .help(format!("until it can be read, {instead}")),
            );
        })
        .ok()
    }
}
