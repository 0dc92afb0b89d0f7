//! What an entry says: attributes and their values, as a profile has them.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::directory::{Directory, Group, Person};
use super::tree::{Branch, Place, Tree};
use crate::access::groups::{GroupId, GroupSet};
use crate::access::person::Attributes;
use crate::clock::Millis;
use crate::model::directory_profile::DirectoryProfile as Profile;
use crate::model::posix_number::is_for_hosts;

/// One value after the other.
pub type Values<'a> = Vec<Cow<'a, str>>;

/// Attributes that are given only to whoever asks for them by name or with `+` (RFC 4512 §3.4).
pub const OPERATIONAL: [&str; 6] = [
    "createTimestamp",
    "entryDN",
    "entryUUID",
    "hasSubordinates",
    "structuralObjectClass",
    "subschemaSubentry",
];

/// What everybody's entry may bear.
const OF_PEOPLE: [&str; 19] = [
    "objectClass",
    "uid",
    "cn",
    "sn",
    "givenName",
    "displayName",
    "name",
    "mail",
    "memberOf",
    "uidNumber",
    "gidNumber",
    "homeDirectory",
    "loginShell",
    "gecos",
    "sAMAccountName",
    "userPrincipalName",
    "userAccountControl",
    "ak-active",
    "ak-superuser",
];

const OF_GROUPS: [&str; 11] = [
    "objectClass",
    "cn",
    "name",
    "displayName",
    "description",
    "member",
    "uniqueMember",
    "memberUid",
    "memberOf",
    "gidNumber",
    "sAMAccountName",
];

/// What lines in the files may not put in the place of: it says who somebody is and what they may do.
const NOT_FROM_FILES: [&str; 16] = [
    "objectclass",
    "uid",
    "cn",
    "mail",
    "member",
    "uniquemember",
    "memberuid",
    "memberof",
    "samaccountname",
    "userprincipalname",
    "useraccountcontrol",
    "userpassword",
    "ak-active",
    "ak-superuser",
    // Read once, with the directory.
    "uidnumber",
    "gidnumber",
];

/// What hosts take: not for whoever has a name that is a host's own.
const OF_HOSTS: [&str; 5] = ["uidnumber", "gidnumber", "homedirectory", "loginshell", "gecos"];

/// Classes of what hosts take.
const CLASSES_OF_HOSTS: [&str; 2] = ["posixAccount", "posixGroup"];

/// A normal account of Active Directory.
const NORMAL_ACCOUNT: &str = "512";

/// The directory as one tree shows it to whoever looks.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub tree: &'a Tree<'a>,
    pub directory: &'a Directory,
    /// Whose entry alone is seen, with their groups and nobody else in them; all are if none is said.
    pub only: Option<usize>,
    /// Values that a filter has looked at.
    pub looked_at: &'a AtomicUsize,
}

/// Values that one filter may look at: a client that needs more asks for something else.
const MOST_LOOKED_AT: usize = 3_000_000;

impl<'a> View<'a> {
    /// The values of an attribute as a filter looks at them; `None` once it has looked at too many.
    #[must_use]
    pub fn look(&self, place: Place, name: &str) -> Option<Values<'a>> {
        if self.is_spent() {
            return None;
        }
        let values = self.values(place, name);
        self.looked_at.fetch_add(values.len() + 1, Ordering::Relaxed);
        Some(values)
    }

    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.looked_at.load(Ordering::Relaxed) > MOST_LOOKED_AT
    }

    #[must_use]
    pub fn sees(&self, place: Place) -> bool {
        if let Place::OwnGroup(at) = place
            && !self.person(at).is_some_and(|it| is_for_hosts(&it.username))
        {
            return false;
        }
        let Some(only) = self.only else { return true };
        match place {
            Place::Root | Place::Branch(_) => true,
            Place::Person(at) | Place::OwnGroup(at) => at == only,
            Place::Group(at) => self.person(only).is_some_and(|it| holds(&it.groups, at)),
        }
    }

    /// The name of an entry.
    #[must_use]
    pub fn dn(&self, place: Place) -> String {
        let username = |at| self.person(at).map_or("", |it| it.username.as_str());
        match place {
            Place::Root => self.tree.root.to_string(),
            Place::Branch(branch) => self.tree.branch(branch).to_owned(),
            Place::Person(at) => self.tree.leaf(Branch::People, username(at)),
            Place::OwnGroup(at) => self.tree.leaf(Branch::OwnGroups, username(at)),
            Place::Group(at) => {
                let slug = self.group(at).map_or("", |it| it.slug.as_str());
                self.tree.leaf(Branch::Groups, slug)
            }
        }
    }

    /// The attributes that an entry bears for its users.
    #[must_use]
    pub fn names(&self, place: Place) -> Vec<Cow<'a, str>> {
        let mut names: Vec<Cow<'a, str>> = match place {
            Place::Root => ["objectClass", "dc", "ou"].map(Cow::Borrowed).into(),
            Place::Branch(_) => ["objectClass", "ou"].map(Cow::Borrowed).into(),
            Place::Person(_) => OF_PEOPLE.map(Cow::Borrowed).into(),
            Place::Group(_) | Place::OwnGroup(_) => OF_GROUPS.map(Cow::Borrowed).into(),
        };
        for name in self.declared(place).into_iter().flat_map(|it| it.keys()) {
            if is_shown(name) && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(Cow::Borrowed(name));
            }
        }
        names
    }

    /// The values of an attribute, whose name is in lower case.
    #[must_use]
    pub fn values(&self, place: Place, name: &str) -> Values<'a> {
        if let Some(values) = self.for_the_working(place, name) {
            return values;
        }
        if !NOT_FROM_FILES.contains(&name)
            && let Some(values) = self.in_files(place, name)
        {
            return values;
        }
        match place {
            Place::Root => self.of_root(name),
            Place::Branch(branch) => match name {
                "objectclass" => texts(&["top", "organizationalUnit"]),
                "ou" => texts(&[self.tree.word(branch)]),
                _ => Vec::new(),
            },
            Place::Person(at) => {
                self.person(at).map(|it| self.of_person(it, name)).unwrap_or_default()
            }
            Place::Group(at) => {
                self.group(at).map(|it| self.of_group(it, name)).unwrap_or_default()
            }
            Place::OwnGroup(at) => {
                self.person(at).map(|it| self.of_own_group(it, name)).unwrap_or_default()
            }
        }
    }

    fn person(&self, at: usize) -> Option<&'a Person> {
        self.directory.people.get(at)
    }

    fn group(&self, at: usize) -> Option<&'a Group> {
        self.directory.groups.get(at)
    }

    fn declared(&self, place: Place) -> Option<&'a Attributes> {
        match place {
            Place::Person(at) => self.person(at).map(|it| &it.attributes),
            Place::Group(at) => self.group(at).map(|it| &it.attributes),
            Place::Root | Place::Branch(_) | Place::OwnGroup(_) => None,
        }
    }

    fn in_files(&self, place: Place, name: &str) -> Option<Values<'a>> {
        let mut lines = self.declared(place)?.iter();
        let (_, values) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name) && is_shown(key))?;
        Some(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect())
    }

    /// RFC 4512 §3.4, RFC 4530, RFC 5020.
    fn for_the_working(&self, place: Place, name: &str) -> Option<Values<'a>> {
        let value: Cow<'a, str> = match name {
            "entrydn" | "distinguishedname" => self.dn(place).into(),
            "entryuuid" => match place {
                Place::Person(at) => uuid(&self.person(at)?.id)?.into(),
                Place::Group(at) => uuid(&self.group(at)?.uid)?.into(),
                _ => return Some(Vec::new()),
            },
            "createtimestamp" => match place {
                Place::Person(at) => generalized(self.person(at)?.created_at).into(),
                _ => return Some(Vec::new()),
            },
            "subschemasubentry" => super::schema::DN.into(),
            "structuralobjectclass" => self.values(place, "objectclass").pop()?,
            "hassubordinates" => match place {
                Place::Root | Place::Branch(_) => "TRUE".into(),
                _ => "FALSE".into(),
            },
            _ => return None,
        };
        Some(vec![value])
    }

    fn of_root(&self, name: &str) -> Values<'a> {
        let first = self.tree.root.parts().first();
        let is_domain = first.is_some_and(|part| part.attribute == "dc");
        match name {
            "objectclass" if is_domain => texts(&["top", "dcObject", "organization", "domain"]),
            "objectclass" => texts(&["top", "organizationalUnit"]),
            _ => {
                let own = first.filter(|part| part.attribute == name);
                own.map(|part| Cow::Owned(part.key.clone())).into_iter().collect()
            }
        }
    }

    fn of_person(&self, person: &'a Person, name: &str) -> Values<'a> {
        let profile = self.tree.profile;
        if OF_HOSTS.contains(&name) && !is_for_hosts(&person.username) {
            return Vec::new();
        }
        let username = || texts(&[person.username.as_str()]);
        let called = person.called();
        match (name, profile) {
            ("objectclass", _) => {
                classes(classes_of_people(profile), is_for_hosts(&person.username))
            }
            ("uid", _) => username(),
            ("cn", Profile::AdLike | Profile::Authentik) => username(),
            ("name" | "displayname", Profile::AdLike | Profile::Authentik)
            | ("cn" | "displayname", Profile::Plain | Profile::Sssd) => texts(&[called]),
            ("gecos", Profile::Plain | Profile::Sssd) => vec![gecos(called).into()],
            ("sn", _) => texts(&[called.rsplit(' ').next().unwrap_or(called)]),
            ("givenname", _) => {
                called.rsplit_once(' ').map(|(given, _)| given.into()).into_iter().collect()
            }
            ("mail", _) => person.email.as_deref().map(Cow::Borrowed).into_iter().collect(),
            ("memberof", _) => self.groups_in(&person.groups),
            ("uidnumber" | "gidnumber", _) => vec![person.number.to_string().into()],
            ("homedirectory", _) => vec![format!("/home/{}", person.username).into()],
            ("loginshell", Profile::Plain | Profile::Sssd | Profile::Authentik) => {
                texts(&["/bin/bash"])
            }
            ("samaccountname", Profile::AdLike | Profile::Authentik) => username(),
            ("userprincipalname", Profile::AdLike) => {
                vec![format!("{}@{}", person.username, self.tree.root.domain()).into()]
            }
            ("useraccountcontrol", Profile::AdLike) => texts(&[NORMAL_ACCOUNT]),
            // Whoever may not sign in has no entry.
            ("ak-active", Profile::Authentik) => texts(&["TRUE"]),
            ("ak-superuser", Profile::Authentik) => texts(&["FALSE"]),
            _ => Vec::new(),
        }
    }

    fn of_group(&self, group: &'a Group, name: &str) -> Values<'a> {
        let profile = self.tree.profile;
        if OF_HOSTS.contains(&name) && !is_for_hosts(&group.slug) {
            return Vec::new();
        }
        match (name, profile) {
            ("objectclass", _) => classes(classes_of_groups(profile), is_for_hosts(&group.slug)),
            ("cn", _) | ("name" | "samaccountname", Profile::AdLike | Profile::Authentik) => {
                texts(&[group.slug.as_str()])
            }
            ("displayname" | "description", _) => {
                group.title.as_deref().map(Cow::Borrowed).into_iter().collect()
            }
            ("member", _) | ("uniquemember", Profile::Authentik) => {
                let members = self.members(group);
                members.map(|at| self.dn(Place::Person(at)).into()).collect()
            }
            ("memberuid", _) => {
                let members = self.members(group).filter_map(|at| self.person(at));
                members.map(|it| Cow::Borrowed(it.username.as_str())).collect()
            }
            ("memberof", _) => self.groups_in(&group.within),
            ("gidnumber", _) => vec![group.number.to_string().into()],
            _ => Vec::new(),
        }
    }

    fn of_own_group(&self, person: &'a Person, name: &str) -> Values<'a> {
        match name {
            "objectclass" => texts(&["top", "posixGroup"]),
            "cn" | "memberuid" => texts(&[person.username.as_str()]),
            "gidnumber" => vec![person.number.to_string().into()],
            _ => Vec::new(),
        }
    }

    fn members(&self, group: &'a Group) -> impl Iterator<Item = usize> + use<'a> {
        let only = self.only;
        group.members.iter().copied().filter(move |at| only.is_none_or(|only| only == *at))
    }

    fn groups_in(&self, set: &GroupSet) -> Values<'a> {
        let all = 0..self.directory.groups.len();
        let within = all.filter(|at| holds(set, *at));
        within.map(|at| self.dn(Place::Group(at)).into()).collect()
    }
}

/// An attribute's name as it is usually written, whatever it was asked for as.
#[must_use]
pub fn canonical(name: &str) -> &str {
    let known = OF_PEOPLE.iter().chain(&OF_GROUPS).chain(&OPERATIONAL);
    known.copied().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name)
}

/// Whether a set holds the group at this place.
#[must_use]
pub fn holds(set: &GroupSet, at: usize) -> bool {
    u32::try_from(at).is_ok_and(|at| set.contains(GroupId(at)))
}

/// Whether a line of the files has a name that LDAP can tell (RFC 4512 §2.5).
#[must_use]
pub fn is_shown(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        && !NOT_FROM_FILES.iter().any(|taken| taken.eq_ignore_ascii_case(name))
        && !OPERATIONAL.iter().any(|taken| taken.eq_ignore_ascii_case(name))
}

fn classes_of_people(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Plain | Profile::Sssd => {
            &["top", "person", "organizationalPerson", "posixAccount", "inetOrgPerson"]
        }
        Profile::AdLike => {
            &["top", "person", "organizationalPerson", "posixAccount", "inetOrgPerson", "user"]
        }
        Profile::Authentik => &[
            "top",
            "person",
            "organizationalPerson",
            "posixAccount",
            "user",
            "goauthentik.io/ldap/user",
            "inetOrgPerson",
        ],
    }
}

fn classes_of_groups(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Plain | Profile::Sssd => &["top", "posixGroup", "groupOfNames"],
        Profile::AdLike => &["top", "posixGroup", "groupOfNames", "group"],
        Profile::Authentik => &[
            "top",
            "posixGroup",
            "group",
            "groupOfUniqueNames",
            "goauthentik.io/ldap/group",
            "groupOfNames",
        ],
    }
}

fn classes(all: &'static [&'static str], of_hosts: bool) -> Values<'static> {
    let told = all.iter().filter(|class| of_hosts || !CLASSES_OF_HOSTS.contains(class));
    told.map(|class| Cow::Borrowed(*class)).collect()
}

/// A name in a line of `passwd`, where `:` and `,` part fields.
fn gecos(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && !matches!(c, ':' | ',')).collect()
}

fn texts<'a>(all: &[&'a str]) -> Values<'a> {
    all.iter().map(|text| Cow::Borrowed(*text)).collect()
}

/// RFC 4517 §3.3.13.
fn generalized(at: Millis) -> String {
    let digits = |c: &char| c.is_ascii_digit();
    let time: String = at.to_string().chars().filter(digits).take(14).collect();
    format!("{time}Z")
}

/// The 128 bits of an id as a UUID (RFC 4530): an id is for life.
fn uuid(id: &str) -> Option<String> {
    let (_, random) = id.rsplit_once('_')?;
    let bits = ulid::Ulid::from_string(random).ok()?.0;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Some([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}
