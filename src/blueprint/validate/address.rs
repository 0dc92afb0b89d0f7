//! URLs, hosts, networks, path patterns.

use std::net::IpAddr;

use url::{Host as UrlHost, Url};

use super::value::Bad;
use crate::model::glob::Glob;
use crate::model::host::{Host, HostPattern};
use crate::model::network::Network;
use crate::model::smtp_server::SmtpServer;
use crate::model::web_url::{SocketAddress, WebUrl};

pub(super) fn glob(text: &str) -> Option<Bad> {
    let reason = Glob::parse(text).err()?;
    let message = format!("`{text}` is not a path pattern");
    Some(
        Bad::new("blueprint::bad-path-pattern", message, reason.to_string())
            .help("write \"/admin\" or \"/admin/*\"; `*` stands for anything, `/` included"),
    )
}

/// A host, with a port if it is not 443.
pub(super) fn authority(text: &str) -> Option<Bad> {
    let port = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    host(port.map_or(text, |(host, _)| host))
}

pub(super) fn host(text: &str) -> Option<Bad> {
    let reason = Host::parse(text).err()?;
    let message = format!("`{text}` is not a host name");
    let bad = Bad::new("blueprint::bad-host", message, reason.to_string());
    Some(bad.help("write the name alone, such as \"lab.example.com\""))
}

pub(super) fn host_pattern(text: &str) -> Option<Bad> {
    let reason = HostPattern::parse(text).err()?;
    let message = format!("`{text}` is not a host pattern");
    let bad = Bad::new("blueprint::bad-host", message, reason.to_string());
    Some(bad.help("write \"lab.example.com\" or \"*.lab.example.com\""))
}

pub(super) fn network(text: &str) -> Option<Bad> {
    if let Err(reason) = Network::parse(text) {
        let message = format!("`{text}` is not a network");
        return Some(
            Bad::new("blueprint::bad-network", message, reason.to_string())
                .help("use a CIDR such as \"10.0.0.0/8\", \"192.168.1.20\" or \"fd00::/8\""),
        );
    }
    let net: ipnet::IpNet = text.parse().ok()?;
    let meant = net.trunc();
    (net != meant).then(|| {
        let message = format!("`{text}` has host bits set");
        Bad::new("blueprint::host-bits", message, format!("means {meant}"))
            .warning()
            .fix(format!("\"{meant}\""))
    })
}

pub(super) fn ip(text: &str) -> Option<Bad> {
    text.parse::<IpAddr>().is_err().then(|| {
        Bad::new(
            "blueprint::bad-address",
            format!("`{text}` is not an IP address"),
            "not an address",
        )
        .help("write \"203.0.113.9\" or \"2001:db8::9\"")
    })
}

pub(super) fn listen(text: &str) -> Option<Bad> {
    let reason = SocketAddress::parse(text).err()?;
    let message = format!("`{text}` is not an address with a port");
    let label = if text.parse::<IpAddr>().is_ok() {
        "the port is missing".to_owned()
    } else {
        reason.to_string()
    };
    let bad = Bad::new("blueprint::bad-address", message, label);
    Some(bad.help("write \"127.0.0.1:9000\" or \"[::1]:9000\""))
}

pub(super) fn external_host(text: &str) -> Option<Bad> {
    let url = match web(text) {
        Ok(url) => url,
        Err(bad) => return Some(*bad),
    };
    if let Some(bad) = only_authority(text, &url) {
        return Some(bad);
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Some(
            Bad::new(
                "blueprint::http-sign-in",
                "the sign-in host must use https",
                "passwords typed here can be read on the network",
            )
            .help(format!("write \"{}\"; plain http is only accepted for localhost", https(text)))
            .fix(format!("\"{}\"", https(text))),
        );
    }
    matches!(url.host(), Some(UrlHost::Ipv4(_) | UrlHost::Ipv6(_))).then(|| {
        Bad::new(
            "blueprint::address-as-host",
            "the sign-in host is an IP address",
            "passkeys and cookies need a name",
        )
        .warning()
        .help("give it a name, such as \"https://auth.example.com\"")
    })
}

pub(super) fn app_address(text: &str) -> Option<Bad> {
    let url = match web(text) {
        Ok(url) => url,
        Err(bad) => return Some(*bad),
    };
    if let Some(bad) = only_authority(text, &url) {
        return Some(bad.help("an app has a host of its own; use `protect-only` for a part of it"));
    }
    (url.scheme() == "http" && !is_loopback(&url)).then(|| {
        Bad::new(
            "blueprint::http-app",
            format!("`{text}` is not encrypted"),
            "its cookie can be read on the network",
        )
        .warning()
        .help(format!("write \"{}\"", https(text)))
    })
}

pub(super) fn upstream(text: &str) -> Option<Bad> {
    match web(text) {
        Ok(url) => only_authority(text, &url),
        Err(bad) => Some(*bad),
    }
}

pub(super) fn page(text: &str) -> Option<Bad> {
    web(text).err().map(|bad| *bad)
}

pub(super) fn endpoint(text: &str) -> Option<Bad> {
    let url = match web(text) {
        Ok(url) => url,
        Err(bad) => return Some(*bad),
    };
    (url.scheme() == "http" && !is_loopback(&url)).then(|| {
        Bad::new(
            "blueprint::http-endpoint",
            "this URL must use https",
            "secrets sent here can be read on the network",
        )
        .help(format!("write \"{}\"; plain http is only accepted for localhost", https(text)))
        .fix(format!("\"{}\"", https(text)))
    })
}

/// A redirect URI is compared as an exact text (RFC 9700 §2.1), so nothing in it may be a pattern.
pub(super) fn redirect(text: &str) -> Option<Bad> {
    if let Some(at) = text.find('*') {
        return Some(
            Bad::new(
                "blueprint::bad-redirect",
                "redirect URIs hold no patterns",
                "compared letter by letter",
            )
            .part(at..at + 1)
            .help("write each address on a line of its own"),
        );
    }
    if let Some(at) = text.find('#') {
        return Some(
            Bad::new("blueprint::bad-redirect", "redirect URIs have no fragment", "not allowed")
                .part(at..text.len())
                .help("RFC 6749 §3.1.2 forbids it"),
        );
    }
    if is_private_scheme(text) {
        return None;
    }
    let url = match web(text) {
        Ok(url) => url,
        Err(bad) => return Some(*bad),
    };
    (url.scheme() == "http" && !is_loopback(&url)).then(|| {
        Bad::new(
            "blueprint::http-redirect",
            "redirect URIs must use https",
            "an authorization code sent here can be read on the network",
        )
        .help(format!("write \"{}\"; plain http is only accepted for localhost", https(text)))
        .fix(format!("\"{}\"", https(text)))
    })
}

pub(super) fn smtp(text: &str) -> Option<Bad> {
    let help = "write \"smtps://smtp.example.com:465\"";
    scheme_of(text, &["smtps", "smtp"], "a mail server", help).or_else(|| {
        let reason = SmtpServer::parse(text, None).err()?;
        let message = format!("`{text}` is not the URL of a mail server");
        Some(Bad::new("blueprint::bad-url", message, reason.to_string()).help(help))
    })
}

pub(super) fn state(text: &str) -> Option<Bad> {
    let help = "write \"sqlite:///var/lib/doorward/state.db\" or \"postgres://user@host/doorward\"";
    scheme_of(text, &["sqlite", "postgres", "postgresql"], "a store", help)
}

fn scheme_of(text: &str, schemes: &[&str], what: &str, help: &str) -> Option<Bad> {
    let message = format!("`{}` is not the URL of {what}", without_password(text));
    let bad = |label: &str| Some(Bad::new("blueprint::bad-url", message.clone(), label).help(help));
    let Some((scheme, rest)) = text.split_once("://") else { return bad("the scheme is missing") };
    if !schemes.contains(&scheme) {
        return bad("this scheme is not known here");
    }
    if rest.is_empty() {
        return bad("the place is missing");
    }
    let password = Url::parse(text).is_ok_and(|url| url.password().is_some());
    password.then(|| {
        Bad::new(
            "blueprint::secret-in-git",
            "a secret is written in the blueprint",
            "everyone who can read the repository can read this",
        )
        .help("keep the password out of the URL")
    })
}

fn without_password(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            let hidden = url.set_password(Some("***"));
            if hidden.is_ok() { url.to_string() } else { "…".to_owned() }
        }
        _ => text.to_owned(),
    }
}

/// A URL with http or https and a host, without user and password.
fn web(text: &str) -> Result<Url, Box<Bad>> {
    const HELP: &str = "write a whole URL, such as \"https://app.example.com\"";
    let message = || format!("`{}` is not a URL", without_password(text));
    let plain = |label: &str| Bad::new("blueprint::bad-url", message(), label).help(HELP);
    let bad = |label: &str| Box::new(plain(label));
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if let Some((at, c)) = text.char_indices().find(|(_, c)| odd(*c)) {
        return Err(Box::new(plain("this character is not allowed").part(at..at + c.len_utf8())));
    }
    let Ok(url) = Url::parse(text) else { return Err(bad(&reason(text))) };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("begin with https://"));
    }
    if url.host().is_none() {
        return Err(bad("the host is missing"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a URL here holds no user and no password"));
    }
    WebUrl::parse(text).map_err(|reason| bad(&reason.to_string()))?;
    Ok(url)
}

fn reason(text: &str) -> String {
    match Url::parse(text) {
        Err(url::ParseError::RelativeUrlWithoutBase) => "begin with https://".to_owned(),
        Err(problem) => problem.to_string(),
        Ok(_) => String::new(),
    }
}

/// Complains about a path, a query or a fragment.
fn only_authority(text: &str, url: &Url) -> Option<Bad> {
    let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if plain {
        return None;
    }
    let start = text.find("://").map_or(0, |at| at + 3);
    let slash = text.get(start..)?.find(['/', '?', '#'])? + start;
    let authority = text.get(..slash)?;
    Some(
        Bad::new(
            "blueprint::bad-url",
            format!("`{text}` holds more than a host"),
            "not expected here",
        )
        .part(slash..text.len())
        .help(format!("write \"{authority}\""))
        .fix(format!("\"{authority}\"")),
    )
}

/// `com.example.app:/callback` (RFC 8252 §7.1).
fn is_private_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.contains('.')
            && rest.starts_with('/')
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
    })
}

/// Whether a URL leads to this machine.
pub(in crate::blueprint) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(UrlHost::Ipv4(address)) => address.is_loopback(),
        Some(UrlHost::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn https(text: &str) -> String {
    text.replacen("http://", "https://", 1)
}
