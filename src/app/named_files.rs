//! Files that blueprints name: texts beside them, such as terms, and lists elsewhere. Nothing is read
//! outside of its root, or of what the host allows (`security.md` R4).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::Options;
use super::secrets::Secrets;
use crate::blueprint::Blueprint;
use crate::blueprint::flow::StageKind;
use crate::blueprint::read::{NIX_STORE, Root};
use crate::blueprint::source::Spanned;
use crate::flow::breached;

/// Terms are read by people: nobody reads more.
const LONGEST: u64 = 256 * 1024;

/// The texts by the name that files give them.
pub type Texts = BTreeMap<String, Arc<str>>;

/// What a blueprint names.
#[derive(Debug, Default)]
pub struct NamedFiles {
    pub texts: Texts,
    /// Where the list of passwords from breaches lies.
    pub breached_list: Option<PathBuf>,
    /// What cannot be read.
    pub problems: Vec<String>,
}

/// Reads the files that a blueprint names; `paths` is where each of its own files lies.
pub fn read(options: &Options, paths: &[PathBuf], blueprint: &Blueprint) -> NamedFiles {
    let (texts, mut problems) = texts(options, paths, blueprint);
    let declared = blueprint.settings.breached_list.as_ref();
    let breached_list = declared.and_then(|declared| {
        let path = Secrets::new(options).permitted(Path::new(&declared.value));
        let path = path.map_err(|error| error.to_string()).and_then(|path| {
            let told = |error| format!("{}: {error}", path.display());
            breached::look(&path).map(|()| path.clone()).map_err(told)
        });
        path.map_err(|error| problems.push(format!("password breached-list: {error}"))).ok()
    });
    NamedFiles { texts, breached_list, problems }
}

/// The texts that a blueprint names, and what cannot be read.
pub fn texts(options: &Options, paths: &[PathBuf], blueprint: &Blueprint) -> (Texts, Vec<String>) {
    let (mut texts, mut problems) = (Texts::new(), Vec::new());
    for file in named(blueprint) {
        let read = find(options, paths, file).and_then(|path| read_text(&path, LONGEST));
        match read {
            Ok(text) => {
                texts.entry(file.value.clone()).or_insert_with(|| text.into());
            }
            Err(reason) => problems.push(format!("terms \"{}\": {reason}", file.value)),
        }
    }
    (texts, problems)
}

fn named(blueprint: &Blueprint) -> impl Iterator<Item = &Spanned<String>> {
    blueprint.flows.iter().flat_map(|flow| &flow.stages).filter_map(|stage| match &stage.kind {
        StageKind::Terms { file, .. } => Some(file),
        _ => None,
    })
}

/// Where a file or directory lies that a blueprint names: beneath the root of the file that names it.
///
/// # Errors
/// The reason, if it is not there or not allowed.
pub fn find(
    options: &Options,
    paths: &[PathBuf],
    named: &Spanned<String>,
) -> Result<PathBuf, String> {
    let index = usize::try_from(named.span.file.0).unwrap_or(usize::MAX);
    let root = match paths.get(index) {
        Some(beside) => root_of(&options.roots, beside),
        // The files of a stored generation lie nowhere.
        None => options.roots.iter().find(|root| find_beneath(root, &named.value).is_ok()),
    };
    find_beneath(root.ok_or("its root is not known")?, &named.value)
}

/// The root that a file was read from: the innermost.
fn root_of<'a>(roots: &'a [Root], file: &Path) -> Option<&'a Root> {
    let around = roots.iter().filter(|root| file.starts_with(&root.path));
    around.max_by_key(|root| root.path.components().count())
}

fn find_beneath(root: &Root, name: &str) -> Result<PathBuf, String> {
    let base = match root.path.is_file() {
        true => root.path.parent().unwrap_or(Path::new(".")),
        false => &root.path,
    };
    let path = base.join(name);
    let told = |what: &str| format!("{} {what}", path.display());
    let real = path.canonicalize().map_err(|error| told(&format!("cannot be read: {error}")))?;
    let inside = |directory: &Path| {
        directory.canonicalize().is_ok_and(|directory| real.starts_with(directory))
    };
    let allowed = root.allow.iter().any(|directory| inside(directory));
    match inside(base) || allowed || real.starts_with(NIX_STORE) {
        true => Ok(real),
        false => Err(told("leads out of its root; put a copy into the root")),
    }
}

/// The bytes of a file of at most so many.
///
/// # Errors
/// The reason.
pub fn read_bytes(path: &Path, longest: u64) -> Result<Vec<u8>, String> {
    let told = |what: String| format!("{} {what}", path.display());
    let data = path.metadata().map_err(|error| told(format!("cannot be read: {error}")))?;
    if !data.is_file() {
        return Err(told("is no file".to_owned()));
    }
    if data.len() > longest {
        return Err(told(format!("is larger than {longest} bytes")));
    }
    fs::read(path).map_err(|error| told(format!("cannot be read: {error}")))
}

/// The text of a file of at most so many bytes.
///
/// # Errors
/// The reason.
pub fn read_text(path: &Path, longest: u64) -> Result<String, String> {
    let bytes = read_bytes(path, longest)?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8 text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `security.md` R4.
    #[test]
    fn a_text_lies_beneath_its_root() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Root::new(directory.path().join("blueprints"));
        fs::create_dir(&root.path).expect("a directory");
        fs::write(root.path.join("terms.txt"), "Be kind.").expect("written");
        fs::write(directory.path().join("secret"), "hush").expect("written");
        std::os::unix::fs::symlink("../secret", root.path.join("link.txt")).expect("a link");
        let read = |name| find_beneath(&root, name).and_then(|path| read_text(&path, 100));
        assert_eq!(read("terms.txt").as_deref(), Ok("Be kind."));
        for outside in ["../secret", "link.txt", "/etc/hostname"] {
            let refused = read(outside).expect_err(outside);
            assert!(refused.contains("leads out of its root"), "{refused}");
        }
        assert!(read("none.txt").is_err());
        assert!(read(".").expect_err("a directory").contains("is no file"));
    }
}
