//! The spanned tree between KDL and the typed blueprint. It knows no vocabulary.

use std::sync::Arc;

use super::source::Span;

/// One KDL node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: Word,
    pub args: Vec<Value>,
    pub props: Vec<Prop>,
    pub kids: Vec<Node>,
    /// Name and entries, without the block of children.
    pub line: Span,
    /// Everything, the block of children included.
    pub span: Span,
    /// The template expansion that this node comes from.
    pub origin: Option<Arc<Origin>>,
}

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub span: Span,
}

/// `key=value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Prop {
    pub name: Word,
    pub value: Value,
}

/// An argument or the value of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub scalar: Scalar,
    /// The value alone, quotes included, without key and annotation.
    pub span: Span,
    /// `(credential)` and the like.
    pub tag: Option<Word>,
    pub spelling: Spelling,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Text(String),
    Whole(i128),
    Decimal(f64),
    Truth(bool),
    Null,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// A bare word, a number or a keyword.
    Bare,
    /// `"…"`; `${name}` is replaced in these alone.
    Quoted,
    /// `#"…"#`, or a multi-line string of either form.
    Raw,
    /// Quoted, with something replaced in it: offsets in it mean nothing in the file.
    Replaced,
}

/// Where an expanded node comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub template: String,
    /// The `use` line, or the row of an `each`.
    pub used_at: Span,
    /// The expansion around this one.
    pub outer: Option<Arc<Origin>>,
}

impl Node {
    /// The name and the first argument: what a person would point at.
    #[must_use]
    pub fn head(&self) -> Span {
        match self.args.first() {
            Some(first)
                if first.span.file == self.name.span.file
                    && first.span.end >= self.name.span.end =>
            {
                self.name.span.to(first.span)
            }
            _ => self.name.span,
        }
    }

    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.text == name
    }

    #[must_use]
    pub fn prop(&self, name: &str) -> Option<&Value> {
        self.props.iter().find(|prop| prop.name.text == name).map(|prop| &prop.value)
    }

    #[must_use]
    pub fn kid(&self, name: &str) -> Option<&Node> {
        self.kids.iter().find(|kid| kid.is(name))
    }

    pub fn kids_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.kids.iter().filter(move |kid| kid.is(name))
    }
}

impl Value {
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.scalar {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    #[must_use]
    pub fn whole(&self) -> Option<i128> {
        match self.scalar {
            Scalar::Whole(number) => Some(number),
            _ => None,
        }
    }

    /// A bare word: the form of switches.
    #[must_use]
    pub fn bare_word(&self) -> Option<&str> {
        match self.spelling {
            Spelling::Bare => self.text(),
            _ => None,
        }
    }

    /// The place in the file of a byte range within this value's text; the whole value if the
    /// text in the file is not the text itself (escapes, replacements, dedented lines).
    #[must_use]
    pub fn part(&self, source: &str, range: std::ops::Range<usize>) -> Span {
        let Some(text) = self.text() else { return self.span };
        let written = source.get(self.span.range()).unwrap_or("");
        let quote = written.find('"').map_or(0, |at| at + 1);
        let same = written.get(quote..quote + text.len()).is_some_and(|inner| inner == text);
        let inside = text.get(range.clone()).is_some();
        if self.spelling == Spelling::Replaced || !same || !inside {
            return self.span;
        }
        let start = self.span.start as usize + quote;
        Span::new(self.span.file, start + range.start, start + range.end)
    }
}
