//! The theme: shipped templates, texts and styles, with an owner's overrides laid over them.
//!
//! A theme is built and checked as a whole by rendering every page with every sample; the caller
//! keeps the last good one and swaps. Knows no route, no cookie and no store.

mod contexts;
mod error;
mod frame;
mod functions;
mod guard;
mod mail;
mod marks;
mod overrides;
mod pages;
mod text;
mod touched;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderMap;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;

use crate::web::assets::{Assets, Shipped, shipped_text};
use crate::web::csp::ContentPolicies;
use crate::web::language;

pub use contexts::contexts;
pub use error::TemplateError;
pub use frame::{Brand, FooterLink, Frame, Person, Place};
pub use functions::CSRF_FIELD;
pub use marks::{Marks, Picture};
pub use overrides::Overrides;
pub use pages::*;
pub use text::Catalogue;
use touched::Touched;

use pages::KINDS;

/// The language that every other one falls back to.
pub const BASE_LANGUAGE: &str = "en";

/// More steps than the longest page takes, and an end to a template that never stops.
const FUEL: u64 = 400_000;

/// A checked theme: renders pages, holds their static files and their content policies.
#[derive(Debug)]
pub struct Templates {
    languages: BTreeMap<String, Environment<'static>>,
    assets: Arc<Assets>,
    policies: ContentPolicies,
    replaced: Vec<String>,
}

/// A language that pages can be had in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Language {
    pub tag: String,
    /// As it calls itself.
    pub name: String,
}

/// One page rendered with one of its samples.
#[derive(Debug)]
pub struct Sample {
    /// Such as `denied-2-app-host`.
    pub name: String,
    pub html: Result<String, TemplateError>,
}

impl Templates {
    /// The theme that is built in. Its samples are rendered by the tests, not at every start.
    ///
    /// # Errors
    /// If it was built in broken.
    pub fn shipped() -> Result<Self, Vec<TemplateError>> {
        Self::build(&Overrides::none())
    }

    /// Builds a theme and renders every sample of what the overrides touch.
    ///
    /// # Errors
    /// Everything that is wrong with the overrides, each with its place.
    pub fn load(overrides: &Overrides) -> Result<Self, Vec<TemplateError>> {
        let templates = Self::build(overrides)?;
        if overrides.is_empty() {
            return Ok(templates);
        }
        let mut errors: Vec<TemplateError> = templates.broken(overrides);
        let touched = Touched::by(overrides);
        let samples = templates.some_samples(&touched).into_iter();
        let wrong = samples.filter_map(|sample| sample.html.err());
        for error in wrong.chain(templates.check_mail(&touched)) {
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        if errors.is_empty() { Ok(templates) } else { Err(errors) }
    }

    /// Renders a page.
    ///
    /// # Errors
    /// If the template fails or makes something that no page may hold.
    pub fn render<P: Page>(&self, frame: &Frame<'_>, page: &P) -> Result<String, TemplateError> {
        let template = self.environment(frame.language)?.get_template(P::TEMPLATE)?;
        let inline_style = match frame.place {
            Place::AppHost => Some(self.assets.inline_style()),
            Place::SignInHost => None,
        };
        let forms = Arc::new(AtomicUsize::new(0));
        let context = context! {
            page => Value::from(Serde(page)),
            brand => Value::from(Serde(frame.brand)),
            user => frame.user.map(|user| Value::from(Serde(user))),
            language => frame.language,
            direction => text::direction(frame.language),
            banner => frame.banner,
            home => frame.home,
            inline_style => inline_style.map(|css| Value::from_safe_string(css.to_owned())),
            form_open => functions::form_open(frame.csrf.is_some(), &forms),
        };
        let html = template.render(context)?;
        let forms = guard::check(&html, forms.load(Ordering::Relaxed), inline_style)
            .map_err(|reason| TemplateError::of_page(P::TEMPLATE, reason))?;
        Ok(functions::with_token(&html, &forms, frame.csrf.unwrap_or_default()))
    }

    /// Every page with every sample, on each host it may stand on.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.some_samples(&Touched::everything())
    }

    fn some_samples(&self, touched: &Touched) -> Vec<Sample> {
        let mut samples = Vec::new();
        for language in self.languages.keys() {
            for kind in KINDS {
                (kind.sample)(self, (language, touched), &mut samples);
            }
        }
        samples
    }

    #[must_use]
    pub fn assets(&self) -> &Arc<Assets> {
        &self.assets
    }

    #[must_use]
    pub fn policies(&self) -> &ContentPolicies {
        &self.policies
    }

    /// The languages that pages can be rendered in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The language for a visitor: the one they chose, else the one that their browser asks for.
    #[must_use]
    pub fn language(&self, chosen: Option<&str>, headers: &HeaderMap) -> &str {
        let known: Vec<&str> = self.languages().collect();
        let chosen = chosen.and_then(|tag| language::fitting(tag, &known));
        chosen.or_else(|| language::best(headers, &known)).unwrap_or(BASE_LANGUAGE)
    }

    /// The languages with the name that each gives itself.
    #[must_use]
    pub fn named_languages(&self) -> Vec<Language> {
        let named = |tag: &str| {
            Some(Language { tag: tag.to_owned(), name: self.say(tag, "language.name")? })
        };
        self.languages().filter_map(named).collect()
    }

    /// A text without values, by itself; `None` if there is none of this name.
    #[must_use]
    pub fn say(&self, language: &str, key: &str) -> Option<String> {
        let environment = self.environment(language).ok()?;
        environment.render_named_str("said.txt", "{{ t(key) }}", context! { key }).ok()
    }

    /// The owner's files that stand in place of shipped templates, for the log.
    #[must_use]
    pub fn replaced(&self) -> &[String] {
        &self.replaced
    }

    /// The owner's templates that cannot be read, whether or not a page needs them.
    fn broken(&self, overrides: &Overrides) -> Vec<TemplateError> {
        let Ok(environment) = self.environment(BASE_LANGUAGE) else { return Vec::new() };
        let read = |(name, _)| environment.get_template(name).err().map(TemplateError::from);
        overrides.templates().filter_map(read).collect()
    }

    fn environment(&self, language: &str) -> Result<&Environment<'static>, TemplateError> {
        let base = || self.languages.get(BASE_LANGUAGE);
        self.languages.get(language).or_else(base).ok_or_else(|| {
            TemplateError::of_page(&format!("text.{language}.txt"), "there is no such file".into())
        })
    }

    fn build(overrides: &Overrides) -> Result<Self, Vec<TemplateError>> {
        let assets = Arc::new(Assets::gather(overrides));
        let sources = sources(overrides)?;
        let catalogues = text::catalogues(overrides)?;
        let plain = environment(sources.templates, &assets);
        let mut languages = BTreeMap::new();
        for (language, catalogue) in catalogues {
            // Clones share what was compiled before.
            let mut speaking = plain.clone();
            functions::speak(&mut speaking, catalogue);
            languages.insert(language, speaking);
        }
        let policies = ContentPolicies::new(assets.inline_style());
        Ok(Self { languages, assets, policies, replaced: sources.replaced })
    }
}

struct Sources {
    templates: BTreeMap<String, String>,
    replaced: Vec<String>,
}

/// Shipped templates under their names and under `default/`, the owner's over the former.
fn sources(overrides: &Overrides) -> Result<Sources, Vec<TemplateError>> {
    let mut templates = BTreeMap::new();
    for name in Shipped::iter().filter(|name| overrides::is_template(name)) {
        if let Some(source) = shipped_text(&name) {
            templates.insert(format!("default/{name}"), source.clone());
            templates.insert(name.into_owned(), source);
        }
    }
    let mut replaced = Vec::new();
    let mut errors = Vec::new();
    for (name, source) in overrides.templates() {
        let target = overrides::target_of(name);
        if target != name && overrides.text(target).is_some() {
            let reason = format!("`{target}` replaces the same page; keep one of the two");
            errors.push(TemplateError::of_page(name, reason));
        } else if templates.contains_key(target) {
            replaced.push(name.to_owned());
        }
        if target != name {
            templates.insert(target.to_owned(), format!("{{% extends \"{name}\" %}}"));
        }
        templates.insert(name.to_owned(), source.to_owned());
    }
    if errors.is_empty() { Ok(Sources { templates, replaced }) } else { Err(errors) }
}

/// Templates are compiled when they are first rendered: most are shown seldom.
fn environment(templates: BTreeMap<String, String>, assets: &Arc<Assets>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".txt") {
        true => AutoEscape::None,
        false => AutoEscape::Html,
    });
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    functions::add(&mut environment, assets);
    environment.set_loader(move |name| Ok(templates.get(name).cloned()));
    environment
}

#[cfg(test)]
mod tests;
