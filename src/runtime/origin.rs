//! Scheme, host and port; and where people reach a declared origin from this server.

use std::borrow::Cow;
use std::fmt;

use crate::model::web_url::WebUrl;

/// Scheme, host and port of a web address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub secure: bool,
    pub host: String,
    pub port: u16,
}

impl Origin {
    /// The origin of a declared address.
    #[must_use]
    pub fn of(url: &WebUrl) -> Self {
        let parsed = url::Url::parse(url.as_str()).ok();
        let secure = url.as_str().starts_with("https:");
        Self {
            secure,
            host: parsed.as_ref().and_then(url::Url::host_str).unwrap_or("").to_owned(),
            port: parsed.as_ref().and_then(url::Url::port).unwrap_or(default_port(secure)),
        }
    }

    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// `host` or `host:port`, as it stands in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> Cow<'_, str> {
        if self.port == default_port(self.secure) {
            Cow::Borrowed(&self.host)
        } else {
            Cow::Owned(format!("{}:{}", self.host, self.port))
        }
    }

    /// Whether the host is one that browsers resolve to the machine they run on.
    #[must_use]
    pub fn is_localhost(&self) -> bool {
        is_localhost(&self.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

/// `localhost` and everything under it (RFC 6761 §6.3).
#[must_use]
pub fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// How declared hosts are reached from where this server runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressing {
    /// `--dev`: every declared host H is served as `http://H.localhost:PORT`.
    pub dev: bool,
    /// The port that the main listener has.
    pub port: u16,
    /// The port that the files name for it: URLs with it move along with `--listen`.
    pub declared_port: u16,
}

impl Addressing {
    /// Where people reach what is declared at `origin`.
    #[must_use]
    pub fn public(&self, origin: &Origin) -> Origin {
        if self.dev {
            let host = match origin.is_localhost() {
                true => origin.host.clone(),
                false => format!("{}.localhost", origin.host),
            };
            return Origin { secure: false, host, port: self.port };
        }
        let moves = !origin.secure && origin.is_localhost() && origin.port == self.declared_port;
        Origin { port: if moves { self.port } else { origin.port }, ..origin.clone() }
    }

    /// The declared form of a host as it was received.
    #[must_use]
    pub fn declared<'a>(&self, received: &'a str) -> &'a str {
        match received.strip_suffix(".localhost") {
            // A name of one label is a `.localhost` name of its own.
            Some(host) if self.dev && host.contains('.') => host,
            _ => received,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::of(&WebUrl::parse(text).expect("a URL"))
    }

    #[test]
    fn an_origin_leaves_out_the_port_of_its_scheme() {
        assert_eq!(origin("https://a.example.com:443/x").to_string(), "https://a.example.com");
        assert_eq!(origin("http://a.example.com:8080/x").to_string(), "http://a.example.com:8080");
    }

    #[test]
    fn only_localhost_urls_on_the_declared_port_move_with_the_listener() {
        let moved = Addressing { dev: false, port: 9100, declared_port: 9000 };
        let public = |text| moved.public(&origin(text)).to_string();
        assert_eq!(public("http://wiki.localhost:9000"), "http://wiki.localhost:9100");
        assert_eq!(public("http://wiki.localhost"), "http://wiki.localhost");
        assert_eq!(public("https://wiki.localhost:9000"), "https://wiki.localhost:9000");
        assert_eq!(public("http://wiki.example.com:9000"), "http://wiki.example.com:9000");
    }

    #[test]
    fn a_development_server_serves_every_host_under_localhost() {
        let dev = Addressing { dev: true, port: 9000, declared_port: 9000 };
        let public = dev.public(&origin("https://grafana.example.com")).to_string();
        assert_eq!(public, "http://grafana.example.com.localhost:9000");
        assert_eq!(dev.declared("grafana.example.com.localhost"), "grafana.example.com");
        assert_eq!(dev.declared("wiki.localhost"), "wiki.localhost");
    }
}
