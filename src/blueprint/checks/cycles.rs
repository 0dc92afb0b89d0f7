//! Groups in themselves, policies that use themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::View;
use super::policies::uses;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Name;

/// From each name to the names it mentions.
type Graph<'a> = BTreeMap<&'a str, Vec<&'a Name>>;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    let groups: Graph<'_> = view
        .blueprint
        .groups
        .iter()
        .map(|group| (group.slug.value.as_str(), group.within.iter().collect()))
        .collect();
    report("group", "groups may lie in groups, but never in themselves", &groups, out);
    let policies: Graph<'_> = view
        .blueprint
        .policies
        .iter()
        .map(|policy| (policy.slug.value.as_str(), uses(&policy.parts)))
        .collect();
    report("policy", "policies may use policies, but never themselves", &policies, out);
}

fn report(word: &str, help: &str, graph: &Graph<'_>, out: &mut Diagnostics) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in graph.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(cycle) = cycle_through(start, graph) else { continue };
        told.extend(cycle.iter().map(|name| name.value.as_str()));
        let path: Vec<&str> =
            std::iter::once(*start).chain(cycle.iter().map(|name| name.value.as_str())).collect();
        let message = format!("{word} cycle: {}", path.join(" → "));
        let mut diagnostic = Diagnostic::error("blueprint::cycle", message);
        let (last, through) = match cycle.split_last() {
            Some((last, through)) => (last, through),
            None => continue,
        };
        diagnostic = diagnostic.at(last.span, "closes the cycle");
        for name in through {
            diagnostic = diagnostic.at(name.span, "through here");
        }
        out.push(diagnostic.help(help));
    }
}

/// The mentions that lead from a name back to itself, the shortest way.
fn cycle_through<'a>(start: &'a str, graph: &Graph<'a>) -> Option<Vec<&'a Name>> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open: std::collections::VecDeque<(&str, Vec<&Name>)> = [(start, Vec::new())].into();
    while let Some((at, path)) = open.pop_front() {
        for next in graph.get(at).into_iter().flatten() {
            let longer: Vec<&'a Name> = path.iter().copied().chain([*next]).collect();
            if next.value == start {
                return Some(longer);
            }
            if seen.insert(next.value.as_str()) {
                open.push_back((next.value.as_str(), longer));
            }
        }
    }
    None
}
