//! Lines and columns of many places, without counting from the beginning each time.

use crate::blueprint::source::{Position, Sources, Span};

/// Sources with the beginnings of their lines.
pub(super) struct Places<'a> {
    pub sources: &'a Sources,
    lines: Vec<Vec<usize>>,
}

impl<'a> Places<'a> {
    pub fn new(sources: &'a Sources) -> Self {
        let starts = |text: &str| {
            let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(breaks).collect()
        };
        Self { sources, lines: sources.files.iter().map(|file| starts(&file.text)).collect() }
    }

    pub fn name(&self, span: Span) -> &'a str {
        self.sources.name(span.file)
    }

    pub fn start(&self, span: Span) -> Position {
        self.position(span, span.start as usize)
    }

    pub fn end(&self, span: Span) -> Position {
        self.position(span, span.end as usize)
    }

    fn position(&self, span: Span, at: usize) -> Position {
        let lines = self.lines.get(span.file.0 as usize).map_or(&[] as &[usize], Vec::as_slice);
        let line = lines.partition_point(|start| *start <= at).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0);
        let before = self.sources.text(span.file).get(start..at).unwrap_or("");
        Position { line, column: before.chars().count() + 1 }
    }
}
