//! A person as sessions know them: the row of the store, and what the files make of it.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::access::groups::GroupSet;
use crate::access::person::{Attributes, Person, PersonKind, Proofs};
use crate::blueprint::people::ConsoleRole;
use crate::runtime::Runtime;
use crate::store::{self, Connection, Owner};

/// One account, shared by all of its sessions.
#[derive(Debug)]
pub struct Account {
    id: String,
    profile: ArcSwap<Profile>,
}

/// The account's row at one moment.
#[derive(Debug)]
pub struct Profile {
    pub user: store::User,
    /// Groups given at run time.
    joined: Vec<String>,
    /// What other providers say of whom it is there.
    connections: Vec<Connection>,
    standing: ArcSwapOption<Standing>,
}

/// What an account is worth under one runtime. Address and attributes are those of the files:
/// whatever else the store holds may have been written by the person (`security.md` R11).
#[derive(Debug)]
pub struct Standing {
    pub epoch: u64,
    pub disabled: bool,
    pub name: String,
    /// The verified address; one that files declare is.
    pub email: Option<String>,
    pub groups: GroupSet,
    /// The same as names, sorted.
    pub group_names: Vec<String>,
    pub attributes: Attributes,
}

impl Account {
    pub(super) fn new(profile: Profile) -> Self {
        Self { id: profile.user.id.clone(), profile: ArcSwap::from_pointee(profile) }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn profile(&self) -> Arc<Profile> {
        self.profile.load_full()
    }

    /// The profile without counting a reference: for the length of one request.
    #[must_use]
    pub fn peek(&self) -> arc_swap::Guard<Arc<Profile>> {
        self.profile.load()
    }

    pub(super) fn replace(&self, profile: Profile) {
        self.profile.store(Arc::new(profile));
    }

    /// The account is gone from the store: nobody may go on with it.
    pub(super) fn close(&self) {
        let mut user = self.profile.load().user.clone();
        user.disabled = true;
        self.replace(Profile::new(user, Vec::new(), Vec::new()));
    }
}

impl Profile {
    pub(super) fn new(
        user: store::User,
        memberships: Vec<store::Membership>,
        connections: Vec<Connection>,
    ) -> Self {
        let joined = memberships.into_iter().filter(|each| each.owner == Owner::Runtime);
        let joined = joined.map(|each| each.group).collect();
        Self { user, joined, connections, standing: ArcSwapOption::empty() }
    }

    /// What the account is worth under `runtime`; computed once for each.
    #[must_use]
    pub fn standing(&self, runtime: &Runtime) -> Arc<Standing> {
        match &*self.standing.load() {
            Some(known) if known.epoch == runtime.epoch => Arc::clone(known),
            _ => {
                let standing = Arc::new(self.judge(runtime));
                self.standing.store(Some(Arc::clone(&standing)));
                standing
            }
        }
    }

    fn judge(&self, runtime: &Runtime) -> Standing {
        let declared = runtime.declared.get(&self.user.username);
        let joined = self.joined.iter().filter(|group| runtime.may_be_joined(group));
        let given = self.connections.iter().flat_map(|each| given(each, runtime));
        let direct =
            declared.into_iter().flat_map(|person| &person.groups).chain(joined).chain(given);
        let groups = runtime.groups.expand(direct.map(String::as_str));
        let mut group_names: Vec<_> = runtime.groups.names_in(&groups).map(str::to_owned).collect();
        group_names.sort_unstable();
        Standing {
            epoch: runtime.epoch,
            disabled: !is_enabled(runtime, &self.user),
            name: declared.and_then(|p| p.name.clone()).unwrap_or_else(|| self.user.name.clone()),
            email: match declared {
                Some(person) => person.email.clone(),
                // Whoever belongs to the run time has verified it.
                None => self.user.email.clone(),
            },
            groups,
            group_names,
            attributes: declared.map(|person| person.attributes.clone()).unwrap_or_default(),
        }
    }
}

/// Whether an account may sign in: the files or the store may have closed it. Somebody whom the files no
/// longer name is out before the store has heard of it.
#[must_use]
pub fn is_enabled(runtime: &Runtime, user: &store::User) -> bool {
    let declared = runtime.declared.get(&user.username);
    let gone = user.declared && declared.is_none();
    !user.disabled && !gone && !declared.is_some_and(|person| person.disabled)
}

/// The groups that another provider's word puts its person into, as long as the files let it.
fn given<'c>(connection: &'c Connection, runtime: &'c Runtime) -> impl Iterator<Item = &'c String> {
    let source = runtime
        .identity_source(&connection.source)
        .filter(|source| source.issuer() == connection.issuer);
    connection.groups.iter().filter(move |group| {
        source.is_some_and(|source| source.gives(group))
            && runtime.may_be_joined(group)
            && runtime.console_role(group) == ConsoleRole::None
    })
}

impl Standing {
    /// The account as rules see it.
    #[must_use]
    pub fn person<'a>(&'a self, username: &'a str, proofs: &'a Proofs) -> Person<'a> {
        Person {
            username,
            kind: PersonKind::User,
            name: (!self.name.is_empty()).then_some(&self.name),
            email: self.email.as_deref(),
            groups: &self.groups,
            group_names: &self.group_names,
            attributes: &self.attributes,
            proofs,
            disabled: self.disabled,
        }
    }
}
