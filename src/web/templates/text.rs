//! Texts by key: `key = text` lines, one file per language.

use std::collections::BTreeMap;

use super::{BASE_LANGUAGE, Overrides, TemplateError};
use crate::web::assets::{Shipped, shipped_text};

/// Every text of one language, with those of the base language where it has none.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    texts: BTreeMap<String, String>,
    /// Values keep their own direction: a date among Arabic words runs from left to right.
    isolates: bool,
}

/// Why a text could not be put together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("there is no text `{0}`")]
    UnknownKey(String),
    #[error("the text `{key}` needs a value for `{{{name}}}`")]
    MissingValue { key: String, name: String },
}

impl Catalogue {
    /// The text of `key` with its `{names}` replaced.
    ///
    /// # Errors
    /// If there is no such text, or it names a value that was not given.
    pub fn text(&self, key: &str, values: &BTreeMap<String, String>) -> Result<String, TextError> {
        let singular = values.get("count").is_some_and(|count| count == "1");
        let one = singular.then(|| self.texts.get(&format!("{key}.one"))).flatten();
        let text = one.or_else(|| self.texts.get(key));
        let text = text.ok_or_else(|| TextError::UnknownKey(key.to_owned()))?;
        fill((key, text), values, self.isolates)
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Lays the texts of a file over those already there.
    fn lay(&mut self, name: &str, file: &str) -> Result<(), Vec<TemplateError>> {
        let mut errors = Vec::new();
        for (index, line) in file.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((key, text)) = line.split_once(" = ") {
                self.texts.insert(key.trim().to_owned(), text.trim().to_owned());
            } else {
                errors.push(TemplateError {
                    name: name.to_owned(),
                    line: Some(index.saturating_add(1)),
                    reason: "a text is written `key = text`".to_owned(),
                });
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Whether a language runs from left to right.
pub(super) fn direction(language: &str) -> &'static str {
    match language.split('-').next() {
        Some("ar" | "fa" | "he" | "ur") => "rtl",
        _ => "ltr",
    }
}

/// The catalogues by language: the base texts first, then the language's own, shipped and overridden.
pub(super) fn catalogues(
    overrides: &Overrides,
) -> Result<BTreeMap<String, Catalogue>, Vec<TemplateError>> {
    let mut names: Vec<String> = Shipped::iter().map(std::borrow::Cow::into_owned).collect();
    names.extend(overrides.files().map(|(name, _)| name.to_owned()));
    let mut catalogues = BTreeMap::new();
    for language in names.iter().filter_map(|name| language_of(name)) {
        let isolates = direction(language) == "rtl";
        let mut catalogue = Catalogue { isolates, ..Catalogue::default() };
        for layer in [BASE_LANGUAGE, language] {
            let name = format!("text.{layer}.txt");
            if let Some(shipped) = shipped_text(&name) {
                catalogue.lay(&name, &shipped)?;
            }
            if let Some(own) = overrides.text(&name) {
                catalogue.lay(&name, own)?;
            }
        }
        catalogues.insert(language.to_owned(), catalogue);
    }
    Ok(catalogues)
}

fn language_of(name: &str) -> Option<&str> {
    let language = name.strip_prefix("text.")?.strip_suffix(".txt")?;
    let plain = language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (plain && !language.is_empty()).then_some(language)
}

/// First strong isolate, and its end (UAX #9).
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

fn fill(
    (key, text): (&str, &str),
    values: &BTreeMap<String, String>,
    isolates: bool,
) -> Result<String, TextError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        let value = values.get(name).ok_or_else(|| TextError::MissingValue {
            key: key.to_owned(),
            name: name.to_owned(),
        })?;
        filled.push_str(before);
        if isolates {
            filled.extend([ISOLATE.0].into_iter().chain(value.chars()).chain([ISOLATE.1]));
        } else {
            filled.push_str(value);
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn catalogue(file: &str) -> Catalogue {
        let mut catalogue = Catalogue::default();
        catalogue.lay("text.en.txt", file).unwrap();
        catalogue
    }

    #[test]
    fn a_value_is_put_in_place_and_never_read_as_a_placeholder() {
        let texts = catalogue("hello = Hello, {name}, and {name}!");
        assert_eq!(
            texts.text("hello", &values(&[("name", "{name}")])),
            Ok("Hello, {name}, and {name}!".to_owned())
        );
    }

    #[test]
    fn one_has_its_own_text() {
        let texts = catalogue("wait.one = one minute\nwait = {count} minutes");
        assert_eq!(texts.text("wait", &values(&[("count", "1")])).unwrap(), "one minute");
        assert_eq!(texts.text("wait", &values(&[("count", "5")])).unwrap(), "5 minutes");
    }

    #[test]
    fn what_is_missing_is_named() {
        let texts = catalogue("hello = Hello, {name}");
        let unknown = texts.text("bye", &values(&[])).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no text `bye`");
        let missing = texts.text("hello", &values(&[])).unwrap_err();
        assert_eq!(missing.to_string(), "the text `hello` needs a value for `{name}`");
    }

    #[test]
    fn a_line_that_is_no_text_is_reported_with_its_number() {
        let errors = Catalogue::default().lay("text.de.txt", "# ok\n\nbroken").unwrap_err();
        assert_eq!(errors[0].to_string(), "text.de.txt:3: a text is written `key = text`");
    }

    #[test]
    fn another_language_falls_back_to_the_base_for_what_it_lacks() {
        let own = Overrides::from_files([("text.ar.txt", "flow.next = التالي")]);
        let catalogues = catalogues(&own).unwrap();
        let arabic = catalogues.get("ar").unwrap();
        assert_eq!(arabic.text("flow.next", &values(&[])).unwrap(), "التالي");
        assert_eq!(arabic.text("password.submit", &values(&[])).unwrap(), "Sign in");
        assert_eq!(direction("ar"), "rtl");
        // A value keeps its own direction among words that run the other way.
        let isolated = arabic.text("activity.when", &values(&[("when", "2026-01-02")])).unwrap();
        assert_eq!(isolated, "\u{2068}2026-01-02\u{2069} UTC");
    }

    /// A shipped language by itself, without the texts of the base.
    fn alone(language: &str) -> Catalogue {
        let name = format!("text.{language}.txt");
        let mut catalogue = Catalogue::default();
        catalogue.lay(&name, &shipped_text(&name).unwrap()).unwrap();
        catalogue
    }

    fn placeholders(text: &str) -> Vec<&str> {
        let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
        let mut names: Vec<&str> = parts.map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_shipped_language_says_everything() {
        let base = alone(BASE_LANGUAGE);
        let names: Vec<_> = Shipped::iter().collect();
        let others = names.iter().filter_map(|name| language_of(name));
        let mut wrong = Vec::new();
        for language in others.filter(|language| *language != BASE_LANGUAGE) {
            let own = alone(language);
            for (key, text) in &base.texts {
                match own.texts.get(key) {
                    None => wrong.push(format!("{language}: {key} is missing")),
                    Some(said) if placeholders(said) != placeholders(text) => {
                        wrong.push(format!("{language}: {key} has other values: {said}"));
                    }
                    Some(_) => {}
                }
            }
            let extra = own.keys().filter(|key| !base.texts.contains_key(*key));
            wrong.extend(extra.map(|key| format!("{language}: {key} is no text of the base")));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
