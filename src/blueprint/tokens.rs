//! A tolerant scanner for KDL text, also for text that is not KDL.
//!
//! It names the pieces of a file in one linear pass, among them the pieces that KDL does not have
//! but people write: bare URLs, bare paths, `${name}` outside of quotes, `# comments`. The guard,
//! the explanations of mistakes and the mask stand on it. It knows no grammar and no vocabulary.

mod scan;

pub use scan::scan;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare word or a number.
    Word,
    /// `"…"` on one line.
    Quoted,
    /// `"""…"""` over several lines.
    Multi,
    /// `#"…"#`, on one line or several.
    Raw,
    /// `#true` and its like.
    Keyword,
    Open,
    Close,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    Equals,
    Semicolon,
    Newline,
    LineComment,
    BlockComment,
    /// `/-`.
    Slashdash,
    /// A backslash at the end of a line, with the line break.
    Continue,
    /// `https://…` without quotes. KDL would read a comment.
    Url,
    /// A word with `/` in it, which KDL refuses.
    Path,
    /// A word with `${name}` in it. KDL would read a block.
    Variable,
    /// `'…'` or `` `…` ``. KDL would read words.
    SingleQuoted,
    /// `“…”`. KDL would read words.
    SmartQuoted,
    /// `#` to the end of the line, as other languages comment.
    HashComment,
    /// `#` stuck to a word that is no keyword.
    Hash,
    /// A character that fits nowhere.
    Other,
}

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// Whether a string or comment ends before the text or line does.
    pub closed: bool,
}

impl Token {
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or("")
    }

    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    /// A string in one of the forms of KDL.
    #[must_use]
    pub fn is_string(&self) -> bool {
        matches!(self.kind, Kind::Quoted | Kind::Multi | Kind::Raw)
    }

    #[must_use]
    pub fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Path)
    }

    /// Something that stands for a value or a name, be it allowed or not.
    #[must_use]
    pub fn is_value(&self) -> bool {
        use Kind::{Hash, Keyword, Path, SingleQuoted, SmartQuoted, Url, Variable, Word};
        self.is_string()
            || matches!(
                self.kind,
                Word | Keyword | Url | Path | Variable | SingleQuoted | SmartQuoted | Hash
            )
    }

    /// Nothing that KDL looks at.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment | Kind::HashComment)
    }

    /// The end of a node, or the beginning or end of a block of nodes.
    #[must_use]
    pub fn is_border(&self) -> bool {
        matches!(self.kind, Kind::Newline | Kind::Semicolon | Kind::Open | Kind::Close)
    }
}

/// White space within a line, as KDL counts it.
#[must_use]
pub fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// A character that ends a line.
#[must_use]
pub fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{B}' | '\u{C}' | '\u{2028}' | '\u{2029}')
}

/// A character that no blueprint may hold: controls and changes of the writing direction.
#[must_use]
pub fn is_forbidden(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}'
            | '\u{E}'..='\u{1F}'
            | '\u{7F}'
            | '\u{200E}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
    )
}

/// A character that may stand in a bare word.
#[must_use]
pub fn is_word(c: char) -> bool {
    !is_space(c)
        && !is_newline(c)
        && !is_forbidden(c)
        && !matches!(c, '\\' | '/' | '(' | ')' | '{' | '}' | '[' | ']' | ';' | '"' | '#' | '=')
}
