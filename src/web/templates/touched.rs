//! What an owner's files may have broken: the templates that lead to one of theirs, in the base
//! language, and everything in a language whose texts are theirs.

use std::collections::BTreeSet;

use super::{BASE_LANGUAGE, Overrides, overrides};
use crate::web::assets::{Shipped, shipped_text};

/// What has to be rendered to know that a theme is good.
pub(super) struct Touched {
    everything: bool,
    templates: BTreeSet<String>,
    languages: BTreeSet<String>,
}

impl Touched {
    pub(super) fn everything() -> Self {
        Self { everything: true, templates: BTreeSet::new(), languages: BTreeSet::new() }
    }

    pub(super) fn by(overrides: &Overrides) -> Self {
        let own = overrides.templates().map(|(name, _)| overrides::target_of(name).to_owned());
        let mut templates: BTreeSet<String> = own.collect();
        let shipped: Vec<(String, String)> = Shipped::iter()
            .filter(|name| overrides::is_template(name))
            .filter_map(|name| Some((name.to_string(), shipped_text(&name)?)))
            .collect();
        // What leads to a touched template is touched, until nothing more is.
        loop {
            let leads =
                |source: &str| templates.iter().any(|name| source.contains(&format!("\"{name}\"")));
            let more: Vec<String> = shipped
                .iter()
                .filter(|(name, source)| !templates.contains(name) && leads(source))
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            templates.extend(more);
        }
        let languages = overrides.files().filter_map(|(name, _)| {
            name.strip_prefix("text.")?.strip_suffix(".txt").map(str::to_owned)
        });
        Self { everything: false, templates, languages: languages.collect() }
    }

    /// Whether a page of this template may have been broken in a language.
    pub(super) fn holds(&self, template: &str, language: &str) -> bool {
        self.everything
            || self.languages.contains(language)
            || (language == BASE_LANGUAGE && self.templates.contains(template))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_an_own_template_is_touched_and_nothing_else() {
        let own = Overrides::from_files([("flow.html", "x"), ("text.nl.txt", "a = b")]);
        let touched = Touched::by(&own);
        for template in ["flow.html", "password.html", "identify.html"] {
            assert!(touched.holds(template, "en"), "{template}");
            assert!(!touched.holds(template, "de"), "{template}");
        }
        assert!(!touched.holds("denied.html", "en") && touched.holds("denied.html", "nl"));
        let base = Touched::by(&Overrides::from_files([("base.html", "x")]));
        assert!(base.holds("portal.html", "en") && base.holds("denied.html", "en"));
        assert!(!base.holds("mail/code.html", "en"));
    }
}
