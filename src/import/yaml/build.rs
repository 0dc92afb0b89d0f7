//! Events of the parser, put together into a tree.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{DEEPEST, Entry, Kind, LARGEST, MOST_NODES, Node, Place, YamlError};

/// Reads one document.
///
/// # Errors
/// If it is no YAML, too large, or says something twice.
pub fn parse(name: &str, text: &str) -> Result<Rc<Node>, YamlError> {
    let mut builder = Builder::new(name);
    builder.admit(text)?;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| builder.broken(text, &error))?;
        builder.take(event, &span.start)?;
    }
    builder.root.take().ok_or_else(|| builder.empty())
}

struct Builder {
    file: Arc<str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    /// Nodes that were made, and keys that were merged.
    total: usize,
}

/// A list or map that has not ended.
struct Open {
    place: Place,
    tag: Option<String>,
    anchor: usize,
    holds: Holds,
}

enum Holds {
    List(Vec<Rc<Node>>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// Lines of the keys.
    lines: HashMap<String, usize>,
    key: Option<(String, Place)>,
    merged: Vec<Rc<Node>>,
}

impl Builder {
    fn new(name: &str) -> Self {
        Self { file: name.into(), open: Vec::new(), anchors: HashMap::new(), root: None, total: 0 }
    }

    fn admit(&self, text: &str) -> Result<(), YamlError> {
        if text.len() > LARGEST {
            let message = format!("the file has {} bytes, and {LARGEST} are read", text.len());
            return Err(fault(self.at(1, 1), message, "leave out what is not configuration"));
        }
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
        let Some(at) = text.find(odd) else { return Ok(()) };
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let message = "this is no text: a control character stands here";
        Err(fault(self.at(line, column), message, "name the YAML file itself"))
    }

    fn take(&mut self, event: Event<'_>, at: &Marker) -> Result<(), YamlError> {
        let place = self.at(at.line(), at.col() + 1);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                let message = "a second document begins here";
                Err(fault(place, message, "put each into a file of its own"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                let tag = own(tag.as_deref());
                self.ended(anchor, Node { place, tag, kind, nodes: 1, depth: 0 })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(place, tag.as_deref(), anchor, Holds::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.begin(place, tag.as_deref(), anchor, Holds::Map(OpenMap::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.put(node, place),
                None => Err(fault(place, "this refers to itself", "write the value out")),
            },
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        place: Place,
        tag: Option<&Tag>,
        anchor: usize,
        holds: Holds,
    ) -> Result<(), YamlError> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(place));
        }
        self.open.push(Open { place, tag: own(tag), anchor, holds });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = match open.holds {
            Holds::List(items) => Kind::List(items),
            Holds::Map(map) => Kind::Map(self.with_merged(map)),
        };
        let below: Vec<&Node> = match &kind {
            Kind::Scalar { .. } => Vec::new(),
            Kind::List(items) => items.iter().map(Rc::as_ref).collect(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.value.as_ref()).collect(),
        };
        let nodes = below.iter().fold(1, |sum: usize, node| sum.saturating_add(node.nodes));
        let depth = below.iter().map(|node| node.depth + 1).max().unwrap_or(1);
        if depth > DEEPEST {
            return Err(too_deep(open.place));
        }
        self.ended(open.anchor, Node { place: open.place, tag: open.tag, kind, nodes, depth })
    }

    /// What merged maps add, the nearest first; a key that is written wins.
    fn with_merged(&mut self, map: OpenMap) -> Vec<Entry> {
        let mut entries = map.entries;
        if map.merged.is_empty() {
            return entries;
        }
        let mut known: HashSet<String> = map.lines.into_keys().collect();
        for node in map.merged.iter().flat_map(|node| node.items()) {
            let Kind::Map(more) = &node.kind else { continue };
            self.total += more.len();
            for entry in more.iter().filter(|_| self.total <= MOST_NODES) {
                if known.insert(entry.key.clone()) {
                    let (key, place) = (entry.key.clone(), entry.place.clone());
                    let value = Rc::clone(&entry.value);
                    entries.push(Entry { key, place, value, taken: Cell::new(false) });
                }
            }
        }
        entries
    }

    fn ended(&mut self, anchor: usize, node: Node) -> Result<(), YamlError> {
        self.total += 1;
        if node.nodes > MOST_NODES || self.total > MOST_NODES {
            let message = format!("this and its aliases unfold into more than {MOST_NODES} values");
            return Err(fault(node.place, message, "write out what is needed of it"));
        }
        let place = node.place.clone();
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node, place)
    }

    /// Puts a node where the innermost open one wants it.
    fn put(&mut self, node: Rc<Node>, place: Place) -> Result<(), YamlError> {
        match self.open.last_mut().map(|open| &mut open.holds) {
            None => {
                let null = node.is_null();
                self.root = self.root.take().or((!null).then_some(node));
                Ok(())
            }
            Some(Holds::List(items)) => {
                items.push(node);
                Ok(())
            }
            Some(Holds::Map(map)) => map.put(node, place),
        }
    }

    fn at(&self, line: usize, column: usize) -> Place {
        Place { file: Arc::clone(&self.file), line, column }
    }

    fn empty(&self) -> YamlError {
        fault(self.at(1, 1), "the file is empty", "name the file that is in use")
    }

    fn broken(&self, text: &str, error: &ScanError) -> YamlError {
        let at = error.marker();
        let place = self.at(at.line().max(1), at.col() + 1);
        let help = if text.contains("{{") {
            "if it holds templates, name what `authelia config template` prints of it"
        } else {
            "mend the YAML; the mistake may stand a line above"
        };
        fault(place, format!("this is no YAML: {}", error.info()), help)
    }
}

impl OpenMap {
    /// A key, or the value of the key before.
    fn put(&mut self, node: Rc<Node>, place: Place) -> Result<(), YamlError> {
        let Some((name, at)) = self.key.take() else {
            let Some(text) = node.raw().filter(|_| node.tag.is_none()) else {
                let help = "keys are words, such as `domain`; of a template, name what \
                            `authelia config template` prints";
                return Err(fault(place, "this key is no text", help));
            };
            self.key = Some((text.to_owned(), place));
            return Ok(());
        };
        if name == "<<" {
            if !node.items().iter().all(|item| item.is_map()) {
                let message = "`<<` merges maps, and this is none";
                return Err(fault(at, message, "name an anchor of a map"));
            }
            self.merged.push(node);
            return Ok(());
        }
        if let Some(line) = self.lines.insert(name.clone(), at.line) {
            let message =
                format!("the key `{name}` stands here a second time; the first is in line {line}");
            return Err(fault(at, message, "keep the one that is meant"));
        }
        self.entries.push(Entry { key: name, place: at, value: node, taken: Cell::new(false) });
        Ok(())
    }
}

fn fault(place: Place, message: impl Into<String>, help: &str) -> YamlError {
    YamlError { place, message: message.into(), help: help.to_owned() }
}

fn too_deep(place: Place) -> YamlError {
    let message = format!("lists and maps stand more than {DEEPEST} deep here");
    fault(place, message, "write out what is needed of it")
}

/// The tag that somebody made up; none for those of YAML itself.
fn own(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|tag| !tag.is_yaml_core_schema()).map(|tag| tag.suffix().to_owned())
}
