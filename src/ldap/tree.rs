//! Where entries stand: the names of branches, and what a name leads to.
//!
//! Below the base there is one tree for everybody and one for each app that signs people in by binds,
//! `ou=APP`: the same people under names that say which app they are entering. The trees of apps are naming
//! contexts of their own (RFC 4512 §5.1), so that a search of the base does not find anybody twice.

use super::directory::Directory;
use crate::model::directory_profile::DirectoryProfile;
use crate::model::dn::{Dn, Rdn, escaped};
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::ldap;
use crate::store::fold;

/// The branch of groups.
pub const GROUPS: &str = "groups";
/// The branch of service accounts: nobody searches it, and programs bind as its entries.
const SERVICES: &str = "services";

/// One tree.
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    /// Where it begins.
    pub root: Dn,
    /// The app whose tree it is; none for everybody's.
    pub app: Option<&'a App>,
    pub profile: DirectoryProfile,
    /// The names of its branches, in the order of `Branch`.
    branches: [String; 3],
}

/// A branch of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Branch {
    People,
    Groups,
    /// Groups that people have for themselves.
    OwnGroups,
}

/// What a name leads to, in the order in which a search gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Root,
    Branch(Branch),
    /// By the place in the directory.
    Person(usize),
    Group(usize),
    OwnGroup(usize),
}

/// Who a bind is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// A name in a tree: of a person, or of a service account.
    In { tree: Option<&'a str>, name: String },
    /// Nobody who could bind.
    Nobody,
}

/// Every tree: everybody's first.
#[must_use]
pub fn trees<'a>(runtime: &'a Runtime, directory: &ldap::Directory) -> Vec<Tree<'a>> {
    let general = Tree::new(directory.base.clone(), None, directory.profile);
    let apps = runtime.apps.iter().filter_map(|app| {
        let ldap = app.ldap.as_ref()?;
        let root = directory.base.below(Rdn::new("ou", &app.slug));
        Some(Tree::new(root, Some(app), ldap.profile))
    });
    std::iter::once(general).chain(apps).collect()
}

/// The tree that a name lies in: the deepest.
#[must_use]
pub fn tree_of<'t, 'a>(trees: &'t [Tree<'a>], dn: &Dn) -> Option<&'t Tree<'a>> {
    trees.iter().rev().find(|tree| dn.within(&tree.root).is_some())
}

impl<'a> Tree<'a> {
    fn new(root: Dn, app: Option<&'a App>, profile: DirectoryProfile) -> Self {
        let name = |word: &str| root.below(Rdn::new("ou", word)).to_string();
        let own = profile.own_groups().map(name).unwrap_or_default();
        let branches = [name(profile.people()), name(GROUPS), own];
        Self { root, app, profile, branches }
    }

    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        let own = self.profile.own_groups().map(|_| Branch::OwnGroups);
        [Branch::People, Branch::Groups].into_iter().chain(own).collect()
    }

    #[must_use]
    pub fn word(&self, branch: Branch) -> &'static str {
        match branch {
            Branch::People => self.profile.people(),
            Branch::Groups => GROUPS,
            Branch::OwnGroups => self.profile.own_groups().unwrap_or_default(),
        }
    }

    /// The name of a branch.
    #[must_use]
    pub fn branch(&self, branch: Branch) -> &str {
        let [people, groups, own] = &self.branches;
        match branch {
            Branch::People => people,
            Branch::Groups => groups,
            Branch::OwnGroups => own,
        }
    }

    /// The name of an entry of a branch.
    #[must_use]
    pub fn leaf(&self, branch: Branch, name: &str) -> String {
        let attribute = match branch {
            Branch::People => self.profile.names_people_by(),
            Branch::Groups | Branch::OwnGroups => "cn",
        };
        format!("{attribute}={},{}", escaped(name), self.branch(branch))
    }

    /// What this name leads to.
    #[must_use]
    pub fn place(&self, directory: &Directory, dn: &Dn) -> Option<Place> {
        let own = dn.within(&self.root)?;
        let (branch, leaf) = match own {
            [] => return Some(Place::Root),
            [branch] => return Some(Place::Branch(self.branch_of(branch)?)),
            [leaf, branch] => (self.branch_of(branch)?, leaf),
            _ => return None,
        };
        let attribute = leaf.attribute.as_str();
        match branch {
            Branch::People if attribute == self.profile.names_people_by() => {
                directory.person(&leaf.key).map(Place::Person)
            }
            Branch::Groups if attribute == "cn" => directory.group(&leaf.key).map(Place::Group),
            Branch::OwnGroups if attribute == "cn" => {
                directory.person(&leaf.key).map(Place::OwnGroup)
            }
            _ => None,
        }
    }

    fn branch_of(&self, part: &Rdn) -> Option<Branch> {
        self.branches().into_iter().find(|branch| part.is("ou", self.word(*branch)))
    }
}

/// Who a bind names: strictly a name below a branch for people or for service accounts, in the way of any
/// profile; for clients of Active Directory also `user@domain`.
#[must_use]
pub fn named<'a>(runtime: &'a Runtime, directory: &ldap::Directory, dn: &Dn) -> Named<'a> {
    let trees = trees(runtime, directory);
    let Some(tree) = tree_of(&trees, dn) else { return Named::Nobody };
    let Some([leaf, branch]) = dn.within(&tree.root) else { return Named::Nobody };
    let is_branch = ["people", "users", SERVICES].iter().any(|word| branch.is("ou", word));
    match is_branch && ["uid", "cn"].contains(&leaf.attribute.as_str()) {
        true => Named::In { tree: tree.app.map(|app| app.slug.as_str()), name: leaf.key.clone() },
        false => Named::Nobody,
    }
}

/// The name before the domain of the base, for clients of Active Directory.
#[must_use]
pub fn principal(directory: &ldap::Directory, text: &str) -> Option<String> {
    let (name, domain) = text.rsplit_once('@')?;
    let is_ours = fold(domain) == directory.base.domain() && !name.is_empty();
    is_ours.then(|| fold(name))
}

/// The name by which a service account is told who it is.
#[must_use]
pub fn of_program(directory: &ldap::Directory, name: &str) -> Dn {
    directory.base.below(Rdn::new("ou", SERVICES)).below(Rdn::new("cn", name))
}
