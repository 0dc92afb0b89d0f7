//! What every page has in common: the brand, the visitor, the place.

use serde::Serialize;

/// The name and marks that a visitor sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brand {
    pub title: String,
    /// An address on the sign-in host; without one the shipped mark is shown.
    pub logo: Option<String>,
    /// An address on the sign-in host; without one the shipped mark is shown.
    pub favicon: Option<String>,
    pub footer: Vec<FooterLink>,
}

/// A link at the foot of every page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FooterLink {
    pub text: String,
    pub url: String,
}

/// The person who is signed in, as pages show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    pub name: String,
    pub username: String,
    /// The language that they chose.
    pub language: Option<String>,
}

/// Where a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the sign-in host: it may load the theme's files and hold forms.
    SignInHost,
    /// On an application's host, or a host that is not ours: it carries its style and loads nothing.
    AppHost,
}

/// What a page is rendered with, beside itself.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub brand: &'a Brand,
    /// A language tag such as `en`.
    pub language: &'a str,
    /// Shown above every page, such as `development mode: …`.
    pub banner: Option<&'a str>,
    pub user: Option<&'a Person>,
    /// The portal's address: `/` on the sign-in host, absolute elsewhere.
    pub home: &'a str,
    pub place: Place,
    /// The visitor's form token. Templates cannot read it; it is put into the finished page.
    pub csrf: Option<&'a str>,
}

impl Brand {
    /// The brand of an installation that declares none.
    #[must_use]
    pub fn plain() -> Self {
        Self { title: "Doorward".to_owned(), logo: None, favicon: None, footer: Vec::new() }
    }
}
