//! The word that somebody probably meant.

/// The nearest of `names` within a quarter of the word (at least one letter); ties go to the
/// first in the alphabet.
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 4).max(1);
    names
        .into_iter()
        .filter(|name| *name != word && name.chars().count() > 1)
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= limit && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}
