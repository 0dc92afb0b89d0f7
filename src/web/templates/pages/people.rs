//! Stages that make and change accounts: forms, invitations, links by mail.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, PasswordProblem, Place, SIGN_IN_HOST};

/// A form as a flow declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prompt {
    /// The flow's title.
    pub title: String,
    pub fields: Vec<PromptField>,
    /// For fields of the type `new-password`.
    pub min_length: u32,
    /// Where somebody goes who sets nothing up after all.
    pub cancel: Option<String>,
    /// The path that the form is posted to, with the fields by their names; a new password as
    /// `new-password` and `new-password-again`.
    pub action: String,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptField {
    pub name: String,
    pub kind: PromptKind,
    pub label: String,
    pub value: String,
    pub required: bool,
    /// An invitation filled it in.
    pub fixed: bool,
    /// What a field of the type `choice` offers.
    pub options: Vec<PromptOption>,
    pub problem: Option<PromptProblem>,
    /// What is wrong with a new password.
    pub password_problems: Vec<PasswordProblem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptOption {
    pub value: String,
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptKind {
    Username,
    Text,
    Email,
    NewPassword,
    Checkbox,
    Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptProblem {
    Missing,
    TooLong,
    /// It is not what the flow's pattern wants.
    Pattern,
    BadUsername,
    BadEmail,
    /// The name is somebody's.
    Taken,
    NotOffered,
    /// The box must be ticked.
    Unticked,
}

/// A link was mailed, if there was anybody to mail it to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailSent {
    pub what: MailedLink,
    /// The name or address as it was typed: the page must not tell whether it is known.
    pub to: String,
    pub minutes: u32,
    /// Another one may be asked for, with the field `again`.
    pub again: bool,
    /// One that was asked for too soon is not sent.
    pub too_soon: bool,
    /// Back to the beginning.
    pub restart: String,
    pub action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailedLink {
    /// To a new password.
    Recovery,
    /// In place of a password.
    SignIn,
    /// To show that an address is theirs.
    Verify,
}

/// A mailed link was opened: nothing happens before this form is posted to its own address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfirmLink {
    pub what: MailedLink,
    pub who: String,
}

/// An invitation is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskInvitation {
    pub title: String,
    /// What was given is no invitation, or has run out.
    pub wrong: bool,
    /// The path that the form is posted to, with the field `invitation`.
    pub action: String,
}

impl Page for Prompt {
    const TEMPLATE: &'static str = "prompt.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let every = [
            (PromptKind::Username, Some(PromptProblem::Taken)),
            (PromptKind::Text, Some(PromptProblem::Pattern)),
            (PromptKind::Email, Some(PromptProblem::BadEmail)),
            (PromptKind::NewPassword, Some(PromptProblem::Missing)),
            (PromptKind::Checkbox, Some(PromptProblem::Unticked)),
            (PromptKind::Choice, Some(PromptProblem::NotOffered)),
            (PromptKind::Username, Some(PromptProblem::BadUsername)),
            (PromptKind::Text, Some(PromptProblem::TooLong)),
        ];
        let field = |at: usize, kind, problem, label: &str, value: &str| PromptField {
            name: format!("field-{at}"),
            kind,
            label: label.to_owned(),
            value: value.to_owned(),
            required: at.is_multiple_of(2),
            fixed: false,
            options: vec![
                PromptOption { value: "a".to_owned(), label: label.to_owned() },
                PromptOption { value: value.to_owned(), label: value.to_owned() },
            ],
            problem,
            password_problems: Vec::new(),
        };
        let page = |fields| Self {
            title: "Create your account".to_owned(),
            fields,
            min_length: 12,
            cancel: Some("/profile".to_owned()),
            action: "/enroll".to_owned(),
        };
        let all = |label: &str, wrong: bool| {
            let fields = every.iter().enumerate();
            fields
                .map(|(at, (kind, problem))| {
                    field(at, *kind, problem.filter(|_| wrong), label, label)
                })
                .collect::<Vec<_>>()
        };
        let mut weak = all("Name", false);
        for field in &mut weak {
            field.fixed = matches!(field.kind, PromptKind::Email);
            field.password_problems = vec![PasswordProblem::TooShort, PasswordProblem::Mismatch];
        }
        vec![
            page(all("Name", false)),
            page(all(LONG, true)),
            page(all(HOSTILE, true)),
            page(weak),
            page(Vec::new()),
        ]
    }
}

impl Page for MailSent {
    const TEMPLATE: &'static str = "mail-sent.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let plain = Self {
            what: MailedLink::Recovery,
            to: "ada@example.com".to_owned(),
            minutes: 30,
            again: true,
            too_soon: false,
            restart: "/recover?restart=1".to_owned(),
            action: "/recover".to_owned(),
        };
        vec![
            Self { what: MailedLink::SignIn, minutes: 1, ..plain.clone() },
            Self { what: MailedLink::Verify, too_soon: true, ..plain.clone() },
            Self { to: LONG.to_owned(), again: false, ..plain.clone() },
            Self {
                to: HOSTILE.to_owned(),
                restart: "javascript:alert(1)".to_owned(),
                ..plain.clone()
            },
            plain,
        ]
    }
}

impl Page for ConfirmLink {
    const TEMPLATE: &'static str = "confirm-link.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let page = |what, who: &str| Self { what, who: who.to_owned() };
        vec![
            page(MailedLink::Recovery, "ada"),
            page(MailedLink::SignIn, LONG),
            page(MailedLink::Verify, HOSTILE),
        ]
    }
}

impl Page for AskInvitation {
    const TEMPLATE: &'static str = "ask-invitation.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let page = |title: &str, wrong| Self {
            title: title.to_owned(),
            wrong,
            action: "/enroll".to_owned(),
        };
        vec![page("Create your account", false), page(LONG, true), page(HOSTILE, false)]
    }
}
