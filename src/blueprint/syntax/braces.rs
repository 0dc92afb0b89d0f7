//! Whether braces come in pairs, and by the indentation, where one is missing or too many.

use super::edits::Changed;
use super::mistakes::MOST;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::{FileId, Span};
use crate::blueprint::tokens::{Kind, Token};

/// True if every `{` has its `}`; else it says which one has not.
pub(super) fn check(
    file: FileId,
    changed: &Changed,
    tokens: &[Token],
    out: &mut Diagnostics,
) -> bool {
    let mut balance = 0i64;
    let mut lowest = 0i64;
    for token in tokens {
        balance += i64::from(token.is(Kind::Open)) - i64::from(token.is(Kind::Close));
        lowest = lowest.min(balance);
    }
    if balance == 0 && lowest == 0 {
        return true;
    }
    let mut walk = Walk::new(file, changed, tokens);
    walk.missing = usize::try_from(balance).unwrap_or(0);
    for index in 0..tokens.len() {
        walk.step(index);
    }
    walk.finish();
    out.extend(walk.found);
    false
}

struct Walk<'a> {
    file: FileId,
    changed: &'a Changed,
    tokens: &'a [Token],
    line: Line,
    open: Vec<Block>,
    /// How many closing braces are missing in all.
    missing: usize,
    /// A `}` that stands under another block than the one it closes.
    odd: Option<Odd>,
    /// The last complaint was of a `}` and nothing else followed it.
    in_row: bool,
    found: Vec<Diagnostic>,
}

#[derive(Clone, Copy)]
struct Line {
    number: usize,
    /// Where it begins, and how far its first token is indented.
    start: usize,
    indent: usize,
}

struct Block {
    token: Token,
    line: Line,
    /// The indentation of the first line inside.
    inner: Option<usize>,
}

struct Odd {
    token: Token,
    line: usize,
    closes: usize,
    /// It stands further to the right than the block it closes.
    early: bool,
}

impl<'a> Walk<'a> {
    fn new(file: FileId, changed: &'a Changed, tokens: &'a [Token]) -> Self {
        let line = Line { number: 1, start: 0, indent: 0 };
        Self {
            file,
            changed,
            tokens,
            line,
            open: Vec::new(),
            missing: 0,
            odd: None,
            in_row: false,
            found: vec![],
        }
    }

    fn step(&mut self, index: usize) {
        let Some(token) = self.tokens.get(index).copied() else { return };
        let before = index.checked_sub(1).and_then(|before| self.tokens.get(before));
        let first = before.is_none_or(|before| before.is(Kind::Newline));
        if first {
            self.line.indent = token.start.saturating_sub(self.line.start);
            if token.is_value() || token.is(Kind::Slashdash) {
                self.compare(index);
            }
        }
        if token.is_value() {
            self.in_row = false;
        }
        match token.kind {
            Kind::Open => self.open.push(Block { token, line: self.line, inner: None }),
            Kind::Close => self.close(token, first),
            _ => {}
        }
        let breaks = if matches!(token.kind, Kind::Newline | Kind::Continue) || token.is_string() {
            token.text(&self.changed.text).matches('\n').count()
        } else {
            0
        };
        if breaks > 0 || token.is(Kind::Newline) {
            self.line.number += breaks;
            self.line.start = token.end;
        }
    }

    /// A line that stands too far to the left for the block around it.
    fn compare(&mut self, index: usize) {
        while let Some(block) = self.open.last_mut() {
            let indented = block.inner.is_some_and(|inner| inner > block.line.indent);
            if block.inner.is_none() && self.line.number > block.line.number {
                block.inner = Some(self.line.indent);
            }
            let outside = indented && self.line.indent <= block.line.indent;
            if !outside || self.missing == 0 {
                return;
            }
            self.missing -= 1;
            let opened = block.token;
            self.open.pop();
            let span = self.line_span(index);
            let complaint = self
                .never_closed(&opened)
                .at(span, "by the indentation, the missing `}` belongs before this line");
            self.found.push(complaint);
        }
    }

    fn never_closed(&mut self, opened: &Token) -> Diagnostic {
        let complaint = Diagnostic::error("kdl::open-block", "this block is never closed")
            .at(self.span(opened), "opened here");
        match self.odd.take() {
            Some(odd) => complaint.help(format!(
                "the `}}` of line {} closes the block of line {}, but does not stand under it",
                odd.line, odd.closes
            )),
            None => complaint,
        }
    }

    fn close(&mut self, token: Token, first: bool) {
        let Some(block) = self.open.pop() else { return self.stray(token) };
        let line = self.line;
        let elsewhere =
            first && line.number > block.line.number && line.indent != block.line.indent;
        if elsewhere && self.odd.is_none() {
            let early = line.indent > block.line.indent;
            let closes = block.line.number;
            self.odd = Some(Odd { token, line: line.number, closes, early });
        }
    }

    fn stray(&mut self, token: Token) {
        if std::mem::replace(&mut self.in_row, true) {
            return;
        }
        let complaint = Diagnostic::error("kdl::stray-brace", "there is a `}` too many");
        let complaint = match self.odd.take().filter(|odd| odd.early) {
            Some(odd) => complaint
                .at(self.span(&odd.token), "by the indentation, this one")
                .at(self.span(&token), "so that this one closes nothing"),
            None => complaint
                .at(self.span(&token), "this one closes nothing")
                .help("delete it, or look further up for a block that ends too early"),
        };
        if self.found.len() < MOST {
            self.found.push(complaint);
        }
    }

    /// Blocks that are open at the end of the file.
    fn finish(&mut self) {
        if self.missing == 0 || self.open.is_empty() {
            return;
        }
        let Some(block) = self.open.first() else { return };
        let opened = block.token;
        let complaint = self.never_closed(&opened);
        let complaint = match &complaint.help {
            None => complaint.help("add a `}` on a line of its own where the block ends"),
            Some(_) => complaint,
        };
        self.found.push(complaint);
    }

    /// From the token to the last one of its line.
    fn line_span(&self, index: usize) -> Span {
        let rest = self.tokens.get(index..).unwrap_or_default();
        let line = rest.iter().take_while(|token| !token.is(Kind::Newline) && !token.is_blank());
        let start = rest.first().map_or(0, |token| token.start);
        let end = line.last().map_or(start, |token| token.end);
        let range = self.changed.origin(start..end);
        Span::new(self.file, range.start, range.end)
    }

    fn span(&self, token: &Token) -> Span {
        let range = self.changed.origin(token.start..token.end);
        Span::new(self.file, range.start, range.end)
    }
}
