//! Words with a form of their own: names, times, days, mail addresses, paths.

use super::listed;
use super::value::Bad;
use crate::blueprint::suggest::nearest;
use crate::jose::{KeySet, KeySetFault};
use crate::model::dn::Dn;

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// The days of the week as blueprints write them.
pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The families of events.
const EVENTS: [&str; 36] = [
    "access",
    "address",
    "bind",
    "certificate",
    "config",
    "connection",
    "consent",
    "drift",
    "factor",
    "factors",
    "grant",
    "host",
    "invitation",
    "key",
    "keys",
    "link",
    "lock",
    "login",
    "logout",
    "mail",
    "membership",
    "object",
    "password",
    "profile",
    "proxy",
    "recovery-code",
    "recovery-codes",
    "rule",
    "secret",
    "sessions",
    "step-up",
    "store",
    "terms",
    "token",
    "tokens",
    "user",
];

const LONGEST_NAME: usize = 64;

pub(super) fn one_of(name: &str, text: &str, words: &[&str]) -> Option<Bad> {
    if words.contains(&text) {
        return None;
    }
    let message = format!("`{text}` is not a value of `{name}`");
    let help = format!("one of: {}", words.join(", "));
    Some(match nearest(text, words.iter().copied()) {
        Some(near) => {
            Bad::new("blueprint::unknown-value", message, format!("did you mean `{near}`?"))
                .help(help)
                .fix(near)
        }
        None => Bad::new("blueprint::unknown-value", message, "not known here").help(help),
    })
}

pub(super) fn slug(text: &str) -> Option<Bad> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = |c: char| letter(c) || c == '-' || c == '_';
    if text.starts_with("builtin.") {
        let message = format!("`{text}` is a reserved name");
        return Some(
            Bad::new("blueprint::reserved-name", message, "`builtin.` belongs to Doorward")
                .help("built-in objects cannot be replaced; pick another name and refer to it"),
        );
    }
    if text.chars().all(inner) && text.starts_with(letter) && text.len() <= LONGEST_NAME {
        return None;
    }
    let message = format!("`{text}` cannot be a name");
    Some(
        Bad::new("blueprint::bad-slug", message, "not a name")
            .help("names have up to 64 small letters a-z, digits, `-` and `_`, and begin with a letter or digit"),
    )
}

pub(super) fn user_name(text: &str) -> Option<Bad> {
    if crate::model::user_name::is_valid(text) {
        return None;
    }
    let message = format!("`{text}` cannot be a user name");
    Some(
        Bad::new("blueprint::bad-slug", message, "not a user name")
            .help("user names have up to 64 letters, digits and any of - _ . @ +"),
    )
}

pub(super) fn key(text: &str) -> Option<Bad> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if text.chars().all(fits) && text.len() <= LONGEST_NAME * 2 {
        return None;
    }
    let message = format!("`{text}` cannot be a key");
    Some(
        Bad::new("blueprint::bad-key", message, "not a key")
            .help("keys have letters a-z, digits and any of - _ . : /"),
    )
}

pub(super) fn key_set(text: &str) -> Option<Bad> {
    let fault = KeySet::read(text).err()?;
    let message = "this is not a set of public keys that can be used";
    let help = match fault {
        KeySetFault::Private => "write the public half alone, without `d`, and make a new key",
        _ => "write {\"keys\": [ … ]} with RSA, EC (P-256) or OKP (Ed25519) keys",
    };
    Some(Bad::new("blueprint::bad-keys", message, fault.to_string()).help(help))
}

pub(super) fn header(text: &str) -> Option<Bad> {
    // RFC 9110 §5.6.2; without `_`, which some servers read as `-`.
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
    if text.chars().all(fits) {
        return None;
    }
    let message = format!("`{text}` cannot be the name of a header");
    let bad = text.char_indices().find(|(_, c)| !fits(*c));
    let (at, c) = bad?;
    let bad = Bad::new("blueprint::bad-header", message, "this character is not allowed")
        .part(at..at + c.len_utf8());
    Some(if c == '_' {
        bad.help("write `-`: servers read `_` as `-`, so the two would be one header")
            .fix(text.replace('_', "-"))
    } else {
        bad.help("names of headers have letters, digits and `-`")
    })
}

pub(super) fn method(text: &str) -> Option<Bad> {
    if METHODS.contains(&text) {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let message = format!("`{text}` is not an HTTP method");
    if METHODS.contains(&upper.as_str()) {
        let label = format!("did you mean `{upper}`?");
        return Some(Bad::new("blueprint::unknown-value", message, label).fix(upper));
    }
    let label = nearest(&upper, METHODS)
        .map_or("not known here".to_owned(), |near| format!("did you mean `{near}`?"));
    Some(
        Bad::new("blueprint::unknown-value", message, label)
            .help(format!("one of: {}", listed(METHODS))),
    )
}

pub(super) fn time_of_day(text: &str) -> Option<Bad> {
    if minutes_of(text).is_some() {
        return None;
    }
    let message = format!("`{text}` is not a time of day");
    Some(
        Bad::new("blueprint::bad-time", message, "hours and minutes, two digits each")
            .help("write \"06:30\"; the end of the day is \"24:00\""),
    )
}

/// Minutes since midnight; 1440 for the end of the day.
pub(in crate::blueprint) fn minutes_of(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

pub(super) fn days(text: &str) -> Option<Bad> {
    let mut at = 0;
    for word in text.split('-') {
        if !DAYS.contains(&word) {
            let label = nearest(word, DAYS).map_or("not a day of the week".to_owned(), |near| {
                format!("did you mean `{near}`?")
            });
            let message = format!("`{word}` is not a day");
            return Some(
                Bad::new("blueprint::unknown-value", message, label)
                    .part(at..at + word.len())
                    .help(format!("days are {}, and ranges such as mon-fri", DAYS.join(", "))),
            );
        }
        at += word.len() + 1;
    }
    let message = format!("`{text}` is not a range of days");
    (text.split('-').count() > 2).then(|| {
        Bad::new("blueprint::unknown-value", message, "a range has two ends")
            .help("write mon-fri, or several days with spaces between them")
    })
}

pub(super) fn zone(text: &str) -> Option<Bad> {
    // The machine's own database would make the meaning of files depend on the machine.
    let zones = jiff::tz::TimeZoneDatabase::bundled();
    if zones.get(text).is_ok() {
        return None;
    }
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    let message = format!("unknown time zone `{text}`");
    let near = nearest(text, names.iter().map(String::as_str));
    Some(match near {
        Some(near) => {
            Bad::new("blueprint::unknown-zone", message, format!("did you mean `{near}`?"))
                .fix(format!("\"{near}\""))
        }
        None => Bad::new("blueprint::unknown-zone", message, "not known here")
            .help("names are those of the IANA database, such as \"Europe/Berlin\" or \"UTC\""),
    })
}

pub(super) fn moment(text: &str) -> Option<Bad> {
    if text.parse::<jiff::Timestamp>().is_ok() {
        return None;
    }
    let message = format!("`{text}` is not a date and time");
    Some(
        Bad::new("blueprint::bad-time", message, "date, time and zone are needed")
            .help("write \"2026-03-03T12:00:00+01:00\" or \"2026-03-03T11:00:00Z\""),
    )
}

pub(super) fn email(text: &str) -> Option<Bad> {
    let good = text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty()
            && name.len() <= LONGEST_NAME
            && domain.contains('.')
            && crate::model::host::Host::parse(domain).is_ok()
            && !domain.contains('@')
            && !name
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c))
    });
    let message = format!("`{text}` is not an e-mail address");
    (!good).then(|| {
        Bad::new("blueprint::bad-email", message, "not an address")
            .help("write \"name@example.com\"")
    })
}

pub(super) fn mailbox(text: &str) -> Option<Bad> {
    let Some((_, rest)) = text.split_once('<') else { return email(text) };
    let Some(address) = rest.strip_suffix('>') else {
        let message = format!("`{text}` is not an e-mail address");
        return Some(
            Bad::new("blueprint::bad-email", message, "`>` is missing at the end")
                .help("write \"Home Lab <auth@example.com>\""),
        );
    };
    let at = text.len() - rest.len();
    email(address).map(|bad| bad.part(at..at + address.len()))
}

pub(super) fn dn(text: &str) -> Option<Bad> {
    let reason = match Dn::parse(text) {
        Ok(dn) if !dn.is_root() => return None,
        Ok(_) => "it is empty".to_owned(),
        Err(error) => error.to_string(),
    };
    let message = format!("`{text}` is not a distinguished name");
    Some(Bad::new("blueprint::bad-dn", message, reason).help("write \"dc=ldap,dc=example,dc=com\""))
}

pub(super) fn event(text: &str) -> Option<Bad> {
    let (family, kind) = text.split_once('.').unwrap_or((text, "*"));
    let fits = |c: char| c.is_ascii_lowercase() || c == '_' || c == '-' || c == '*';
    if EVENTS.contains(&family) && !kind.is_empty() && kind.chars().all(fits) {
        return None;
    }
    let message = format!("unknown kind of event `{text}`");
    let label = nearest(family, EVENTS)
        .map_or("not known here".to_owned(), |near| format!("did you mean `{near}`?"));
    Some(
        Bad::new("blueprint::unknown-value", message, label)
            .help(format!("families are {}; write config.rejected or config.*", listed(EVENTS))),
    )
}

pub(super) fn color(text: &str) -> Option<Bad> {
    let digits = text.strip_prefix('#').unwrap_or("");
    let good = matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let message = format!("`{text}` is not a colour");
    (!good).then(|| {
        Bad::new("blueprint::bad-color", message, "three or six hexadecimal digits are needed")
            .help("write \"#3b6ea5\"")
    })
}

/// A path on the host: absolute, without `..`.
pub(super) fn file(text: &str) -> Option<Bad> {
    if let Some(bad) = path_parts(text) {
        return Some(bad);
    }
    (!text.starts_with('/')).then(|| {
        Bad::new(
            "blueprint::bad-path",
            format!("`{text}` is not an absolute path"),
            "begin with `/`",
        )
        .help("files of the host have absolute paths; where they may lie is decided on the host")
    })
}

/// A path below the root of the blueprints.
pub(super) fn asset(text: &str) -> Option<Bad> {
    path_parts(text)
}

fn path_parts(text: &str) -> Option<Bad> {
    let message = format!("`{}` cannot be a path", text.escape_debug());
    if text.chars().any(char::is_control) {
        return Some(Bad::new("blueprint::bad-path", message, "holds a control character"));
    }
    let mut at = 0;
    for part in text.split('/') {
        if part == ".." {
            return Some(
                Bad::new("blueprint::bad-path", message, "leads out of its directory")
                    .part(at..at + 2)
                    .help("paths stay below the root of the blueprints, or below a directory given on the host"),
            );
        }
        at += part.len() + 1;
    }
    None
}

pub(super) fn url_path(text: &str) -> Option<Bad> {
    let good = text.starts_with('/')
        && !text.starts_with("//")
        && text.chars().all(|c| c.is_ascii_graphic() && !"?#\\\"<>".contains(c));
    let message = format!("`{text}` is not a path");
    (!good).then(|| {
        Bad::new("blueprint::bad-path", message, "begin with one `/`, without `?` and `#`")
            .help("write \"/traefik/dynamic.json\"")
    })
}
