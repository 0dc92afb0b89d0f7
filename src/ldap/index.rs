//! Who bears a value, without a look at everybody: for the attributes that clients ask for one entry by.

use std::collections::HashMap;

use super::directory::{Group, Person};
use super::entry::View;
use super::filter::Filter;
use super::tree::{Branch, Place};
use crate::model::directory_profile::DirectoryProfile as Profile;
use crate::store::fold;

/// Values by attribute, whatever a profile calls it.
#[derive(Debug, Default)]
pub struct Index(HashMap<(Bears, String), Vec<Place>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bears {
    /// The name of a person as they are called.
    Name,
    Mail,
    UidNumber,
    GidNumber,
}

impl Index {
    #[must_use]
    pub fn of(people: &[Person], groups: &[Group]) -> Self {
        let mut index = Self::default();
        for (at, person) in people.iter().enumerate() {
            let place = Place::Person(at);
            index.put(Bears::Name, person.called(), place);
            if let Some(email) = &person.email {
                index.put(Bears::Mail, email, place);
            }
            let number = person.number.to_string();
            index.put(Bears::UidNumber, &number, place);
            index.put(Bears::GidNumber, &number, place);
            index.put(Bears::GidNumber, &number, Place::OwnGroup(at));
        }
        for (at, group) in groups.iter().enumerate() {
            index.put(Bears::GidNumber, &group.number.to_string(), Place::Group(at));
        }
        index
    }

    fn put(&mut self, bears: Bears, value: &str, place: Place) {
        self.0.entry((bears, fold(value))).or_default().push(place);
    }

    fn get(&self, bears: Bears, key: &str) -> Vec<Place> {
        self.0.get(&(bears, key.to_owned())).cloned().unwrap_or_default()
    }
}

/// Every place that this filter could hold of, if that is known without a look at each.
#[must_use]
pub fn few(filter: &Filter, view: View<'_>) -> Option<Vec<Place>> {
    match filter {
        Filter::All(parts) => parts.iter().filter_map(|part| few(part, view)).min_by_key(Vec::len),
        Filter::Any(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(|part| few(part, view)).collect();
            each.map(|each| each.concat())
        }
        Filter::Equal { name, key } => bearers(view, name, key),
        Filter::Leads { name, to } if matches!(name.as_str(), "entrydn" | "distinguishedname") => {
            Some(to.iter().copied().collect())
        }
        _ => None,
    }
}

fn bearers(view: View<'_>, name: &str, key: &str) -> Option<Vec<Place>> {
    let (directory, index) = (view.directory, &view.directory.index);
    let named = || directory.person(key).into_iter();
    let groups = directory.group(key).into_iter().map(Place::Group);
    let by_username = matches!(view.tree.profile, Profile::AdLike | Profile::Authentik);
    Some(match name {
        "uid" => named().map(Place::Person).collect(),
        "mail" => index.get(Bears::Mail, key),
        "uidnumber" => index.get(Bears::UidNumber, key),
        "gidnumber" => index.get(Bears::GidNumber, key),
        "samaccountname" if by_username => named().map(Place::Person).chain(groups).collect(),
        "cn" => {
            let people = match by_username {
                true => named().map(Place::Person).collect(),
                false => index.get(Bears::Name, key),
            };
            people.into_iter().chain(groups).chain(named().map(Place::OwnGroup)).collect()
        }
        _ => return None,
    })
}

/// Whether a place is in the scope of a search that begins at `start`.
#[must_use]
pub fn is_within(
    view: View<'_>,
    start: Place,
    scope: &ldap3_proto::proto::LdapSearchScope,
    place: Place,
) -> bool {
    use ldap3_proto::proto::LdapSearchScope as Scope;
    let branch = match place {
        Place::Person(_) => Some(Branch::People),
        Place::Group(_) => Some(Branch::Groups),
        Place::OwnGroup(_) => Some(Branch::OwnGroups),
        Place::Root | Place::Branch(_) => None,
    };
    if branch.is_some_and(|branch| !view.tree.branches().contains(&branch)) {
        return false;
    }
    let below = match start {
        Place::Root => place != Place::Root,
        Place::Branch(start) => branch == Some(start),
        _ => false,
    };
    match scope {
        Scope::Base => place == start,
        Scope::OneLevel if start == Place::Root => matches!(place, Place::Branch(_)),
        Scope::OneLevel | Scope::Children => below,
        Scope::Subtree => place == start || below,
    }
}
