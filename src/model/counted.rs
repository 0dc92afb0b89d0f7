//! Numbers of things, in words.

/// `1 file`, `2 files`: for nouns that add an `s`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one() {
        let said = [0, 1, 2].map(|count| counted(count, "file"));
        assert_eq!(said, ["0 files", "1 file", "2 files"]);
    }
}
