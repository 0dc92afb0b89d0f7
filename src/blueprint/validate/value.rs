//! One value beside what is wanted of it.

use std::borrow::Cow;
use std::ops::Range;

use super::{Walk, address, expression, word};
use crate::blueprint::diagnostic::{Diagnostic, Severity};
use crate::blueprint::schema::{Place, Want};
use crate::blueprint::tree::{Scalar, Spelling, Value};

/// What is wrong with a text, before it has a place in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub severity: Severity,
    pub code: &'static str,
    pub message: String,
    pub label: String,
    /// The part of the text; all of it if `None`.
    pub part: Option<Range<usize>>,
    pub help: Option<String>,
    /// The whole value as it should be written.
    pub fix: Option<String>,
}

impl Bad {
    pub fn new(code: &'static str, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            label: label.into(),
            part: None,
            help: None,
            fix: None,
        }
    }

    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub fn part(self, part: Range<usize>) -> Self {
        Self { part: Some(part), ..self }
    }

    pub fn fix(self, text: impl Into<String>) -> Self {
        Self { fix: Some(text.into()), ..self }
    }
}

/// The text of a value; a number that a template put into quotes counts as text.
#[must_use]
pub fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match (&value.scalar, value.spelling) {
        (Scalar::Text(text), _) => Some(Cow::Borrowed(text)),
        (Scalar::Whole(number), Spelling::Replaced) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

impl Walk<'_> {
    pub(super) fn value(&mut self, place: &Place<'_>) {
        if place.want.is_secret() {
            return self.secret(place);
        }
        self.annotation(place);
        match place.want {
            Want::Any => {}
            Want::Whole(least, most) => self.whole(place, least, most),
            _ => match text_of(place.value) {
                Some(text) => self.text(place, &text),
                None => self.wrong_type(place),
            },
        }
    }

    fn annotation(&mut self, place: &Place<'_>) {
        let Some(tag) = &place.value.tag else { return };
        let diagnostic = Diagnostic::error(
            "blueprint::unexpected-annotation",
            format!("`({})` says nothing here", tag.text),
        )
        .at(tag.span, format!("`{}` is not a secret", place.name))
        .help("annotations such as (credential) stand before secrets alone");
        self.report(place.node, diagnostic);
    }

    fn whole(&mut self, place: &Place<'_>, least: i64, most: i64) {
        let Some(number) = place.value.whole() else { return self.wrong_type(place) };
        if (i128::from(least)..=i128::from(most)).contains(&number) {
            return;
        }
        let label = if number < i128::from(least) {
            format!("at least {least}")
        } else {
            format!("at most {most}")
        };
        let diagnostic = Diagnostic::error(
            "blueprint::out-of-range",
            format!("{number} is out of range for `{}`", place.name),
        )
        .at(place.value.span, label);
        self.report(place.node, diagnostic);
    }

    fn wrong_type(&mut self, place: &Place<'_>) {
        let diagnostic = Diagnostic::error(
            "blueprint::wrong-type",
            format!("`{}` wants {}", place.name, place.want.words()),
        )
        .at(place.value.span, format!("this is {}", what(&place.value.scalar)));
        let diagnostic = match (place.want, &place.value.scalar) {
            (Want::Whole(..), Scalar::Text(text)) if text.parse::<i64>().is_ok() => diagnostic
                .help(format!("remove the quotes: {text}"))
                .fix(place.value.span, text.clone()),
            (Want::Whole(..), _) => diagnostic,
            (_, Scalar::Whole(_) | Scalar::Decimal(_)) => {
                let written = self.sources.slice(place.value.span).to_owned();
                diagnostic
                    .help(format!("write \"{written}\""))
                    .fix(place.value.span, format!("\"{written}\""))
            }
            _ => diagnostic,
        };
        self.report(place.node, diagnostic);
    }

    fn text(&mut self, place: &Place<'_>, text: &str) {
        if place.want == Want::Title && place.value.spelling == Spelling::Bare {
            let diagnostic = Diagnostic::error(
                "blueprint::bare-title",
                format!("`{}` wants text in quotes", place.name),
            )
            .at(place.value.span, format!("write \"{text}\""))
            .fix(place.value.span, format!("\"{text}\""));
            return self.report(place.node, diagnostic);
        }
        if let Want::Cel(context, want) = place.want {
            for bad in expression::cel(text, context, want) {
                self.bad(place, bad);
            }
            return;
        }
        if let Some(bad) = judge(place.name, place.want, text) {
            self.bad(place, bad);
        }
    }

    pub(super) fn bad(&mut self, place: &Place<'_>, bad: Bad) {
        let source = self.sources.text(place.value.span.file);
        let span = match bad.part {
            Some(part) => place.value.part(source, part),
            None => place.value.span,
        };
        let diagnostic = match bad.severity {
            Severity::Error => Diagnostic::error(bad.code, bad.message),
            Severity::Warning => Diagnostic::warning(bad.code, bad.message),
            Severity::Advice => Diagnostic::advice(bad.code, bad.message),
        };
        let mut diagnostic = diagnostic.at(span, bad.label);
        diagnostic.help = bad.help;
        if let Some(fix) = bad.fix.filter(|_| place.value.spelling != Spelling::Replaced) {
            diagnostic = diagnostic.fix(place.value.span, fix);
        }
        self.report(place.node, diagnostic);
    }
}

/// What a person would call this value.
fn what(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Text(_) => "text",
        Scalar::Whole(_) => "a whole number",
        Scalar::Decimal(_) => "a number with a decimal point",
        Scalar::Truth(_) => "true or false",
        Scalar::Null => "null",
    }
}

/// What is wrong with a text in a place that wants something: the words under it. For those who
/// write blueprints, and have nothing to point at.
#[must_use]
pub fn fault(want: Want, text: &str) -> Option<String> {
    let bad = judge("this", want, text)?;
    (bad.severity == Severity::Error).then_some(bad.label)
}

/// Everything wrong with a text in its place.
fn judge(name: &str, want: Want, text: &str) -> Option<Bad> {
    let empty = match want {
        Want::Text => false,
        Want::Phrase => text.trim().is_empty(),
        _ => text.is_empty(),
    };
    if empty {
        let message = format!("`{name}` wants {}", want.words());
        return Some(Bad::new("blueprint::empty-value", message, "this is empty"));
    }
    match want {
        Want::Word(words) => word::one_of(name, text, words),
        Want::Slug | Want::Template | Want::Formerly(_) => word::slug(text),
        Want::UserName => word::user_name(text),
        Want::Key => word::key(text),
        Want::Header => word::header(text),
        Want::Method => word::method(text),
        Want::TimeOfDay => word::time_of_day(text),
        Want::Days => word::days(text),
        Want::Zone => word::zone(text),
        Want::Moment => word::moment(text),
        Want::Email => word::email(text),
        Want::Mailbox => word::mailbox(text),
        Want::Dn => word::dn(text),
        Want::Event => word::event(text),
        Want::Color => word::color(text),
        Want::File | Want::OutputFile => word::file(text),
        Want::Asset => word::asset(text),
        Want::UrlPath => word::url_path(text),
        Want::Regex => expression::regex(text),
        Want::Glob => address::glob(text),
        Want::Host | Want::Domain => address::host(text),
        Want::Authority => address::authority(text),
        Want::HostPattern => address::host_pattern(text),
        Want::Network => address::network(text),
        Want::Ip => address::ip(text),
        Want::Listen => address::listen(text),
        Want::ExternalHost => address::external_host(text),
        Want::AppAddress => address::app_address(text),
        Want::Upstream => address::upstream(text),
        Want::Page => address::page(text),
        Want::Redirect => address::redirect(text),
        Want::Endpoint => address::endpoint(text),
        Want::KeySet => word::key_set(text),
        Want::Smtp => address::smtp(text),
        Want::State => address::state(text),
        Want::Text
        | Want::Phrase
        | Want::Title
        | Want::Any
        | Want::Whole(..)
        | Want::Cel(..)
        // Looked up where the names are.
        | Want::Ref(_)
        | Want::Subject
        | Want::Who
        | Want::Target
        | Want::Middleware
        | Want::Secret
        | Want::OwnSecret
        | Want::ClientSecret
        | Want::FirstPassword
        | Want::Yaml => None,
    }
}
