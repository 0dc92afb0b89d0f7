//! What an expression is asked about. Everything is borrowed; nothing is copied to ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Millis;

/// One question's circumstances. What is absent makes an expression that reads it fail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub user: Option<UserFacts<'a>>,
    pub request: Option<RequestFacts<'a>>,
    pub app: Option<AppFacts<'a>>,
    pub now: Millis,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct UserFacts<'a> {
    pub username: &'a str,
    pub name: Option<&'a str>,
    /// The last verified address.
    pub email: Option<&'a str>,
    /// With those that come by nesting.
    pub groups: Texts<'a>,
    pub attributes: &'a BTreeMap<String, Vec<String>>,
    pub mfa: Texts<'a>,
}

/// The canonical request.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    pub host: &'a str,
    pub path: &'a str,
    pub method: &'a str,
    /// Absent when it cannot be trusted.
    pub client_ip: Option<&'a str>,
}

/// What is asked for. Policies and claims see the slug alone, invariants everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppFacts<'a> {
    pub slug: &'a str,
    pub title: &'a str,
    pub category: Option<&'a str>,
    pub hidden: bool,
    pub hosts: Texts<'a>,
    pub requires: Texts<'a>,
    pub bypasses: Texts<'a>,
}

/// A list of texts in whatever form its owner keeps them.
#[derive(Clone, Copy, Debug)]
pub enum Texts<'a> {
    Strings(&'a [String]),
    Shared(&'a [Arc<str>]),
    Borrowed(&'a [&'a str]),
}

impl<'a> Texts<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Strings(texts) => texts.len(),
            Self::Shared(texts) => texts.len(),
            Self::Borrowed(texts) => texts.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text at `index`.
    #[must_use]
    pub fn get(self, index: usize) -> Option<&'a str> {
        match self {
            Self::Strings(texts) => texts.get(index).map(String::as_str),
            Self::Shared(texts) => texts.get(index).map(AsRef::as_ref),
            Self::Borrowed(texts) => texts.get(index).copied(),
        }
    }
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self::Borrowed(&[])
    }
}

impl<'a> From<&'a [String]> for Texts<'a> {
    fn from(texts: &'a [String]) -> Self {
        Self::Strings(texts)
    }
}

impl<'a> From<&'a Vec<String>> for Texts<'a> {
    fn from(texts: &'a Vec<String>) -> Self {
        Self::Strings(texts)
    }
}

impl<'a> From<&'a [Arc<str>]> for Texts<'a> {
    fn from(texts: &'a [Arc<str>]) -> Self {
        Self::Shared(texts)
    }
}

impl<'a> From<&'a [&'a str]> for Texts<'a> {
    fn from(texts: &'a [&'a str]) -> Self {
        Self::Borrowed(texts)
    }
}
