//! What has an identity of its own: kind and slug, and its expanded text.

use super::source::{Name, Span};
use super::tree::Node;

/// The kinds of named things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Group,
    User,
    ServiceAccount,
    Policy,
    Flow,
    App,
    Source,
    Brand,
    Notify,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Group,
        Self::User,
        Self::ServiceAccount,
        Self::Policy,
        Self::Flow,
        Self::App,
        Self::Source,
        Self::Brand,
        Self::Notify,
    ];

    /// The word in blueprints, in the store and in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::User => "user",
            Self::ServiceAccount => "service-account",
            Self::Policy => "policy",
            Self::Flow => "flow",
            Self::App => "app",
            Self::Source => "source",
            Self::Brand => "brand",
            Self::Notify => "notify",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The prefix of its uids.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Group => "grp",
            Self::User => "usr",
            Self::ServiceAccount => "svc",
            Self::Policy => "pol",
            Self::Flow => "flw",
            Self::App => "app",
            Self::Source => "src",
            Self::Brand => "brd",
            Self::Notify => "ntf",
        }
    }
}

/// A declared object: its identity and its node after expansion.
#[derive(Clone, Debug)]
pub struct Object {
    pub kind: Kind,
    pub slug: Name,
    pub formerly: Option<Name>,
    pub protect: bool,
    pub node: Node,
    pub at: Span,
}
