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
    /// Whoever guesses cleverly needs few guesses.
    TooSimple,
    /// It stands on the list of passwords from breaches.
    Common,
    /// It is the one that has to be replaced.
    Unchanged,
    /// The two entries differ.
    Mismatch,
}

/// More of a password makes it no weaker, and costs time to look at.
const LOOKED_AT: usize = 100;

/// Checks a new password and its repetition. `names` are what whoever guesses would begin with.
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
    if score(text, names) < rules.min_score {
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

/// How hard it is to guess, from 0 to 4.
fn score(text: &str, names: &[&str]) -> u8 {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(at, _)| at);
    let begin = text.get(..end).unwrap_or(text);
    u8::from(zxcvbn::zxcvbn(begin, names).score())
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
        assert_eq!(problems("short"), [Problem::TooShort, Problem::TooSimple]);
        assert_eq!(problems("aaaaaaaaaaaaaaaa"), [Problem::TooSimple]);
        assert_eq!(problems("Passw0rd1234"), [Problem::TooSimple]);
        assert_eq!(problems("alice-on-the-moon-42"), []);
        assert_eq!(problems("alice1234567"), [Problem::HoldsName, Problem::TooSimple]);
        assert_eq!(problems(&"abcdefgh".repeat(200)), [Problem::TooLong, Problem::TooSimple]);
    }

    #[test]
    fn a_score_of_nothing_lets_everything_pass() {
        let rules = PasswordRules { min_score: 0, ..PasswordRules::default() };
        let given = Secret::new("aaaaaaaaaaaa");
        assert_eq!(check(&given, &given, rules, &[]), []);
    }

    #[test]
    fn a_hostile_password_takes_no_time_to_speak_of() {
        let began = std::time::Instant::now();
        for text in ["ab1!".repeat(256), "aA1".repeat(300), "qwertyuiop".repeat(100)] {
            problems(&text);
        }
        assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    }

    #[test]
    fn both_entries_are_the_same() {
        let rules = PasswordRules::default();
        let found = check(&Secret::new("correct horse"), &Secret::new("correct house"), rules, &[]);
        assert_eq!(found, [Problem::Mismatch]);
    }
}
