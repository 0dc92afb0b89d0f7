//! Mail: what may be said, how it waits in the outbox, and how it is handed to a mail server.
//!
//! It knows no template and no HTTP: the words of a message are rendered when it is sent, by
//! whoever sends it.

/// From the outbox to the mail server.
pub mod carrier;
/// A finished message as it goes over the wire.
pub mod letter;
/// Everything that is ever mailed.
pub mod message;
/// Into the outbox, and no more than is fit.
pub mod post;
/// Where mail is handed in, with everything that is needed for it.
pub mod route;
/// The conversation with a mail server.
pub mod smtp;

use crate::runtime::Runtime;

/// Whether the files say how mail is sent.
#[must_use]
pub fn is_configured(runtime: &Runtime) -> bool {
    runtime.blueprint.email.is_some()
}

/// Text from elsewhere on one line: without control characters, and no longer than a line bears.
#[must_use]
pub fn one_line(text: &str, longest: usize) -> String {
    let invisible = |c: &char| c.is_control() || matches!(*c, '\u{2028}' | '\u{2029}');
    let plain: String = text.chars().map(|c| if invisible(&c) { ' ' } else { c }).collect();
    let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > longest {
        words = words.chars().take(longest.saturating_sub(1)).collect();
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_stays_on_its_line() {
        assert_eq!(one_line("a\r\nBcc: b@c.d\u{2028}x", 100), "a Bcc: b@c.d x");
        assert_eq!(one_line("  ", 10), "");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
