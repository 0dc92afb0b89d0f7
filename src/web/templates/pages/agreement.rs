//! What a person agrees to before they go on.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};
use crate::web::prose::Block;

/// Shows terms and asks for agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskTerms {
    pub blocks: Vec<Block>,
    /// Empty if the files name none.
    pub version: String,
    /// The application that the flow leads to.
    pub continue_to: Option<String>,
    /// The form came without agreement.
    pub is_unticked: bool,
    pub action: String,
}

/// Asks whether an application may know who enters it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskConsent {
    pub app: String,
    pub host: String,
    /// What it is told: `username`, `name`, `email`, `groups`, `more`.
    pub shares: Vec<String>,
    /// For how many days the answer is remembered; otherwise for this sign-in.
    pub days: Option<u32>,
    pub action: String,
}

impl Page for AskTerms {
    const TEMPLATE: &'static str = "terms.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            blocks: vec![
                Block::Heading("House rules".to_owned()),
                Block::Paragraph("What you keep here is yours.".to_owned()),
                Block::List(vec!["Be kind.".to_owned(), LONG.to_owned()]),
            ],
            version: "2".to_owned(),
            continue_to: Some("Wiki".to_owned()),
            is_unticked: false,
            action: "/sign-in".to_owned(),
        };
        vec![
            usual.clone(),
            Self { is_unticked: true, continue_to: None, ..usual.clone() },
            Self {
                blocks: vec![
                    Block::Heading(HOSTILE.to_owned()),
                    Block::Paragraph(HOSTILE.to_owned()),
                    Block::List(vec![HOSTILE.to_owned()]),
                ],
                version: String::new(),
                continue_to: Some(HOSTILE.to_owned()),
                ..usual
            },
        ]
    }
}

impl Page for AskConsent {
    const TEMPLATE: &'static str = "consent.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            app: "Wiki".to_owned(),
            host: "wiki.home.example".to_owned(),
            shares: ["username", "name", "email", "groups", "more"].map(str::to_owned).to_vec(),
            days: Some(30),
            action: "/authorize".to_owned(),
        };
        vec![
            usual.clone(),
            Self { shares: Vec::new(), days: None, ..usual.clone() },
            Self { app: HOSTILE.to_owned(), host: LONG.to_owned(), days: Some(1), ..usual },
        ]
    }
}
