//! Pages that say no, and pages that say what went wrong.

use serde::Serialize;

use super::{ANYWHERE, HOSTILE, LONG, Page, Place};

/// The person is known and may not in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// The application's title.
    pub app: String,
    pub reason: Denial,
    /// Where to sign in as somebody else.
    pub other_account: String,
    pub reference: String,
}

/// Why, as far as the person may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denial {
    /// No rule lets this account in.
    NotAllowed,
    /// A rule keeps this account out.
    Denied,
    Network,
    Time,
    /// The account is locked or disabled.
    Disabled,
    /// A rule failed to be evaluated.
    Undecided,
}

/// Something went wrong: what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorPage {
    pub kind: ErrorKind,
    /// The HTTP status of the answer.
    pub status: u16,
    /// One more sentence, such as what was malformed.
    pub detail: Option<String>,
    /// How long to wait, rounded up.
    pub wait_minutes: Option<u32>,
    pub retry: Option<String>,
    pub reference: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    BadRequest,
    FormExpired,
    NotFound,
    UnknownApp,
    Internal,
    Unavailable,
    LinkExpired,
    LinkUsed,
    TooManyAttempts,
}

/// The browser went back and forth; the page says what is probably set wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loop {
    pub app: String,
    /// Most likely first.
    pub checks: Vec<LoopCheck>,
    pub retry: String,
    pub reference: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoopCheck {
    Cookie,
    Https,
    Host,
    TwoProxies,
    SetCookie,
    Clock,
}

/// Signing in begins again, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restarted {
    pub reason: RestartReason,
    /// The title of the application that the person wanted.
    pub app: Option<String>,
    pub again: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartReason {
    StaleTicket,
    ForeignTicket,
    FlowExpired,
}

impl ErrorPage {
    /// A page of this kind with its usual status and nothing else.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            status: kind.status(),
            detail: None,
            wait_minutes: None,
            retry: None,
            reference: None,
        }
    }
}

impl ErrorKind {
    /// Every kind, for those who go through all of them.
    pub const ALL: [Self; 9] = [
        Self::BadRequest,
        Self::FormExpired,
        Self::NotFound,
        Self::UnknownApp,
        Self::Internal,
        Self::Unavailable,
        Self::LinkExpired,
        Self::LinkUsed,
        Self::TooManyAttempts,
    ];

    /// The HTTP status that goes with this kind.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::FormExpired => 403,
            Self::NotFound | Self::UnknownApp => 404,
            Self::LinkExpired | Self::LinkUsed => 410,
            Self::TooManyAttempts => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

impl LoopCheck {
    /// Every check, most likely first.
    pub const ALL: [Self; 6] =
        [Self::Cookie, Self::Https, Self::Host, Self::TwoProxies, Self::SetCookie, Self::Clock];
}

const REFERENCE: &str = "evt_01JZ8Q4T5N7W2Y";
const OTHER_ACCOUNT: &str = "https://auth.home.example/sign-out?again";

impl Page for Denied {
    const TEMPLATE: &'static str = "denied.html";
    const PLACES: &'static [Place] = ANYWHERE;

    fn samples() -> Vec<Self> {
        let denied = |app: &str, reason| Self {
            app: app.to_owned(),
            reason,
            other_account: OTHER_ACCOUNT.to_owned(),
            reference: REFERENCE.to_owned(),
        };
        vec![
            denied("Portainer", Denial::NotAllowed),
            denied("Portainer", Denial::Denied),
            denied("Portainer", Denial::Network),
            denied("Portainer", Denial::Time),
            denied("Portainer", Denial::Disabled),
            denied(LONG, Denial::Undecided),
            Self { reference: HOSTILE.to_owned(), ..denied(HOSTILE, Denial::NotAllowed) },
        ]
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";
    const PLACES: &'static [Place] = ANYWHERE;

    fn samples() -> Vec<Self> {
        let mut samples: Vec<Self> = ErrorKind::ALL.into_iter().map(Self::new).collect();
        let waiting = Self::new(ErrorKind::TooManyAttempts);
        samples.push(Self { wait_minutes: Some(1), ..waiting.clone() });
        samples.push(Self { wait_minutes: Some(15), reference: Some(REFERENCE.into()), ..waiting });
        samples.push(Self {
            retry: Some("/".to_owned()),
            reference: Some(REFERENCE.to_owned()),
            ..Self::new(ErrorKind::Internal)
        });
        samples.push(Self {
            detail: Some(HOSTILE.to_owned()),
            retry: Some("javascript:alert(1)".to_owned()),
            reference: Some(LONG.to_owned()),
            ..Self::new(ErrorKind::BadRequest)
        });
        samples
    }
}

impl Page for Loop {
    const TEMPLATE: &'static str = "loop.html";
    const PLACES: &'static [Place] = ANYWHERE;

    fn samples() -> Vec<Self> {
        let round = |app: &str, checks: &[LoopCheck]| Self {
            app: app.to_owned(),
            checks: checks.to_vec(),
            retry: "https://grafana.home.example/".to_owned(),
            reference: REFERENCE.to_owned(),
        };
        vec![
            round("Grafana", &LoopCheck::ALL),
            round(LONG, &[LoopCheck::Cookie]),
            round(HOSTILE, &[]),
        ]
    }
}

impl Page for Restarted {
    const TEMPLATE: &'static str = "restarted.html";
    const PLACES: &'static [Place] = ANYWHERE;

    fn samples() -> Vec<Self> {
        let restarted = |reason, app: Option<&str>| Self {
            reason,
            app: app.map(str::to_owned),
            again: "https://grafana.home.example/".to_owned(),
        };
        vec![
            restarted(RestartReason::StaleTicket, Some("Grafana")),
            restarted(RestartReason::ForeignTicket, Some(LONG)),
            restarted(RestartReason::FlowExpired, None),
            restarted(RestartReason::StaleTicket, Some(HOSTILE)),
        ]
    }
}
