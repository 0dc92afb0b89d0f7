//! Configuration for reverse proxies, made from a blueprint.
//!
//! Owns the Traefik file, the snippets for nginx, Caddy and Envoy, and the lists of header names on
//! which they and the front for reverse proxies agree. It knows neither the store, the network nor
//! the file system.

#[cfg(test)]
mod fixture;
/// The names under which an identity is told to applications.
pub mod identity_headers;
/// Texts to paste into nginx, Caddy and Envoy.
pub mod snippet;
/// Traefik's dynamic configuration.
pub mod traefik;

/// How every generated file begins. No other file is replaced.
pub const FIRST_WORDS: &str = "# Written by Doorward";

/// Which blueprint a generated file was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    revision: String,
    digest: String,
}

impl Stamp {
    /// The revision comes from a file that a pull request can change, so it is reduced to characters
    /// that can neither end a comment nor start a Go template.
    #[must_use]
    pub fn new(revision: &str, digest: &str) -> Self {
        Self { revision: harmless(revision), digest: harmless(digest) }
    }

    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The first line of a generated file.
    #[must_use]
    pub fn first_line(&self) -> String {
        format!(
            "{FIRST_WORDS} from revision {}, digest {}; edits are replaced\n",
            self.revision, self.digest
        )
    }
}

fn harmless(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+:/@-".contains(c) { c } else { '_' };
    text.chars().take(100).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_cannot_leave_the_comment() {
        let stamp = Stamp::new("main\nhttp:\n{{ env \"X\" }}", "sha256:ab");
        let line = stamp.first_line();
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains("{{"), "{line}");
        assert!(line.starts_with(FIRST_WORDS), "{line}");
        assert!(line.contains("digest sha256:ab;"), "{line}");
    }
}
