//! What a plan needs to know of the store, as plain values.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::object::Kind;
use crate::clock::Millis;
use crate::store::fold;

/// The store at the moment of planning.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub active: Option<Active>,
    pub objects: Vec<StoredObject>,
    /// Removed objects that can come back, the latest first.
    pub tombstones: Vec<StoredObject>,
    pub users: Vec<StoredUser>,
    pub memberships: Vec<StoredMembership>,
    /// Living sign-in sessions, by the user's uid.
    pub sessions: BTreeMap<String, usize>,
    /// Living sessions at each app, by its uid.
    pub app_sessions: BTreeMap<String, usize>,
    /// Logins in progress, by the flow's name.
    pub logins: BTreeMap<String, usize>,
    /// Where each secret was ever sent: from the reference to its uses.
    pub secret_uses: BTreeMap<String, BTreeSet<String>>,
    /// Current generated secrets: owner, field and rotation.
    pub secrets: Vec<StoredSecret>,
}

/// The generation in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    pub number: i64,
    pub source_digest: String,
    pub model_digest: String,
    pub revision: Option<String>,
    pub applied_at: Millis,
    pub applied_by: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    pub uid: String,
    pub kind: Kind,
    pub slug: String,
    pub declared_at: String,
    pub protect: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredUser {
    /// The uid.
    pub id: String,
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    /// A blueprint owns it.
    pub declared: bool,
    pub disabled: bool,
    /// Those that blueprints write.
    pub attributes: BTreeMap<String, Vec<String>>,
    pub has_password: bool,
    pub initial_password_applied: bool,
    /// A one-time link to set a password is out and unused.
    pub has_link: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredMembership {
    pub user_id: String,
    pub group: String,
    /// Written by a blueprint, not at run time.
    pub declared: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    pub owner_uid: String,
    pub field: String,
    pub rotation: i64,
}

impl Stored {
    #[must_use]
    pub fn object(&self, kind: Kind, slug: &str) -> Option<&StoredObject> {
        self.objects.iter().find(|each| each.kind == kind && each.slug == slug)
    }

    #[must_use]
    pub fn tombstone(&self, kind: Kind, slug: &str) -> Option<&StoredObject> {
        self.tombstones.iter().find(|each| each.kind == kind && each.slug == slug)
    }

    #[must_use]
    pub fn user(&self, id: &str) -> Option<&StoredUser> {
        self.users.iter().find(|user| user.id == id)
    }

    /// The user of this name, however it is spelled.
    #[must_use]
    pub fn user_named(&self, username: &str) -> Option<&StoredUser> {
        let key = fold(username);
        self.users.iter().find(|user| fold(&user.username) == key)
    }

    pub fn memberships_of(&self, user_id: &str) -> impl Iterator<Item = &StoredMembership> {
        self.memberships.iter().filter(move |membership| membership.user_id == user_id)
    }
}
