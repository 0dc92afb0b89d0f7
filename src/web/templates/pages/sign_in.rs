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
    /// Whether a name can be typed; where not, people come by a source or a passkey.
    pub takes_names: bool,
    pub error: Option<IdentifyProblem>,
    /// The title of the source that the error is about.
    pub about: Option<String>,
    /// The title of the application where signing in began.
    pub continue_to: Option<String>,
    pub links: Vec<FlowLink>,
    /// For a browser that offers a passkey in the place of a name.
    pub passkey: Option<PasskeyChallenge>,
    /// Other providers to sign in with.
    pub sources: Vec<SourceButton>,
    /// The account elsewhere that is waiting to be connected by this sign-in.
    pub connecting: Option<Connecting>,
    /// The path that the form is posted to, with the field `username`, or `ceremony` and `answer`, or
    /// `source`.
    pub action: String,
}

/// Another provider to sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceButton {
    /// What the form's field `source` holds.
    pub name: String,
    pub title: String,
}

/// An account elsewhere that is waiting for its person to sign in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connecting {
    /// The title of the source.
    pub source: String,
    /// What the account is called there.
    pub there: String,
    /// Back to the beginning, without it.
    pub start_over: String,
}

/// Asks whoever came by a source whether they have an account here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskWhoseAccount {
    /// The title of the source.
    pub source: String,
    /// What their account is called there.
    pub there: String,
    pub continue_to: Option<String>,
    pub start_over: String,
    /// The path that the form is posted to, with the field `account`: `mine` or `new`.
    pub action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifyProblem {
    Missing,
    TooLong,
    /// The passkey that was offered is not known here.
    Passkey,
    /// The source did not vouch for anybody.
    SourceRefused,
    /// The source gives no answer, or none that can be used.
    SourceUnreachable,
    /// Nobody here is known by the account at the source.
    SourceUnknown,
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
    /// The sources that somebody without a password signs in with.
    pub sources: Vec<SourceButton>,
    /// The path that the form is posted to, with the field `password`, or `source`.
    pub action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInProblem {
    Missing,
    Wrong,
    TooLong,
    /// The source did not vouch for this person.
    SourceFailed,
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
            takes_names: true,
            error: None,
            about: None,
            continue_to: None,
            links: Vec::new(),
            passkey: None,
            sources: Vec::new(),
            connecting: None,
            action: "/sign-in".to_owned(),
        };
        let about = |error, source: &str| Self {
            error: Some(error),
            about: Some(source.to_owned()),
            sources: buttons(source),
            ..plain.clone()
        };
        vec![
            Self {
                continue_to: Some("Grafana".to_owned()),
                links: links("/recovery"),
                ..plain.clone()
            },
            Self { error: Some(IdentifyProblem::Missing), ..plain.clone() },
            about(IdentifyProblem::SourceRefused, "GitHub"),
            about(IdentifyProblem::SourceUnreachable, LONG),
            Self { takes_names: false, ..about(IdentifyProblem::SourceUnknown, HOSTILE) },
            Self {
                connecting: Some(Connecting {
                    source: "GitHub".to_owned(),
                    there: HOSTILE.to_owned(),
                    start_over: "javascript:alert(1)".to_owned(),
                }),
                ..plain.clone()
            },
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
            sources: Vec::new(),
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
            Self { sources: buttons(HOSTILE), ..with(SignInProblem::SourceFailed) },
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

impl Page for AskWhoseAccount {
    const TEMPLATE: &'static str = "whose-account.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let plain = Self {
            source: "GitHub".to_owned(),
            there: "octocat".to_owned(),
            continue_to: None,
            start_over: "/sign-in?restart=1".to_owned(),
            action: "/sign-in".to_owned(),
        };
        vec![
            Self { continue_to: Some("Grafana".to_owned()), ..plain.clone() },
            Self { source: LONG.to_owned(), there: LONG.to_owned(), ..plain.clone() },
            Self {
                source: HOSTILE.to_owned(),
                there: HOSTILE.to_owned(),
                continue_to: Some(HOSTILE.to_owned()),
                start_over: "javascript:alert(1)".to_owned(),
                ..plain.clone()
            },
            plain,
        ]
    }
}

fn buttons(title: &str) -> Vec<SourceButton> {
    let button =
        |name: &str, title: &str| SourceButton { name: name.to_owned(), title: title.to_owned() };
    vec![button("github", title), button("work", "Work")]
}

fn links(recovery: &str) -> Vec<FlowLink> {
    let link = |kind, url: &str| FlowLink { kind, url: url.to_owned() };
    vec![
        link(FlowLinkKind::Recovery, recovery),
        link(FlowLinkKind::Enrollment, "/enroll"),
        link(FlowLinkKind::OtherWay, "/sign-in?other"),
    ]
}
