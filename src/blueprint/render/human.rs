//! For people: the code, a sentence, the place with its neighbours, and what to do.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::{Places, Style, short};
use crate::blueprint::diagnostic::{Diagnostic, Label, Severity};
use crate::blueprint::source::{FileId, Sources};

/// More are counted, not shown.
const SHOWN: usize = 25;

pub(super) fn render(list: &[Diagnostic], places: &Places, how: &Style) -> String {
    let handler = GraphicalReportHandler::new_themed(theme(how))
        .with_width(how.width.max(40))
        .with_context_lines(1)
        .with_break_words(false)
        .with_links(false);
    let mut text = String::new();
    for each in list.iter().take(SHOWN) {
        let mut one = String::new();
        if handler.render_report(&mut one, &Shown::new(each, places.sources)).is_err() {
            one = short::render(std::slice::from_ref(each), places);
        }
        text.push_str(one.trim_end());
        text.push_str("\n\n");
    }
    if list.len() > SHOWN {
        text.push_str(&format!("… and {} more, not shown\n", list.len() - SHOWN));
    }
    text
}

fn theme(how: &Style) -> GraphicalTheme {
    GraphicalTheme {
        characters: if how.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if how.colour { ThemeStyles::ansi() } else { ThemeStyles::none() },
    }
}

/// One complaint in the shape that miette draws.
#[derive(Debug)]
struct Shown {
    code: Option<&'static str>,
    severity: Severity,
    message: String,
    source: NamedSource<String>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
    related: Vec<Shown>,
}

impl Shown {
    fn new(each: &Diagnostic, sources: &Sources) -> Self {
        let file = each.span().file;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            each.labels.iter().partition(|label| label.span.file == file);
        let mut labels: Vec<_> = here.into_iter().map(|label| labeled(label, sources)).collect();
        if let Some(first) = labels.first_mut() {
            let text = first.label().map(str::to_owned);
            *first = LabeledSpan::new_primary_with_span(text, *first.inner());
        }
        let related = elsewhere
            .into_iter()
            .map(|label| Self::place(&label.text, label.span.file, label, sources))
            .chain(each.related.iter().map(|related| {
                let label = &related.label;
                Self::place(&related.message, label.span.file, label, sources)
            }))
            .collect();
        Self {
            code: Some(each.code),
            severity: each.severity,
            message: each.message.clone(),
            source: source(file, sources),
            labels,
            help: each.help.clone(),
            related,
        }
    }

    /// A place that explains the complaint.
    fn place(message: &str, file: FileId, label: &Label, sources: &Sources) -> Self {
        let repeats = message == label.text;
        let text = if repeats { "here".to_owned() } else { label.text.clone() };
        let label = Label { span: label.span, text };
        Self {
            code: None,
            severity: Severity::Advice,
            message: message.to_owned(),
            source: source(file, sources),
            labels: vec![labeled(&label, sources)],
            help: None,
            related: Vec::new(),
        }
    }
}

fn source(file: FileId, sources: &Sources) -> NamedSource<String> {
    NamedSource::new(sources.name(file), sources.text(file).to_owned())
}

fn labeled(label: &Label, sources: &Sources) -> LabeledSpan {
    let len = sources.text(label.span.file).len();
    let start = (label.span.start as usize).min(len);
    let end = (label.span.end as usize).clamp(start, len);
    LabeledSpan::new(Some(label.text.clone()), start, end - start)
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.related.iter().map(|each| each as &dyn miette::Diagnostic)))
    }
}
