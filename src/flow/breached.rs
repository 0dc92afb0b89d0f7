//! Passwords that are known from breaches, in a local file: SHA-1 digests in hex, in order, one on a
//! line, with a count after a colon or without. The file may be many gigabytes large: it is searched
//! where it lies, and no password or digest leaves this machine.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::secret::Secret;

/// No line is longer: a digest, a colon and a number.
const LONGEST_LINE: usize = 64;
const DIGITS: usize = 40;

/// Whether the file holds the password.
///
/// # Errors
/// If it cannot be read, or is no such file.
pub fn holds(path: &Path, password: &Secret) -> io::Result<bool> {
    let wanted = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.reveal().as_bytes()).as_ref());
    let mut file = File::open(path)?;
    let (mut low, mut high) = (0, file.metadata()?.len());
    while low < high {
        let middle = low.midpoint(high);
        let line = Line::around(&mut file, middle, high)?;
        match line.digest.cmp(&wanted) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = line.end,
            std::cmp::Ordering::Greater => high = line.start,
        }
    }
    Ok(false)
}

/// Whether the file looks like such a list.
///
/// # Errors
/// If it cannot be read, or its first line holds no digest.
pub fn look(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
    }
    Line::around(&mut file, 0, length).map(|_| ())
}

/// A line of the file and where it lies.
struct Line {
    digest: String,
    start: u64,
    /// Where the next one begins.
    end: u64,
}

impl Line {
    /// The line that the byte at `place` belongs to.
    fn around(file: &mut File, place: u64, length: u64) -> io::Result<Self> {
        let before = u64::try_from(LONGEST_LINE).unwrap_or(0);
        let from = place.saturating_sub(before);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::with_capacity(LONGEST_LINE.saturating_mul(2));
        let most = place.saturating_add(before).min(length).saturating_sub(from);
        Read::take(&mut *file, most).read_to_end(&mut bytes)?;
        let at = usize::try_from(place.saturating_sub(from)).unwrap_or(0);
        let (head, tail) = bytes.split_at_checked(at).ok_or_else(damaged)?;
        let start = head.iter().rposition(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
        let start = match start {
            Some(start) => start,
            None if from == 0 => 0,
            None => return Err(damaged()),
        };
        let end = tail.iter().position(|byte| *byte == b'\n').map(|end| end.saturating_add(1));
        let end = match end {
            Some(end) => at.saturating_add(end),
            None if place.saturating_add(before) >= length => bytes.len(),
            None => return Err(damaged()),
        };
        let text = bytes.get(start..end).and_then(|line| line.get(..DIGITS));
        let text =
            text.filter(|text| text.iter().all(u8::is_ascii_hexdigit)).ok_or_else(damaged)?;
        let offset = |at: usize| from.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        Ok(Self {
            digest: String::from_utf8_lossy(text).to_ascii_uppercase(),
            start: offset(start),
            end: offset(end),
        })
    }
}

fn damaged() -> io::Error {
    let reason = "it is no list of SHA-1 digests in hex, one on a line";
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn list(passwords: impl Iterator<Item = String>) -> tempfile::NamedTempFile {
        let digests =
            passwords.map(|text| hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref()));
        let mut digests: Vec<String> = digests.collect();
        digests.sort();
        let text = digests.iter().enumerate().fold(String::new(), |mut text, (at, digest)| {
            let _ = match at % 3 {
                0 => writeln!(text, "{digest}"),
                1 => writeln!(text, "{digest}:{at}\r"),
                _ => writeln!(text, "{}:{}", digest.to_lowercase(), u64::MAX),
            };
            text
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text.trim_end()).unwrap();
        file
    }

    #[test]
    fn every_listed_password_is_found_and_no_other() {
        for count in [1, 2, 3, 50, 2000] {
            let file = list((0..count).map(|number| format!("password-{number}")));
            look(file.path()).unwrap();
            for number in 0..count {
                let listed = Secret::new(format!("password-{number}"));
                assert!(holds(file.path(), &listed).unwrap(), "{number} of {count}");
                let other = Secret::new(format!("another-{number}"));
                assert!(!holds(file.path(), &other).unwrap(), "{number} of {count}");
            }
        }
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(look(file.path()).is_err(), "empty");
        let long = "A".repeat(500);
        for text in ["passwords\nof\npeople\n", long.as_str(), "ABC:1\n"] {
            std::fs::write(file.path(), text).unwrap();
            assert!(look(file.path()).is_err(), "{text}");
            assert!(holds(file.path(), &Secret::new("x")).is_err(), "{text}");
        }
        assert!(holds(Path::new("/nowhere/at/all"), &Secret::new("x")).is_err());
    }
}
