//! Changes that turn what was written into what was meant, and the way back.
//!
//! The parser reads the changed text; every place it reports is a place in the text as written.

use std::ops::Range;

/// Changes of one text; none overlaps another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    list: Vec<(Range<usize>, String)>,
}

/// A changed text and where its pieces come from.
#[derive(Clone, Debug)]
pub struct Changed {
    pub text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Piece {
    now: Range<usize>,
    was: Range<usize>,
    kept: bool,
}

impl Edits {
    pub fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.list.push((range, with.into()));
    }

    /// Spaces instead of the text.
    pub fn blank(&mut self, range: Range<usize>) {
        let spaces = " ".repeat(range.len());
        self.replace(range, spaces);
    }

    /// The text with all changes made. Of two changes of one place the first one counts.
    #[must_use]
    pub fn apply(&self, text: &str) -> Changed {
        let mut list: Vec<_> = self.list.iter().collect();
        list.sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = Changed { text: String::with_capacity(text.len()), pieces: Vec::new() };
        let mut at = 0;
        for (range, with) in list {
            if range.start < at || text.get(range.clone()).is_none() {
                continue;
            }
            changed.push(at..range.start, text.get(at..range.start).unwrap_or(""), true);
            changed.push(range.clone(), with, false);
            at = range.end;
        }
        changed.push(at..text.len(), text.get(at..).unwrap_or(""), true);
        changed
    }
}

impl Changed {
    fn push(&mut self, was: Range<usize>, text: &str, kept: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece { now: start..self.text.len(), was, kept });
    }

    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.pieces.iter().any(|piece| !piece.kept)
    }

    /// The place in the text as written.
    #[must_use]
    pub fn origin(&self, now: Range<usize>) -> Range<usize> {
        let start = self.start_of(now.start);
        let end = if now.is_empty() { start } else { self.end_of(now.end) };
        start..end.max(start)
    }

    fn start_of(&self, at: usize) -> usize {
        match self.piece(at) {
            Some(piece) if piece.kept => piece.was.start + (at - piece.now.start),
            Some(piece) => piece.was.start,
            None => self.pieces.last().map_or(0, |piece| piece.was.end),
        }
    }

    fn end_of(&self, at: usize) -> usize {
        match self.piece(at.saturating_sub(1)) {
            Some(piece) if piece.kept => piece.was.start + (at - piece.now.start),
            Some(piece) => piece.was.end,
            None => self.pieces.last().map_or(0, |piece| piece.was.end),
        }
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.now.end <= at);
        self.pieces.get(after).filter(|piece| piece.now.contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_the_text_as_written() {
        let mut edits = Edits::default();
        edits.replace(2..7, "\"x://y\"");
        edits.replace(8..8, ";");
        let changed = edits.apply("a x://y bc");
        assert_eq!(changed.text, "a \"x://y\" ;bc");
        assert_eq!(changed.origin(2..9), 2..7);
        assert_eq!(changed.origin(11..13), 8..10);
        assert_eq!(changed.origin(0..13), 0..10);
        assert_eq!(changed.origin(13..13), 10..10);
    }

    #[test]
    fn overlapping_changes_do_not_spoil_the_text() {
        let mut edits = Edits::default();
        edits.replace(0..3, "x");
        edits.replace(1..2, "yyy");
        assert_eq!(edits.apply("abcd").text, "xd");
    }
}
