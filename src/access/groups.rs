//! Group names as small numbers, and sets of them as bits.

use std::collections::HashMap;

/// The number of a group within one runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

/// A set of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSet(Vec<u64>);

impl GroupSet {
    pub fn insert(&mut self, group: GroupId) {
        let word = group.0 as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (group.0 % 64);
        }
    }

    #[must_use]
    pub fn contains(&self, group: GroupId) -> bool {
        self.0.get(group.0 as usize / 64).is_some_and(|bits| bits & (1 << (group.0 % 64)) != 0)
    }

    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(left, right)| left & right != 0)
    }

    pub fn absorb(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }
}

/// All declared groups: their numbers, and for each the groups that its members belong to.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    names: Vec<String>,
    numbers: HashMap<String, GroupId>,
    closures: Vec<GroupSet>,
}

impl Groups {
    /// Numbers the groups in the order given; each comes with the groups it is `in`.
    #[must_use]
    pub fn new<'a>(declared: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>) -> Self {
        let declared: Vec<_> = declared.into_iter().collect();
        let names: Vec<String> = declared.iter().map(|(name, _)| (*name).to_owned()).collect();
        let numbers: HashMap<String, GroupId> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), GroupId(u32::try_from(at).unwrap_or(u32::MAX))))
            .collect();
        let parents: Vec<Vec<GroupId>> = declared
            .iter()
            .map(|(_, within)| {
                within.iter().filter_map(|name| numbers.get(*name).copied()).collect()
            })
            .collect();
        let closures = (0..names.len()).map(|start| closure(start, &parents)).collect();
        Self { names, numbers, closures }
    }

    #[must_use]
    pub fn id(&self, name: &str) -> Option<GroupId> {
        self.numbers.get(name).copied()
    }

    /// The direct groups and everything they are in; names that are not declared count for nothing.
    #[must_use]
    pub fn expand<'a>(&self, direct: impl IntoIterator<Item = &'a str>) -> GroupSet {
        let mut all = GroupSet::default();
        for id in direct.into_iter().filter_map(|name| self.id(name)) {
            if let Some(closure) = self.closures.get(id.0 as usize) {
                all.absorb(closure);
            }
        }
        all
    }

    /// The names in a set, in the order of declaration.
    pub fn names_in<'a>(&'a self, set: &'a GroupSet) -> impl Iterator<Item = &'a str> {
        let numbered = self.names.iter().enumerate();
        numbered
            .filter(|(at, _)| set.contains(GroupId(u32::try_from(*at).unwrap_or(u32::MAX))))
            .map(|(_, name)| name.as_str())
    }
}

fn closure(start: usize, parents: &[Vec<GroupId>]) -> GroupSet {
    let mut all = GroupSet::default();
    let mut open = vec![GroupId(u32::try_from(start).unwrap_or(u32::MAX))];
    while let Some(group) = open.pop() {
        if !all.contains(group) {
            all.insert(group);
            open.extend(parents.get(group.0 as usize).into_iter().flatten());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_an_inner_group_are_members_of_the_outer_ones() {
        let groups =
            Groups::new([("users", vec![]), ("family", vec!["users"]), ("kids", vec!["family"])]);
        let set = groups.expand(["kids", "unknown"]);
        assert_eq!(groups.names_in(&set).collect::<Vec<_>>(), ["users", "family", "kids"]);
    }

    #[test]
    fn a_cycle_ends() {
        let groups = Groups::new([("a", vec!["b"]), ("b", vec!["a"])]);
        assert_eq!(groups.names_in(&groups.expand(["a"])).count(), 2);
    }

    #[test]
    fn sets_of_different_lengths_meet() {
        let mut small = GroupSet::default();
        let mut large = GroupSet::default();
        small.insert(GroupId(3));
        large.insert(GroupId(200));
        assert!(!small.meets(&large));
        large.insert(GroupId(3));
        assert!(small.meets(&large) && large.meets(&small));
    }
}
