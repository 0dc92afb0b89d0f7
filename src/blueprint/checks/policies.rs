//! Policies by themselves: empty ones, windows that never open, tests without a question.

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::policy::{Condition, Part};
use crate::blueprint::source::Name;
use crate::blueprint::tree::Node;
use crate::blueprint::validate::{minutes_of, text_of, with_origin};

/// The names that `use` mentions, in `any` and `not` as well.
pub(super) fn uses(parts: &[Part]) -> Vec<&Name> {
    let mut found = Vec::new();
    for part in parts {
        match &part.condition {
            Condition::Use(name) => found.push(name),
            Condition::Any(inner) | Condition::Not(inner) => found.extend(uses(inner)),
            _ => {}
        }
    }
    found
}

pub(super) fn used_by(parts: &[Part]) -> Vec<&str> {
    uses(parts).into_iter().map(|name| name.value.as_str()).collect()
}

/// Whether a part looks at the person, by itself.
fn reads_person(part: &Part) -> bool {
    match &part.condition {
        Condition::Mfa { .. } | Condition::Attribute { .. } | Condition::Group(_) => true,
        Condition::Cel(text) => text.value.contains("user"),
        Condition::Any(inner) | Condition::Not(inner) => inner.iter().any(reads_person),
        _ => false,
    }
}

impl View<'_> {
    /// Whether a policy looks at the person, by itself or through those that it uses.
    pub(super) fn reads_person(&self, name: &Name) -> bool {
        let closure = self.policy_closure();
        let reached = closure.get(name.value.as_str());
        let policies = &self.blueprint.policies;
        let all = policies.iter().filter(|policy| {
            reached.is_some_and(|slugs| slugs.contains(policy.slug.value.as_str()))
        });
        all.flat_map(|policy| &policy.parts).any(reads_person)
    }
}

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for node in view.all("policy") {
        if node.args.is_empty() {
            continue;
        }
        parts(node, out);
        windows(node, out);
    }
}

fn parts(node: &Node, out: &mut Diagnostics) {
    if node.kids.is_empty() {
        let holds = match node.name.text.as_str() {
            "any" => "it would never hold",
            _ => "it would always hold",
        };
        let diagnostic = Diagnostic::error(
            "blueprint::empty-policy",
            format!("`{}` asks for nothing", node.name.text),
        )
        .at(node.head(), holds)
        .help("add a condition, such as `network \"10.0.0.0/8\"`");
        out.push(with_origin(diagnostic, node));
    }
    for kid in &node.kids {
        match kid.name.text.as_str() {
            "any" | "not" => parts(kid, out),
            "attribute" => attribute(kid, out),
            "time" => time(kid, out),
            _ => {}
        }
    }
}

fn attribute(node: &Node, out: &mut Diagnostics) {
    let (label, help) = match (node.prop("equals"), node.prop("matches")) {
        (None, None) => ("equals what?", "add equals=… or matches=…"),
        (Some(_), Some(_)) => ("one question at a time", "write two `attribute` lines"),
        _ => return,
    };
    let diagnostic = Diagnostic::error(
        "blueprint::attribute-test",
        "`attribute` takes one of `equals=` and `matches=`",
    )
    .at(node.line, label)
    .help(help);
    out.push(with_origin(diagnostic, node));
}

fn time(node: &Node, out: &mut Diagnostics) {
    let minutes = |name: &str| node.prop(name).and_then(text_of).and_then(|text| minutes_of(&text));
    if let Some(from) = node.prop("from").filter(|_| minutes("from") == Some(24 * 60)) {
        let diagnostic =
            Diagnostic::error("blueprint::bad-time", "a window cannot begin at the end of a day")
                .at(from.span, "write \"00:00\", and the next day");
        out.push(with_origin(diagnostic, node));
    }
    if let (Some(from), Some(to)) = (minutes("from"), minutes("to"))
        && from == to
    {
        let diagnostic = Diagnostic::error("blueprint::empty-window", "this window never opens")
            .at(node.line, "it ends when it begins")
            .help("for whole days leave `from=` and `to=` out");
        out.push(with_origin(diagnostic, node));
    }
}

/// All parts must hold: two windows of one zone that never overlap close the policy for good.
fn windows(policy: &Node, out: &mut Diagnostics) {
    let times: Vec<&Node> = policy.kids_named("time").collect();
    let zone = |node: &Node| node.prop("tz").and_then(text_of).map(|zone| zone.into_owned());
    let Some((first, rest)) = times.split_first() else { return };
    if rest.is_empty() || rest.iter().any(|node| zone(node) != zone(first)) {
        return;
    }
    let open = |minute: usize| times.iter().all(|node| is_open(node, minute));
    if (0..WEEK).any(open) {
        return;
    }
    let mut diagnostic =
        Diagnostic::error("blueprint::empty-window", "these windows never overlap")
            .at(first.line, "first window");
    for node in rest {
        diagnostic = diagnostic.at(node.line, "all parts of a policy must hold");
    }
    out.push(with_origin(diagnostic.help("put them into `any { … }`"), policy));
}

const DAY: usize = 24 * 60;
const WEEK: usize = 7 * DAY;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn is_open(node: &Node, minute: usize) -> bool {
    let at = |name: &str, usual: usize| {
        let text = node.prop(name).and_then(text_of);
        text.and_then(|text| minutes_of(&text)).map_or(usual, |minutes| minutes as usize)
    };
    let (from, to) = (at("from", 0), at("to", DAY));
    let (day, time) = (minute / DAY, minute % DAY);
    let days: Vec<usize> =
        node.args.iter().filter_map(text_of).flat_map(|text| days(&text)).collect();
    let yesterday = (day + 6) % 7;
    if from < to {
        days.contains(&day) && (from..to).contains(&time)
    } else {
        (days.contains(&day) && time >= from) || (days.contains(&yesterday) && time < to)
    }
}

/// `mon-fri` as numbers; a range may pass over the end of the week.
fn days(text: &str) -> Vec<usize> {
    let number = |word: &str| DAYS.iter().position(|day| *day == word);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (number(first), number(last)) {
        (Some(first), Some(last)) => {
            (0..7).map(|step| (first + step) % 7).take((last + 7 - first) % 7 + 1).collect()
        }
        _ => Vec::new(),
    }
}
