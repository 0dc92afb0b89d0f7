//! The steps of signing in: who, the password, a new password.

use serde::Serialize;

use super::factor::PasskeyChallenge;
use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};

/// Asks for a username or an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identify {
    /// The flow's title.
    pub title: String,
    /// What was typed before, to be corrected.
    pub username: String,
    pub error: Option<IdentifyProblem>,
    /// The title of the application where signing in began.
    pub continue_to: Option<String>,
    pub links: Vec<FlowLink>,
    /// For a browser that offers a passkey in the place of a name.
    pub passkey: Option<PasskeyChallenge>,
    /// The path that the form is posted to, with the field `username`, or `ceremony` and `answer`.
    pub action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifyProblem {
    Missing,
    TooLong,
    /// The passkey that was offered is not known here.
    Passkey,
}

/// A way to another flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowLink {
    pub kind: FlowLinkKind,
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowLinkKind {
    Enrollment,
    Recovery,
    OtherWay,
}

/// Asks for the password of a person who was named before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Password {
    /// The name as it was typed: a page must not tell whether it is known.
    pub who: String,
    /// Back to naming somebody else.
    pub not_you: String,
    pub error: Option<SignInProblem>,
    pub continue_to: Option<String>,
    pub links: Vec<FlowLink>,
    /// The path that the form is posted to, with the field `password`.
    pub action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInProblem {
    Missing,
    Wrong,
    TooLong,
}

/// Asks for a new password, twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetPassword {
    pub who: String,
    pub reason: PasswordReason,
    pub min_length: u32,
    pub problems: Vec<PasswordProblem>,
    /// The path that the form is posted to, with `new-password` and `new-password-again`. Left out
    /// where the page's own address holds a one-time link, which no template may see.
    pub action: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordReason {
    /// A one-time link.
    Link,
    /// The password that was used has to be replaced.
    MustChange,
    Recovery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordProblem {
    TooShort,
    TooLong,
    TooWeak,
    Common,
    ContainsName,
    Unchanged,
    Mismatch,
}

impl Page for Identify {
    const TEMPLATE: &'static str = "identify.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let plain = Self {
            title: "Welcome home".to_owned(),
            username: String::new(),
            error: None,
            continue_to: None,
            links: Vec::new(),
            passkey: None,
            action: "/sign-in".to_owned(),
        };
        vec![
            Self {
                continue_to: Some("Grafana".to_owned()),
                links: links("/recovery"),
                ..plain.clone()
            },
            Self { error: Some(IdentifyProblem::Missing), ..plain.clone() },
            Self {
                error: Some(IdentifyProblem::Passkey),
                passkey: Some(PasskeyChallenge {
                    options: "{}".to_owned(),
                    sealed: "c2VhbGVk".to_owned(),
                }),
                ..plain.clone()
            },
            Self {
                title: LONG.to_owned(),
                username: LONG.to_owned(),
                error: Some(IdentifyProblem::TooLong),
                ..plain.clone()
            },
            Self {
                title: HOSTILE.to_owned(),
                username: HOSTILE.to_owned(),
                continue_to: Some(HOSTILE.to_owned()),
                links: links("javascript:alert(1)"),
                ..plain.clone()
            },
            plain,
        ]
    }
}

impl Page for Password {
    const TEMPLATE: &'static str = "password.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let plain = Self {
            who: "ada".to_owned(),
            not_you: "/sign-in?again".to_owned(),
            error: None,
            continue_to: None,
            links: Vec::new(),
            action: "/sign-in".to_owned(),
        };
        let with = |error| Self { error: Some(error), ..plain.clone() };
        vec![
            Self {
                continue_to: Some("Grafana".to_owned()),
                links: links("/recovery"),
                ..plain.clone()
            },
            Self { links: links("/recovery"), ..with(SignInProblem::Wrong) },
            with(SignInProblem::Missing),
            Self { who: LONG.to_owned(), ..with(SignInProblem::TooLong) },
            Self {
                who: HOSTILE.to_owned(),
                not_you: "javascript:alert(1)".to_owned(),
                continue_to: Some(HOSTILE.to_owned()),
                ..plain.clone()
            },
            plain,
        ]
    }
}

impl Page for SetPassword {
    const TEMPLATE: &'static str = "set-password.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let plain = Self {
            who: "ada".to_owned(),
            reason: PasswordReason::Link,
            min_length: 12,
            problems: Vec::new(),
            action: None,
        };
        vec![
            plain.clone(),
            Self {
                action: Some("/sign-in".to_owned()),
                reason: PasswordReason::MustChange,
                problems: vec![PasswordProblem::TooShort, PasswordProblem::ContainsName],
                ..plain.clone()
            },
            Self { problems: vec![PasswordProblem::Mismatch], ..plain.clone() },
            Self {
                who: HOSTILE.to_owned(),
                reason: PasswordReason::Recovery,
                problems: vec![
                    PasswordProblem::TooLong,
                    PasswordProblem::TooWeak,
                    PasswordProblem::Common,
                    PasswordProblem::Unchanged,
                ],
                ..plain
            },
        ]
    }
}

fn links(recovery: &str) -> Vec<FlowLink> {
    let link = |kind, url: &str| FlowLink { kind, url: url.to_owned() };
    vec![
        link(FlowLinkKind::Recovery, recovery),
        link(FlowLinkKind::Enrollment, "/enroll"),
        link(FlowLinkKind::OtherWay, "/sign-in?other"),
    ]
}
