//! Folding of names, so that look-alikes of one name are one name in both databases.

use unicode_normalization::UnicodeNormalization;

/// The key under which a username or e-mail address is compared: NFKC, trimmed, without case.
///
/// Upper and then lower case, letter by letter, also joins `ß` with `ss` and `ς` with `σ`.
#[must_use]
pub fn fold(text: &str) -> String {
    let composed: String = text.trim().nfkc().collect();
    let cased = composed.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    cased.nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_fold_to_one_key() {
        for (one, other) in [
            ("Ada", " ada "),
            ("ＡＤＡ", "ada"),
            ("Straße", "STRASSE"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("e\u{301}va", "ÉVA"),
            ("\u{212a}im", "kim"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
        assert_ne!(fold("ada"), fold("adda"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["İstanbul", "ǅ", "ﬁn", "ᾳ", "ß", "ŉ"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
