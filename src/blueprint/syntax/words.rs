//! Bare words that KDL refuses or reads in another way than the writer: keywords, things that
//! start like a number, paths, words with commas and colons.

use std::net::IpAddr;

use super::mistakes::Finder;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::tokens::{Kind, Token};

pub(super) fn word(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let text = token.text(finder.text);
    if matches!(text, "true" | "false" | "null" | "inf" | "nan") {
        keyword(finder, index, token);
    } else if text.contains(',') {
        comma(finder, index, token);
    } else if starts_like_number(text) {
        if !is_number(text) {
            not_a_number(finder, index, token);
        }
    } else if text.ends_with(':') {
        colon(finder, index, token);
    } else if let Some(at) = text.find(is_hidden) {
        hidden(finder, token, at);
    }
}

fn keyword(finder: &mut Finder, index: usize, token: &Token) {
    let text = token.text(finder.text);
    let key = finder.is_property_value(index).then(|| index.checked_sub(2)).flatten();
    let key = key.and_then(|key| finder.tokens.get(key)).map(|key| key.text(finder.text));
    let help = match (text, key) {
        ("true", Some(key)) => {
            format!("blueprints use bare words as switches: `{key}` instead of `{key}=true`")
        }
        ("false", Some(key)) => {
            format!("blueprints use bare words as switches: leave `{key}=false` out")
        }
        ("true" | "false", None) => {
            "blueprints use bare words as switches: `hidden` turns it on, leaving it out turns it off"
                .to_owned()
        }
        _ => format!("if the word itself is meant, quote it: \"{text}\""),
    };
    let span = finder.span_of(token);
    finder.refuse(
        Diagnostic::error("kdl::bare-keyword", format!("bare `{text}` is not a KDL value"))
            .at(span, format!("write #{text}"))
            .help(help)
            .fix(span, format!("#{text}")),
    );
    let instead = if finder.at_start { format!("\"{text}\"") } else { format!("#{text}") };
    finder.edits.replace(token.start..token.end, instead);
}

fn comma(finder: &mut Finder, index: usize, token: &Token) {
    let text = token.text(finder.text);
    let alone = text.trim_matches(',').is_empty();
    let number = !alone && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    let spaced = text.replace(',', " ");
    let words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    finder.edits.replace(token.start..token.end, quote_numbers(&spaced));
    let before = finder.before(index);
    finder.refused |= number
        || before.is_some_and(|before| before.is(Kind::Close))
        || (finder.sticks(index) && before.is_some_and(Token::is_string));
    if std::mem::replace(&mut finder.comma_seen, true) || finder.bracket_end.is_some() {
        return;
    }
    let span = finder.span_of(token);
    let complaint = Diagnostic::error("kdl::comma", "KDL lists have no commas");
    let complaint = match (alone, number) {
        (true, _) => complaint.at(span, "delete it").help("separate values with spaces"),
        (false, true) => complaint
            .at(span, "numbers have no commas either")
            .help(format!("write {} for one number, or {words}", text.replace(',', ""))),
        (false, false) => complaint
            .at(span, "the comma is part of the value")
            .help(format!("separate values with spaces: `{words}`"))
            .fix(span, words.clone()),
    };
    finder.complain(complaint);
}

/// Quotes the words that start like a number and are none, so that they cause no second message.
fn quote_numbers(words: &str) -> String {
    let quoted = words.split(' ').map(|word| {
        let bad = starts_like_number(word) && !is_number(word);
        if bad { format!("\"{word}\"") } else { word.to_owned() }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn colon(finder: &mut Finder, index: usize, token: &Token) {
    let text = token.text(finder.text);
    let name = text.trim_end_matches(':');
    let sticks = name.is_empty() && finder.sticks(index);
    let key = match finder.before(index) {
        Some(before) if sticks => before.text(finder.text),
        _ => name,
    };
    let next = finder.after(index).filter(|next| next.is_value() || next.is(Kind::OpenParen));
    let shown = next.map_or("…", |next| next.text(finder.text));
    let span = finder.span(token.end - 1..token.end);
    let named = finder.at_start
        || (sticks
            && index
                .checked_sub(2)
                .is_none_or(|at| finder.tokens.get(at).is_none_or(Token::is_border)));
    if key.is_empty() || (next.is_none() && !named && !sticks) {
        return;
    }
    let complaint = Diagnostic::error("kdl::colon", format!("`{key}` is not followed by a colon"));
    let complaint = if named {
        finder.edits.blank(token.end - 1..token.end);
        complaint.at(span, "delete it").help(format!("write {key} {shown}")).fix(span, "")
    } else {
        let gap = token.end - 1..next.map_or(token.end, |next| next.start);
        finder.edits.replace(gap, "=");
        complaint.at(span, "KDL writes `=` here").help(format!("write {key}={shown}"))
    };
    finder.complain(complaint);
    finder.refused |= sticks;
}

fn hidden(finder: &mut Finder, token: &Token, at: usize) {
    let text = token.text(finder.text);
    let c = text.get(at..).and_then(|tail| tail.chars().next()).unwrap_or(' ');
    let span = finder.span(token.start + at..token.start + at + c.len_utf8());
    finder.edits.replace(token.start..token.end, text.replace(is_hidden, ""));
    finder.complain(
        Diagnostic::error("kdl::control-character", "this word holds an invisible character")
            .at(span, format!("U+{:04X}", u32::from(c)))
            .help("delete it")
            .fix(span, ""),
    );
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}')
}

/// A word with a slash in it, which only a quoted string may hold.
pub(super) fn path(finder: &mut Finder, index: usize) {
    let Some(token) = finder.tokens.get(index) else { return };
    let text = token.text(finder.text).trim_end_matches(',');
    let quoted = text.split(',').filter(|part| !part.is_empty()).map(|part| format!("\"{part}\""));
    let quoted = quoted.collect::<Vec<_>>().join(" ");
    finder.edits.replace(token.start..token.end, quoted.clone());
    let span = finder.span(token.start..token.start + text.len());
    let label = if starts_like_number(text) { "starts like a number" } else { "`/` needs quotes" };
    let (code, message) = if is_address(text) {
        ("kdl::bare-address", "an address must be quoted")
    } else if text.starts_with(['/', '.', '~']) {
        ("kdl::bare-path", "a path must be quoted")
    } else if text.contains('.') {
        ("kdl::bare-url", "a URL must be quoted")
    } else {
        ("kdl::bare-path", "a value with `/` in it must be quoted")
    };
    finder.refuse(
        Diagnostic::error(code, message)
            .at(span, label)
            .help(format!("write {quoted}"))
            .fix(span, quoted),
    );
}

fn not_a_number(finder: &mut Finder, index: usize, token: &Token) {
    let text = token.text(finder.text);
    let span = finder.span_of(token);
    finder.edits.replace(token.start..token.end, format!("\"{text}\""));
    let name = finder.at_start
        || (finder.after(index).is_some_and(|next| next.is(Kind::Equals))
            && finder.sticks(index + 1));
    if let (Some(units), false) = (duration(text), name) {
        finder.refuse(
            Diagnostic::error(
                "kdl::bare-duration",
                "a duration is written with its unit as a property",
            )
            .at(span, format!("write {units}"))
            .fix(span, units),
        );
        return;
    }
    let (code, message) = if name {
        ("kdl::bare-number", "a name that starts like a number must be quoted")
    } else if is_address(text) {
        ("kdl::bare-address", "an address must be quoted")
    } else {
        ("kdl::bare-number", "a value that starts like a number must be one, or be quoted")
    };
    let help = match text.strip_suffix('%') {
        Some(number) if is_number(number) => format!("numbers have no unit: write {number}"),
        _ => format!("write \"{text}\""),
    };
    finder.refuse(
        Diagnostic::error(code, message)
            .at(span, "starts like a number")
            .help(help)
            .fix(span, format!("\"{text}\"")),
    );
}

fn starts_like_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// A number as KDL writes it.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let radix = |prefix: &str, radix: u32| {
        unsigned.strip_prefix(prefix).is_some_and(|digits| digits_of(digits, radix))
    };
    if radix("0x", 16) || radix("0o", 8) || radix("0b", 2) {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent = exponent.is_none_or(|exponent| {
        digits_of(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), 10)
    });
    let mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits_of(whole, 10) && digits_of(fraction, 10),
        None => digits_of(mantissa, 10),
    };
    mantissa && exponent
}

fn digits_of(text: &str, radix: u32) -> bool {
    text.starts_with(|c: char| c.is_digit(radix))
        && text.chars().all(|c| c.is_digit(radix) || c == '_')
}

/// An IP address, with or without a prefix length or a port, right or nearly right.
fn is_address(text: &str) -> bool {
    let base = text.split('/').next().unwrap_or("");
    let host = base.rsplit_once(':').map_or(base, |(host, _)| host);
    if base.parse::<IpAddr>().is_ok() || host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let hex = base.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.');
    let dotted = base.split('.').all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    hex && (base.matches(':').count() >= 2 || (dotted && base.matches('.').count() == 3))
}

/// `1h30m` as `hours=1 minutes=30`.
fn duration(text: &str) -> Option<String> {
    let mut rest = text;
    let mut units = Vec::new();
    while !rest.is_empty() {
        let number = rest.get(..rest.find(|c: char| !c.is_ascii_digit())?)?;
        let tail = rest.get(number.len()..)?;
        let unit = tail.get(..tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()))?;
        rest = tail.get(unit.len()..)?;
        if number.is_empty() {
            return None;
        }
        units.push(format!("{}={number}", unit_name(unit)?));
    }
    Some(units.join(" "))
}

fn unit_name(unit: &str) -> Option<&'static str> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Some("seconds"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("minutes"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("hours"),
        "d" | "day" | "days" => Some("days"),
        "w" | "week" | "weeks" => Some("weeks"),
        _ => None,
    }
}
