//! Distinguished names (RFC 4514).

use std::fmt;

use super::fold::fold;

/// Longer ones are not looked at.
const LONGEST: usize = 2048;
/// Deeper ones are not looked at.
const DEEPEST: usize = 16;

/// What has to stand behind a `\`, or be written as two hexadecimal digits.
const ESCAPED: &str = ",+\"\\<>;";

/// A distinguished name: from what it names up to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dn(Vec<Rdn>);

/// One part of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rdn {
    /// In lower case.
    pub attribute: String,
    /// As it is compared; two spellings of one name are one.
    pub key: String,
    /// As it is written.
    text: Spelling,
}

/// How a part was spelled, which makes no difference.
#[derive(Clone, Debug)]
struct Spelling(String);

impl PartialEq for Spelling {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Spelling {}

impl std::hash::Hash for Spelling {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// Why a text is no distinguished name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnError {
    #[error("it is longer than {LONGEST} bytes, or deeper than {DEEPEST} parts")]
    TooLong,
    #[error("a part is not ATTRIBUTE=VALUE")]
    NoPair,
    #[error("a `\\` stands before nothing that can be escaped")]
    BadEscape,
    #[error(
        "`,`, `+`, `\"`, `;`, `<`, `>` and a blank at an end of a value are written behind a `\\`"
    )]
    NotEscaped,
    #[error("a part names more than one attribute, which nothing here does")]
    Multivalued,
}

impl Rdn {
    /// A part of a name that we make.
    #[must_use]
    pub fn new(attribute: &str, value: &str) -> Self {
        Self {
            attribute: attribute.to_ascii_lowercase(),
            key: fold(value),
            text: Spelling(format!("{attribute}={}", escaped(value))),
        }
    }

    /// Whether it is this, however it is spelled.
    #[must_use]
    pub fn is(&self, attribute: &str, key: &str) -> bool {
        self.attribute == attribute && self.key == key
    }
}

impl Dn {
    /// Reads a name strictly. The empty text is the root.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        if text.len() > LONGEST {
            return Err(DnError::TooLong);
        }
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let parts = parts(text).map(rdn).collect::<Result<Vec<_>, _>>()?;
        match parts.len() > DEEPEST {
            true => Err(DnError::TooLong),
            false => Ok(Self(parts)),
        }
    }

    /// What stands below `self` by this part.
    #[must_use]
    pub fn below(&self, part: Rdn) -> Self {
        Self(std::iter::once(part).chain(self.0.iter().cloned()).collect())
    }

    /// The parts of this name before `base`, if it lies there; none if it is `base` itself.
    #[must_use]
    pub fn within(&self, base: &Self) -> Option<&[Rdn]> {
        let above = self.0.len().checked_sub(base.0.len())?;
        let (own, rest) = self.0.split_at_checked(above)?;
        (rest == base.0).then_some(own)
    }

    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// From what it names up to the root.
    #[must_use]
    pub fn parts(&self) -> &[Rdn] {
        &self.0
    }

    /// The domain that `dc=` parts spell: `example.com` of `dc=example,dc=com` (RFC 2247).
    #[must_use]
    pub fn domain(&self) -> String {
        let parts = self.0.iter().filter(|part| part.attribute == "dc");
        parts.map(|part| part.key.as_str()).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            f.write_str(&part.text.0)?;
        }
        Ok(())
    }
}

/// Cuts at the commas that are not escaped.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut escaping = false;
    text.split(move |c| {
        let cut = c == ',' && !escaping;
        escaping = c == '\\' && !escaping;
        cut
    })
}

fn rdn(part: &str) -> Result<Rdn, DnError> {
    let (attribute, value) = part.split_once('=').ok_or(DnError::NoPair)?;
    let attribute = attribute.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if attribute.is_empty() || !attribute.chars().all(fits) {
        return Err(DnError::NoPair);
    }
    let value = unescaped(value)?;
    match fold(&value).is_empty() {
        true => Err(DnError::NoPair),
        false => Ok(Rdn::new(attribute, &value)),
    }
}

/// RFC 4514 §2.4 and §3; blanks around a value are not part of it.
fn unescaped(text: &str) -> Result<String, DnError> {
    let mut bytes = Vec::with_capacity(text.len());
    // Up to here nothing may be cut off: an escaped blank is part of the value.
    let mut kept = 0;
    let mut rest = text.trim_start_matches(' ').chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => {
                bytes.extend(escape(&mut rest)?.iter());
                kept = bytes.len();
            }
            '+' => return Err(DnError::Multivalued),
            _ if ESCAPED.contains(letter) || letter == '\0' => return Err(DnError::NotEscaped),
            '#' if bytes.is_empty() => return Err(DnError::NotEscaped),
            _ => bytes.extend(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    while bytes.len() > kept && bytes.last() == Some(&b' ') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| DnError::BadEscape)
}

/// What stands behind a `\`: one letter, or a byte in hexadecimal digits.
fn escape(rest: &mut std::str::Chars<'_>) -> Result<Escape, DnError> {
    let first = rest.next().ok_or(DnError::BadEscape)?;
    if ESCAPED.contains(first) || matches!(first, ' ' | '#' | '=') {
        return Ok(Escape(first as u8));
    }
    let second = rest.next().ok_or(DnError::BadEscape)?;
    let digit = |letter: char| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match (digit(first), digit(second)) {
        (Some(high), Some(low)) if (high, low) != (0, 0) => Ok(Escape(high * 16 + low)),
        _ => Err(DnError::BadEscape),
    }
}

struct Escape(u8);

impl Escape {
    fn iter(&self) -> std::iter::Once<u8> {
        std::iter::once(self.0)
    }
}

/// A value as it stands in a name (RFC 4514 §2.4).
#[must_use]
pub fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::with_capacity(value.len());
    for (at, letter) in value.chars().enumerate() {
        let blank = letter == ' ' && (at == 0 || at == last);
        if blank || ESCAPED.contains(letter) || (letter == '#' && at == 0) {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Dn::parse(text).map_or_else(|error| format!("{error:?}"), |dn| dn.to_string())
    }

    #[test]
    fn a_name_is_read_with_its_escapes_and_written_with_as_few() {
        assert_eq!(
            shown("uid=alice,ou=people,dc=example,dc=com"),
            "uid=alice,ou=people,dc=example,dc=com"
        );
        assert_eq!(shown(" UID = alice , dc = com "), "UID=alice,dc=com");
        assert_eq!(shown("cn=a\\,b\\2bc\\C3\\A9\\ ,dc=com"), "cn=a\\,b\\+cé\\ ,dc=com");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn spellings_of_one_name_are_one_name() {
        let one = Dn::parse("uid=Alice,OU=People,dc=Example,dc=com").expect("a name");
        let other = Dn::parse("UID=\\61lice, ou=people,DC=example,dc=COM").expect("a name");
        assert_eq!(one, other);
        assert_ne!(one, Dn::parse("uid=alice,ou=people,dc=example").expect("a name"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, error) in [
            ("alice", DnError::NoPair),
            ("=alice", DnError::NoPair),
            ("uid=", DnError::NoPair),
            ("uid= ", DnError::NoPair),
            ("uid=alice,", DnError::NoPair),
            (",uid=alice", DnError::NoPair),
            ("u d=alice", DnError::NoPair),
            ("uid=alice+cn=b,dc=com", DnError::Multivalued),
            ("uid=a\"b", DnError::NotEscaped),
            ("uid=a;b", DnError::NotEscaped),
            ("uid=#04024869", DnError::NotEscaped),
            ("uid=a\\", DnError::BadEscape),
            ("uid=a\\zz", DnError::BadEscape),
            ("uid=a\\00", DnError::BadEscape),
            ("uid=\\ff", DnError::BadEscape),
        ] {
            assert_eq!(Dn::parse(text), Err(error), "{text}");
        }
        assert_eq!(Dn::parse("dc=a,".repeat(17).trim_end_matches(',')), Err(DnError::TooLong));
        assert_eq!(Dn::parse(&format!("cn={}", "a".repeat(3000))), Err(DnError::TooLong));
    }

    #[test]
    fn a_name_lies_within_another() {
        let base = Dn::parse("dc=example,dc=com").expect("a name");
        let deep = Dn::parse("uid=a,ou=people,dc=example,dc=com").expect("a name");
        assert_eq!(deep.within(&base).map(<[Rdn]>::len), Some(2));
        assert_eq!(base.within(&base), Some(&[][..]));
        assert_eq!(base.within(&deep), None);
        let other = Dn::parse("uid=a,dc=myexample,dc=com").expect("a name");
        assert_eq!(other.within(&base), None);
        assert_eq!(base.domain(), "example.com");
    }

    #[test]
    fn what_is_written_is_read_again() {
        proptest::proptest!(|(value in "\\PC{1,20}")| {
            let made = Dn::default().below(Rdn::new("cn", &value));
            if !fold(&value).is_empty() {
                proptest::prop_assert_eq!(Dn::parse(&made.to_string()), Ok(made));
            }
        });
        proptest::proptest!(|(text in "\\PC{0,60}|[a-z=,+\\\\#0-9 ]{0,40}")| {
            if let Ok(dn) = Dn::parse(&text) {
                proptest::prop_assert_eq!(Dn::parse(&dn.to_string()), Ok(dn));
            }
        });
    }
}
