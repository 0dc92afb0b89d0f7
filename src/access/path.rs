//! The canonical path of a request, and the spellings that are refused.
//!
//! A gate and the application behind it must read the same path. Where an app has any rule about
//! paths, every spelling that some server reads differently is refused; elsewhere only what no
//! server should see.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Why a path is refused; each becomes a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the request target does not begin with `/`")]
    NotAbsolute,
    #[error("the path holds a control character")]
    Control,
    #[error("the path holds a broken percent escape")]
    BrokenEscape,
    #[error("the path holds an encoded slash, backslash or NUL")]
    EncodedDelimiter,
    #[error("the path holds a backslash or a fragment")]
    ForeignDelimiter,
    #[error("the path is encoded more than once")]
    EncodedTwice,
    #[error("the path holds an empty or a dot segment")]
    DotSegment,
    #[error("the path is not UTF-8")]
    NotText,
}

/// How much is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// The app has no rule about paths.
    Lenient,
    /// Some rule, `bypass` or `protect-only` looks at the path.
    #[default]
    Strict,
}

/// The path of a request target, percent-decoded once, without query.
///
/// # Errors
/// If the spelling is one that gate and application might read differently.
pub fn canonical(target: &str, strictness: Strictness) -> Result<Cow<'_, str>, PathError> {
    let raw = target.split('?').next().unwrap_or("");
    if !raw.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    if raw.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err(PathError::Control);
    }
    let decoded = if raw.contains('%') { decode(raw, strictness)? } else { Cow::Borrowed(raw) };
    if strictness == Strictness::Strict {
        if raw.contains(['\\', '#']) {
            return Err(PathError::ForeignDelimiter);
        }
        if has_dot_segment(&decoded) {
            return Err(PathError::DotSegment);
        }
    }
    Ok(decoded)
}

fn decode(raw: &str, strictness: Strictness) -> Result<Cow<'_, str>, PathError> {
    let strict = strictness == Strictness::Strict;
    for escape in raw.split('%').skip(1) {
        let byte = escape.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte {
            // `u8::from_str_radix` accepts a sign.
            _ if escape.starts_with(['+', '-']) => return Err(PathError::BrokenEscape),
            None if strict => return Err(PathError::BrokenEscape),
            Some(0) => return Err(PathError::EncodedDelimiter),
            Some(0x01..=0x1f | 0x7f) => return Err(PathError::Control),
            Some(b'/' | b'\\') if strict => return Err(PathError::EncodedDelimiter),
            _ => {}
        }
    }
    let decoded = match percent_decode_str(raw).decode_utf8() {
        Ok(text) => text,
        Err(_) if strict => return Err(PathError::NotText),
        Err(_) => percent_decode_str(raw).decode_utf8_lossy(),
    };
    if strict && is_encoded(&decoded) {
        return Err(PathError::EncodedTwice);
    }
    if decoded.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    Ok(decoded)
}

fn is_encoded(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        rest.as_bytes().get(..2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Empty segments (but for a trailing slash), `.` and `..`, also before a `;`; the dots also before
/// a decoded `?` or `#`.
fn has_dot_segment(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or("");
        let last = segments.peek().is_none();
        let dots = name.split(['?', '#']).next().unwrap_or("");
        if dots == "." || dots == ".." || (name.is_empty() && !(last && segment.is_empty())) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(target: &str) -> Result<String, PathError> {
        canonical(target, Strictness::Strict).map(Cow::into_owned)
    }

    /// `security.md` 9, R7: only one spelling of a path reaches a rule.
    #[test]
    fn aliases_of_a_path_are_refused_where_paths_matter() {
        for (target, why) in [
            ("admin", PathError::NotAbsolute),
            ("https://x/admin", PathError::NotAbsolute),
            ("/a//b", PathError::DotSegment),
            ("//a", PathError::DotSegment),
            ("/a/./b", PathError::DotSegment),
            ("/a/../b", PathError::DotSegment),
            ("/a/%2e%2e/b", PathError::DotSegment),
            ("/a/..;x/b", PathError::DotSegment),
            ("/a/;x/b", PathError::DotSegment),
            ("/a/..%23/b", PathError::DotSegment),
            ("/a/.%3F", PathError::DotSegment),
            ("/a%2fb", PathError::EncodedDelimiter),
            ("/a%5Cb", PathError::EncodedDelimiter),
            ("/a%00b", PathError::EncodedDelimiter),
            ("/a%252fb", PathError::EncodedTwice),
            ("/a\\b", PathError::ForeignDelimiter),
            ("/a#b", PathError::ForeignDelimiter),
            ("/a%zz", PathError::BrokenEscape),
            ("/a%", PathError::BrokenEscape),
            ("/a%+1", PathError::BrokenEscape),
            ("/a%0d%0ab", PathError::Control),
            ("/a%ff", PathError::NotText),
            ("/a%c2%85", PathError::Control),
        ] {
            assert_eq!(strict(target), Err(why), "{target}");
        }
    }

    #[test]
    fn plain_paths_pass_and_are_decoded_once() {
        for (target, path) in [
            ("/", "/"),
            ("/a/b/?x=/../y", "/a/b/"),
            ("/a%20b", "/a b"),
            ("/a%23b%3fc", "/a#b?c"),
            ("/a/%23b", "/a/#b"),
            ("/100%25", "/100%"),
            ("/a;v=1/b", "/a;v=1/b"),
            ("/%C3%A4", "/ä"),
        ] {
            assert_eq!(strict(target).as_deref(), Ok(path), "{target}");
        }
    }

    #[test]
    fn elsewhere_only_nul_and_control_characters_are_refused() {
        let lenient = |target| canonical(target, Strictness::Lenient).map(Cow::into_owned);
        assert_eq!(lenient("/group%2fproject").as_deref(), Ok("/group/project"));
        assert_eq!(lenient("/a//b/../c").as_deref(), Ok("/a//b/../c"));
        assert_eq!(lenient("/a%00"), Err(PathError::EncodedDelimiter));
        assert_eq!(lenient("/a%0a"), Err(PathError::Control));
        assert_eq!(lenient("a"), Err(PathError::NotAbsolute));
    }
}
