//! "Did you mean …?"

use strsim::osa_distance;

/// The name nearest to a word, if it is near enough to be what was meant.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 4).max(1);
    names
        .into_iter()
        .map(|name| (osa_distance(word, name), name))
        .filter(|(distance, name)| *distance <= limit && *name != word)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_fingers_is_recognised() {
        assert_eq!(nearest("domian", ["docker-host", "domain"]), Some("domain"));
        assert_eq!(nearest("prot", ["slug", "title", "port"]), Some("port"));
        assert_eq!(
            nearest("authenticaton-validat", ["authenticator-validate"]),
            Some("authenticator-validate")
        );
    }

    #[test]
    fn another_word_is_not_suggested() {
        assert_eq!(nearest("port", ["slug", "title"]), None);
        assert_eq!(nearest("ab", ["cd"]), None);
    }
}
