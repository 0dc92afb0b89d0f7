//! An owner's theme files: read once, kept in memory, never followed out of their folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Marks, TemplateError};
use crate::web::assets::content_type;

const MOST_FILES: usize = 500;
const MOST_BYTES: u64 = 1024 * 1024;
const DEEPEST: usize = 8;

/// Names that people bring with them, and the page that each stands for.
const ALIASES: [(&str, &str); 2] =
    [("login/password.html", "password.html"), ("flow/loader.html", "flow.html")];

/// The files that are laid over the shipped theme, by their name below the owner's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    files: BTreeMap<String, Vec<u8>>,
    /// What a brand adds.
    pub(in crate::web) marks: Marks,
}

impl Overrides {
    /// The shipped theme as it is.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Overrides from memory.
    pub fn from_files<N: Into<String>, B: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Self {
        let files = files.into_iter().map(|(name, bytes)| (name.into(), bytes.into())).collect();
        Self { files, marks: Marks::default() }
    }

    /// Reads every file below `folder`. Links are followed and must end inside it or in the
    /// Nix store (security.md R4).
    ///
    /// # Errors
    /// Every file that cannot be used, with the reason.
    pub fn read(folder: &Path) -> Result<Self, Vec<TemplateError>> {
        let root = folder.canonicalize().map_err(|error| vec![unreadable(folder, &error)])?;
        let mut reading =
            Reading { root: root.clone(), files: BTreeMap::new(), errors: Vec::new() };
        reading.folder(&root, "", 0);
        if reading.errors.is_empty() {
            Ok(Self { files: reading.files, marks: Marks::default() })
        } else {
            Err(reading.errors)
        }
    }

    /// The same with the marks of a brand.
    #[must_use]
    pub fn with(self, marks: Marks) -> Self {
        Self { marks, ..self }
    }

    /// Blueprints come from more people than the host's own files do, and a script beside a password
    /// could send it anywhere: those of the host alone are served.
    #[must_use]
    pub fn without_scripts(mut self) -> Self {
        self.files.retain(|name, _| !name.ends_with(".js"));
        self
    }

    /// Lays another set over this one.
    #[must_use]
    pub fn under(mut self, upper: Self) -> Self {
        self.files.extend(upper.files);
        Self { files: self.files, marks: upper.marks }
    }

    /// Whether no template, text or style of the shipped look is replaced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files().next().is_none()
    }

    /// Every file with its name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The text of a file, if it is there and is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The templates among the files.
    pub(super) fn templates(&self) -> impl Iterator<Item = (&str, &str)> {
        let templates = self.files.keys().filter(|name| is_template(name));
        templates.filter_map(|name| self.text(name).map(|text| (name.as_str(), text)))
    }
}

/// Pages, and messages as text; texts by key are no templates.
pub(super) fn is_template(name: &str) -> bool {
    name.ends_with(".html") || (name.starts_with("mail/") && name.ends_with(".txt"))
}

/// The name of the template that a file stands for.
pub(super) fn target_of(name: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    alias.map_or(name, |(_, target)| target)
}

struct Reading {
    root: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    errors: Vec<TemplateError>,
}

impl Reading {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.errors.push(unreadable(folder, &error)),
        };
        for entry in entries.flatten() {
            let Ok(file_name) = entry.file_name().into_string() else { continue };
            if !file_name.starts_with('.') {
                self.entry(&entry.path(), &format!("{prefix}{file_name}"), depth);
            }
        }
    }

    fn entry(&mut self, path: &Path, name: &str, depth: usize) {
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) => return self.refuse(name, format!("cannot be read: {error}")),
        };
        if !real.starts_with(&self.root) && !real.starts_with("/nix/store") {
            return self
                .refuse(name, "leads out of its folder; put the file itself here".to_owned());
        }
        if !real.is_dir() {
            self.file(&real, name);
        } else if depth < DEEPEST {
            self.folder(&real, &format!("{name}/"), depth.saturating_add(1));
        } else {
            self.refuse(name, format!("lies more than {DEEPEST} folders deep"));
        }
    }

    fn file(&mut self, path: &Path, name: &str) {
        let is_text = [".html", ".css", ".txt"].iter().any(|ending| name.ends_with(ending));
        if !is_text && content_type(name).is_none() {
            return;
        }
        if self.files.len() >= MOST_FILES {
            return self.refuse(name, format!("a theme holds at most {MOST_FILES} files"));
        }
        if std::fs::metadata(path).is_ok_and(|file| file.len() > MOST_BYTES) {
            return self.refuse(name, "is larger than 1 MiB".to_owned());
        }
        match std::fs::read(path) {
            Ok(bytes) if is_text && std::str::from_utf8(&bytes).is_err() => {
                self.refuse(name, "is not UTF-8 text".to_owned());
            }
            Ok(bytes) => {
                self.files.insert(name.to_owned(), bytes);
            }
            Err(error) => self.refuse(name, format!("cannot be read: {error}")),
        }
    }

    fn refuse(&mut self, name: &str, reason: String) {
        self.errors.push(TemplateError::of_page(name, reason));
    }
}

fn unreadable(folder: &Path, error: &std::io::Error) -> TemplateError {
    TemplateError::of_page(&folder.display().to_string(), format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("doorward-{name}-{}", std::process::id()));
            std::fs::create_dir_all(folder.join("theme/themes")).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, bytes: &[u8]) {
            std::fs::write(self.0.join(name), bytes).unwrap();
        }

        fn read(&self) -> Result<Overrides, Vec<TemplateError>> {
            Overrides::read(&self.0.join("theme"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn files_are_known_by_their_name_below_the_folder() {
        let folder = Folder::new("names");
        folder.write("theme/error.html", b"x");
        folder.write("theme/themes/dark.css", b"a{}");
        folder.write("theme/README.md", b"not part of a theme");
        folder.write("theme/.hidden.css", b"not part of a theme");
        let overrides = folder.read().unwrap();
        let names: Vec<&str> = overrides.files().map(|(name, _)| name).collect();
        assert_eq!(names, ["error.html", "themes/dark.css"]);
        assert_eq!(overrides.text("error.html"), Some("x"));
    }

    /// security.md R4
    #[test]
    fn a_link_that_leads_out_is_refused_and_one_that_stays_is_followed() {
        let folder = Folder::new("links");
        folder.write("theme/a.html", b"inside");
        folder.write("secret.html", b"outside");
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.0.join("theme").join(name)).unwrap();
        };
        link("a.html", "b.html");
        assert_eq!(folder.read().unwrap().text("b.html"), Some("inside"));
        link("../secret.html", "c.html");
        let errors = folder.read().unwrap_err();
        let reason = "c.html: leads out of its folder; put the file itself here";
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [reason]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = Folder::new("broken");
        folder.write("theme/a.html", b"\xff");
        folder.write("theme/b.css", &vec![b' '; 1024 * 1024 + 1]);
        let mut errors: Vec<String> =
            folder.read().unwrap_err().iter().map(ToString::to_string).collect();
        errors.sort();
        assert_eq!(errors, ["a.html: is not UTF-8 text", "b.css: is larger than 1 MiB"]);
        let missing = Overrides::read(&folder.0.join("none")).unwrap_err();
        assert!(missing[0].reason.starts_with("cannot be read"), "{}", missing[0]);
    }
}
