//! From the tree of the `kdl` crate to ours, with a place in the written text for every piece.

use kdl::{KdlDocument, KdlEntry, KdlIdentifier, KdlNode, KdlValue};

use super::edits::Changed;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::{FileId, Span};
use crate::blueprint::tree::{Node, Prop, Scalar, Spelling, Value, Word};

/// Lowers a document and complains of what KDL allows and blueprints do not have.
pub fn lower(
    file: FileId,
    changed: &Changed,
    document: &KdlDocument,
    out: &mut Diagnostics,
) -> Vec<Node> {
    let mut lowering = Lowering { file, changed, out };
    lowering.nodes(document)
}

struct Lowering<'a> {
    file: FileId,
    changed: &'a Changed,
    out: &'a mut Diagnostics,
}

impl Lowering<'_> {
    fn nodes(&mut self, document: &KdlDocument) -> Vec<Node> {
        document.nodes().iter().map(|node| self.node(node)).collect()
    }

    fn node(&mut self, node: &KdlNode) -> Node {
        let name = self.word(node.name());
        if let Some(annotation) = node.ty() {
            self.annotated(annotation);
        }
        let mut args = Vec::new();
        let mut props: Vec<Prop> = Vec::new();
        let mut line = name.span;
        for entry in node.entries() {
            let value = self.value(entry);
            line = line.to(value.span);
            match entry.name() {
                Some(key) => self.add_property(&mut props, self.word(key), value),
                None => args.push(value),
            }
        }
        let kids = node.children().map(|kids| self.nodes(kids)).unwrap_or_default();
        let span = self.whole(node, line);
        Node { name, args, props, kids, line, span, origin: None }
    }

    fn add_property(&mut self, props: &mut Vec<Prop>, name: Word, value: Value) {
        if let Some(first) = props.iter().find(|prop| prop.name.text == name.text) {
            let message = format!("property `{}` is given twice", name.text);
            self.out.push(
                Diagnostic::error("kdl::repeated-property", message)
                    .at(name.span, "KDL keeps only this last one")
                    .at(first.name.span, "first given here")
                    .help("repeat the node, or give several values as arguments"),
            );
        }
        props.retain(|prop| prop.name.text != name.text);
        props.push(Prop { name, value });
    }

    fn annotated(&mut self, annotation: &KdlIdentifier) {
        let word = self.word(annotation);
        self.out.push(
            Diagnostic::error("kdl::annotated-node", "the name of a node takes no annotation")
                .at(word.span, "annotations stand before values only")
                .help(format!("write ({}) before the value it belongs to", word.text)),
        );
    }

    /// Name, entries and block, without the white space and comments behind.
    fn whole(&self, node: &KdlNode, line: Span) -> Span {
        if node.children().is_none() {
            return line;
        }
        let start = node.span().offset();
        let taken = self.changed.text.get(start..start + node.span().len()).unwrap_or("");
        let len = taken.rfind('}').map_or(taken.len(), |at| at + 1);
        line.to(self.span(start, start + len))
    }

    fn word(&self, identifier: &KdlIdentifier) -> Word {
        let start = identifier.span().offset();
        let end = start + identifier.span().len();
        Word { text: identifier.value().to_owned(), span: self.span(start, end) }
    }

    fn value(&self, entry: &KdlEntry) -> Value {
        let written = entry.format().map_or("", |format| &format.value_repr);
        let end = entry.span().offset() + entry.span().len();
        let start = end.saturating_sub(written.len());
        Value {
            scalar: scalar(entry.value()),
            span: self.span(start, end),
            tag: entry.ty().map(|tag| self.word(tag)),
            spelling: spelling(written),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let range = self.changed.origin(start..end);
        Span::new(self.file, range.start, range.end)
    }
}

fn scalar(value: &KdlValue) -> Scalar {
    match value {
        KdlValue::String(text) => Scalar::Text(text.clone()),
        KdlValue::Integer(number) => Scalar::Whole(*number),
        KdlValue::Float(number) => Scalar::Decimal(*number),
        KdlValue::Bool(truth) => Scalar::Truth(*truth),
        KdlValue::Null => Scalar::Null,
    }
}

fn spelling(written: &str) -> Spelling {
    if written.starts_with("\"\"\"") || written.starts_with("#\"") || written.starts_with("##") {
        Spelling::Raw
    } else if written.starts_with('"') {
        Spelling::Quoted
    } else {
        Spelling::Bare
    }
}
