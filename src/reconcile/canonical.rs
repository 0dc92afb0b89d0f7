//! The canonical form of what files declare: lines `path = text` in which positions, spelling and
//! the order of unordered things play no part. Digests and plans compare these, never the files.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::blueprint::Blueprint;
use crate::blueprint::source::Span;
use crate::blueprint::tree::{Node, Scalar, Value};
use crate::runtime::compile::duration_words;
use crate::secret::sha256_hex;

mod words;

/// One fact: where it stands in its object, how it is shown, and what is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub path: String,
    /// In the order in which it was written, secrets masked.
    pub text: String,
    pub key: String,
}

/// The facts of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canonical {
    /// Sorted.
    pub lines: Vec<Line>,
    /// What happens in order: the rules of an app, the stages of a flow.
    pub steps: Vec<Vec<Line>>,
    /// What stands before the number of a step: `access`, or nothing.
    pub steps_in: &'static str,
}

/// Something with a canonical form: an object, or a node that stands once such as `settings`.
#[derive(Clone, Copy, Debug)]
pub struct Thing<'a> {
    pub kind: &'a str,
    /// Empty for what stands once.
    pub name: &'a str,
    pub node: &'a Node,
    pub at: Span,
}

/// Everything in a blueprint that a plan may speak of, sorted by kind and name.
#[must_use]
pub fn things(blueprint: &Blueprint) -> Vec<Thing<'_>> {
    let objects = blueprint.objects.iter().map(|object| Thing {
        kind: object.kind.word(),
        name: &object.slug.value,
        node: &object.node,
        at: object.at,
    });
    let singles = blueprint.singles.iter().map(|node| Thing {
        kind: &node.name.text,
        name: if has_title(node) {
            node.args.first().and_then(Value::text).unwrap_or("")
        } else {
            ""
        },
        node,
        at: node.head(),
    });
    let mut things: Vec<_> = objects.chain(singles).collect();
    things.sort_by_key(|thing| (thing.kind, thing.name));
    things
}

fn has_title(node: &Node) -> bool {
    matches!(node.name.text.as_str(), "persona" | "test" | "invariant")
}

/// The digest of a model: equal for files that mean the same.
#[must_use]
pub fn model_digest(blueprint: &Blueprint) -> String {
    model_digest_with(blueprint, &[])
}

/// The same, with what lies outside of the files: digests of assets and keyed fingerprints of
/// resolved secrets, each under a name.
#[must_use]
pub fn model_digest_with(blueprint: &Blueprint, outside: &[(String, String)]) -> String {
    let mut text = String::new();
    for thing in things(blueprint) {
        text += &format!("{:?} {:?}\n", thing.kind, thing.name);
        text += &canonical(&thing).digest_text();
    }
    let outside: BTreeMap<_, _> = outside.iter().map(|(name, print)| (name, print)).collect();
    for (name, print) in outside {
        text += &format!("{name:?} {print:?}\n");
    }
    sha256_hex(text.as_bytes())
}

/// The canonical form of one thing.
#[must_use]
pub fn canonical(thing: &Thing<'_>) -> Canonical {
    let mut form = Canonical::default();
    let parts = Parts::of(thing.node);
    let named = usize::from(!thing.name.is_empty());
    for value in parts.args.iter().skip(named) {
        form.lines.push(line("title".to_owned(), shown(thing.kind, None, value), plain(value)));
    }
    switches("", &parts, &mut form.lines);
    for (name, value) in &parts.props {
        // A former name is part of the identity, not of what the thing is.
        if *name != "formerly" {
            let text = shown(thing.kind, Some(name), value);
            form.lines.push(line(
                (*name).to_owned(),
                text,
                compared(thing.kind, Some(name), value),
            ));
        }
    }
    match thing.kind {
        "flow" => form.steps = parts.kids.iter().map(|stage| stage_lines(stage)).collect(),
        "app" => app(&parts.kids, &mut form),
        _ => children("", &parts.kids, &mut form.lines),
    }
    fill_defaults(thing.kind, &mut form.lines);
    form.lines.sort();
    form.lines.dedup();
    form
}

impl Canonical {
    fn digest_text(&self) -> String {
        let of = |lines: &[Line]| -> String {
            lines.iter().map(|line| format!(" {:?} {:?}\n", line.path, line.key)).collect()
        };
        let steps = self.steps.iter().map(|step| format!("step\n{}", of(step)));
        of(&self.lines) + &steps.collect::<String>()
    }

    /// How much of two forms is the same, from 0 to 100.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> usize {
        let facts = |form: &Self| -> BTreeSet<(String, String)> {
            let all = form.lines.iter().chain(form.steps.iter().flatten());
            all.map(|line| (line.path.clone(), line.key.clone())).collect()
        };
        let (mine, theirs) = (facts(self), facts(other));
        let all = mine.union(&theirs).count();
        (mine.intersection(&theirs).count() * 100).checked_div(all).unwrap_or(0)
    }
}

fn app(kids: &[&Node], form: &mut Canonical) {
    form.steps_in = "access";
    let (access, others): (Vec<&Node>, Vec<&Node>) = kids.iter().partition(|kid| kid.is("access"));
    children("", &others, &mut form.lines);
    for node in access.iter().flat_map(|access| &access.kids) {
        let text = whole(node);
        if node.is("allow") || node.is("deny") {
            form.steps.push(vec![line(String::new(), text.0, text.1)]);
        } else {
            form.lines.push(line(format!("access.{}", node.name.text), rest(&text.0), text.1));
        }
    }
}

fn stage_lines(stage: &Node) -> Vec<Line> {
    let parts = Parts::of(stage);
    let (text, key) = parts.entries(&stage.name.text);
    let name = &stage.name.text;
    let join = |entries: String| format!("{name} {entries}").trim_end().to_owned();
    let mut lines = vec![line(String::new(), join(text), join(key))];
    let mut inner = Vec::new();
    switches("", &parts, &mut inner);
    children("", &parts.kids, &mut inner);
    inner.sort();
    lines.extend(inner.into_iter().map(|each| Line { path: format!(".{}", each.path), ..each }));
    lines
}

fn switches(path: &str, parts: &Parts<'_>, lines: &mut Vec<Line>) {
    for word in &parts.switches {
        lines.push(line(under(path, word), "yes".to_owned(), "yes".to_owned()));
    }
}

fn children(path: &str, kids: &[&Node], lines: &mut Vec<Line>) {
    let mut by_name: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for kid in kids {
        by_name.entry(&kid.name.text).or_default().push(kid);
    }
    for (name, nodes) in by_name {
        let path = under(path, name);
        if words::is_joined(name) {
            joined(path, name, &nodes, lines);
        } else if words::is_keyed(name) {
            nodes.iter().for_each(|node| keyed(&path, node, lines));
        } else if words::is_ranked(name) {
            for (rank, node) in nodes.iter().enumerate() {
                let suffix = if rank == 0 { String::new() } else { format!("[{}]", rank + 1) };
                one(format!("{path}{suffix}"), node, lines);
            }
        } else if let [node] = nodes.as_slice() {
            one(path, node, lines);
        } else {
            nodes.iter().for_each(|node| on_one_line(path.clone(), node, lines));
        }
    }
}

fn one(path: String, node: &Node, lines: &mut Vec<Line>) {
    match words::is_whole(&node.name.text) {
        true => on_one_line(path, node, lines),
        false => block(path, node, 0, lines),
    }
}

fn on_one_line(path: String, node: &Node, lines: &mut Vec<Line>) {
    let (text, key) = whole(node);
    lines.push(line(path, rest(&text), key));
}

/// All nodes of one name as one line: `in a` beside `in b` is `in a b`.
fn joined(path: String, name: &str, nodes: &[&Node], lines: &mut Vec<Line>) {
    let values = || nodes.iter().flat_map(|node| &node.args);
    let texts: Vec<String> = values().map(|value| shown(name, None, value)).collect();
    let mut keys: Vec<String> = values().map(plain).collect();
    keys.sort();
    keys.dedup();
    lines.push(line(path, texts.join(" "), format!("{keys:?}")));
}

fn keyed(path: &str, node: &Node, lines: &mut Vec<Line>) {
    let key = node.args.first().map(plain).unwrap_or_default();
    block(format!("{path}[{key}]"), node, 1, lines);
}

/// A node as a line of its own entries, then its children below it.
fn block(path: String, node: &Node, skip: usize, lines: &mut Vec<Line>) {
    let mut parts = Parts::of(node);
    parts.args = parts.args.split_off(skip.min(parts.args.len()));
    let (text, key) = parts.entries(&node.name.text);
    let bare = text.is_empty();
    switches(&path, &parts, lines);
    children(&path, &parts.kids, lines);
    if !bare {
        lines.push(line(path, text, key));
    } else if parts.kids.is_empty() && parts.switches.is_empty() {
        lines.push(line(path, "yes".to_owned(), "yes".to_owned()));
    }
}

/// A node on one line, name and children included: what is shown and what is compared.
fn whole(node: &Node) -> (String, String) {
    let name = &node.name.text;
    let parts = Parts::of(node);
    let (mut text, mut key) = parts.entries(name);
    for word in &parts.switches {
        text += &format!(" {word}");
        key += &format!(" {word}");
    }
    let (conditions, others): (Vec<&Node>, Vec<&Node>) =
        parts.kids.iter().partition(|kid| kid.is("if") || kid.is("unless"));
    let (shown_conditions, compared_conditions) = rule_conditions(&parts, &conditions);
    text += &shown_conditions;
    key += &compared_conditions;
    if !others.is_empty() {
        let inner: Vec<(String, String)> = others.iter().map(|kid| whole(kid)).collect();
        let texts: Vec<&str> = inner.iter().map(|(text, _)| text.as_str()).collect();
        let mut keys: Vec<&str> = inner.iter().map(|(_, key)| key.as_str()).collect();
        keys.sort_unstable();
        text += &format!(" {{ {} }}", texts.join("; "));
        key += &format!(" {{ {} }}", keys.join("; "));
    }
    let tidy = |entries: &str| format!("{name} {}", entries.trim()).trim_end().to_owned();
    (tidy(&text), tidy(&key))
}

/// `if` and `unless`, whether written on the line or in the block.
fn rule_conditions(parts: &Parts<'_>, kids: &[&Node]) -> (String, String) {
    let mut text = String::new();
    let mut keys = BTreeSet::new();
    for name in ["if", "unless"] {
        let on_line = parts.conditions.iter().filter(|(known, _)| *known == name);
        let below = kids.iter().filter(|kid| kid.is(name)).flat_map(|kid| &kid.args);
        for value in on_line.map(|(_, value)| *value).chain(below) {
            text += &format!(" {name}={}", shown(name, None, value));
            keys.insert(format!(" {name}={:?}", plain(value)));
        }
    }
    (text, keys.into_iter().collect())
}

fn rest(text: &str) -> String {
    text.split_once(' ').map_or("yes", |(_, rest)| rest).to_owned()
}

fn fill_defaults(kind: &str, lines: &mut Vec<Line>) {
    for (path, text) in words::defaults(kind) {
        if !lines.iter().any(|line| line.path == path) {
            lines.push(line(path.to_owned(), text.to_owned(), default_key(text)));
        }
    }
}

/// The key of a default is that of the same thing written out.
fn default_key(text: &str) -> String {
    let unit = text.split_once('=').and_then(|(name, number)| {
        let (_, size) = words::UNITS.iter().find(|(unit, _)| *unit == name)?;
        Some(number.parse::<u64>().ok()?.saturating_mul(*size))
    });
    match unit {
        Some(seconds) => format!("lasts={seconds}"),
        None if text.contains('=') => {
            let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
            pairs
                .map(|(name, value)| format!(" {name}={value:?}"))
                .collect::<String>()
                .trim()
                .into()
        }
        None => format!("{:?}", text.trim_matches('"')),
    }
}

/// A node's entries, sorted by what they are.
struct Parts<'a> {
    args: Vec<&'a Value>,
    switches: BTreeSet<&'a str>,
    props: BTreeMap<&'a str, &'a Value>,
    /// `if=` and `unless=`.
    conditions: Vec<(&'a str, &'a Value)>,
    seconds: Option<u64>,
    kids: Vec<&'a Node>,
}

impl<'a> Parts<'a> {
    fn of(node: &'a Node) -> Self {
        let name = &node.name.text;
        let mut parts = Self {
            args: Vec::new(),
            switches: BTreeSet::new(),
            props: BTreeMap::new(),
            conditions: Vec::new(),
            seconds: None,
            kids: Vec::new(),
        };
        for (position, value) in node.args.iter().enumerate() {
            match value.bare_word() {
                Some(word) if words::is_switch_argument(name, position, value) => {
                    parts.switches.insert(word);
                }
                _ => parts.args.push(value),
            }
        }
        for prop in &node.props {
            parts.prop(&prop.name.text, &prop.value);
        }
        for kid in &node.kids {
            let empty = kid.args.is_empty() && kid.props.is_empty() && kid.kids.is_empty();
            if empty && words::is_switch(name, &kid.name.text) {
                parts.switches.insert(&kid.name.text);
            } else {
                parts.kids.push(kid);
            }
        }
        parts
    }

    fn prop(&mut self, name: &'a str, value: &'a Value) {
        let unit = words::UNITS.iter().find(|(unit, _)| *unit == name);
        match (unit, value.whole().and_then(|number| u64::try_from(number).ok())) {
            (Some((_, size)), Some(number)) => {
                let seconds = number.saturating_mul(*size);
                self.seconds = Some(self.seconds.unwrap_or(0).saturating_add(seconds));
            }
            _ if name == "if" || name == "unless" => self.conditions.push((name, value)),
            _ => {
                self.props.insert(name, value);
            }
        }
    }

    /// Arguments, properties and duration on one line: shown and compared.
    fn entries(&self, node: &str) -> (String, String) {
        let mut texts: Vec<String> =
            self.args.iter().map(|value| shown(node, None, value)).collect();
        let mut keys: Vec<String> =
            self.args.iter().map(|value| format!("{:?}", compared(node, None, value))).collect();
        if let Some(members) = words::set_from(node).and_then(|from| keys.get_mut(from..)) {
            members.sort();
        }
        for (name, value) in &self.props {
            texts.push(format!("{name}={}", shown(node, Some(name), value)));
            keys.push(format!("{name}={:?}", compared(node, Some(name), value)));
        }
        if let Some(seconds) = self.seconds {
            texts.push(duration_words(Duration::from_secs(seconds)));
            keys.push(format!("lasts={seconds}"));
        }
        (texts.join(" "), keys.join(" "))
    }
}

fn line(path: String, text: String, key: String) -> Line {
    Line { path, text, key }
}

fn under(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn plain(value: &Value) -> String {
    let text = match &value.scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Whole(number) => number.to_string(),
        Scalar::Decimal(number) => number.to_string(),
        Scalar::Truth(truth) => format!("#{truth}"),
        Scalar::Null => "#null".to_owned(),
    };
    match &value.tag {
        Some(tag) => format!("({}){text}", tag.text),
        None => text,
    }
}

/// What is compared: a secret written out counts by its digest.
fn compared(node: &str, property: Option<&str>, value: &Value) -> String {
    let text = plain(value);
    if words::is_secret(node, property, value) && is_value(value) {
        return sha256_hex(text.as_bytes());
    }
    text
}

/// What is shown. Nothing that could be the value of a secret ever is.
fn shown(node: &str, property: Option<&str>, value: &Value) -> String {
    let tag = value.tag.as_ref().map(|tag| format!("({})", tag.text)).unwrap_or_default();
    if words::is_secret(node, property, value) && is_value(value) {
        return format!("{tag}\"…\"");
    }
    match &value.scalar {
        Scalar::Text(text) if is_word(text) => format!("{tag}{text}"),
        Scalar::Text(text) => format!("{tag}{text:?}"),
        _ => plain(value),
    }
}

/// Whether the text of a secret reference is itself secret, as a literal or a sealed value is.
fn is_value(value: &Value) -> bool {
    match value.tag.as_ref().map(|tag| tag.text.as_str()) {
        Some("credential" | "file" | "env") => false,
        Some(_) => true,
        None => value.text() != Some("generated"),
    }
}

fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "_-:@.*$,<>".contains(c);
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(fits)
}
