//! Files that Doorward writes for others: a proxy's configuration, a delivered secret.
//!
//! The reader sees the old file or the new one, never a half. The path comes from a blueprint, so
//! it is held to the directories that the host allows, follows no link and replaces nothing that
//! Doorward did not write (`security.md` R4). Knows nothing of what is in the file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::secret::Secret;

/// What is written, and how a file of ours is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Read by another account, such as a proxy's; ours begin with these words.
    Public { first_words: &'static str },
    /// One value, 0400; ours belong to this process, nobody else may read them, and they hold one
    /// of these values: mode and owner alone are those of many a file beside it.
    Secret { made: &'a [Secret] },
}

impl Kind<'_> {
    fn first_mode(self) -> Mode {
        Mode::from_raw_mode(match self {
            // Traefik runs as another user, and nothing in the file is secret.
            Self::Public { .. } => 0o644,
            Self::Secret { .. } => 0o400,
        })
    }

    fn is_ours(self, old: &Old) -> bool {
        match self {
            Self::Public { first_words } => old.text.starts_with(first_words.as_bytes()),
            Self::Secret { made } => {
                old.owner == rustix::process::geteuid().as_raw()
                    && old.mode == self.first_mode()
                    && old.holds(made)
            }
        }
    }
}

/// What writing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Anew,
    /// The file has these bytes already.
    Unchanged,
}

/// Why a file was not written. The old one is still there.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{0} is not a path to a file; write an absolute path without `..`")]
    BadPath(PathBuf),
    #[error("{directory} is not there or cannot be opened ({source}); create it")]
    NoDirectory { directory: PathBuf, source: io::Error },
    #[error(
        "{path} is outside the directories that may be written; start with --write-to {directory}"
    )]
    Outside { path: PathBuf, directory: PathBuf },
    #[error("{0} is a link, a directory or a device; remove it, or write to another name")]
    NotAFile(PathBuf),
    #[error(
        "{0} was not written by Doorward (the first line of a generated file says so; a secret is \
         one that Doorward made, with mode 0400); move it away, or write to another name"
    )]
    Foreign(PathBuf),
    #[error(
        "{path} cannot be written ({source}); see who owns its directory and how full the disk is"
    )]
    Io { path: PathBuf, source: io::Error },
}

/// Replaces the file at `path` by `text`.
///
/// # Errors
/// If the path may not be written, if somebody else's file stands there, or if the disk refuses.
pub fn write(
    path: &Path,
    text: &str,
    kind: Kind<'_>,
    allowed: &[PathBuf],
) -> Result<Written, WriteError> {
    let real = permit(path, allowed)?;
    let (directory, name) = place(path)?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, &real, flags, Mode::empty());
    let directory = opened.map_err(|error| no_directory(directory, error.into()))?;
    let old = read_old(&directory, name, path, kind)?;
    if old.as_ref().is_some_and(|old| old.text == text.as_bytes()) {
        return Ok(Written::Unchanged);
    }
    let mode = old.map_or(kind.first_mode(), |old| old.mode);
    let failed = |error: Errno| WriteError::Io { path: path.to_owned(), source: error.into() };
    replace(&directory, name, text, mode).map_err(failed)?;
    Ok(Written::Anew)
}

/// Says whether a file may be written at `path`, and gives its directory without links.
///
/// # Errors
/// If it may not, or the directory is not there.
pub fn permit(path: &Path, allowed: &[PathBuf]) -> Result<PathBuf, WriteError> {
    let (directory, _) = place(path)?;
    let real = directory.canonicalize().map_err(|source| no_directory(directory, source))?;
    if allowed.iter().any(|root| is_beneath(&real, root)) {
        return Ok(real);
    }
    Err(WriteError::Outside { path: path.to_owned(), directory: directory.to_owned() })
}

/// A larger file is not ours.
const LARGEST_OLD: u64 = 64 * 1024 * 1024;

struct Old {
    text: Vec<u8>,
    mode: Mode,
    owner: u32,
}

impl Old {
    fn holds(&self, values: &[Secret]) -> bool {
        let text = std::str::from_utf8(&self.text).map(Secret::new);
        text.is_ok_and(|text| values.contains(&text))
    }
}

fn place(path: &Path) -> Result<(&Path, &str), WriteError> {
    let bad = || WriteError::BadPath(path.to_owned());
    let plain = |part| !matches!(part, std::path::Component::ParentDir);
    if !path.is_absolute() || !path.components().all(plain) {
        return Err(bad());
    }
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
    Ok((path.parent().ok_or_else(bad)?, name))
}

/// Whether `directory`, which holds no link, is `root` or below it.
fn is_beneath(directory: &Path, root: &Path) -> bool {
    root.canonicalize().is_ok_and(|root| directory.starts_with(root))
}

fn no_directory(directory: &Path, source: io::Error) -> WriteError {
    WriteError::NoDirectory { directory: directory.to_owned(), source }
}

/// The file that stands there, if it is one of ours.
fn read_old(
    directory: &OwnedFd,
    name: &str,
    path: &Path,
    kind: Kind<'_>,
) -> Result<Option<Old>, WriteError> {
    // Without NONBLOCK a pipe of that name would hold us up for good.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let failed = |source: io::Error| WriteError::Io { path: path.to_owned(), source };
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NXIO) => return Err(WriteError::NotAFile(path.to_owned())),
        Err(error) => return Err(failed(error.into())),
    };
    let about = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return Err(WriteError::NotAFile(path.to_owned()));
    }
    let mut text = Vec::new();
    File::from(file).take(LARGEST_OLD).read_to_end(&mut text).map_err(failed)?;
    let mode = Mode::from_raw_mode(about.st_mode);
    let old = Old { text, mode, owner: about.st_uid };
    if kind.is_ours(&old) { Ok(Some(old)) } else { Err(WriteError::Foreign(path.to_owned())) }
}

/// Writes beside the target and moves it there, both safe from a power cut.
fn replace(directory: &OwnedFd, name: &str, text: &str, mode: Mode) -> Result<(), Errno> {
    // Traefik reads the directory, but only names that end in .yml, .yaml or .toml.
    let beside = format!(".{name}.doorward-new");
    let done = write_new(directory, &beside, text, mode)
        .and_then(|()| rustix::fs::renameat(directory, &beside, directory, name));
    if done.is_err() {
        // What went wrong is told; what is left here is overwritten the next time.
        let _ = rustix::fs::unlinkat(directory, &beside, AtFlags::empty());
    }
    done?;
    rustix::fs::fsync(directory)
}

fn write_new(directory: &OwnedFd, name: &str, text: &str, mode: Mode) -> Result<(), Errno> {
    // A crash may have left one. Unlinking removes a link, not what it points to.
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fchmod(&file, mode)?;
    let mut file = File::from(file);
    let written = file.write_all(text.as_bytes());
    written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    rustix::fs::fsync(file.as_fd())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    const PUBLIC: Kind<'_> = Kind::Public { first_words: "# Written by Doorward" };

    /// A directory of its own for one test, gone afterwards.
    struct Place(PathBuf);

    impl Place {
        fn new(test: &str) -> Self {
            let name = format!("doorward-publish-{test}-{}", std::process::id());
            let path = std::env::temp_dir().canonicalize().unwrap().join(name);
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(path.join("dynamic")).unwrap();
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("dynamic/doorward.yml")
        }

        fn publish(&self, text: &str) -> Result<Written, WriteError> {
            publish(&self.file(), text, std::slice::from_ref(&self.0))
        }

        /// Delivers a secret where these two are the ones that were ever made.
        fn deliver(&self, text: &str) -> Result<Written, WriteError> {
            let made = ["one", "two"].map(Secret::new);
            let kind = Kind::Secret { made: &made };
            write(&self.file(), text, kind, std::slice::from_ref(&self.0))
        }

        fn names(&self) -> Vec<String> {
            let list = std::fs::read_dir(self.0.join("dynamic")).unwrap();
            list.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn publish(path: &Path, text: &str, allowed: &[PathBuf]) -> Result<Written, WriteError> {
        write(path, text, PUBLIC, allowed)
    }

    fn text(body: &str) -> String {
        format!("# Written by Doorward\n{body}")
    }

    #[test]
    fn a_secret_is_for_its_owner_alone_and_is_replaced_when_it_rotates() {
        let place = Place::new("secret");
        assert_eq!(place.deliver("one").unwrap(), Written::Anew);
        assert_eq!(std::fs::metadata(place.file()).unwrap().mode() & 0o777, 0o400);
        assert_eq!(place.deliver("one").unwrap(), Written::Unchanged);
        assert_eq!(place.deliver("two").unwrap(), Written::Anew);
        assert_eq!(std::fs::read_to_string(place.file()).unwrap(), "two");
        assert_eq!(std::fs::metadata(place.file()).unwrap().mode() & 0o777, 0o400);
    }

    /// security.md R4
    #[test]
    fn a_secret_replaces_no_file_that_others_may_read_or_write() {
        let place = Place::new("secret-foreign");
        for mode in [0o644, 0o600, 0o440] {
            std::fs::write(place.file(), "theirs").unwrap();
            std::fs::set_permissions(place.file(), PermissionsExt::from_mode(mode)).unwrap();
            let error = place.deliver("one").unwrap_err();
            assert!(matches!(error, WriteError::Foreign(_)), "{error}");
            assert_eq!(std::fs::read_to_string(place.file()).unwrap(), "theirs");
        }
    }

    /// security.md R4
    #[test]
    fn a_secret_replaces_no_private_file_that_holds_something_else() {
        let place = Place::new("secret-own");
        for theirs in ["a master key", "one ", "", "\u{0}"] {
            let _ = std::fs::remove_file(place.file());
            std::fs::write(place.file(), theirs).unwrap();
            std::fs::set_permissions(place.file(), PermissionsExt::from_mode(0o400)).unwrap();
            let error = place.deliver("one").unwrap_err();
            assert!(matches!(error, WriteError::Foreign(_)), "{error}");
            assert_eq!(std::fs::read_to_string(place.file()).unwrap(), theirs);
        }
    }

    #[test]
    fn a_file_is_written_replaced_and_left_alone_when_it_is_the_same() {
        let place = Place::new("life");
        assert_eq!(place.publish(&text("one\n")).unwrap(), Written::Anew);
        let first = std::fs::metadata(place.file()).unwrap();
        assert_eq!(place.publish(&text("one\n")).unwrap(), Written::Unchanged);
        assert_eq!(std::fs::metadata(place.file()).unwrap().ino(), first.ino());
        assert_eq!(place.publish(&text("two\n")).unwrap(), Written::Anew);
        assert_eq!(std::fs::read_to_string(place.file()).unwrap(), text("two\n"));
        assert_ne!(
            std::fs::metadata(place.file()).unwrap().ino(),
            first.ino(),
            "it was replaced whole"
        );
        assert_eq!(place.names(), ["doorward.yml"]);
    }

    #[test]
    fn an_edited_file_of_ours_is_replaced_and_keeps_its_mode() {
        let place = Place::new("edited");
        place.publish(&text("one\n")).unwrap();
        std::fs::write(place.file(), text("edited by hand\n")).unwrap();
        std::fs::set_permissions(place.file(), PermissionsExt::from_mode(0o640)).unwrap();
        assert_eq!(place.publish(&text("one\n")).unwrap(), Written::Anew);
        assert_eq!(std::fs::metadata(place.file()).unwrap().mode() & 0o777, 0o640);
    }

    /// security.md R4
    #[test]
    fn a_file_of_somebody_else_is_not_replaced() {
        let place = Place::new("foreign");
        for theirs in ["http: {}\n", "", " # Written by Doorward"] {
            std::fs::write(place.file(), theirs).unwrap();
            let error = place.publish(&text("one\n")).unwrap_err();
            assert!(matches!(error, WriteError::Foreign(_)), "{error}");
            assert_eq!(std::fs::read_to_string(place.file()).unwrap(), theirs);
        }
    }

    /// security.md R4
    #[test]
    fn links_directories_and_pipes_are_not_written_through() {
        let place = Place::new("links");
        let victim = place.0.join("victim");
        std::fs::write(&victim, text("keep\n")).unwrap();
        symlink(&victim, place.file()).unwrap();
        let error = place.publish(&text("one\n")).unwrap_err();
        assert!(matches!(error, WriteError::NotAFile(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), text("keep\n"));

        std::fs::remove_file(place.file()).unwrap();
        std::fs::create_dir(place.file()).unwrap();
        let error = place.publish(&text("one\n")).unwrap_err();
        assert!(matches!(error, WriteError::NotAFile(_)), "{error}");

        std::fs::remove_dir(place.file()).unwrap();
        rustix::fs::mknodat(CWD, place.file(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let error = place.publish(&text("one\n")).unwrap_err();
        assert!(matches!(error, WriteError::NotAFile(_)), "{error}");
    }

    /// security.md R4
    #[test]
    fn a_link_planted_at_the_name_beside_is_removed_and_not_followed() {
        let place = Place::new("beside");
        let victim = place.0.join("victim");
        std::fs::write(&victim, "keep\n").unwrap();
        symlink(&victim, place.0.join("dynamic/.doorward.yml.doorward-new")).unwrap();
        assert_eq!(place.publish(&text("one\n")).unwrap(), Written::Anew);
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "keep\n");
        assert_eq!(place.names(), ["doorward.yml"]);
    }

    /// security.md R4
    #[test]
    fn a_directory_outside_the_allowed_ones_is_refused_even_through_a_link() {
        let place = Place::new("outside");
        let other = Place::new("outside-other");
        let error = publish(&other.file(), &text(""), std::slice::from_ref(&place.0)).unwrap_err();
        assert!(error.to_string().contains("--write-to"), "{error}");

        symlink(other.0.join("dynamic"), place.0.join("link")).unwrap();
        let through = place.0.join("link/doorward.yml");
        let error = publish(&through, &text(""), std::slice::from_ref(&place.0)).unwrap_err();
        assert!(matches!(error, WriteError::Outside { .. }), "{error}");

        // A neighbour whose name merely begins alike.
        let alike = other.0.join("dyn");
        std::fs::create_dir(&alike).unwrap();
        let error = publish(&other.file(), &text(""), &[alike]).unwrap_err();
        assert!(matches!(error, WriteError::Outside { .. }), "{error}");
        assert!(publish(&other.file(), &text(""), &[]).is_err());
        assert_eq!(other.names(), Vec::<String>::new());
    }

    #[test]
    fn a_path_that_is_no_file_is_refused() {
        let place = Place::new("paths");
        let dots = format!("{}/dynamic/../dynamic/a.yml", place.0.display());
        for path in ["doorward.yml", "/", &dots] {
            let error = publish(Path::new(path), &text(""), &["/".into()]).unwrap_err();
            assert!(matches!(error, WriteError::BadPath(_)), "{path}: {error}");
        }
        let missing = place.0.join("missing/a.yml");
        let error = publish(&missing, &text(""), std::slice::from_ref(&place.0)).unwrap_err();
        assert!(matches!(error, WriteError::NoDirectory { .. }), "{error}");
    }
}
