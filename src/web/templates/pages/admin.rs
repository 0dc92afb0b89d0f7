//! What whoever runs the place sees of it.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};

/// The state of the files, the people and the last events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Admin {
    /// Whether the files are in force: `in-sync`, `rejected` or `held`.
    pub state: &'static str,
    pub since: String,
    pub generation: i64,
    pub revision: Option<String>,
    pub files: usize,
    pub apps: usize,
    pub problems: Vec<String>,
    pub remedy: Option<String>,
    pub people: Vec<AdminPerson>,
    pub events: Vec<AdminEvent>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminPerson {
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    /// The line that declares it, such as `people.kdl:3`.
    pub place: Option<String>,
    pub is_disabled: bool,
    pub signed_in: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminEvent {
    pub kind: String,
    pub when: String,
    pub actor: Option<String>,
    pub subject: Option<String>,
    pub address: Option<String>,
}

impl Page for Admin {
    const TEMPLATE: &'static str = "admin.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let person = |name: &str| AdminPerson {
            username: name.to_owned(),
            name: name.to_owned(),
            email: Some(name.to_owned()),
            place: Some("people.kdl:3".to_owned()),
            is_disabled: false,
            signed_in: Some("2026-02-01 12:00".to_owned()),
        };
        let event = |text: &str| AdminEvent {
            kind: "login.failed".to_owned(),
            when: "2026-02-01 12:00".to_owned(),
            actor: Some(text.to_owned()),
            subject: Some(text.to_owned()),
            address: Some("192.0.2.7".to_owned()),
        };
        let usual = Self {
            state: "in-sync",
            since: "2026-02-01 12:00".to_owned(),
            generation: 7,
            revision: Some("0f4c2d1".to_owned()),
            files: 13,
            apps: 6,
            problems: Vec::new(),
            remedy: None,
            people: vec![person("ada"), AdminPerson { is_disabled: true, ..person("bob") }],
            events: vec![event("ada")],
        };
        vec![
            usual.clone(),
            Self { state: "held", ..usual.clone() },
            Self {
                state: "rejected",
                problems: vec!["apps.kdl:3: unknown node".to_owned(), LONG.to_owned()],
                remedy: Some("mend the files".to_owned()),
                ..usual.clone()
            },
            Self {
                revision: None,
                problems: vec![HOSTILE.to_owned()],
                remedy: Some(HOSTILE.to_owned()),
                people: vec![AdminPerson { place: None, signed_in: None, ..person(HOSTILE) }],
                events: vec![AdminEvent {
                    kind: HOSTILE.to_owned(),
                    actor: None,
                    address: None,
                    ..event(HOSTILE)
                }],
                ..usual.clone()
            },
            Self { people: Vec::new(), events: Vec::new(), ..usual },
        ]
    }
}
