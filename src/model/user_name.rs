//! The names that people sign in by.

/// Characters, at most.
pub const LONGEST: usize = 64;

/// Whether an account may be called so.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
    !text.is_empty() && text.chars().all(fits) && text.chars().count() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_a_few_signs() {
        for good in ["alice", "a.b@c", "Ärzte-1", "x+y"] {
            assert!(is_valid(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "a b", "a/b", "<a>", "a\0", long.as_str()] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
