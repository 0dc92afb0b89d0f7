//! What is wrong with a template, and where.

use std::error::Error as _;

/// A template, a text file or an override that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}{}: {reason}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct TemplateError {
    /// The file's name below its theme, such as `login/password.html`.
    pub name: String,
    pub line: Option<usize>,
    pub reason: String,
}

impl TemplateError {
    /// An error that belongs to a whole file.
    pub(crate) fn of_page(name: &str, reason: String) -> Self {
        Self { name: name.to_owned(), line: None, reason }
    }
}

impl From<minijinja::Error> for TemplateError {
    /// Takes the innermost error that knows its place: that is where a person has to look.
    fn from(error: minijinja::Error) -> Self {
        let mut innermost = &error;
        let mut next = error.source();
        while let Some(source) = next {
            if let Some(inner) = source.downcast_ref::<minijinja::Error>()
                && inner.name().is_some()
            {
                innermost = inner;
            }
            next = source.source();
        }
        Self {
            name: innermost.name().unwrap_or("template").to_owned(),
            line: innermost.line(),
            reason: match innermost.detail() {
                Some(detail) => format!("{}: {detail}", innermost.kind()),
                None => innermost.kind().to_string(),
            },
        }
    }
}
