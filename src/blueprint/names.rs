//! Who is called what, over all files, and whether every reference leads somewhere.

mod references;

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::flow::Purpose;
use super::object::Kind;
use super::source::{Sources, Span};
use super::suggest::nearest;
use super::tree::{Node, Value};
use super::validate::{Mode, text_of, with_origin};

/// The names of everything that is declared.
#[derive(Debug, Default)]
pub struct Names {
    objects: BTreeMap<(Kind, String), Span>,
    /// Old names and the new ones.
    renamed: BTreeMap<(Kind, String), String>,
    personas: BTreeMap<String, Span>,
    middlewares: BTreeMap<String, Span>,
    /// `raw` may declare middlewares, too; whoever reads its YAML knows which.
    raw: bool,
    /// Names declared by a word with a typing error: known, so that one slip is one complaint.
    meant: BTreeSet<(Kind, String)>,
}

impl Names {
    #[must_use]
    pub fn gather(nodes: &[Node]) -> Self {
        let mut names = Self::default();
        for node in nodes {
            names.add(node);
        }
        names
    }

    /// Where an object is declared.
    #[must_use]
    pub fn declared(&self, kind: Kind, slug: &str) -> Option<Span> {
        self.objects.get(&(kind, slug.to_owned())).copied()
    }

    #[must_use]
    pub fn knows(&self, kind: Kind, slug: &str) -> bool {
        let key = (kind, slug.to_owned());
        let built_in = kind == Kind::Flow && builtin_flow(slug).is_some();
        built_in || self.objects.contains_key(&key) || self.meant.contains(&key)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.objects.keys().filter(move |(of, _)| *of == kind).map(|(_, slug)| slug.as_str())
    }

    fn add(&mut self, node: &Node) {
        if node.is("traefik") {
            self.raw |= node.kid("raw").is_some();
            for middleware in node.kids_named("middleware") {
                first(middleware, |name, span| self.middlewares.entry(name).or_insert(span));
            }
        }
        if node.is("persona") {
            first(node, |name, span| self.personas.entry(name).or_insert(span));
        }
        let Some(kind) = Kind::from_word(&node.name.text) else {
            let words = Kind::ALL.map(Kind::word);
            let meant = nearest(&node.name.text, words).and_then(Kind::from_word);
            if let Some(kind) = meant {
                first(node, |name, _| self.meant.insert((kind, name)));
            }
            return;
        };
        first(node, |slug, span| {
            let old = node.prop("formerly").and_then(text_of);
            if let Some(old) = old {
                self.renamed.insert((kind, old.into_owned()), slug.clone());
            }
            self.objects.entry((kind, slug)).or_insert(span)
        });
    }
}

/// The purpose of a built-in flow: `builtin.authentication` and its kin.
#[must_use]
pub fn builtin_flow(name: &str) -> Option<Purpose> {
    let known = super::builtin::purposes().iter().find(|(known, _)| known == name);
    known.map(|(_, purpose)| *purpose)
}

/// Complains about names declared twice, renamings that collide, and references to nothing.
pub fn check(nodes: &[Node], names: &Names, sources: &Sources, mode: Mode, out: &mut Diagnostics) {
    twice(nodes, out);
    formerly(nodes, names, out);
    if !mode.incomplete {
        references::check(nodes, names, sources, mode, out);
    }
}

fn first<T>(node: &Node, then: impl FnOnce(String, Span) -> T) {
    if let Some((text, value)) = node.args.first().and_then(|value| Some((text_of(value)?, value)))
    {
        then(text.into_owned(), value.span);
    }
}

fn twice(nodes: &[Node], out: &mut Diagnostics) {
    let mut seen: BTreeMap<(&str, String), &Value> = BTreeMap::new();
    for node in nodes {
        let word = node.name.text.as_str();
        let named = Kind::from_word(word).is_some() || word == "persona" || word == "test";
        let Some(value) = node.args.first().filter(|_| named) else { continue };
        let Some(slug) = text_of(value) else { continue };
        let key = (word, slug.clone().into_owned());
        let Some(earlier) = seen.get(&key) else {
            seen.insert(key, value);
            continue;
        };
        let mut diagnostic = Diagnostic::error(
            "blueprint::declared-twice",
            format!("{word} `{slug}` is declared twice"),
        )
        .at(value.span, "second declaration");
        if earlier.span != value.span {
            diagnostic = diagnostic.at(earlier.span, "first declared here");
        }
        let help =
            "slugs identify an object for its whole life; pick another, or delete one of the two";
        out.push(with_origin(diagnostic.help(help), node));
    }
}

fn formerly(nodes: &[Node], names: &Names, out: &mut Diagnostics) {
    let mut seen: BTreeMap<(Kind, String), Span> = BTreeMap::new();
    for node in nodes {
        let Some(kind) = Kind::from_word(&node.name.text) else { continue };
        let Some(value) = node.prop("formerly") else { continue };
        let Some(old) = text_of(value).map(|text| text.into_owned()) else { continue };
        if let Some(span) = names.declared(kind, &old) {
            let diagnostic = Diagnostic::error(
                "blueprint::formerly-exists",
                format!("{} `{old}` still exists", kind.word()),
            )
            .at(value.span, "a thing cannot have been renamed and still be there")
            .at(span, "declared here")
            .help("delete the old one, or `formerly=`");
            out.push(with_origin(diagnostic, node));
        }
        if let Some(earlier) = seen.insert((kind, old.clone()), value.span) {
            let diagnostic = Diagnostic::error(
                "blueprint::formerly-twice",
                format!("two things claim to have been {} `{old}`", kind.word()),
            )
            .at(value.span, "second one")
            .at(earlier, "first one")
            .help("only one of them keeps the identity");
            out.push(with_origin(diagnostic, node));
        }
    }
}
