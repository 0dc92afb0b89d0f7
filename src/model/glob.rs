//! Path patterns: `*` stands for any run of characters, `/` included; nothing else is special.
//!
//! Paths are the canonical, decoded ones; matching takes time in proportion to their length.

use std::borrow::Cow;
use std::fmt;

/// A path pattern such as `/admin/*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    text: String,
    plain: Pieces,
    folded: Pieces,
    /// What `/x/*` covers beyond its own: `/x`.
    directory: Option<Pieces>,
}

/// Why a text is no path pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    #[error("a path pattern begins with `/` or `*`")]
    NotAbsolute,
    #[error("queries and fragments take no part: end before `?` or `#`")]
    Query,
    #[error("write the letter itself, not a % escape")]
    Escape,
    #[error("no path that is let through holds `//`, `/./` or `/../`")]
    DotSegment,
    #[error("a path holds no backslash and no control character")]
    Control,
}

/// The runs of characters between the stars; two neighbours have a star between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pieces(Vec<String>);

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it could never match a canonical path, or does not begin like one.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        if !text.starts_with(['/', '*']) {
            return Err(GlobError::NotAbsolute);
        }
        if text.contains(['?', '#']) {
            return Err(GlobError::Query);
        }
        if text.contains('%') {
            return Err(GlobError::Escape);
        }
        if text.contains(|letter: char| letter == '\\' || letter.is_control()) {
            return Err(GlobError::Control);
        }
        if has_dot_segment(text) {
            return Err(GlobError::DotSegment);
        }
        let folded = fold(text);
        let directory = folded.strip_suffix("/*").filter(|directory| !directory.is_empty());
        Ok(Self {
            plain: Pieces::of(text),
            directory: directory.map(Pieces::of),
            folded: Pieces::of(&folded),
            text: text.to_owned(),
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `path` fits, letter for letter, and also as an application reads it that cuts `;…`
    /// from each segment or ends at a decoded `?` or `#`: `*.png` does not fit `/private;.png`
    /// (security.md R7).
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut readings = readings(path).filter(|(cut, _)| !self.text.contains(cut.letters()));
        self.plain.fit(path) && readings.all(|(_, reading)| self.plain.fit(&reading))
    }

    /// Whether `path` fits in any reading an application may give it: without case, cut as above,
    /// and `/x/*` covers `/x` (security.md R7). Never less than [`Self::matches`].
    #[must_use]
    pub fn matches_folded(&self, path: &str) -> bool {
        self.fits_folded(path)
            || self.plain.fit(path)
            || readings(path).any(|(_, reading)| self.fits_folded(&reading))
    }

    fn fits_folded(&self, path: &str) -> bool {
        let folded = fold(path);
        let directory = self.directory.as_ref();
        self.folded.fit(&folded) || directory.is_some_and(|directory| directory.fit(&folded))
    }

    /// Whether it fits every path.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        let rest = self.text.strip_prefix('/').unwrap_or(&self.text);
        !rest.is_empty() && rest.chars().all(|letter| letter == '*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pieces {
    fn of(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// The first piece begins the path, the last ends it, and those between follow each other.
    fn fit(&self, path: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return false;
        };
        let Some((last, between)) = rest.split_last() else {
            return path == first;
        };
        let inner =
            path.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut left) = inner else {
            return false;
        };
        between.iter().all(|piece| match left.split_once(piece.as_str()) {
            Some((_, after)) => {
                left = after;
                true
            }
            None => false,
        })
    }
}

fn has_dot_segment(text: &str) -> bool {
    let last = text.split('/').count().saturating_sub(1);
    let mut segments = text.split('/').enumerate();
    segments.any(|(at, segment)| {
        matches!(segment, "." | "..") || (segment.is_empty() && at > 0 && at < last)
    })
}

/// What an application may leave out of a path.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// `;…` of each segment.
    Parameters,
    /// Everything from a decoded `?` or `#` on.
    Rest,
    Both,
}

impl Cut {
    fn letters(self) -> &'static [char] {
        match self {
            Self::Parameters => &[';'],
            Self::Rest => &['?', '#'],
            Self::Both => &[';', '?', '#'],
        }
    }

    fn apply(self, path: &str) -> String {
        match self {
            Self::Parameters => without_parameters(path),
            Self::Rest => until_query(path).to_owned(),
            Self::Both => without_parameters(until_query(path)),
        }
    }
}

/// The other readings of a path, for the few that have any.
fn readings(path: &str) -> impl Iterator<Item = (Cut, String)> + '_ {
    let cuts = [Cut::Parameters, Cut::Rest, Cut::Both].into_iter();
    let cuts = cuts.filter(|cut| path.contains(cut.letters()));
    cuts.map(|cut| (cut, cut.apply(path)))
}

fn until_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

fn without_parameters(path: &str) -> String {
    let segments = path.split('/').map(|segment| segment.split(';').next().unwrap_or(segment));
    segments.collect::<Vec<_>>().join("/")
}

/// Without case.
fn fold(path: &str) -> Cow<'_, str> {
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(path);
    }
    // Upper first: several letters share one capital, such as `s` and `ſ`.
    let letters = path.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    Cow::Owned(letters.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::parse(text).expect(text)
    }

    #[test]
    fn a_star_stands_for_any_run_with_slashes() {
        for (pattern, path, fits) in [
            ("/api/*", "/api/a/b", true),
            ("/api/*", "/api/", true),
            ("/api/*", "/api", false),
            ("/api", "/api/", false),
            ("*.png", "/a/b.png", true),
            ("/a/*/c/*.js", "/a/x/y/c/d.js", true),
            ("/a/*/c/*.js", "/a/c/d.js", false),
            ("/ab*ba", "/aba", false),
            ("/[a]", "/[a]", true),
            ("/A", "/a", false),
        ] {
            assert_eq!(glob(pattern).matches(path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn folded_matching_closes_the_aliases() {
        for (pattern, path) in [
            ("/admin/*", "/admin"),
            ("/admin/*", "/ADMIN/x"),
            ("/admin/*", "/admin;v=1/x"),
            ("/admin/*", "/Admin;jsessionid=1"),
            ("/admin", "/admin;x"),
            ("/Straße/*", "/STRASSE/1"),
            ("/system", "/ſystem"),
            ("/a;b", "/a;b"),
            ("/x;*", "/x;a/b"),
            ("/admin/*", "/admin#/x"),
            ("/admin", "/admin?x"),
            ("*.php", "/a.php#.png"),
            ("*.php", "/a.png#.php"),
            ("*.PHP", "/a.png;.php"),
        ] {
            assert!(glob(pattern).matches_folded(path), "{pattern} {path}");
        }
        assert!(!glob("/admin/*").matches_folded("/administrator"));
        assert!(!glob("/*").matches_folded("x"));
    }

    /// security.md R7: what opens a path opens it however it is read.
    #[test]
    fn a_name_that_an_application_cuts_off_opens_nothing() {
        for (pattern, path, fits) in [
            ("*.png", "/private;.png", false),
            ("*.png", "/private;x/a.png", true),
            ("*.png", "/private#.png", false),
            ("*.png", "/private?/a.png", false),
            ("/*/public", "/private#/public", false),
            ("/*/public", "/a;b/public", true),
            ("/public/*", "/public/a;v=1", true),
            ("/public/*", "/public/a#b;c", true),
            ("/public/*", "/public#/a", false),
            ("/x;*", "/x;a/b", true),
            ("/x;*.png", "/x;a#.png", false),
        ] {
            assert_eq!(glob(pattern).matches(path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn what_could_never_match_is_refused_with_its_reason() {
        for (text, error) in [
            ("", GlobError::NotAbsolute),
            ("admin", GlobError::NotAbsolute),
            ("/a?b=*", GlobError::Query),
            ("/a%20b", GlobError::Escape),
            ("/a//b", GlobError::DotSegment),
            ("/a/../b", GlobError::DotSegment),
            ("/a/.", GlobError::DotSegment),
            ("/a\\b", GlobError::Control),
        ] {
            assert_eq!(Glob::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn everything_is_recognised() {
        for text in ["*", "/*", "**", "/**"] {
            assert!(glob(text).is_everything(), "{text}");
        }
        for text in ["/", "/a*", "*/", "*.png"] {
            assert!(!glob(text).is_everything(), "{text}");
        }
    }

    /// The plain reading of the rule, letter by letter.
    fn reference(pattern: &[char], path: &[char]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) if reference(rest, path) => true,
            (Some(('*', _)), Some((_, after))) => reference(pattern, after),
            (Some((wanted, rest)), Some((found, after))) => {
                wanted == found && reference(rest, after)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_plain_reading(pattern in "[/*][ab/*]{0,8}", path in "/[abA;/]{0,12}") {
            if let Ok(glob) = Glob::parse(&pattern) {
                let (letters, path_letters): (Vec<char>, Vec<char>) = (pattern.chars().collect(), path.chars().collect());
                let plain = reference(&letters, &path_letters);
                prop_assert!(!glob.matches(&path) || plain);
                prop_assert!(path.contains(';') || glob.matches(&path) == plain);
                prop_assert!(!glob.matches(&path) || glob.matches_folded(&path));
                prop_assert!(!glob.is_everything() || glob.matches(&path));
            }
        }

        #[test]
        fn an_alias_of_a_matching_path_matches_folded(pattern in "/[ab/*]{0,8}", path in "/[ab/]{0,12}") {
            if let Ok(glob) = Glob::parse(&pattern) && glob.matches(&path) {
                prop_assert!(glob.matches_folded(&path.to_uppercase()));
                let with_parameter = format!("{path};v=1");
                prop_assert!(glob.matches_folded(&with_parameter));
            }
        }
    }
}
