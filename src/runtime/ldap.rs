//! The directory as files declare it, compiled.

use std::time::Duration;

use super::client::ServiceAccount;
use crate::access::person::Person;
use crate::access::rule::Subjects;
use crate::model::directory_profile::DirectoryProfile;
use crate::model::dn::Dn;

/// The directory as a whole.
#[derive(Debug)]
pub struct Directory {
    pub base: Dn,
    pub profile: DirectoryProfile,
    /// Who may search all of it.
    pub search: Subjects,
    /// The same in words, for the log.
    pub searchers: Vec<String>,
    /// The accounts that programs bind with.
    pub binders: Vec<Binder>,
}

/// A service account that has a token for binding.
#[derive(Debug)]
pub struct Binder {
    pub uid: String,
    pub account: ServiceAccount,
    /// How long its token is good after it was made.
    pub lasts: Option<Duration>,
}

/// How an app signs people in by binds.
#[derive(Debug)]
pub struct LdapApp {
    /// The name of the flow that a bind goes through, where the app says so.
    pub flow: Option<String>,
    /// The service account that the app searches with.
    pub bind_as: Option<String>,
    /// What its part of the directory looks like.
    pub profile: DirectoryProfile,
}

impl Directory {
    #[must_use]
    pub fn binder(&self, name: &str) -> Option<&Binder> {
        self.binders.iter().find(|binder| binder.account.name == name)
    }

    #[must_use]
    pub fn may_search(&self, person: &Person<'_>) -> bool {
        self.search.include(person)
    }
}
