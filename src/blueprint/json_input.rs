//! The JSON form of the tree, for blueprints that a program writes.
//!
//! A file holds one node or an array of nodes:
//! `{ "node": "app", "args": ["wiki", "Wiki"], "props": { "icon": "w" }, "children": [] }`.
//! JSON has one kind of string and KDL has two: text of small letters that could be a bare word
//! counts as one; `{ "text": "…" }` and `{ "word": "…" }` say it outright, and
//! `{ "tag": "credential", "value": "…" }` is an annotated value. It knows no vocabulary.

mod reader;

use self::reader::{Field, Item, Json, Wrong, read};
use super::diagnostic::{Diagnostic, Diagnostics};
use super::guard::{MAX_DEPTH, admits_size, too_large};
use super::source::{FileId, Span};
use super::tree::{Node, Prop, Scalar, Spelling, Value, Word};

/// Parses one file. Spans point at the JSON text.
pub fn parse(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Vec<Node>> {
    let nodes = parse_text(file, text, out);
    if nodes.is_none() {
        out.withhold_names();
    }
    nodes
}

fn parse_text(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Vec<Node>> {
    if !admits_size(text.len()) {
        out.push(too_large(file, text.len()));
        return None;
    }
    let item = match read(text) {
        Ok(item) => item,
        Err(Wrong { at, what }) => {
            let end = text.get(at..).and_then(|tail| tail.chars().next()).map_or(0, char::len_utf8);
            out.push(
                Diagnostic::error("json::syntax", "this file is not JSON")
                    .at(Span::new(file, at, at + end), what),
            );
            return None;
        }
    };
    let mut lowering = Lowering { file, out, failed: false };
    let nodes = lowering.nodes(item, 0);
    (!lowering.failed).then_some(nodes)
}

struct Lowering<'a> {
    file: FileId,
    out: &'a mut Diagnostics,
    failed: bool,
}

impl Lowering<'_> {
    fn nodes(&mut self, item: Item, depth: usize) -> Vec<Node> {
        if depth > MAX_DEPTH {
            self.wrong(&item, &format!("blocks nest at most {MAX_DEPTH} deep"));
            return Vec::new();
        }
        match item.json {
            Json::Array(items) => {
                items.into_iter().filter_map(|item| self.node(item, depth)).collect()
            }
            Json::Object(_) if depth == 0 => self.node(item, depth).into_iter().collect(),
            _ => {
                self.wrong(&item, "an array of nodes belongs here");
                Vec::new()
            }
        }
    }

    fn node(&mut self, item: Item, depth: usize) -> Option<Node> {
        let span = self.span(&item);
        let Json::Object(fields) = item.json else {
            self.wrong(&item, "a node is an object with `node`, `args`, `props` and `children`");
            return None;
        };
        let mut name = None;
        let (mut args, mut props, mut kids) = (Vec::new(), Vec::new(), Vec::new());
        for Field { key, item } in fields {
            match key.text.as_str() {
                "node" => name = self.word(item),
                "args" => args = self.args(item),
                "props" => props = self.props(item),
                "children" => kids = self.nodes(item, depth + 1),
                _ => self.wrong_at(key.start..key.end, "a node holds node, args, props, children"),
            }
        }
        let Some(name) = name else {
            self.wrong_at(item.start..item.start + 1, "this node has no name in `node`");
            return None;
        };
        let values = args.iter().chain(props.iter().map(|prop: &Prop| &prop.value));
        let line = values.fold(name.span, |line, value: &Value| line.to(value.span));
        Some(Node { name, args, props, kids, line, span, origin: None })
    }

    fn word(&mut self, item: Item) -> Option<Word> {
        let span = self.span(&item);
        match item.json {
            Json::Text(text) => Some(Word { text, span }),
            _ => {
                self.wrong(&item, "text belongs here");
                None
            }
        }
    }

    fn args(&mut self, item: Item) -> Vec<Value> {
        match item.json {
            Json::Array(items) => items.into_iter().filter_map(|item| self.value(item)).collect(),
            _ => {
                self.wrong(&item, "an array of values belongs here");
                Vec::new()
            }
        }
    }

    fn props(&mut self, item: Item) -> Vec<Prop> {
        let Json::Object(fields) = item.json else {
            self.wrong(&item, "an object of values belongs here");
            return Vec::new();
        };
        let mut props = Vec::with_capacity(fields.len());
        for Field { key, item } in fields {
            let span = Span::new(self.file, key.start, key.end);
            let name = Word { text: key.text, span };
            props.extend(self.value(item).map(|value| Prop { name, value }));
        }
        props
    }

    fn value(&mut self, item: Item) -> Option<Value> {
        let span = self.span(&item);
        let (scalar, spelling) = match item.json {
            Json::Object(fields) => return self.annotated(fields, span),
            Json::Text(text) => {
                let spelling = if is_word(&text) { Spelling::Bare } else { Spelling::Quoted };
                (Scalar::Text(text), spelling)
            }
            Json::Whole(number) => (Scalar::Whole(number), Spelling::Bare),
            Json::Decimal(number) => (Scalar::Decimal(number), Spelling::Bare),
            Json::Truth(truth) => (Scalar::Truth(truth), Spelling::Bare),
            Json::Null => (Scalar::Null, Spelling::Bare),
            Json::Array(_) => {
                self.wrong(&item, "a value cannot be an array");
                return None;
            }
        };
        Some(Value { scalar, span, tag: None, spelling })
    }

    /// `{"tag", "value"}`, `{"text"}` or `{"word"}`.
    fn annotated(&mut self, fields: Vec<Field>, span: Span) -> Option<Value> {
        let (mut tag, mut value) = (None, None);
        for Field { key, item } in fields {
            match key.text.as_str() {
                "tag" => tag = self.word(item),
                "value" => value = self.value(item),
                "text" => value = self.spelled(item, Spelling::Quoted),
                "word" => value = self.spelled(item, Spelling::Bare),
                _ => self.wrong_at(key.start..key.end, "a value holds tag and value, text or word"),
            }
        }
        let Some(value) = value else {
            self.wrong_at(span.range(), "there is no value in it");
            return None;
        };
        Some(Value { tag: tag.or_else(|| value.tag.clone()), ..value })
    }

    fn spelled(&mut self, item: Item, spelling: Spelling) -> Option<Value> {
        let Word { text, span } = self.word(item)?;
        Some(Value { scalar: Scalar::Text(text), span, tag: None, spelling })
    }

    fn span(&self, item: &Item) -> Span {
        Span::new(self.file, item.start, item.end)
    }

    fn wrong(&mut self, item: &Item, label: &str) {
        self.wrong_at(item.start..item.end, label);
    }

    fn wrong_at(&mut self, range: std::ops::Range<usize>, label: &str) {
        self.failed = true;
        self.out.push(
            Diagnostic::error("json::shape", "this is not the form of a blueprint in JSON")
                .at(Span::new(self.file, range.start, range.end), label)
                .help(r#"{"node": "app", "args": ["wiki"], "props": {}, "children": []}"#),
        );
    }
}

/// Text that would be written without quotes in KDL.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'-' | b'_' | b':' | b'.' | b'@')
        })
}

#[cfg(test)]
mod tests;
