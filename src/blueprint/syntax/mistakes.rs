//! The walk over the tokens of one file: where a node begins, and who looks at which token.

use std::ops::Range;

use super::edits::Edits;
use super::{brackets, equals, habits, strings, words};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::{FileId, Span};
use crate::blueprint::tokens::{Kind, Token};

/// A file in another language would make thousands of complaints.
pub(super) const MOST: usize = 100;

/// What was found in a file, apart from the complaints.
pub(super) struct Found {
    /// Turn the text into what was meant.
    pub edits: Edits,
    /// KDL would refuse the text as written.
    pub refused: bool,
    /// A string or comment runs to the end of the file: the rest means nothing.
    pub torn: bool,
}

/// The walk.
pub(super) struct Finder<'a> {
    file: FileId,
    pub text: &'a str,
    pub tokens: &'a [Token],
    out: &'a mut Diagnostics,
    told: usize,
    pub edits: Edits,
    pub refused: bool,
    pub torn: bool,
    /// The next value is the name of a node.
    pub at_start: bool,
    /// `/-` was read, what it stands before was not.
    commented: bool,
    /// A comma was reported in this node.
    pub comma_seen: bool,
    /// A parenthesis of this node was complained of, the next one belongs to it.
    pub in_call: bool,
    /// The last block that was opened has a name.
    pub named_block: bool,
    /// The token that closes the list in brackets that we are in.
    pub bracket_end: Option<usize>,
}

/// Looks at every token and says what is wrong with it.
pub(super) fn find(file: FileId, text: &str, tokens: &[Token], out: &mut Diagnostics) -> Found {
    let mut finder = Finder {
        file,
        text,
        tokens,
        out,
        told: 0,
        edits: Edits::default(),
        refused: false,
        torn: false,
        at_start: true,
        commented: false,
        comma_seen: false,
        in_call: false,
        named_block: true,
        bracket_end: None,
    };
    for index in 0..tokens.len() {
        finder.step(index);
    }
    Found { edits: finder.edits, refused: finder.refused, torn: finder.torn }
}

impl<'a> Finder<'a> {
    fn step(&mut self, index: usize) {
        let Some(token) = self.tokens.get(index).copied() else { return };
        brackets::after_block(self, index);
        self.look(index, &token);
        match token.kind {
            Kind::Slashdash => self.commented = true,
            Kind::Newline if self.commented || self.bracket_end.is_some() => {}
            Kind::Newline | Kind::Semicolon | Kind::Open => self.begin_node(),
            Kind::Close => self.at_start = false,
            Kind::Continue | Kind::OpenParen => {}
            _ if token.is_blank() || self.in_annotation(index) => {}
            _ => {
                self.at_start = false;
                self.commented = false;
                self.named_block = true;
            }
        }
    }

    fn begin_node(&mut self) {
        self.at_start = true;
        self.commented = false;
        self.comma_seen = false;
        self.in_call = false;
    }

    fn look(&mut self, index: usize, token: &Token) {
        strings::missing_space(self, index);
        match token.kind {
            Kind::Word => words::word(self, index),
            Kind::Path => words::path(self, index),
            Kind::Url | Kind::Variable | Kind::SingleQuoted | Kind::SmartQuoted => {
                habits::unquoted(self, index);
            }
            Kind::Hash => habits::hash(self, index),
            Kind::HashComment => habits::hash_comment(self, index),
            Kind::Quoted | Kind::Multi | Kind::Raw => strings::string(self, index),
            Kind::BlockComment if !token.closed => strings::open_comment(self, token),
            Kind::Equals => equals::equals(self, index),
            Kind::OpenBracket | Kind::CloseBracket => brackets::bracket(self, index),
            Kind::OpenParen | Kind::CloseParen => brackets::paren(self, index),
            Kind::Newline => brackets::newline_in_list(self, index),
            Kind::Open => brackets::nameless(self, index),
            Kind::Other => habits::backslash(self, index),
            _ => {}
        }
    }

    fn in_annotation(&self, index: usize) -> bool {
        let closes = |at: usize| self.tokens.get(at).is_some_and(|t| t.is(Kind::CloseParen));
        self.before(index).is_some_and(|t| t.is(Kind::OpenParen)) || closes(index)
    }

    /// Complains of something that KDL refuses.
    pub fn refuse(&mut self, complaint: Diagnostic) {
        self.refused = true;
        self.complain(complaint);
    }

    /// Complains of something that KDL accepts and nobody means.
    pub fn complain(&mut self, complaint: Diagnostic) {
        self.told += 1;
        if self.told <= MOST {
            self.out.push(complaint);
        }
    }

    pub fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    pub fn span_of(&self, token: &Token) -> Span {
        self.span(token.start..token.end)
    }

    pub fn before(&self, index: usize) -> Option<&'a Token> {
        index.checked_sub(1).and_then(|before| self.tokens.get(before))
    }

    pub fn after(&self, index: usize) -> Option<&'a Token> {
        self.tokens.get(index + 1)
    }

    /// The value of a property stands here.
    pub fn is_property_value(&self, index: usize) -> bool {
        self.before(index).is_some_and(|token| token.is(Kind::Equals))
    }

    /// Whether the token sticks to the one before it.
    pub fn sticks(&self, index: usize) -> bool {
        let token = self.tokens.get(index);
        token.zip(self.before(index)).is_some_and(|(token, before)| before.end == token.start)
    }
}
