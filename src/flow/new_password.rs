//! A new password: what it must be.

use crate::blueprint::settings::PasswordRules;
use crate::flow::hashing::LONGEST;
use crate::secret::Secret;

/// The purpose, in the store, of one-time links that set a password.
pub const LINK_PURPOSE: &str = "set-password";

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    TooShort,
    TooLong,
    /// It is, or only decorates, the name or the address of the account.
    HoldsName,
    /// One character or a short run, again and again.
    TooSimple,
    /// It is the one that has to be replaced.
    Unchanged,
    /// The two entries differ.
    Mismatch,
}

/// Checks a new password and its repetition. Strength is a matter of length and variety here.
#[must_use]
pub fn check(new: &Secret, again: &Secret, rules: PasswordRules, names: &[&str]) -> Vec<Problem> {
    let text = new.reveal();
    let mut problems = Vec::new();
    if text.chars().count() < rules.min_length {
        problems.push(Problem::TooShort);
    }
    if text.len() > LONGEST {
        problems.push(Problem::TooLong);
    }
    if names.iter().any(|name| holds_name(text, name)) {
        problems.push(Problem::HoldsName);
    }
    if is_simple(text) {
        problems.push(Problem::TooSimple);
    }
    if new != again {
        problems.push(Problem::Mismatch);
    }
    problems
}

/// Whether the name makes up most of the password.
fn holds_name(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    name.chars().count() >= 3
        && text.contains(&name)
        && text.chars().count() < name.chars().count() + 8
}

fn is_simple(text: &str) -> bool {
    let different: std::collections::BTreeSet<char> = text.chars().collect();
    !text.is_empty() && different.len() < 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<Problem> {
        let again = Secret::new(text);
        check(&Secret::new(text), &again, PasswordRules::default(), &["alice", "alice@example.com"])
    }

    #[test]
    fn long_and_varied_is_good() {
        assert_eq!(problems("correct horse battery"), []);
        assert_eq!(problems("short"), [Problem::TooShort]);
        assert_eq!(problems("aaaaaaaaaaaaaaaa"), [Problem::TooSimple]);
        assert_eq!(problems("alice-1234567"), []);
        assert_eq!(problems("alice1234567"), [Problem::HoldsName]);
        assert_eq!(problems(&"abcdefgh".repeat(200)), [Problem::TooLong]);
    }

    #[test]
    fn both_entries_are_the_same() {
        let rules = PasswordRules::default();
        let found = check(&Secret::new("correct horse"), &Secret::new("correct house"), rules, &[]);
        assert_eq!(found, [Problem::Mismatch]);
    }
}
