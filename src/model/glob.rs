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
    /// Without case: as written, with `;…` cut, and for `/x/*` also `/x`.
    folded: Vec<Pieces>,
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
        Ok(Self { plain: Pieces::of(text), folded: folded_forms(text), text: text.to_owned() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `path` fits, letter for letter, and also as an application reads it that cuts `;…`
    /// from each segment or ends at a decoded `?` or `#`: `*.png` does not fit `/private;.png`
    /// (security.md R7). A pattern that itself holds a `;` means applications that keep it.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let keeps_parameters = self.text.contains(';');
        let mut others = other_readings(path)
            .into_iter()
            .filter(|reading| !(keeps_parameters && reading.parameters_cut));
        self.plain.fit(path) && others.all(|reading| self.plain.fit(&reading.path))
    }

    /// Whether `path` fits in any reading an application may give it: without case, cut as above,
    /// and `/x/*` covers `/x` (security.md R7). Never less than [`Self::matches`].
    #[must_use]
    pub fn matches_folded(&self, path: &str) -> bool {
        self.fits_folded(path)
            || other_readings(path).iter().any(|reading| self.fits_folded(&reading.path))
    }

    fn fits_folded(&self, path: &str) -> bool {
        let path = fold(path);
        self.folded.iter().any(|form| form.fit(&path))
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

/// The forms of a pattern that [`Glob::matches_folded`] compares with.
fn folded_forms(text: &str) -> Vec<Pieces> {
    let mut forms = vec![fold(text).into_owned()];
    if text.contains(';') {
        forms.push(fold(&without_parameters(text)).into_owned());
    }
    let directories = forms.iter().filter_map(|form| form.strip_suffix("/*"));
    let directories: Vec<_> = directories.filter(|each| !each.is_empty()).map(Pieces::of).collect();
    forms.iter().map(|form| Pieces::of(form)).chain(directories).collect()
}

/// A path as some applications read it.
struct Reading {
    path: String,
    parameters_cut: bool,
}

/// The other readings of a path, for the few that have any: `;…` left out of each segment, and all
/// from a decoded `?` or `#` on, in either order.
fn other_readings(path: &str) -> Vec<Reading> {
    if !path.contains([';', '?', '#']) {
        return Vec::new();
    }
    let ended = until_query(path);
    let cut = without_parameters(path);
    vec![
        Reading { path: ended.to_owned(), parameters_cut: false },
        Reading { path: without_parameters(ended), parameters_cut: true },
        Reading { path: until_query(&cut).to_owned(), parameters_cut: true },
        Reading { path: cut, parameters_cut: true },
    ]
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
            ("/a;b", "/A;B"),
            ("/a;b", "/a;c"),
            ("/a;b/*", "/a"),
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
            ("/*a", "/a;a?/b#/a", false),
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
        fn matching_agrees_with_the_plain_reading(pattern in "[/*][ab;/*]{0,8}", path in "/[abA;#?/]{0,12}") {
            if let Ok(glob) = Glob::parse(&pattern) {
                let (letters, path_letters): (Vec<char>, Vec<char>) = (pattern.chars().collect(), path.chars().collect());
                let plain = reference(&letters, &path_letters);
                prop_assert!(!glob.matches(&path) || plain);
                prop_assert!(path.contains([';', '?', '#']) || glob.matches(&path) == plain);
                prop_assert!(!glob.matches(&path) || glob.matches_folded(&path));
                prop_assert!(!glob.is_everything() || glob.matches(&path));
            }
        }

        /// security.md R7: whatever an application cuts first, what opens opens and what closes closes.
        #[test]
        fn every_order_of_cuts_is_a_reading(pattern in "[/*][ab/*]{0,8}", path in "/[ab;#?/]{0,12}", order in "[;?]{0,4}") {
            if let Ok(glob) = Glob::parse(&pattern) {
                let read = order.chars().fold(path.clone(), |path, cut| match cut {
                    ';' => without_parameters(&path),
                    _ => until_query(&path).to_owned(),
                });
                prop_assert!(!glob.matches(&path) || glob.plain.fit(&read), "{read}");
                prop_assert!(!glob.plain.fit(&read) || glob.matches_folded(&path), "{read}");
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
