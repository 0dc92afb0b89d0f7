//! What a signed-in person sees, and the way out.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};

/// The applications that are open to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Portal {
    pub categories: Vec<Category>,
    /// There is enough to search in.
    pub is_searchable: bool,
}

/// Applications under one heading; without a title they stand under none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Category {
    pub title: Option<String>,
    pub apps: Vec<AppCard>,
}

/// One application to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppCard {
    pub slug: String,
    pub title: String,
    /// Shown in place of the host.
    pub description: Option<String>,
    pub host: String,
    /// An address on the sign-in host; without one the first letter is shown.
    pub icon: Option<String>,
    pub url: String,
    pub needs_second_factor: bool,
}

/// Asks before it signs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignOut {
    /// The path that the form is posted to.
    pub action: String,
    /// Where somebody goes who stays.
    pub cancel: String,
}

/// Says that signing out is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedOut {
    pub again: String,
}

impl Page for Portal {
    const TEMPLATE: &'static str = "portal.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let portal = |categories| Self { categories, is_searchable: false };
        vec![
            Self { is_searchable: true, ..portal(home_lab()) },
            portal(Vec::new()),
            portal(vec![category(None, vec![card(LONG), card("Wiki"), card("")])]),
            portal(vec![category(
                Some(HOSTILE),
                vec![AppCard {
                    description: Some(HOSTILE.to_owned()),
                    icon: Some("https://evil.example/a.png".to_owned()),
                    url: "javascript:alert(1)".to_owned(),
                    ..card(HOSTILE)
                }],
            )]),
        ]
    }
}

impl Page for SignOut {
    const TEMPLATE: &'static str = "sign-out.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        vec![Self { action: "/sign-out".to_owned(), cancel: "/".to_owned() }]
    }
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed-out.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        vec![Self { again: "/".to_owned() }]
    }
}

fn home_lab() -> Vec<Category> {
    let described =
        |title, text: &str| AppCard { description: Some(text.to_owned()), ..card(title) };
    vec![
        category(
            Some("Monitoring"),
            vec![
                described("Grafana", "Dashboards and alerts"),
                described("Pi-hole", "Names and ads"),
            ],
        ),
        category(Some("Development"), vec![card("Gitea"), card("Woodpecker"), card("Registry")]),
        category(
            Some("Infrastructure"),
            vec![
                AppCard { needs_second_factor: true, ..card("Portainer") },
                AppCard { icon: Some("/assets/logo.svg".to_owned()), ..card("Proxmox") },
            ],
        ),
        category(None, vec![described("Vaultwarden", "Passwords of the family")]),
    ]
}

fn category(title: Option<&str>, apps: Vec<AppCard>) -> Category {
    Category { title: title.map(str::to_owned), apps }
}

fn card(title: &str) -> AppCard {
    let slug = title.to_ascii_lowercase();
    let host = format!("{slug}.home.example");
    AppCard {
        title: title.to_owned(),
        description: None,
        url: format!("https://{host}/"),
        host,
        slug,
        icon: None,
        needs_second_factor: false,
    }
}
