//! Puts the values of a node beside what the table says of them.

use super::{Arg, Lasts, Spec, UNITS, Want};
use crate::blueprint::tree::{Node, Value};

/// The values on the line of a node, sorted by what they are.
#[derive(Debug, Default)]
pub struct Entries<'a> {
    pub args: Vec<(&'static Arg, &'a Value)>,
    pub switches: Vec<&'a Value>,
    /// What the table has no place for.
    pub extra: Vec<&'a Value>,
}

/// One value and what is wanted of it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub node: &'a Node,
    /// The name that messages use: the node's, or the property's.
    pub name: &'a str,
    pub want: Want,
    pub value: &'a Value,
}

/// Sorts the arguments of a node: those it must have first, then titles and bare switches.
#[must_use]
pub fn entries<'a>(node: &'a Node, spec: &Spec) -> Entries<'a> {
    let mut sorted = Entries::default();
    let mut next = 0;
    for value in &node.args {
        let arg = spec.args.get(next);
        let taken = arg.filter(|arg| takes(arg, value) && !is_switch(value, spec, arg, &sorted));
        if let Some(arg) = taken {
            sorted.args.push((arg, value));
            next += usize::from(!arg.many);
        } else if value.bare_word().is_some_and(|word| spec.switches.contains(&word)) {
            sorted.switches.push(value);
        } else {
            sorted.extra.push(value);
        }
    }
    sorted
}

/// A bare word never becomes an optional title: it is a switch, or a mistake.
fn takes(arg: &Arg, value: &Value) -> bool {
    arg.needed || arg.want != Want::Title || value.bare_word().is_none()
}

fn is_switch(value: &Value, spec: &Spec, arg: &Arg, sorted: &Entries<'_>) -> bool {
    let given = sorted.args.iter().any(|(earlier, _)| earlier.name == arg.name);
    let open = arg.needed && !(arg.many && given);
    !open && value.bare_word().is_some_and(|word| spec.switches.contains(&word))
}

/// Calls `see` with every value that has a place in the table, in the order of the text.
pub fn visit<'a>(nodes: &'a [Node], spec: &'static Spec, see: &mut impl FnMut(&Place<'a>)) {
    for node in nodes {
        let Some(kid) = spec.kid(&node.name.text) else { continue };
        let inner = kid.spec;
        for (arg, value) in entries(node, inner).args {
            see(&Place { node, name: inner.name, want: arg.want, value });
        }
        for prop in &node.props {
            if let Some(want) = wanted(inner, &prop.name.text) {
                see(&Place { node, name: &prop.name.text, want, value: &prop.value });
            }
        }
        visit(&node.kids, inner, see);
    }
}

/// What the property `name` of a node must be; `None` if it has no such property.
#[must_use]
pub fn wanted(spec: &Spec, name: &str) -> Option<Want> {
    let unit = UNITS.iter().find(|(unit, _)| *unit == name && spec.lasts != Lasts::No);
    match unit {
        Some((_, seconds)) => Some(Want::Whole(1, LONGEST / i64::try_from(*seconds).unwrap_or(1))),
        None => spec.prop(name).map(|prop| prop.want),
    }
}

/// A hundred years in seconds: no duration is longer.
const LONGEST: i64 = 3_153_600_000;
