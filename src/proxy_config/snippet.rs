//! Texts to paste into the configuration of nginx, Caddy and Envoy, from the same data as Traefik's.
//!
//! This file gathers and checks the data; each program's file knows its language alone. Every word
//! that comes from a blueprint is plain, so it needs no quoting in any of them.

mod caddy;
mod envoy;
mod nginx;

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::FIRST_WORDS;
use super::identity_headers;
use crate::blueprint::Blueprint;
use crate::blueprint::app::{App, IdentityHeaders, Proxy, Reach};
use crate::blueprint::settings::DEFAULT_LISTEN;

/// A reverse proxy that Doorward writes texts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Nginx,
    Caddy,
    Envoy,
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnippetError {
    #[error("there is no app `{0}`; `doorward show` lists them")]
    UnknownApp(String),
    #[error(
        "Envoy asks at a listener of its own, and `server` has none: add\n    server {{ listen-envoy \"127.0.0.1:9002\" }}"
    )]
    NoEnvoyListener,
    #[error("app `{0}` has no `proxy`, so there is nothing to ask Doorward about")]
    NoProxy(String),
    #[error(
        "`{0}` holds characters that have a meaning in configuration files; write it without them"
    )]
    NotPlain(String),
    #[error("`{0}` cannot be matched there; only a leading `*.` can")]
    Pattern(String),
    #[error("header `{name}` cannot be told to an application: {reason}")]
    BadHeader { name: String, reason: &'static str },
}

/// The text for one app.
pub fn snippet(
    program: Program,
    blueprint: &Blueprint,
    slug: &str,
) -> Result<String, SnippetError> {
    let app = blueprint.apps.iter().find(|app| app.slug.value == slug);
    let app = app.ok_or_else(|| SnippetError::UnknownApp(slug.to_owned()))?;
    let sites = sites(app)?;
    let reach = reach(blueprint)?;
    let text = match program {
        Program::Nginx => nginx::text(&reach, &sites),
        Program::Caddy => caddy::text(&reach, &sites),
        Program::Envoy => envoy::text(&reach, &envoy_listener(blueprint, &reach)?, &sites),
    };
    let slug = plain(slug)?;
    Ok(format!(
        "{FIRST_WORDS} for app `{slug}`. The proxy's address belongs in `trusted-proxies`.\n{text}"
    ))
}

/// How the proxy reaches Doorward.
struct Where {
    /// `http://127.0.0.1:9000`
    origin: String,
    host: String,
    port: u16,
}

/// One address of the app.
struct Site {
    hosts: Vec<String>,
    scheme: String,
    port: Option<u16>,
    /// The app itself, if the blueprint says where it runs.
    upstream: Option<Where>,
    /// Every name that Doorward's 2xx carries.
    names: Vec<String>,
}

impl Site {
    /// The one host, unless a pattern or several are meant.
    fn only_host(&self) -> Option<&str> {
        match self.hosts.as_slice() {
            [host] if !host.contains('*') => Some(host),
            _ => None,
        }
    }

    /// What no client may send: the identity, other spellings of it, and other targets.
    fn deleted(&self) -> Vec<String> {
        let mut names = self.names.clone();
        // An injected `Authorization` replaces the client's, but we have to read that one first.
        names.retain(|name| !is_repeated(name));
        names.extend(identity_headers::aliases(&names));
        names.extend(identity_headers::NOT_FROM_CLIENTS.map(str::to_owned));
        names
    }

    /// What the app gets from Doorward's 2xx.
    fn copied(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.retain(|name| !is_repeated(name));
        names.extend(["Authorization", "Cookie"].map(str::to_owned));
        names
    }
}

/// Stands where the blueprint does not say where the app runs.
const UNKNOWN_UPSTREAM: &str = "http://127.0.0.1:8080";

fn is_repeated(name: &str) -> bool {
    identity_headers::REPEATED.iter().any(|each| each.eq_ignore_ascii_case(name))
}

fn sites(app: &App) -> Result<Vec<Site>, SnippetError> {
    if app.proxies.is_empty() {
        return Err(SnippetError::NoProxy(app.slug.value.clone()));
    }
    app.proxies.iter().map(site).collect()
}

fn site(proxy: &Proxy) -> Result<Site, SnippetError> {
    let upstream = proxy.to.as_ref().map(|to| place(to.value.as_str())).transpose()?;
    let names = identity_headers::names(proxy, IdentityHeaders::Remote);
    for name in &names {
        if let Some(reason) = identity_headers::objection(name) {
            return Err(SnippetError::BadHeader { name: name.escape_debug().to_string(), reason });
        }
    }
    let (hosts, scheme, port) = match &proxy.reach {
        Reach::Address(address) => {
            let url = parse(address.value.as_str())?;
            (vec![host_of(&url)?], url.scheme().to_owned(), url.port())
        }
        Reach::Domain { domain, hosts } => {
            let mut found: Vec<String> =
                hosts.iter().map(|host| pattern(host.value.as_str())).collect::<Result<_, _>>()?;
            if found.is_empty() {
                found.push(pattern(&format!("*.{}", domain.value.as_str()))?);
            }
            (found, "https".to_owned(), None)
        }
    };
    Ok(Site { hosts, scheme, port, upstream, names })
}

fn reach(blueprint: &Blueprint) -> Result<Where, SnippetError> {
    let told = blueprint.traefik.as_ref().and_then(|traefik| traefik.reach_doorward_at.as_ref());
    if let Some(address) = told {
        return place(address.value.as_str());
    }
    let listen = blueprint.server.listen.first().map(|address| address.value.get());
    let listen = listen.unwrap_or(DEFAULT_LISTEN);
    let ip = if listen.ip().is_unspecified() { LOOPBACK } else { listen.ip() };
    place(&format!("http://{}", SocketAddr::new(ip, listen.port())))
}

/// Where Envoy asks: at the declared address, or by the name that leads to Doorward if that is every
/// address.
fn envoy_listener(blueprint: &Blueprint, reach: &Where) -> Result<Where, SnippetError> {
    let declared = blueprint.server.listen_envoy.as_ref().ok_or(SnippetError::NoEnvoyListener)?;
    let at = declared.value.get();
    match at.ip().is_unspecified() {
        true => place(&format!("http://{}:{}", reach.host, at.port())),
        false => place(&format!("http://{at}")),
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Scheme, host and port of an address; nothing else of it is used.
fn place(address: &str) -> Result<Where, SnippetError> {
    let url = parse(address)?;
    let origin = plain(&url.origin().ascii_serialization())?;
    let port = url.port_or_known_default().unwrap_or(80);
    Ok(Where { origin, host: host_of(&url)?, port })
}

fn parse(address: &str) -> Result<Url, SnippetError> {
    let url = Url::parse(address).ok();
    let web = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    web.ok_or_else(|| SnippetError::NotPlain(address.escape_debug().to_string()))
}

fn host_of(url: &Url) -> Result<String, SnippetError> {
    plain(url.host_str().unwrap_or_default())
}

fn pattern(host: &str) -> Result<String, SnippetError> {
    let rest = host.strip_prefix("*.").unwrap_or(host);
    if rest.contains('*') {
        return Err(SnippetError::Pattern(host.escape_debug().to_string()));
    }
    plain(host)
}

fn plain(word: &str) -> Result<String, SnippetError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/[]*".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Ok(word.to_owned());
    }
    Err(SnippetError::NotPlain(word.escape_debug().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy_config::fixture::{self, app, domain};

    const ALL: [Program; 3] = [Program::Nginx, Program::Caddy, Program::Envoy];

    /// security.md 3
    #[test]
    fn every_declared_name_is_cleaned_and_set_in_every_program() {
        let mut blueprint = fixture::homelab();
        blueprint.apps[0].proxies[0].identity_headers = IdentityHeaders::Authentik;
        let names = identity_headers::names(&blueprint.apps[0].proxies[0], IdentityHeaders::Remote);
        for name in names {
            let folded = name.to_ascii_lowercase().replace('-', "_");
            let text = snippet(Program::Nginx, &blueprint, "grafana").unwrap();
            assert!(text.contains(&format!("proxy_set_header {name} $doorward_header_{folded};")));
            assert!(text.contains(&format!("proxy_set_header {name} \"\";")));
            let text = snippet(Program::Caddy, &blueprint, "grafana").unwrap();
            assert!(text.contains(&format!("\t\trequest_header -{name}\n")), "{text}");
            assert!(text.contains(&format!("\t\trequest_header -{}\n", name.replace('-', "_"))));
            assert!(
                text.contains(&format!("request_header @doorward_{folded} {name} {{rp.header."))
            );
            let text = snippet(Program::Envoy, &blueprint, "grafana").unwrap();
            assert!(text.contains(&format!("exact: {}\n", name.to_ascii_lowercase())));
            assert!(text.contains(&format!("remove: {}\n", name.to_ascii_lowercase())));
        }
    }

    #[test]
    fn a_pattern_is_matched_and_the_host_is_the_visitors() {
        let hosts = ["*.lab.example.com", "nas.example.com"];
        let lab = domain("lab.example.com", &hosts, None);
        let blueprint = fixture::blueprint(vec![app("lab", vec![lab], &[])]);
        let text = snippet(Program::Nginx, &blueprint, "lab").unwrap();
        assert!(text.contains("server_name *.lab.example.com nas.example.com;"), "{text}");
        assert!(text.contains("proxy_set_header X-Original-URL https://$host$request_uri;"));
        assert!(text.contains("write its address here"));
        let text = snippet(Program::Caddy, &blueprint, "lab").unwrap();
        assert!(text.contains("\n*.lab.example.com, nas.example.com {\n"), "{text}");
    }

    #[test]
    fn without_traefik_the_first_listener_is_asked() {
        let mut blueprint = Blueprint { traefik: None, ..fixture::homelab() };
        let text = snippet(Program::Nginx, &blueprint, "grafana").unwrap();
        assert!(text.contains("proxy_pass http://127.0.0.1:9000/auth/nginx;"), "{text}");
        blueprint.server.listen = vec![fixture::listen("0.0.0.0:9100")];
        let text = snippet(Program::Nginx, &blueprint, "grafana").unwrap();
        assert!(text.contains("proxy_pass http://127.0.0.1:9100/auth/nginx;"), "{text}");
    }

    #[test]
    fn envoy_is_sent_to_its_own_listener() {
        let mut blueprint = fixture::homelab();
        let traefik = blueprint.traefik.as_mut().unwrap();
        traefik.reach_doorward_at = Some(fixture::url("http://doorward:9000"));
        blueprint.server.listen_envoy = Some(fixture::listen("0.0.0.0:9002"));
        let text = snippet(Program::Envoy, &blueprint, "grafana").unwrap();
        assert!(text.contains("path_prefix: /auth/envoy\n"), "{text}");
        assert!(text.contains("uri: http://doorward:9002\n"), "{text}");
        for port in [9000, 9002] {
            assert!(text.contains(&format!("address: \"doorward\", port_value: {port} }}")));
        }
        blueprint.server.listen_envoy = None;
        let error = snippet(Program::Envoy, &blueprint, "grafana").unwrap_err();
        assert_eq!(error, SnippetError::NoEnvoyListener);
        assert!(error.to_string().contains("server { listen-envoy \"127.0.0.1:9002\" }"));
    }

    #[test]
    fn words_with_a_meaning_elsewhere_are_refused() {
        for word in ["a b", "a;b", "a{b", "a}b", "a$b", "a\"b", "a'b", "a\nb", "a#b", "a`b", ""] {
            assert!(plain(word).is_err(), "{word:?}");
        }
        let mut blueprint = fixture::homelab();
        blueprint.apps[0].slug = fixture::text("a; }");
        for program in ALL {
            assert!(matches!(snippet(program, &blueprint, "a; }"), Err(SnippetError::NotPlain(_))));
        }
        let mut blueprint = fixture::homelab();
        blueprint.apps[0].proxies[0].headers = vec![fixture::header("X-A; B", "''")];
        for program in ALL {
            let error = snippet(program, &blueprint, "grafana").unwrap_err();
            assert!(matches!(error, SnippetError::BadHeader { .. }), "{error}");
        }
        let error = pattern("a-*.lab.example.com").unwrap_err();
        assert_eq!(error, SnippetError::Pattern("a-*.lab.example.com".to_owned()));
    }

    #[test]
    fn an_unknown_app_and_one_without_proxy_are_told() {
        let blueprint = fixture::blueprint(vec![app("proxmox", Vec::new(), &[])]);
        let error = snippet(Program::Caddy, &blueprint, "x").unwrap_err();
        assert_eq!(error.to_string(), "there is no app `x`; `doorward show` lists them");
        let error = snippet(Program::Caddy, &blueprint, "proxmox").unwrap_err();
        assert_eq!(error, SnippetError::NoProxy("proxmox".to_owned()));
    }
}
