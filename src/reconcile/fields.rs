//! What differs between two canonical forms: fields, old and new.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical::{Canonical, Line};

/// One field that differs; absent on the side where it is not written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldChange {
    pub path: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// The fields that differ, facts first, then steps in their order.
#[must_use]
pub fn between(old: &Canonical, new: &Canonical) -> Vec<FieldChange> {
    let mut changes = lines("", &old.lines, &new.lines);
    let place = if new.steps_in.is_empty() { old.steps_in } else { new.steps_in };
    for (before, after) in align(&old.steps, &new.steps) {
        let number = after.or(before).unwrap_or(0) + 1;
        let prefix = format!("{place}[{number}]");
        let step = |steps: &[Vec<Line>], at: Option<usize>| -> Vec<Line> {
            at.and_then(|at| steps.get(at)).cloned().unwrap_or_default()
        };
        changes.extend(lines(&prefix, &step(&old.steps, before), &step(&new.steps, after)));
    }
    changes
}

fn lines(prefix: &str, old: &[Line], new: &[Line]) -> Vec<FieldChange> {
    let mut paths: BTreeMap<&str, (Vec<&Line>, Vec<&Line>)> = BTreeMap::new();
    old.iter().for_each(|line| paths.entry(&line.path).or_default().0.push(line));
    new.iter().for_each(|line| paths.entry(&line.path).or_default().1.push(line));
    let mut changes = Vec::new();
    for (path, (old, new)) in paths {
        let gone = without(&old, &new);
        let come = without(&new, &old);
        for at in 0..gone.len().max(come.len()) {
            let text = |side: &[&Line]| side.get(at).map(|line| line.text.clone());
            let path = format!("{prefix}{path}");
            changes.push(hide_equal(FieldChange { path, old: text(&gone), new: text(&come) }));
        }
    }
    changes
}

/// Two secrets that are shown alike are still not the same.
fn hide_equal(change: FieldChange) -> FieldChange {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) if old == new => {
            FieldChange { new: Some("(changed)".to_owned()), ..change }
        }
        _ => change,
    }
}

fn without<'a>(side: &[&'a Line], other: &[&Line]) -> Vec<&'a Line> {
    let known: BTreeSet<&str> = other.iter().map(|line| line.key.as_str()).collect();
    side.iter().filter(|line| !known.contains(line.key.as_str())).copied().collect()
}

type Pair = (Option<usize>, Option<usize>);

/// Pairs the steps of two lists: equal ones hold, and what lies between them is paired in order.
fn align(old: &[Vec<Line>], new: &[Vec<Line>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let (mut from_old, mut from_new) = (0, 0);
    for (at_old, at_new) in common(old, new) {
        gap(from_old..at_old, from_new..at_new, &mut pairs);
        pairs.push((Some(at_old), Some(at_new)));
        (from_old, from_new) = (at_old + 1, at_new + 1);
    }
    gap(from_old..old.len(), from_new..new.len(), &mut pairs);
    pairs
}

fn gap(mut old: std::ops::Range<usize>, mut new: std::ops::Range<usize>, pairs: &mut Vec<Pair>) {
    while !old.is_empty() || !new.is_empty() {
        pairs.push((old.next(), new.next()));
    }
}

/// The longest common row of equal steps. Lists are short: rules of an app, stages of a flow.
fn common(old: &[Vec<Line>], new: &[Vec<Line>]) -> Vec<(usize, usize)> {
    let same = |a: &[Line], b: &[Line]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.path == b.path && a.key == b.key)
    };
    let mut table: Vec<Vec<usize>> = vec![vec![0; new.len() + 1]; old.len() + 1];
    let cell = |table: &[Vec<usize>], row: usize, column: usize| -> usize {
        table.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0)
    };
    for (row, before) in old.iter().enumerate().rev() {
        for (column, after) in new.iter().enumerate().rev() {
            let value = if same(before, after) {
                cell(&table, row + 1, column + 1) + 1
            } else {
                cell(&table, row + 1, column).max(cell(&table, row, column + 1))
            };
            if let Some(target) = table.get_mut(row).and_then(|row| row.get_mut(column)) {
                *target = value;
            }
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while let (Some(before), Some(after)) = (old.get(row), new.get(column)) {
        if same(before, after) {
            pairs.push((row, column));
            row += 1;
            column += 1;
        } else if cell(&table, row + 1, column) >= cell(&table, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}
