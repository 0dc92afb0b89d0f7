//! Where a node of cel's tree stands in the text.
//!
//! cel keeps one short range per node: the dot of a field, the bracket of a call, the sign of an
//! operator. The rest is found among the words around it.

use std::ops::Range;

use cel::common::ast::{CallExpr, Expr, IdedExpr, SourceInfo};

use super::tokens::{Kind, Token};

pub(super) struct Places<'t> {
    text: &'t str,
    words: Vec<Token>,
    source: SourceInfo,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str, words: Vec<Token>, source: SourceInfo) -> Self {
        Self { text, words, source }
    }

    /// The text at `range`.
    pub(super) fn text(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The whole of `expression`, without brackets around it.
    pub(super) fn span(&self, expression: &IdedExpr) -> Range<usize> {
        let own = self.word(expression.id);
        match &expression.expr {
            Expr::Select(select) => self.span(&select.operand).start..self.name(expression).end,
            Expr::Call(call) => self.call_span(expression, call),
            Expr::List(_) | Expr::Map(_) => own.start..self.closing(expression.id),
            Expr::Struct(_) => self.before(expression.id).start..self.closing(expression.id),
            Expr::Literal(_) => self.signed(expression.id),
            _ => own,
        }
    }

    /// The name of a field or of a called function, the sign of an operator.
    pub(super) fn name(&self, expression: &IdedExpr) -> Range<usize> {
        match &expression.expr {
            Expr::Select(_) => self.after(expression.id),
            Expr::Call(call) if !is_operator(call) => self.before(expression.id),
            _ => self.word(expression.id),
        }
    }

    fn call_span(&self, expression: &IdedExpr, call: &CallExpr) -> Range<usize> {
        let first = call.target.as_deref().or(call.args.first());
        let start = first.map(|part| self.span(part).start);
        let end = call.args.last().map(|part| self.span(part).end);
        let own = self.word(expression.id);
        if !is_operator(call) {
            let name = self.before(expression.id);
            let start = call.target.as_ref().and(start).unwrap_or(name.start);
            return start.min(name.start)..self.closing(expression.id);
        }
        if call.func_name == "_[_]" {
            return start.unwrap_or(own.start)..self.closing(expression.id);
        }
        start.map_or(own.start, |start| start.min(own.start))..end.unwrap_or(own.end).max(own.end)
    }

    fn index(&self, id: u64) -> Option<usize> {
        let (start, _) = self.source.offset_for(id)?;
        let start = usize::try_from(start).ok()?;
        self.words.iter().position(|word| start < word.range.end)
    }

    fn at(&self, index: Option<usize>) -> Range<usize> {
        let word = index.and_then(|index| self.words.get(index));
        word.map_or(0..self.text.len(), |word| word.range.clone())
    }

    fn word(&self, id: u64) -> Range<usize> {
        self.at(self.index(id))
    }

    fn before(&self, id: u64) -> Range<usize> {
        self.at(self.index(id).and_then(|index| index.checked_sub(1)))
    }

    fn after(&self, id: u64) -> Range<usize> {
        self.at(self.index(id).map(|index| index + 1))
    }

    /// A literal, with the minus that belongs to it.
    fn signed(&self, id: u64) -> Range<usize> {
        let own = self.word(id);
        let before = self.before(id);
        let number = self.index(id).and_then(|index| self.words.get(index));
        let minus = number.is_some_and(|word| word.kind == Kind::Number)
            && before.end <= own.start
            && self.text(&before) == "-"
            && self.source.offset_for(id).is_some();
        if minus && self.is_negative_literal(id) { before.start..own.end } else { own }
    }

    /// Whether the minus before a number is its sign: nothing ends right before it.
    fn is_negative_literal(&self, id: u64) -> bool {
        let earlier = self.index(id).and_then(|index| index.checked_sub(2));
        let Some(word) = earlier.and_then(|index| self.words.get(index)) else {
            return true;
        };
        match word.kind {
            Kind::Open | Kind::Mark => true,
            Kind::Word => self.text(&word.range) == "in",
            _ => false,
        }
    }

    /// The end of the bracket that opens at a node.
    fn closing(&self, id: u64) -> usize {
        let opened = self.index(id).unwrap_or(0);
        let mut depth = 0_usize;
        for word in self.words.iter().skip(opened) {
            match word.kind {
                Kind::Open => depth += 1,
                Kind::Close if depth <= 1 => return word.range.end,
                Kind::Close => depth -= 1,
                _ => {}
            }
        }
        self.text.len()
    }
}

/// Whether cel made this call of an operator: no function's name holds a sign.
pub(super) fn is_operator(call: &CallExpr) -> bool {
    call.func_name
        .contains(|letter: char| !letter.is_ascii_alphanumeric() && !"_.".contains(letter))
}

/// Where in `token` each byte of the text it stands for is written; one more for its end.
///
/// `token` is a quoted text with its prefix and quotes.
pub(super) fn origins(token: &str) -> Vec<usize> {
    let prefix = token.find(['\'', '"']).unwrap_or(0);
    let raw = token.get(..prefix).is_some_and(|marks| marks.contains(['r', 'R']));
    let quoted = token.get(prefix..).unwrap_or_default();
    let triple = quoted.len() >= 6 && (quoted.starts_with("'''") || quoted.starts_with("\"\"\""));
    let width = if triple { 3 } else { 1 };
    let end = token.len().saturating_sub(width);
    let mut places = Vec::new();
    let mut at = prefix + width;
    while at < end {
        let rest = token.get(at..end).unwrap_or_default();
        let (written, meant) = if raw { letter(rest) } else { escape(rest) };
        places.extend(std::iter::repeat_n(at, meant));
        at += written.max(1);
    }
    places.push(end);
    places
}

fn letter(rest: &str) -> (usize, usize) {
    let length = rest.chars().next().map_or(1, char::len_utf8);
    (length, length)
}

/// How many bytes the next letter takes as written, and as meant.
fn escape(rest: &str) -> (usize, usize) {
    let mut letters = rest.chars();
    if letters.next() != Some('\\') {
        return letter(rest);
    }
    let (digits, radix, skip) = match letters.next() {
        Some('x' | 'X') => (2, 16, 2),
        Some('u') => (4, 16, 2),
        Some('U') => (8, 16, 2),
        Some('0'..='7') => (3, 8, 1),
        _ => return (2, 1),
    };
    let number = rest.get(skip..skip + digits).unwrap_or_default();
    let meant = u32::from_str_radix(number, radix).ok().and_then(char::from_u32);
    (skip + digits, meant.map_or(1, char::len_utf8))
}
