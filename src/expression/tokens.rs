//! The words of an expression, for places and guards. It accepts any text and judges nothing.

use std::ops::Range;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    /// Quotes and prefix included.
    Text,
    /// A quote without its partner, up to where the text breaks off.
    Unclosed,
    Open,
    Close,
    /// An operator or any other mark.
    Mark,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// Cuts `text` into words; blanks and comments fall away.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(first) = rest.chars().next()
    {
        if first.is_whitespace() {
            at += first.len_utf8();
        } else if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else {
            let (kind, length) = next(rest, first);
            found.push(Token { kind, range: at..at + length });
            at += length;
        }
    }
    found
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    if let Some(quoted) = quoted(rest) {
        return quoted;
    }
    match first {
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, run(rest, is_word)),
        '0'..='9' => (Kind::Number, number(rest)),
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        _ if ["&&", "||", "==", "!=", "<=", ">="].iter().any(|mark| rest.starts_with(mark)) => {
            (Kind::Mark, 2)
        }
        _ => (Kind::Mark, first.len_utf8()),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

fn number(rest: &str) -> usize {
    let whole = run(rest, is_word);
    let Some(after) = rest.get(whole..).and_then(|tail| tail.strip_prefix('.')) else {
        return whole;
    };
    match run(after, is_word) {
        fraction if after.starts_with(|digit: char| digit.is_ascii_digit()) => whole + 1 + fraction,
        _ => whole,
    }
}

/// The length of the quote with its prefix, if one starts here.
fn quoted(rest: &str) -> Option<(Kind, usize)> {
    let prefix = run(rest, |letter| matches!(letter, 'r' | 'R' | 'b' | 'B'));
    let body = rest.get(prefix..).filter(|_| prefix <= 2)?;
    let quote = body.chars().next().filter(|letter| matches!(letter, '\'' | '"'))?;
    let raw = rest.get(..prefix)?.contains(['r', 'R']);
    let triple = body.get(..3).is_some_and(|three| three.chars().all(|letter| letter == quote));
    let width = if triple { 3 } else { 1 };
    let inner = body.get(width..)?;
    Some(match closing(inner, quote, triple, raw) {
        Ok(end) => (Kind::Text, prefix + width + end + width),
        Err(end) => (Kind::Unclosed, prefix + width + end),
    })
}

/// Where the closing quote begins, or where the text breaks off without one.
fn closing(inner: &str, quote: char, triple: bool, raw: bool) -> Result<usize, usize> {
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' && !raw {
            letters.next();
        } else if letter == '\n' && !triple {
            return Err(at);
        } else if letter == quote {
            let closed = inner.get(at..at + 3);
            let all = closed.is_some_and(|three| three.chars().all(|other| other == quote));
            if !triple || all {
                return Ok(at);
            }
        }
    }
    Err(inner.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| &text[token.range]).collect()
    }

    #[test]
    fn an_expression_falls_into_its_words() {
        assert_eq!(
            words("!has(user.email)&&r'a\\' in [1.5, 0x1F,2u] // rest"),
            [
                "!", "has", "(", "user", ".", "email", ")", "&&", "r'a\\'", "in", "[", "1.5", ",",
                "0x1F", ",", "2u", "]"
            ]
        );
        assert_eq!(words("'''a'b''' + \"\\\"\""), ["'''a'b'''", "+", "\"\\\"\""]);
    }

    #[test]
    fn a_quote_without_its_partner_is_told_apart() {
        assert_eq!(tokens("a == 'b")[2], Token { kind: Kind::Unclosed, range: 5..7 });
        assert_eq!(tokens("'a\nb'")[0], Token { kind: Kind::Unclosed, range: 0..2 });
    }
}
