//! What a person sees and changes of their own account.

use serde::Serialize;

use super::{HOSTILE, LONG, Language, Page, PasswordProblem, Place, SIGN_IN_HOST, SignInProblem};

/// Who the person is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    /// Titles of the groups that count.
    pub groups: Vec<String>,
    /// The tag of the language that the person chose; empty for the browser's.
    pub language: String,
    pub languages: Vec<Language>,
    /// Name and address stand in the files, and the person cannot change them here.
    pub is_declared: bool,
    pub is_saved: bool,
    /// Where another address is asked for, if that is the person's to say and mail is sent.
    pub change_email: Option<String>,
    pub is_email_changed: bool,
    pub problem: Option<ProfileProblem>,
    /// The path that the form is posted to.
    pub action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileProblem {
    /// A name is too long, or holds more than letters.
    BadName,
}

/// A new password in place of the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangePassword {
    /// Without one, none is asked for.
    pub has_password: bool,
    pub min_length: u32,
    /// What is wrong with the old one.
    pub current: Option<SignInProblem>,
    /// What is wrong with the new one.
    pub problems: Vec<PasswordProblem>,
    pub action: String,
    /// Where somebody goes who keeps the old one.
    pub back: String,
}

/// App passwords and API tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tokens {
    pub tokens: Vec<OwnToken>,
    /// Where a new one is asked for, if people may make their own.
    pub add: Option<String>,
    /// The form for a new one.
    pub new: Option<NewToken>,
    /// The one that was made just now.
    pub made: Option<MadeToken>,
    pub action: String,
}

/// A token of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnToken {
    pub id: String,
    pub kind: &'static str,
    pub name: String,
    /// Titles of the apps that it opens.
    pub apps: Vec<String>,
    /// What it may do by the API.
    pub scopes: Vec<&'static str>,
    pub added: String,
    pub used: Option<String>,
    pub expires: Option<String>,
    pub is_expired: bool,
}

/// A token to be made, as far as it is filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewToken {
    pub kind: &'static str,
    pub name: String,
    pub apps: Vec<TokenApp>,
    /// What the person may let it do by the API.
    pub scopes: Vec<TokenScope>,
    pub days: u32,
    /// The days to choose from; 0 is without end.
    pub lifetimes: Vec<u32>,
    /// Makes the form good for one token.
    pub once: String,
    pub problem: Option<TokenProblem>,
}

/// An app that a token can open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenApp {
    pub slug: String,
    pub title: String,
    pub chosen: bool,
}

/// A part of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenScope {
    pub word: &'static str,
    pub chosen: bool,
}

/// A token whose text is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MadeToken {
    pub kind: &'static str,
    pub name: String,
    pub text: String,
    /// What a program sends beside an app password.
    pub username: String,
}

/// Why no token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenProblem {
    NoApp,
    /// An app password does nothing by the API.
    ScopeOfPassword,
    BadName,
    TooMany,
}

/// What happened to the account, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activity {
    pub happenings: Vec<Happening>,
    /// Where what happened before stands.
    pub older: Option<String>,
    /// Where the newest stands, if this is not it.
    pub newest: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// The kind of event, such as `login.succeeded`.
    pub kind: String,
    pub when: String,
    /// The name of what it concerns, such as a factor.
    pub about: Option<String>,
    pub address: Option<String>,
    pub device: Option<String>,
    /// Who did it, if it was not the person.
    pub by: Option<String>,
}

impl Page for Profile {
    const TEMPLATE: &'static str = "profile.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            username: "ada".to_owned(),
            name: "Ada Lovelace".to_owned(),
            email: Some("ada@home.example".to_owned()),
            groups: vec!["Family".to_owned(), "Operators".to_owned()],
            language: "de".to_owned(),
            languages: vec![language("de", "Deutsch"), language("en", "English")],
            is_declared: true,
            is_saved: false,
            change_email: None,
            is_email_changed: false,
            problem: None,
            action: "/profile".to_owned(),
        };
        let own = Self { is_declared: false, ..usual.clone() };
        vec![
            usual,
            Self { is_saved: true, ..own.clone() },
            Self {
                change_email: Some("/set-up?flow=builtin.email".to_owned()),
                is_email_changed: true,
                ..own.clone()
            },
            Self { name: LONG.to_owned(), problem: Some(ProfileProblem::BadName), ..own.clone() },
            Self { name: String::new(), email: None, groups: Vec::new(), ..own.clone() },
            Self {
                username: HOSTILE.to_owned(),
                name: HOSTILE.to_owned(),
                email: Some(HOSTILE.to_owned()),
                groups: vec![HOSTILE.to_owned()],
                language: String::new(),
                languages: vec![language(HOSTILE, HOSTILE)],
                change_email: Some(HOSTILE.to_owned()),
                ..own
            },
        ]
    }
}

impl Page for ChangePassword {
    const TEMPLATE: &'static str = "change-password.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            has_password: true,
            min_length: 12,
            current: None,
            problems: Vec::new(),
            action: "/password".to_owned(),
            back: "/security".to_owned(),
        };
        let current = |problem| Self { current: Some(problem), ..usual.clone() };
        vec![
            usual.clone(),
            Self { has_password: false, ..usual.clone() },
            current(SignInProblem::Wrong),
            current(SignInProblem::Missing),
            current(SignInProblem::TooLong),
            Self { problems: vec![PasswordProblem::Mismatch], ..usual.clone() },
            Self {
                problems: vec![PasswordProblem::TooShort, PasswordProblem::Unchanged],
                back: "javascript:alert(1)".to_owned(),
                ..usual
            },
        ]
    }
}

impl Page for Tokens {
    const TEMPLATE: &'static str = "tokens.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            tokens: vec![token("app-password", "Git on the laptop"), token("api-token", "Backup")],
            add: Some("/tokens?new=1".to_owned()),
            new: None,
            made: None,
            action: "/tokens".to_owned(),
        };
        let asked = |new| Self { new: Some(new), ..usual.clone() };
        let made = |kind, text: &str| Self {
            made: Some(MadeToken {
                kind,
                name: text.to_owned(),
                text: "dwp_s4mple".to_owned(),
                username: text.to_owned(),
            }),
            ..usual.clone()
        };
        vec![
            usual.clone(),
            Self { tokens: Vec::new(), ..usual.clone() },
            Self { tokens: Vec::new(), add: None, ..usual.clone() },
            asked(new_token("app-password", None)),
            asked(NewToken { apps: Vec::new(), ..new_token("app-password", None) }),
            asked(new_token("api-token", Some(TokenProblem::NoApp))),
            asked(new_token("app-password", Some(TokenProblem::ScopeOfPassword))),
            asked(new_token("app-password", Some(TokenProblem::TooMany))),
            asked(NewToken {
                name: HOSTILE.to_owned(),
                apps: vec![TokenApp {
                    slug: HOSTILE.to_owned(),
                    title: HOSTILE.to_owned(),
                    chosen: false,
                }],
                ..new_token("app-password", Some(TokenProblem::BadName))
            }),
            made("app-password", "ada"),
            made("api-token", HOSTILE),
            Self {
                tokens: vec![OwnToken {
                    id: HOSTILE.to_owned(),
                    apps: vec![HOSTILE.to_owned(), LONG.to_owned()],
                    used: None,
                    expires: None,
                    ..token("app-password", HOSTILE)
                }],
                ..usual.clone()
            },
            Self {
                tokens: vec![OwnToken {
                    apps: Vec::new(),
                    scopes: Vec::new(),
                    is_expired: true,
                    ..token("api-token", LONG)
                }],
                ..usual
            },
        ]
    }
}

impl Page for Activity {
    const TEMPLATE: &'static str = "activity.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let happening = |kind: &str| Happening {
            kind: kind.to_owned(),
            when: "2026-02-01 12:00".to_owned(),
            about: None,
            address: Some("192.0.2.7".to_owned()),
            device: None,
            by: None,
        };
        let usual = Self {
            happenings: Happening::KINDS.iter().map(|kind| happening(kind)).collect(),
            older: Some("/activity?before=evt_1".to_owned()),
            newest: None,
        };
        let hostile = Happening {
            about: Some(HOSTILE.to_owned()),
            address: Some(HOSTILE.to_owned()),
            device: Some(HOSTILE.to_owned()),
            by: Some(HOSTILE.to_owned()),
            ..happening("token.created")
        };
        let bare = Happening { address: None, ..happening("logout") };
        vec![
            usual,
            Self {
                happenings: vec![hostile, bare],
                older: Some("javascript:alert(1)".to_owned()),
                newest: Some("/activity".to_owned()),
            },
            Self { happenings: Vec::new(), older: None, newest: None },
        ]
    }
}

impl Happening {
    /// The kinds of events that a person is shown, each with a text of its own. Their subjects are
    /// people and nothing else: whoever is called like an app sees nothing of it.
    pub const KINDS: [&'static str; 31] = [
        "address.changed",
        "address.verified",
        "bind.succeeded",
        "connection.added",
        "connection.removed",
        "consent.given",
        "consent.refused",
        "consent.revoked",
        "factor.added",
        "factor.removed",
        "factors.forgotten",
        "link.made",
        "link.opened",
        "login.failed",
        "login.locked",
        "login.succeeded",
        "logout",
        "membership.added",
        "membership.removed",
        "password.changed",
        "password.set",
        "profile.changed",
        "recovery-code.used",
        "recovery-codes.made",
        "sessions.ended",
        "terms.agreed",
        "token.created",
        "token.revoked",
        "user.disabled",
        "user.enabled",
        "user.enrolled",
    ];
}

fn language(tag: &str, name: &str) -> Language {
    Language { tag: tag.to_owned(), name: name.to_owned() }
}

fn token(kind: &'static str, name: &str) -> OwnToken {
    OwnToken {
        id: "tok_1".to_owned(),
        kind,
        name: name.to_owned(),
        apps: vec!["Gitea".to_owned(), "Grafana".to_owned()],
        scopes: vec!["invitations"],
        added: "2026-01-07".to_owned(),
        used: Some("2026-02-01".to_owned()),
        expires: Some("2027-01-07".to_owned()),
        is_expired: false,
    }
}

fn new_token(kind: &'static str, problem: Option<TokenProblem>) -> NewToken {
    let app = |slug: &str, chosen| TokenApp { slug: slug.into(), title: slug.into(), chosen };
    NewToken {
        kind,
        name: "Git on the laptop".to_owned(),
        apps: vec![app("gitea", true), app("grafana", false)],
        scopes: vec![TokenScope { word: "invitations", chosen: true }],
        days: 365,
        lifetimes: vec![30, 90, 365, 0],
        once: "0nce".to_owned(),
        problem,
    }
}
