//! What a directory looks like to an LDAP client: names of its branches, and what an entry bears.

/// What clients of some kind expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectoryProfile {
    /// inetOrgPerson and groupOfNames (RFC 2798, RFC 4519), with what POSIX needs.
    #[default]
    Plain,
    /// The same, with a group of their own for each person, as SSSD looks for (RFC 2307bis).
    Sssd,
    /// Names and classes of Active Directory, for clients that know no other.
    AdLike,
    /// The tree of authentik, for clients that were set up for it.
    Authentik,
}

impl DirectoryProfile {
    pub const ALL: [Self; 4] = [Self::Plain, Self::Sssd, Self::AdLike, Self::Authentik];
    pub const WORDS: [&str; 4] = ["plain", "sssd", "ad-like", "authentik"];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sssd => "sssd",
            Self::AdLike => "ad-like",
            Self::Authentik => "authentik",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.word() == word)
    }

    /// The attribute that names a person.
    #[must_use]
    pub fn names_people_by(self) -> &'static str {
        match self {
            Self::Plain | Self::Sssd => "uid",
            Self::AdLike | Self::Authentik => "cn",
        }
    }

    /// The branch of people.
    #[must_use]
    pub fn people(self) -> &'static str {
        match self {
            Self::Authentik => "users",
            Self::Plain | Self::Sssd | Self::AdLike => "people",
        }
    }

    /// The branch of the groups that each person has for themselves, if there is one.
    #[must_use]
    pub fn own_groups(self) -> Option<&'static str> {
        match self {
            Self::Sssd => Some("own-groups"),
            Self::Authentik => Some("virtual-groups"),
            Self::Plain | Self::AdLike => None,
        }
    }
}
