//! Tests, invariants and personas that are gone or say something else.

use std::collections::BTreeSet;

use super::{Case, Reason};
use crate::blueprint::object::Kind;
use crate::reconcile::canonical::{Line, Thing, canonical, things};
use crate::reconcile::identity::Fate;

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let old = things(case.old_files());
    let new = things(case.new_files());
    tests(case, &old, &new, reasons);
    for kind in ["invariant", "persona"] {
        whole(case, kind, &old, &new, reasons);
    }
}

/// Every expectation must still stand somewhere; under which title does not matter.
fn tests(case: &Case<'_>, old: &[Thing<'_>], new: &[Thing<'_>], reasons: &mut Vec<Reason>) {
    let now: BTreeSet<String> =
        of("test", new).flat_map(|test| canonical(test).lines).map(|line| line.key).collect();
    for test in of("test", old) {
        let gone: Vec<Line> = canonical(test)
            .lines
            .into_iter()
            .filter(|line| line.path == "expect" && !now.contains(&renamed(case, &line.key)))
            .collect();
        let Some(first) = gone.first() else { continue };
        let more = match gone.len() {
            1 => String::new(),
            several => format!(" and {} more", several - 1),
        };
        let sentence = format!("test `{}` would lose `expect {}`{more}", test.name, first.text);
        reasons.push(reason(case, "removed-test", test, new, sentence));
    }
}

fn whole(case: &Case<'_>, kind: &str, old: &[Thing<'_>], new: &[Thing<'_>], out: &mut Vec<Reason>) {
    for thing in of(kind, old) {
        let wanted: BTreeSet<String> =
            canonical(thing).lines.iter().map(|line| renamed(case, &line.key)).collect();
        let same = of(kind, new).find(|other| other.name == thing.name);
        let change = match same {
            None => "would be removed",
            Some(other) => {
                let lines = canonical(other).lines;
                let found: BTreeSet<String> = lines.into_iter().map(|line| line.key).collect();
                if found == wanted {
                    continue;
                }
                "would say something else"
            }
        };
        let code = if kind == "persona" { "changed-persona" } else { "removed-invariant" };
        let sentence = format!("{kind} `{}` {change}", thing.name);
        out.push(reason(case, code, thing, new, sentence));
    }
}

fn reason(
    case: &Case<'_>,
    code: &'static str,
    thing: &Thing<'_>,
    new: &[Thing<'_>],
    sentence: String,
) -> Reason {
    let now = of(thing.kind, new).find(|other| other.name == thing.name);
    let place = match now {
        Some(now) => case.place(now.at),
        None => case.before.runtime.sources.place(thing.at),
    };
    Reason::new(code, format!("{} `{}`", thing.kind, thing.name), place, sentence)
        .confirmed_by("--allow", &format!("{}:{}", thing.kind, thing.name))
}

fn of<'a, 'b>(kind: &'b str, things: &'b [Thing<'a>]) -> impl Iterator<Item = &'b Thing<'a>> {
    things.iter().filter(move |thing| thing.kind == kind)
}

/// The text of a check with the present names of groups and apps in it.
fn renamed(case: &Case<'_>, key: &str) -> String {
    let mut text = key.to_owned();
    for each in case.matched {
        let Fate::Rename { was, .. } = &each.fate else { continue };
        let (from, to) = match each.kind {
            Kind::App => (format!("\"app:{was}\""), format!("\"app:{}\"", each.slug)),
            Kind::Group => (format!("\"{was}\""), format!("\"{}\"", each.slug)),
            _ => continue,
        };
        text = text.replace(&from, &to);
    }
    text
}
