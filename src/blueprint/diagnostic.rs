//! What is wrong with a blueprint, where, and what to write instead.

use super::source::Span;
use super::tree::Origin;

/// How bad it is. Only errors stop a blueprint from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Error,
    Warning,
    /// Worth knowing, nothing to mend.
    Advice,
}

/// A place and the words written under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// A change of text that mends the mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub span: Span,
    pub replacement: String,
}

/// How the label of an expansion begins.
const EXPANSION: &str = "in this expansion of template ";

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable, such as `blueprint::unknown-group`.
    pub code: &'static str,
    pub severity: Severity,
    /// A sentence without a full stop; names stand in backticks.
    pub message: String,
    /// The first label is the place; it is as small as the mistake.
    pub labels: Vec<Label>,
    /// What to do, in text that can be pasted.
    pub help: Option<String>,
    /// Places elsewhere that explain it ("declared here"), each rendered apart.
    pub related: Vec<Related>,
    pub fix: Option<Fix>,
}

/// A sentence about another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub message: String,
    pub label: Label,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    pub fn advice(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Advice, message)
    }

    fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            related: Vec::new(),
            fix: None,
        }
    }

    /// Adds a place. The first one added is where the mistake is.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    #[must_use]
    pub fn related(
        mut self,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        let label = Label { span, text: label.into() };
        self.related.push(Related { message: message.into(), label });
        self
    }

    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// Adds the row or `use` line whose expansion the mistake is in, if it is in one.
    #[must_use]
    pub fn in_expansion(self, origin: Option<&Origin>) -> Self {
        match origin {
            Some(origin) => self.at_expansion(&origin.template, origin.used_at),
            None => self,
        }
    }

    /// Adds the place where a template is used.
    #[must_use]
    pub fn at_expansion(self, template: &str, used_at: Span) -> Self {
        self.at(used_at, format!("{EXPANSION}`{template}`"))
    }

    /// The places of `at_expansion`, from the inside.
    pub fn expansions(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().skip(1).filter(|label| label.text.starts_with(EXPANSION))
    }

    /// Where the mistake is.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels.first().map(|label| label.span).unwrap_or_default()
    }
}

/// Gathers complaints; nothing that checks ever returns early.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    names_withheld: bool,
}

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    pub fn extend(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(others);
    }

    /// Takes over what another part of the work found.
    pub fn absorb(&mut self, other: Self) {
        self.list.extend(other.list);
        self.names_withheld |= other.names_withheld;
    }

    /// A file could not be read: names declared in it are unknown, so that no name may be called
    /// unknown or unused any more.
    pub fn withhold_names(&mut self) {
        self.names_withheld = true;
    }

    #[must_use]
    pub fn names_withheld(&self) -> bool {
        self.names_withheld
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|each| each.severity == Severity::Error)
    }

    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|each| each.severity == severity).count()
    }

    /// All of them, by file and place, each once: a mistake inside a template is one mistake,
    /// however often the template is used.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| {
            let key = |each: &Diagnostic| (each.span(), each.severity, each.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        self.list.dedup_by(|b, a| (a.span(), a.code, &a.message) == (b.span(), b.code, &b.message));
        self.list
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
