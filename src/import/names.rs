//! Names of ours for names of theirs: small letters, digits, `-` and `_`, and each only once.

use std::collections::{BTreeMap, BTreeSet};

const LONGEST: usize = 64;

/// Gives each name of theirs one of ours, the same each time.
#[derive(Debug, Default)]
pub struct Names {
    given: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Names {
    /// The name for one of theirs; a number follows where another one has the same.
    pub fn name(&mut self, theirs: &str) -> String {
        self.named(theirs, theirs)
    }

    /// As [`Self::name`], made from another text.
    pub fn named(&mut self, theirs: &str, like: &str) -> String {
        if let Some(ours) = self.given.get(theirs) {
            return ours.clone();
        }
        let ours = self.fresh(like);
        self.given.insert(theirs.to_owned(), ours.clone());
        ours
    }

    /// A name that nothing has yet.
    pub fn fresh(&mut self, like: &str) -> String {
        let stem = slug(like);
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = std::iter::once(stem.clone()).chain(numbered);
        let name = names.find(|name| !self.taken.contains(name)).unwrap_or(stem);
        self.taken.insert(name.clone());
        name
    }

    pub fn has(&self, theirs: &str) -> bool {
        self.given.contains_key(theirs)
    }

    /// Theirs and ours.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(theirs, ours)| (theirs.as_str(), ours.as_str()))
    }
}

/// A text as a name; `x` if nothing of it can stand in one.
pub fn slug(text: &str) -> String {
    let mut name = String::new();
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '_' => name.push(c),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_start_matches('_');
    let short: String = name.chars().take(LONGEST - 8).collect();
    let short = short.trim_end_matches('-');
    if short.is_empty() { "x".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_blueprints_admit() {
        for (text, name) in [
            ("admins", "admins"),
            ("authentik Admins", "authentik-admins"),
            ("__x", "x"),
            ("Ä ö", "x"),
            ("a/b//c", "a-b-c"),
            ("", "x"),
        ] {
            assert_eq!(slug(text), name, "{text}");
        }
        assert!(slug(&"a".repeat(200)).len() <= 64);
    }

    #[test]
    fn two_of_theirs_are_never_one_of_ours() {
        let mut names = Names::default();
        assert_eq!(names.name("Dev Ops"), "dev-ops");
        assert_eq!(names.name("dev ops"), "dev-ops-2");
        assert_eq!(names.name("Dev Ops"), "dev-ops");
        assert_eq!(names.fresh("dev ops"), "dev-ops-3");
    }
}
