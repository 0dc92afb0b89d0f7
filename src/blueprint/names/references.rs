//! Every reference beside the names that exist.

use super::Names;
use crate::blueprint::builtin;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::schema::{Place, ROOT, Want, visit};
use crate::blueprint::source::{Sources, Span};
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::Node;
use crate::blueprint::validate::{Mode, text_of, with_origin};

/// What people of other systems call `everyone`.
const EVERYONE: [&str; 7] =
    ["all", "anyone", "everybody", "authenticated", "signed-in", "*", "any"];

pub(super) fn check(
    nodes: &[Node],
    names: &Names,
    sources: &Sources,
    mode: Mode,
    out: &mut Diagnostics,
) {
    visit(nodes, &ROOT, &mut |place| {
        let Some(text) = text_of(place.value) else { return };
        let text = text.as_ref();
        let search = Search { names, sources, mode, place, text };
        let found = match place.want {
            Want::Ref(kind) => search.object(kind, text, place.value.span),
            Want::Subject => search.subject(),
            Want::Who => search.who(),
            Want::Target => search.target(),
            Want::Middleware => search.middleware(),
            _ => None,
        };
        if let Some(diagnostic) = found {
            out.push(with_origin(diagnostic, place.node));
        }
    });
}

struct Search<'a> {
    names: &'a Names,
    sources: &'a Sources,
    mode: Mode,
    place: &'a Place<'a>,
    text: &'a str,
}

impl Search<'_> {
    fn object(&self, kind: Kind, slug: &str, span: Span) -> Option<Diagnostic> {
        let known = self.names.knows(kind, slug) || self.mode.may_lack(kind);
        if slug.is_empty() || known {
            return None;
        }
        let word = kind.word();
        let diagnostic = Diagnostic::error(unknown(kind), format!("unknown {word} `{slug}`"));
        if let Some(new) = self.names.renamed.get(&(kind, slug.to_owned())) {
            return Some(diagnostic.at(span, format!("renamed to `{new}`")).fix(span, new));
        }
        let others = self.names.of(kind);
        let built_in = if kind == Kind::Flow { builtin::purposes().as_slice() } else { &[] };
        let built_in = built_in.iter().map(|(name, _)| name.as_str());
        Some(match nearest(slug, others.chain(built_in)) {
            Some(near) => {
                let diagnostic = diagnostic.at(span, format!("did you mean `{near}`?"));
                let diagnostic = diagnostic.fix(span, near);
                match self.names.declared(kind, near) {
                    Some(declared) => diagnostic.related(
                        format!("{word} `{near}` is declared here"),
                        declared,
                        "here",
                    ),
                    None => diagnostic,
                }
            }
            None => diagnostic
                .at(span, format!("no {word} with this name"))
                .help(self.declared_list(kind)),
        })
    }

    fn declared_list(&self, kind: Kind) -> String {
        const MOST: usize = 20;
        let all: Vec<&str> = self.names.of(kind).collect();
        if all.is_empty() {
            return format!("no {} is declared", kind.word());
        }
        let shown = all.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
        let more = if all.len() > MOST { ", …" } else { "" };
        format!("declared: {shown}{more}")
    }

    fn subject(&self) -> Option<Diagnostic> {
        if self.text == "everyone" {
            return None;
        }
        let Some((word, slug)) = self.text.split_once(':') else { return Some(self.bare()) };
        let kind = match word {
            "group" => Kind::Group,
            "user" => Kind::User,
            "service-account" => Kind::ServiceAccount,
            _ => return Some(self.odd_kind(word)),
        };
        if slug.is_empty() {
            return Some(self.bad_subject(self.place.value.span, "the name is missing"));
        }
        self.object(kind, slug, self.part(word.len() + 1..self.text.len()))
    }

    /// A name without a kind.
    fn bare(&self) -> Diagnostic {
        let span = self.place.value.span;
        if EVERYONE.contains(&self.text) || nearest(self.text, ["everyone"]).is_some() {
            return self.bad_subject(span, "did you mean `everyone`?").fix(span, "everyone");
        }
        let kinds = [Kind::Group, Kind::User, Kind::ServiceAccount];
        let kind = kinds.into_iter().find(|kind| self.names.knows(*kind, self.text));
        let written = format!("{}:{}", kind.unwrap_or(Kind::Group).word(), self.text);
        self.bad_subject(span, &format!("write {written}")).fix(span, written)
    }

    fn odd_kind(&self, word: &str) -> Diagnostic {
        let span = self.part(0..word.len());
        match nearest(word, ["group", "user", "service-account"]) {
            Some(near) => {
                self.bad_subject(span, &format!("did you mean `{near}`?")).fix(span, near)
            }
            None => self.bad_subject(span, "not a kind of subject"),
        }
    }

    fn bad_subject(&self, span: Span, label: &str) -> Diagnostic {
        Diagnostic::error(
            "blueprint::bad-subject",
            format!("`{}` does not say what it is", self.text),
        )
        .at(span, label)
        .help("subjects are group:NAME, user:NAME, service-account:NAME or everyone")
    }

    fn who(&self) -> Option<Diagnostic> {
        if self.text == "anonymous" || self.names.personas.contains_key(self.text) {
            return None;
        }
        let personas = self.names.personas.keys().map(String::as_str);
        let diagnostic = Diagnostic::error(
            "blueprint::unknown-persona",
            format!("unknown persona `{}`", self.text),
        );
        let span = self.place.value.span;
        let near = nearest(self.text, personas.clone().chain(["anonymous"]));
        Some(match near {
            Some(near) => diagnostic.at(span, format!("did you mean `{near}`?")).fix(span, near),
            None => {
                let all: Vec<&str> = personas.chain(["anonymous"]).collect();
                diagnostic
                    .at(span, "no persona with this name")
                    .help(format!("declared: {}", all.join(", ")))
            }
        })
    }

    fn target(&self) -> Option<Diagnostic> {
        let slug = self.text.strip_prefix("app:")?;
        self.object(Kind::App, slug, self.part(4..self.text.len()))
    }

    fn middleware(&self) -> Option<Diagnostic> {
        let declared = &self.names.middlewares;
        if self.names.raw || self.text.contains('@') || declared.contains_key(self.text) {
            return None;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::unknown-middleware",
            format!("unknown middleware `{}`", self.text),
        );
        let span = self.place.value.span;
        Some(match nearest(self.text, declared.keys().map(String::as_str)) {
            Some(near) => diagnostic.at(span, format!("did you mean `{near}`?")).fix(span, near),
            None => diagnostic
                .at(span, "not declared in `traefik`")
                .help("declare it there, or name its provider, such as compress@file"),
        })
    }

    fn part(&self, range: std::ops::Range<usize>) -> Span {
        self.place.value.part(self.sources.text(self.place.value.span.file), range)
    }
}

fn unknown(kind: Kind) -> &'static str {
    match kind {
        Kind::Group => "blueprint::unknown-group",
        Kind::User => "blueprint::unknown-user",
        Kind::ServiceAccount => "blueprint::unknown-service-account",
        Kind::Policy => "blueprint::unknown-policy",
        Kind::Flow => "blueprint::unknown-flow",
        Kind::App => "blueprint::unknown-app",
        Kind::Source => "blueprint::unknown-source",
        Kind::Brand => "blueprint::unknown-brand",
        Kind::Notify => "blueprint::unknown-notify",
    }
}
