//! Where people reach a declared origin from this server.

use crate::model::host::is_localhost;
use crate::model::web_url::Origin;

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
            let host = match is_localhost(&origin.host) {
                true => origin.host.clone(),
                false => format!("{}.localhost", origin.host),
            };
            return Origin { secure: false, host, port: self.port };
        }
        let moves =
            !origin.secure && is_localhost(&origin.host) && origin.port == self.declared_port;
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
    use crate::model::web_url::WebUrl;

    fn origin(text: &str) -> Origin {
        WebUrl::parse(text).expect("a URL").origin()
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
