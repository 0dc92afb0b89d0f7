//! YAML as a tree with places, that remembers what was read of it.
//!
//! It knows no schema. What nobody asked for is what did not carry: [`Node::left`] lists it. A text is
//! refused that says one thing twice, refers to itself, or unfolds into more than [`MOST_NODES`].

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

mod build;

pub use build::parse;

/// The largest text that is read, in bytes.
pub const LARGEST: usize = 4 * 1024 * 1024;
/// Nodes of one text, those counted again that aliases repeat.
pub const MOST_NODES: usize = 400_000;
/// How deep lists and maps may nest, aliases included.
pub const DEEPEST: usize = 100;

/// File, line and column, both from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a text is not read, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{place}: {message}\n  help: {help}")]
pub struct YamlError {
    pub place: Place,
    pub message: String,
    pub help: String,
}

#[derive(Debug)]
pub struct Node {
    pub place: Place,
    /// `KeyOf` of `!KeyOf`; nothing for YAML's own tags.
    pub tag: Option<String>,
    kind: Kind,
    nodes: usize,
    depth: usize,
}

#[derive(Debug)]
enum Kind {
    Scalar { text: String, plain: bool },
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

#[derive(Debug)]
struct Entry {
    key: String,
    place: Place,
    value: Rc<Node>,
    taken: Cell<bool>,
}

/// A key that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Keys from the root, joined by dots.
    pub path: String,
    pub place: Place,
}

impl Node {
    /// The value of a key, which counts as read. Null is none.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entry(key)?;
        entry.taken.set(true);
        Some(entry.value.as_ref()).filter(|value| !value.is_null())
    }

    /// The value of a key, without counting it as read.
    pub fn peek(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| entry.value.as_ref()).filter(|value| !value.is_null())
    }

    /// The place of a key.
    pub fn key_place(&self, key: &str) -> Option<&Place> {
        self.entry(key).map(|entry| &entry.place)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Keys with their places and values, which count as read.
    pub fn entries(&self) -> Vec<(&str, &Place, &Node)> {
        let Kind::Map(entries) = &self.kind else { return Vec::new() };
        let each = entries.iter().inspect(|entry| entry.taken.set(true));
        each.map(|entry| (entry.key.as_str(), &entry.place, entry.value.as_ref())).collect()
    }

    /// The items of a list; anything else but null is a list of itself.
    pub fn items(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::List(items) => items.iter().map(Rc::as_ref).collect(),
            _ if self.is_null() => Vec::new(),
            _ => vec![self],
        }
    }

    /// The items of the list at a key; none if there is no such key.
    pub fn list(&self, key: &str) -> Vec<&Node> {
        self.get(key).map(Node::items).unwrap_or_default()
    }

    /// The text of a scalar without a tag.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } if self.tag.is_none() && !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar, whatever its tag.
    pub fn raw(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text at a key.
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// `true` or `false`, in the spellings that YAML has had for them.
    pub fn truth(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// Whether a switch is on; off if it is not there.
    pub fn is_on(&self, key: &str) -> bool {
        self.get(key).and_then(Node::truth) == Some(true)
    }

    pub fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }

    pub fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }

    fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, plain: true } => {
                self.tag.is_none() && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// Counts all below as read, since it was told of as a whole.
    pub fn take_all(&self) {
        match &self.kind {
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter().for_each(|item| item.take_all()),
            Kind::Map(entries) => entries.iter().for_each(|entry| {
                entry.taken.set(true);
                entry.value.take_all();
            }),
        }
    }

    /// The keys that nobody asked for, the outermost of each.
    pub fn left(&self) -> Vec<Left> {
        let mut found = Vec::new();
        self.gather("", &mut found);
        found
    }

    fn gather(&self, path: &str, found: &mut Vec<Left>) {
        match &self.kind {
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter().for_each(|item| item.gather(path, found)),
            Kind::Map(entries) => {
                for entry in entries {
                    let path = joined(path, &entry.key);
                    if entry.taken.get() {
                        entry.value.gather(&path, found);
                    } else if !entry.value.is_empty() {
                        found.push(Left { path, place: entry.place.clone() });
                    }
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, .. } => self.is_null() || text.is_empty(),
            Kind::List(items) => items.is_empty(),
            Kind::Map(entries) => entries.is_empty(),
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Rc<Node> {
        parse("a.yml", text).unwrap()
    }

    fn fault(text: &str) -> String {
        parse("a.yml", text).unwrap_err().to_string()
    }

    #[test]
    fn what_nobody_asked_for_is_left() {
        let node = tree("a: 1\nb:\n  c: 2\n  d: {e: 3}\nf: [{g: 4}, {h: 5}]\ni: ~\n");
        assert_eq!(node.text_at("a"), Some("1"));
        assert_eq!(node.get("b").unwrap().text_at("c"), Some("2"));
        let items = node.list("f");
        assert_eq!(items[0].text_at("g"), Some("4"));
        let left = node.left();
        let left: Vec<_> = left.iter().map(|each| (each.path.as_str(), each.place.line)).collect();
        assert_eq!(left, [("b.d", 4), ("f.h", 5)]);
    }

    #[test]
    fn tags_anchors_and_merge_keys_are_read() {
        let node = tree("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: !KeyOf me\nd: *x\ne: !!str 7\n");
        assert_eq!(node.get("b").unwrap().text_at("k"), Some("1"));
        assert_eq!(node.get("b").unwrap().text_at("l"), Some("3"));
        let tagged = node.get("c").unwrap();
        assert_eq!(
            (tagged.tag.as_deref(), tagged.text(), tagged.raw()),
            (Some("KeyOf"), None, Some("me"))
        );
        assert_eq!(node.get("d").unwrap().text_at("l"), Some("2"));
        assert_eq!(node.text_at("e"), Some("7"));
    }

    #[test]
    fn switches_have_more_than_one_spelling() {
        let node = tree("a: yes\nb: 'off'\nc: maybe\nd: null\n");
        assert!(node.is_on("a") && !node.is_on("b") && !node.is_on("c") && !node.is_on("d"));
    }

    #[test]
    fn what_is_no_good_yaml_is_refused_with_its_place() {
        for (text, said) in [
            ("", "a.yml:1:1: the file is empty"),
            ("# only\n", "a.yml:1:1: the file is empty"),
            (
                "a: 1\na: 2\n",
                "a.yml:2:1: the key `a` stands here a second time; the first is in line 1",
            ),
            ("a: [1\n", "a.yml:"),
            ("a: *b\n", "a.yml:1:4"),
            ("a: &x [*x]\n", "a.yml:1:8: this refers to itself"),
            ("? [a, b]\n: c\n", "a.yml:1:3: this key is no text"),
            ("a: 1\n---\nb: 2\n", "a.yml:2:1: a second document begins here"),
            ("a: {{ env \"X\" }}\n", "authelia config template"),
            ("a: \0\n", "a.yml:1:4: this is no text"),
            ("{<<: 3}\n", "a.yml:1:2: `<<` merges maps"),
        ] {
            let fault = fault(text);
            assert!(fault.contains(said), "{text:?}: {fault}");
            assert!(fault.contains("\n  help: "), "{fault}");
        }
    }

    #[test]
    fn what_unfolds_without_end_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{items}]\n");
        }
        assert!(fault(&bomb).contains("unfold"), "{}", fault(&bomb));
        let deep = format!("a: {}{}\n", "[".repeat(120), "]".repeat(120));
        assert!(fault(&deep).contains("deep"), "{}", fault(&deep));
        let mut chain = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n".to_owned();
        for level in 1..30 {
            chain += &format!("a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n", level - 1);
        }
        assert!(fault(&chain).contains("deep"), "{}", fault(&chain));
        assert!(fault(&"a".repeat(LARGEST + 1)).contains("bytes"));
    }
}
