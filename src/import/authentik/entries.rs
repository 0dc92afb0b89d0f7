//! Entries, and what the tags in them stand for.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::Import;
use super::reasons;
use crate::import::carried::Report;
use crate::import::yaml::{Node, Place};

/// One object that a blueprint asks for.
#[derive(Debug)]
pub struct Entry<'a> {
    pub number: usize,
    pub model: String,
    pub place: Place,
    id: Option<String>,
    identifiers: Option<&'a Node>,
    attrs: Option<&'a Node>,
    file: usize,
    /// Somebody looked at it.
    used: Cell<bool>,
}

/// All entries of all files.
#[derive(Debug)]
pub struct Entries<'a> {
    all: Vec<Entry<'a>>,
    /// Numbers by file and `id`.
    ids: HashMap<(usize, String), usize>,
    /// `context` of each file.
    contexts: Vec<HashMap<String, &'a Node>>,
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An entry, by its number.
    Entry(usize),
    /// An object of the old database, by one of its fields.
    Named {
        model: String,
        key: String,
        value: String,
    },
    Unknown(String),
}

impl<'a> Entry<'a> {
    /// A field, from the attributes or what identifies the object; it counts as read.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.used.set(true);
        let attrs = self.attrs.and_then(|node| node.get(key));
        let identifiers = self.identifiers.and_then(|node| node.get(key));
        attrs.or(identifiers)
    }

    fn peek(&self, key: &str) -> Option<&'a Node> {
        self.attrs
            .and_then(|node| node.peek(key))
            .or_else(|| self.identifiers.and_then(|node| node.peek(key)))
    }

    pub fn list(&self, key: &str) -> Vec<&'a Node> {
        self.get(key).map(Node::items).unwrap_or_default()
    }

    pub fn is_on(&self, key: &str) -> bool {
        self.get(key).and_then(Node::truth) == Some(true)
    }

    pub fn is_off(&self, key: &str) -> bool {
        self.get(key).and_then(Node::truth) == Some(false)
    }

    pub fn take_all(&self) {
        self.used.set(true);
        self.attrs.into_iter().chain(self.identifiers).for_each(Node::take_all);
    }
}

impl<'a> Entries<'a> {
    /// Those that are to be there; the others are told of.
    pub fn of(roots: &'a [Rc<Node>], report: &mut Report) -> Self {
        let mut all = Vec::new();
        let mut contexts = Vec::new();
        for (file, root) in roots.iter().enumerate() {
            let context = root.peek("context").map(Node::entries).unwrap_or_default();
            contexts
                .push(context.into_iter().map(|(key, _, node)| (key.to_owned(), node)).collect());
            for node in root.list("entries") {
                all.extend(entry(all.len(), file, node, report));
            }
        }
        let named = |entry: &Entry<'_>| Some(((entry.file, entry.id.clone()?), entry.number));
        let ids = all.iter().rev().filter_map(named).collect();
        Self { all, ids, contexts }
    }

    /// Entries of a model by the entry that a field of theirs leads to.
    pub fn by_target(&self, model: &str, key: &str) -> HashMap<usize, Vec<usize>> {
        let mut found: HashMap<usize, Vec<usize>> = HashMap::new();
        for entry in self.of_model(model) {
            for node in entry.peek(key).map(Node::items).unwrap_or_default() {
                if let Reference::Entry(number) = self.reference(entry.file, node) {
                    found.entry(number).or_default().push(entry.number);
                }
            }
        }
        found
    }

    pub fn of_model(&self, model: &str) -> Vec<&Entry<'a>> {
        self.all.iter().filter(|entry| entry.model == model).collect()
    }

    pub fn number(&self, number: usize) -> Option<&Entry<'a>> {
        self.all.get(number)
    }

    /// The text of a node; `Err` says which tag stands in the way.
    pub fn text(&self, file: usize, node: &Node) -> Result<String, String> {
        match node.tag.as_deref() {
            None => node.raw().map(str::to_owned).ok_or_else(|| "no text".to_owned()),
            Some("Context") => self.context(file, node),
            Some("Format") => self.format(file, node),
            Some(tag) => Err(format!("`!{tag}` is told only by the server that runs it")),
        }
    }

    fn context(&self, file: usize, node: &Node) -> Result<String, String> {
        let items = node.items();
        let key = items.first().and_then(|item| item.raw()).unwrap_or_default();
        let given = self.contexts.get(file).and_then(|context| context.get(key)).copied();
        // Context may not lead to context again: nothing says that it ends.
        let plain = |node: &Node| node.text().map(str::to_owned);
        let default = if node.is_list() { items.get(1).copied() } else { None };
        given
            .and_then(plain)
            .or_else(|| default.and_then(plain))
            .ok_or_else(|| format!("`!Context {key}` is not said in the file"))
    }

    /// `!Format [text-%s, …]`.
    fn format(&self, file: usize, node: &Node) -> Result<String, String> {
        let items = node.items();
        let (first, rest) = items.split_first().ok_or("`!Format` of nothing")?;
        let pattern = first.text().ok_or("`!Format` without a text")?;
        let mut values = rest.iter();
        let mut text = String::new();
        let mut pieces = pattern.split("%s");
        text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let value = values.next().ok_or("`!Format` with too few values")?;
            if value.tag.as_deref() == Some("Format") {
                return Err("`!Format` within `!Format`".to_owned());
            }
            text.push_str(&self.text(file, value)?);
            text.push_str(piece);
        }
        if text.contains('%') { Err("`!Format` with more than %s".to_owned()) } else { Ok(text) }
    }

    /// What a node refers to.
    pub fn reference(&self, file: usize, node: &Node) -> Reference {
        match node.tag.as_deref() {
            Some("KeyOf") => {
                let id = node.raw().unwrap_or_default();
                match self.ids.get(&(file, id.to_owned())) {
                    Some(number) => Reference::Entry(*number),
                    None => Reference::Unknown(format!("no entry has the id `{id}`")),
                }
            }
            Some("Find" | "FindObject") => self.find(file, node),
            Some(tag) => {
                Reference::Unknown(format!("`!{tag}` is told only by the server that runs it"))
            }
            None => {
                Reference::Unknown("a primary key means nothing outside of its database".to_owned())
            }
        }
    }

    fn find(&self, file: usize, node: &Node) -> Reference {
        let items = node.items();
        let model = items.first().and_then(|item| self.text(file, item).ok()).unwrap_or_default();
        let mut wanted: Vec<(String, String)> = Vec::new();
        for pair in items.iter().skip(1) {
            let pair = pair.items();
            let text = |at: usize| pair.get(at).and_then(|item| self.text(file, item).ok());
            let (Some(key), Some(value)) = (text(0), text(1)) else {
                return Reference::Unknown("what `!Find` looks for cannot be told".to_owned());
            };
            wanted.push((key, value));
        }
        let is = |entry: &&Entry<'_>| {
            let field =
                |key: &str| entry.peek(key).and_then(|node| self.text(entry.file, node).ok());
            entry.model == model
                && wanted.iter().all(|(key, value)| field(key).as_deref() == Some(value))
        };
        match (self.all.iter().find(is), wanted.into_iter().next()) {
            (Some(entry), _) => Reference::Entry(entry.number),
            (None, Some((key, value))) => Reference::Named { model, key, value },
            (None, None) => Reference::Unknown("`!Find` looks for nothing".to_owned()),
        }
    }

    /// Tells of entries that nobody looked at.
    pub fn left(&self, report: &mut Report) {
        for entry in self.all.iter().filter(|entry| !entry.used.get()) {
            report.not_carried(
                &entry.place,
                format!("`{}`", entry.model),
                reasons::model(&entry.model),
            );
            entry.take_all();
        }
    }
}

fn entry<'a>(number: usize, file: usize, node: &'a Node, report: &mut Report) -> Option<Entry<'a>> {
    let model = node.get("model").and_then(Node::raw).unwrap_or_default().to_owned();
    let state = node.get("state").and_then(Node::raw).unwrap_or("present");
    let conditions = node.list("conditions");
    let unsure = conditions.iter().any(|each| each.truth() != Some(true));
    let why = match (model.is_empty(), state, unsure) {
        (true, ..) => Some("an entry has a model"),
        (_, "absent", _) => Some("what is to be gone is left out"),
        (_, _, true) => Some("whether it is made depends on conditions"),
        _ => None,
    };
    if let Some(why) = why {
        report.not_carried(&node.place, format!("`{model}`"), why);
        node.take_all();
        return None;
    }
    node.get("permissions").into_iter().for_each(Node::take_all);
    Some(Entry {
        number,
        model,
        place: node.place.clone(),
        id: node.get("id").and_then(Node::raw).map(str::to_owned),
        identifiers: node.get("identifiers").filter(|node| node.is_map()),
        attrs: node.get("attrs").filter(|node| node.is_map()),
        file,
        used: Cell::new(false),
    })
}

impl Import<'_> {
    /// The text of a field; what a tag hides is told.
    pub(super) fn text(&mut self, entry: &Entry<'_>, key: &str) -> Option<String> {
        let node = entry.get(key)?;
        match self.entries.text(entry.file, node) {
            Ok(text) => Some(text),
            Err(why) => {
                self.report.not_carried(&node.place, format!("`{key}`"), why);
                None
            }
        }
    }

    /// The text of an item.
    pub(super) fn item(&mut self, entry: &Entry<'_>, node: &Node) -> Option<String> {
        match self.entries.text(entry.file, node) {
            Ok(text) => Some(text),
            Err(why) => {
                self.report.not_carried(&node.place, "this value", why);
                None
            }
        }
    }

    pub(super) fn reference(&self, entry: &Entry<'_>, node: &Node) -> Reference {
        self.entries.reference(entry.file, node)
    }

    /// What a field refers to.
    pub(super) fn reference_at(&self, entry: &Entry<'_>, key: &str) -> Option<Reference> {
        entry.get(key).map(|node| self.reference(entry, node))
    }
}
