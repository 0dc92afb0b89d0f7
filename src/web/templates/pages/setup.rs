//! Pages for the person who sets an installation up: each shows where a thing is declared.

use serde::Serialize;

use super::{APP_HOST, HOSTILE, LONG, Page, Place};

/// A place in a blueprint file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourcePlace {
    pub file: String,
    pub line: u32,
}

/// A line of a blueprint with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declared {
    pub place: SourcePlace,
    pub text: String,
}

/// Stands where an application would be, and shows what it would have received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standin {
    /// The application's title.
    pub app: String,
    /// The host that was asked for.
    pub host: String,
    /// The visitor's e-mail address; who it is stands in the frame, nobody for a bypass.
    pub email: Option<String>,
    pub groups: Vec<String>,
    /// The rule that let the request in.
    pub rule: Declared,
    pub method: String,
    pub url: String,
    pub headers: Vec<HeaderLine>,
    /// Signing out through the application's own host.
    pub sign_out: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderLine {
    pub name: String,
    pub value: String,
}

/// The request came to a bare address or to a host that nothing is declared for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongAddress {
    pub reason: AddressProblem,
    /// The host as it was asked for.
    pub asked: String,
    /// The app that was probably meant; left out where a stranger may see the page.
    pub meant: Option<Meant>,
    /// The sign-in host's address.
    pub right: String,
    /// Where `external-host` is written; left out where a stranger may see the page.
    pub declared: Option<Declared>,
}

/// An app and its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Meant {
    /// The application's title.
    pub app: String,
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressProblem {
    BareAddress,
    UnknownHost,
}

impl Page for Standin {
    const TEMPLATE: &'static str = "standin.html";
    const PLACES: &'static [Place] = APP_HOST;

    fn samples() -> Vec<Self> {
        let grafana = Self {
            app: "Grafana".to_owned(),
            host: "grafana.localhost".to_owned(),
            email: Some("ada@home.example".to_owned()),
            groups: ["admins", "family", "monitoring"].map(str::to_owned).to_vec(),
            rule: declared("blueprints/apps/grafana.kdl", 12, "allow group:admins"),
            method: "GET".to_owned(),
            url: "http://grafana.localhost:8400/d/home?from=now-6h".to_owned(),
            headers: headers([
                "ada",
                "admins,family,monitoring",
                "Ada Lovelace",
                "ada@home.example",
            ]),
            sign_out: "/.doorward/sign-out".to_owned(),
        };
        vec![
            grafana.clone(),
            Self {
                email: None,
                groups: Vec::new(),
                rule: declared("apps/grafana.kdl", 9, "bypass \"/public-dashboards/*\""),
                headers: headers([""; 4]),
                ..grafana.clone()
            },
            Self {
                app: LONG.to_owned(),
                groups: vec![LONG.to_owned(), "a".to_owned()],
                headers: headers([LONG, LONG, LONG, "x"]),
                ..grafana.clone()
            },
            Self {
                app: HOSTILE.to_owned(),
                host: HOSTILE.to_owned(),
                email: Some(HOSTILE.to_owned()),
                groups: vec![HOSTILE.to_owned()],
                rule: declared(HOSTILE, u32::MAX, HOSTILE),
                method: HOSTILE.to_owned(),
                url: HOSTILE.to_owned(),
                headers: headers([HOSTILE; 4]),
                sign_out: "javascript:alert(1)".to_owned(),
            },
        ]
    }
}

impl Page for WrongAddress {
    const TEMPLATE: &'static str = "wrong-address.html";
    const PLACES: &'static [Place] = APP_HOST;

    fn samples() -> Vec<Self> {
        let bare = Self {
            reason: AddressProblem::BareAddress,
            asked: "127.0.0.1:8400".to_owned(),
            meant: None,
            right: "http://auth.localhost:8400/".to_owned(),
            declared: Some(declared(
                "blueprints/home.kdl",
                4,
                "external-host \"http://auth.localhost:8400\"",
            )),
        };
        vec![
            bare.clone(),
            Self {
                reason: AddressProblem::UnknownHost,
                asked: "grafna.localhost".to_owned(),
                meant: meant("Grafana", "http://grafana.localhost:8400/"),
                declared: None,
                ..bare.clone()
            },
            Self {
                asked: LONG.to_owned(),
                meant: meant(LONG, &format!("https://{LONG}/")),
                right: format!("https://{LONG}/"),
                ..bare
            },
            Self {
                reason: AddressProblem::UnknownHost,
                asked: HOSTILE.to_owned(),
                meant: meant(HOSTILE, HOSTILE),
                right: HOSTILE.to_owned(),
                declared: Some(declared(HOSTILE, 1, HOSTILE)),
            },
        ]
    }
}

fn meant(app: &str, url: &str) -> Option<Meant> {
    Some(Meant { app: app.to_owned(), url: url.to_owned() })
}

fn declared(file: &str, line: u32, text: &str) -> Declared {
    Declared { place: SourcePlace { file: file.to_owned(), line }, text: text.to_owned() }
}

fn headers(values: [&str; 4]) -> Vec<HeaderLine> {
    let names = ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"];
    let pairs = names.into_iter().zip(values);
    pairs.map(|(name, value)| HeaderLine { name: name.into(), value: value.into() }).collect()
}
