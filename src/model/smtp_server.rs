//! A mail server as blueprints write it, and how a connection to it is protected.

use std::net::IpAddr;

use super::host::{Host, HostError};

/// Where mail is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    host: Host,
    port: u16,
    security: Security,
}

/// How a connection is protected. It is decided before the server says a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after `STARTTLS`; a server that does not offer it gets nothing.
    Starttls,
    /// No encryption.
    Plain,
}

/// Why a text is no mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpServerError {
    #[error("the scheme is missing")]
    NoScheme,
    #[error("this scheme is not known here")]
    Scheme,
    #[error("the place is missing")]
    NoHost,
    #[error("user and password stand in `username=` and `password=`")]
    User,
    #[error("a mail server has no path")]
    Path,
    #[error("this is no port")]
    Port,
    #[error("{0}")]
    Host(#[from] HostError),
    #[error("`smtps` speaks TLS from the first byte")]
    Contradiction,
}

impl Security {
    pub const WORDS: &'static [&'static str] = &["tls", "starttls", "plain"];

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "tls" => Some(Self::Tls),
            "starttls" => Some(Self::Starttls),
            "plain" => Some(Self::Plain),
            _ => None,
        }
    }

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Starttls => "starttls",
            Self::Plain => "plain",
        }
    }

    fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::Starttls => 587,
            Self::Plain => 25,
        }
    }
}

impl SmtpServer {
    /// Reads `smtps://host[:port]` or `smtp://host[:port]`. Unless `said`, the scheme decides:
    /// `smtps` is TLS, `smtp` is STARTTLS, and on this machine it is plain.
    ///
    /// # Errors
    /// If it is no address of a mail server, or is `smtps` and said to be something else.
    pub fn parse(text: &str, said: Option<Security>) -> Result<Self, SmtpServerError> {
        let (scheme, rest) = text.split_once("://").ok_or(SmtpServerError::NoScheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Err(SmtpServerError::NoHost);
        }
        if rest.contains('@') {
            return Err(SmtpServerError::User);
        }
        if rest.contains(['/', '?', '#']) {
            return Err(SmtpServerError::Path);
        }
        let (host, port) = split(rest);
        let host = Host::parse(host)?;
        let security = match (scheme, said) {
            ("smtps", None | Some(Security::Tls)) => Security::Tls,
            ("smtps", Some(_)) => return Err(SmtpServerError::Contradiction),
            ("smtp", Some(said)) => said,
            ("smtp", None) if is_here(&host) => Security::Plain,
            ("smtp", None) => Security::Starttls,
            _ => return Err(SmtpServerError::Scheme),
        };
        let port = match port {
            None => security.usual_port(),
            Some(digits) => port_number(digits).ok_or(SmtpServerError::Port)?,
        };
        Ok(Self { host, port, security })
    }

    /// The host as names of certificates spell it: without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.as_str().trim_matches(['[', ']'])
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub fn security(&self) -> Security {
        self.security
    }

    /// Whether it is this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        is_here(&self.host)
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host.as_str(), self.port)
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    if let Some(at) = text.find(']') {
        let (host, rest) = text.split_at(at.saturating_add(1));
        return (host, (!rest.is_empty()).then(|| rest.trim_start_matches(':')));
    }
    text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
}

fn port_number(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port != 0)
}

fn is_here(host: &Host) -> bool {
    let name = host.as_str();
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, &'static str) {
        let server = SmtpServer::parse(text, None).expect(text);
        (server.host().to_owned(), server.port(), server.security().word())
    }

    #[test]
    fn the_scheme_decides_and_nothing_leaves_this_machine_in_the_clear() {
        assert_eq!(read("smtps://Mail.Example.com"), ("mail.example.com".into(), 465, "tls"));
        assert_eq!(read("smtp://mail.example.com"), ("mail.example.com".into(), 587, "starttls"));
        assert_eq!(read("smtp://mail.example.com:2525/").1, 2525);
        for here in ["smtp://localhost", "smtp://127.0.0.1", "smtp://[::1]"] {
            assert_eq!((read(here).1, read(here).2), (25, "plain"), "{here}");
        }
        assert_eq!(read("smtps://[::1]:4650"), ("::1".into(), 4650, "tls"));
        assert_eq!(read("smtp://localhost.example.com").2, "starttls");
    }

    #[test]
    fn what_is_said_goes_before_the_usual() {
        let said = |text, word| SmtpServer::parse(text, Security::parse(word));
        let plain = said("smtp://mail.example.com", "plain").expect("said");
        assert_eq!((plain.security(), plain.port()), (Security::Plain, 25));
        let here = said("smtp://localhost:25", "starttls").expect("said");
        assert_eq!(here.security(), Security::Starttls);
        let both = said("smtps://mail.example.com", "plain");
        assert_eq!(both, Err(SmtpServerError::Contradiction));
        for word in Security::WORDS {
            assert_eq!(Security::parse(word).expect("a word").word(), *word);
        }
    }

    #[test]
    fn what_is_no_mail_server_is_refused_with_the_reason() {
        for (text, reason) in [
            ("mail.example.com", SmtpServerError::NoScheme),
            ("https://mail.example.com", SmtpServerError::Scheme),
            ("smtp://", SmtpServerError::NoHost),
            ("smtp://me:pw@mail.example.com", SmtpServerError::User),
            ("smtp://mail.example.com/inbox", SmtpServerError::Path),
            ("smtp://mail.example.com:0", SmtpServerError::Port),
            ("smtp://mail.example.com:+25", SmtpServerError::Port),
            ("smtp://mail.example.com:99999", SmtpServerError::Port),
            ("smtp://mail .example.com", SmtpServerError::Host(HostError::Letter)),
        ] {
            assert_eq!(SmtpServer::parse(text, None), Err(reason), "{text}");
        }
    }
}
