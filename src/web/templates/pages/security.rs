//! What a person's account is proven by, and where it is signed in.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};

/// Second factors and sessions of the person who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Security {
    /// The day on which the password was set, if there is one.
    pub password_set: Option<String>,
    /// It was changed just now.
    pub password_changed: bool,
    /// Accounts elsewhere that sign the person in.
    pub connections: Vec<OwnConnection>,
    pub factors: Vec<OwnFactor>,
    pub recovery_codes: u64,
    /// What can be added.
    pub add: Vec<AddFactor>,
    pub sessions: Vec<OwnSession>,
    pub consents: Vec<OwnConsent>,
    pub problem: Option<SecurityProblem>,
    /// The app or flow that the problem is about.
    pub about: Option<String>,
    /// The path that the forms are posted to, with the field `do`.
    pub action: String,
}

/// An account elsewhere. A form that takes it away posts its `issuer` and `subject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnConnection {
    pub issuer: String,
    pub subject: String,
    /// The title of the source.
    pub source: String,
    /// What the account is called there.
    pub there: String,
    pub added: String,
    pub used: String,
    /// Whether the source is still one.
    pub works: bool,
}

/// A factor of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnFactor {
    pub id: String,
    pub kind: &'static str,
    pub name: String,
    pub added: String,
    pub used: Option<String>,
}

/// An application that the person let know who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnConsent {
    pub id: String,
    pub app: String,
    /// What it is told: `username`, `name`, `email`, `groups`, `more`.
    pub shares: Vec<String>,
    pub given: String,
}

/// A way to one more factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddFactor {
    pub title: String,
    /// The path on the sign-in host that sets it up.
    pub url: String,
}

/// A place where the person is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnSession {
    pub id: String,
    pub device: String,
    pub address: String,
    pub seen: String,
    /// Whether it is the one that asks.
    pub here: bool,
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityProblem {
    /// The rules of an app ask for a factor, and this is the last.
    NeededByApp,
    /// Signing in asks for a factor, and this is the last.
    NeededToSignIn,
    /// A name is empty or too long.
    BadName,
    /// Nobody could sign in any more: there is no password, and nothing in its place.
    OnlyWayIn,
}

impl Page for Security {
    const TEMPLATE: &'static str = "security.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let factor = |kind, name: &str| OwnFactor {
            id: "fac_1".to_owned(),
            kind,
            name: name.to_owned(),
            added: "2026-01-07".to_owned(),
            used: Some("2026-02-01".to_owned()),
        };
        let connection = |source: &str, works| OwnConnection {
            issuer: "https://github.com".to_owned(),
            subject: "583231".to_owned(),
            source: source.to_owned(),
            there: "octocat".to_owned(),
            added: "2026-01-07".to_owned(),
            used: "2026-02-01".to_owned(),
            works,
        };
        let session = |device: &str, here| OwnSession {
            id: "ses_1".to_owned(),
            device: device.to_owned(),
            address: "192.0.2.7".to_owned(),
            seen: "2026-02-01 12:00".to_owned(),
            here,
        };
        let consent = |app: &str| OwnConsent {
            id: "app_1".to_owned(),
            app: app.to_owned(),
            shares: ["username", "name", "email", "groups", "more"].map(str::to_owned).to_vec(),
            given: "2026-01-07".to_owned(),
        };
        let add = |title: &str, url: &str| AddFactor { title: title.into(), url: url.into() };
        let usual = Self {
            password_set: Some("2026-01-07".to_owned()),
            password_changed: false,
            connections: vec![connection("GitHub", true)],
            factors: vec![factor("totp", "Authenticator app"), factor("webauthn", "Phone")],
            recovery_codes: 7,
            add: vec![add("App", "/set-up?flow=totp"), add("Passkey", "/set-up?flow=passkey")],
            sessions: vec![session("Firefox · Linux", true), session("Safari · iPhone", false)],
            consents: vec![consent("Wiki"), OwnConsent { shares: Vec::new(), ..consent(HOSTILE) }],
            problem: None,
            about: None,
            action: "/security".to_owned(),
        };
        let problem = |problem, about: Option<&str>| Self {
            problem: Some(problem),
            about: about.map(str::to_owned),
            ..usual.clone()
        };
        vec![
            usual.clone(),
            problem(SecurityProblem::NeededByApp, Some("Vaultwarden")),
            problem(SecurityProblem::NeededToSignIn, None),
            problem(SecurityProblem::BadName, None),
            problem(SecurityProblem::OnlyWayIn, None),
            Self { password_changed: true, ..usual.clone() },
            Self {
                password_set: None,
                connections: Vec::new(),
                factors: Vec::new(),
                consents: Vec::new(),
                recovery_codes: 0,
                ..usual.clone()
            },
            Self {
                connections: vec![connection(LONG, true), connection(HOSTILE, false)],
                factors: vec![OwnFactor { used: None, ..factor("email-code", HOSTILE) }],
                recovery_codes: 1,
                add: vec![add(HOSTILE, "javascript:alert(1)")],
                sessions: vec![session(HOSTILE, false), session(LONG, true)],
                ..usual
            },
        ]
    }
}
