//! Complaints as text: for people, editors, programs and GitHub.
//!
//! The last stop before a terminal or a log, so nothing leaves here without the mask. It knows
//! nothing of what the complaints mean.

mod github;
mod human;
mod json;
mod masking;
mod places;
mod short;

use self::masking::Masked;
use self::places::Places;
use super::diagnostic::{Diagnostic, Severity};
use super::source::Sources;

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Snippets with marks under them.
    #[default]
    Human,
    /// `file:line:col: code: message`.
    Short,
    Json,
    /// Workflow commands.
    GitHub,
}

/// How the output looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub format: Format,
    pub colour: bool,
    pub unicode: bool,
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { format: Format::Human, colour: false, unicode: true, width: 100 }
    }
}

/// The complaints as text, in their order.
#[must_use]
pub fn render(list: &[Diagnostic], sources: &Sources, how: &Style) -> String {
    if list.is_empty() && how.format != Format::Json {
        return String::new();
    }
    let masked = Masked::new(sources);
    let list: Vec<Diagnostic> = list.iter().map(|each| masked.diagnostic(each)).collect();
    let places = Places::new(&masked.sources);
    match how.format {
        Format::Human => human::render(&list, &places, how),
        Format::Short => short::render(&list, &places),
        Format::Json => json::render(&list, &places),
        Format::GitHub => github::render(&list, &places),
    }
}

/// The word for how bad it is.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    }
}

#[cfg(test)]
mod tests;
