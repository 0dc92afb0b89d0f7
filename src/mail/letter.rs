//! A finished message as it goes over the wire.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::one_line;
use crate::clock::Millis;
use crate::model::host::Host;

const LONGEST_SUBJECT: usize = 150;

/// The words of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Who sends, who receives, and what the message is known by.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    pub from: &'a Mailbox,
    pub to: &'a Address,
    /// The same at each attempt, so that a mailbox may see that it has the message already.
    pub id: &'a str,
    /// The host behind the `@` of the id.
    pub host: &'a str,
    pub at: Millis,
}

/// A message ready to be sent, in ASCII.
#[derive(Debug)]
pub struct Letter {
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
}

/// A message that cannot be put together.
#[derive(Debug, thiserror::Error)]
#[error("the message cannot be put together: {0}")]
pub struct LetterError(String);

impl Letter {
    /// Puts a message together. Line breaks in the subject have become blanks.
    ///
    /// # Errors
    /// If the id or an address cannot stand in a message.
    pub fn new(heading: Heading<'_>, words: &Words) -> Result<Self, LetterError> {
        let seconds = u64::try_from(heading.at.0).unwrap_or(0) / 1000;
        let date = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH);
        let id = format!("<{}@{}>", heading.id, heading.host);
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let parts = MultiPart::alternative_plain_html(words.text.clone(), words.html.clone());
        let message = lettre::Message::builder()
            .from(heading.from.clone())
            .to(Mailbox::new(None, heading.to.clone()))
            .subject(one_line(&words.subject, LONGEST_SUBJECT))
            .date(date)
            .message_id(Some(id))
            .raw_header(automatic)
            .multipart(parts)
            .map_err(|error| LetterError(error.to_string()))?;
        let bytes = message.formatted();
        if !bytes.is_ascii() {
            return Err(LetterError("a header holds letters that mail cannot carry".to_owned()));
        }
        Ok(Self { from: heading.from.email.clone(), to: heading.to.clone(), bytes })
    }
}

/// An address that every mail server takes: the part before the `@` in ASCII, the domain as IDNA.
#[must_use]
pub fn address(text: &str) -> Option<Address> {
    let (user, domain) = text.rsplit_once('@')?;
    let domain = Host::parse(domain).ok()?;
    let address = Address::new(user, domain.as_str()).ok()?;
    user.is_ascii().then_some(address)
}

/// A sender as blueprints write it: an address, or `Name <address>`.
#[must_use]
pub fn mailbox(text: &str) -> Option<Mailbox> {
    let Some((name, rest)) = text.split_once('<') else {
        return Some(Mailbox::new(None, address(text)?));
    };
    let name = one_line(name.trim().trim_matches('"'), LONGEST_SUBJECT);
    Some(Mailbox::new((!name.is_empty()).then_some(name), address(rest.strip_suffix('>')?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, from: &str) -> String {
        let (from, to) = (mailbox(from).expect("a sender"), address("ada@b.example").expect("one"));
        let heading = Heading {
            from: &from,
            to: &to,
            id: "mail_1",
            host: "auth.example",
            at: Millis(1_700_000_000_000),
        };
        let words = Words {
            subject: subject.to_owned(),
            text: "Grüße\n.\nBcc: x@y.z\n".to_owned(),
            html: "<p>Grüße".to_owned(),
        };
        String::from_utf8(Letter::new(heading, &words).expect("a letter").bytes).expect("ASCII")
    }

    #[test]
    fn a_letter_has_what_mailboxes_look_for() {
        let text = letter("Hallo", "Home Lab <door@b.example>");
        for line in [
            "From: \"Home Lab\" <door@b.example>\r\n",
            "To: ada@b.example\r\n",
            "Subject: Hallo\r\n",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
            "Message-ID: <mail_1@auth.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn nothing_in_subject_or_sender_becomes_a_header() {
        for text in [
            letter("Hi\r\nBcc: evil@e.example\r\n\r\nx", "door@b.example"),
            letter("Hi", "Home\r\nBcc: evil@e.example <door@b.example>"),
        ] {
            let headers = text.split("\r\n\r\n").next().expect("headers");
            assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
        }
        assert_eq!(address("ada@b.example>\r\nRCPT TO:<evil@e.example"), None);
        assert_eq!(address("ad\r\na@b.example"), None);
    }

    #[test]
    fn addresses_are_such_as_every_server_takes() {
        let shown = |text| address(text).map(|address| address.to_string());
        assert_eq!(shown("Ada@Bücher.example").as_deref(), Some("Ada@xn--bcher-kva.example"));
        for bad in ["", "ada", "@b.example", "ada@", "ädä@b.example", "a b@b.example"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
