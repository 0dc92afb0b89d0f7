//! Who may do what in the console, by one runtime and what the store adds to it.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{Stored, StoredUser};
use crate::access::groups::GroupSet;
use crate::blueprint::Blueprint;
use crate::blueprint::people::{ConsoleRole, Membership, User};
use crate::runtime::Runtime;

/// Former names of groups and their present ones.
pub type Renamed = BTreeMap<String, String>;

/// One side of a plan: a runtime, with run-time memberships as they count under it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub runtime: &'a Runtime,
    pub stored: &'a Stored,
    /// Empty for the side that the store was written by.
    pub renamed: &'a Renamed,
}

/// A user who exists on one side, declared or made at run time.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub declared: Option<&'a User>,
    pub stored: Option<&'a StoredUser>,
}

impl<'a> Side<'a> {
    fn blueprint(&self) -> &'a Blueprint {
        &self.runtime.blueprint
    }

    /// Everybody: declared users, and those of run time. `uid_of` tells a declared user's uid.
    #[must_use]
    pub fn accounts(&self, uid_of: &dyn Fn(&str) -> Option<String>) -> Vec<Account<'a>> {
        let mut known = BTreeSet::new();
        let mut accounts = Vec::new();
        for user in &self.blueprint().users {
            let stored = uid_of(&user.name.value).and_then(|uid| self.stored.user(&uid));
            known.extend(stored.map(|user| user.id.as_str()));
            accounts.push(Account { declared: Some(user), stored });
        }
        let others = self.stored.users.iter();
        let others = others.filter(|user| !user.declared && !known.contains(user.id.as_str()));
        accounts.extend(others.map(|user| Account { declared: None, stored: Some(user) }));
        accounts
    }

    /// The groups that somebody is in directly: those of the files, and run-time memberships of
    /// groups that allow them.
    #[must_use]
    pub fn direct_groups(&self, account: &Account<'a>) -> BTreeSet<&'a str> {
        let mut groups = BTreeSet::new();
        if let Some(user) = account.declared {
            groups.extend(user.groups.iter().map(|name| name.value.as_str()));
        }
        let Some(stored) = account.stored else { return groups };
        for membership in self.stored.memberships_of(&stored.id).filter(|each| !each.declared) {
            let now = self.renamed.get(&membership.group).unwrap_or(&membership.group);
            let group = self.blueprint().groups.iter().find(|group| group.slug.value == *now);
            groups
                .extend(group.filter(|g| takes_runtime_members(g)).map(|g| g.slug.value.as_str()));
        }
        groups
    }

    /// The console role of somebody in these groups, nesting included.
    #[must_use]
    pub fn role<'b>(&self, direct: impl IntoIterator<Item = &'b str>) -> ConsoleRole {
        let all = self.runtime.groups.expand(direct);
        self.role_of(&all)
    }

    fn role_of(&self, groups: &GroupSet) -> ConsoleRole {
        let names: BTreeSet<&str> = self.runtime.groups.names_in(groups).collect();
        let mine = self.blueprint().groups.iter();
        let mine = mine.filter(|group| names.contains(group.slug.value.as_str()));
        mine.map(|group| group.console).max().unwrap_or_default()
    }

    #[must_use]
    pub fn account_role(&self, account: &Account<'a>) -> ConsoleRole {
        self.role(self.direct_groups(account))
    }
}

/// Whether people at run time may add members; never to a group of console admins.
#[must_use]
pub fn takes_runtime_members(group: &crate::blueprint::people::Group) -> bool {
    group.membership == Membership::Runtime && group.console != ConsoleRole::Admin
}

impl Account<'_> {
    #[must_use]
    pub fn name(&self) -> &str {
        match (self.declared, self.stored) {
            (Some(user), _) => &user.name.value,
            (None, Some(user)) => &user.username,
            (None, None) => "",
        }
    }

    /// Whether this person could sign in: not disabled, and with a password or a way to get one.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let disabled = match (self.declared, self.stored) {
            (Some(user), _) => user.disabled,
            (None, stored) => stored.is_none_or(|user| user.disabled),
        };
        let stored = self.stored.is_some_and(|user| user.has_password || user.has_link);
        let applied = self.stored.is_some_and(|user| user.initial_password_applied);
        let pending = self.declared.is_some_and(|user| user.initial_password.is_some()) && !applied;
        !disabled && (stored || pending)
    }
}

/// The word of a role in blueprints.
#[must_use]
pub fn role_word(role: ConsoleRole) -> &'static str {
    match role {
        ConsoleRole::None => "none",
        ConsoleRole::Viewer => "viewer",
        ConsoleRole::Admin => "admin",
    }
}
