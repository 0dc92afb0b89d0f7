//! Text to expanded nodes for tests of this module alone: no guard, no complaints.

use std::collections::HashMap;
use std::sync::Arc;

use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};

use super::diagnostic::{Diagnostics, Severity};
use super::source::{FileId, SourceFile, Sources, Span};
use super::tree::{Node, Origin, Prop, Scalar, Spelling, Value, Word};

/// Files with their names, parsed and expanded.
pub fn expanded(files: &[(&str, &str)]) -> (Vec<Node>, Sources) {
    let files: Vec<SourceFile> = files
        .iter()
        .map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).into() })
        .collect();
    let sources = Sources { files };
    let mut nodes = Vec::new();
    for (index, file) in sources.files.iter().enumerate() {
        let document = KdlDocument::parse_v2(&file.text).expect("the sample parses");
        nodes.extend(lower(&document, FileId(index as u32), &file.text));
    }
    (expand(nodes), sources)
}

fn lower(document: &KdlDocument, file: FileId, text: &str) -> Vec<Node> {
    document.nodes().iter().map(|node| lower_node(node, file, text)).collect()
}

fn lower_node(node: &KdlNode, file: FileId, text: &str) -> Node {
    let span = |of: miette::SourceSpan| Span::new(file, of.offset(), of.offset() + of.len());
    let name = Word { text: node.name().value().to_owned(), span: span(node.name().span()) };
    let mut line = name.span;
    let (mut args, mut props) = (Vec::new(), Vec::new());
    for entry in node.entries() {
        let value = lower_value(entry, file, text);
        line = line.to(value.span);
        match entry.name() {
            Some(key) => {
                let name = Word { text: key.value().to_owned(), span: span(key.span()) };
                props.push(Prop { name, value });
            }
            None => args.push(value),
        }
    }
    let kids = node.children().map(|kids| lower(kids, file, text)).unwrap_or_default();
    Node { name, args, props, kids, line, span: span(node.span()), origin: None }
}

fn lower_value(entry: &KdlEntry, file: FileId, text: &str) -> Value {
    let all = entry.span();
    let written = &text[all.offset()..all.offset() + all.len()];
    let repr = entry.format().map_or(written.trim(), |format| format.value_repr.as_str());
    let start = all.offset() + written.rfind(repr).unwrap_or(0);
    let scalar = match entry.value() {
        KdlValue::String(text) => Scalar::Text(text.clone()),
        KdlValue::Integer(number) => Scalar::Whole(*number),
        KdlValue::Float(number) => Scalar::Decimal(*number),
        KdlValue::Bool(truth) => Scalar::Truth(*truth),
        KdlValue::Null => Scalar::Null,
    };
    let spelling = match repr.chars().next() {
        Some('"') if !repr.starts_with("\"\"\"") => Spelling::Quoted,
        Some('#' | '"') if entry.value().is_string() => Spelling::Raw,
        _ => Spelling::Bare,
    };
    let tag = entry.ty().map(|ty| Word {
        text: ty.value().to_owned(),
        span: Span::new(file, all.offset(), all.offset() + ty.value().len() + 2),
    });
    Value { scalar, span: Span::new(file, start, start + repr.len()), tag, spelling }
}

type Names = HashMap<String, Value>;

fn expand(nodes: Vec<Node>) -> Vec<Node> {
    let lets: Names = nodes
        .iter()
        .filter(|node| node.is("let"))
        .map(|node| (node.args[0].text().unwrap().to_owned(), node.args[1].clone()))
        .collect();
    let templates: HashMap<String, Node> = nodes
        .iter()
        .filter(|node| node.is("template"))
        .map(|node| (node.args[0].text().unwrap().to_owned(), node.clone()))
        .collect();
    let rest = nodes.into_iter().filter(|node| !node.is("let") && !node.is("template")).collect();
    splice(rest, &lets, &templates, None, 0)
}

fn splice(
    nodes: Vec<Node>,
    names: &Names,
    templates: &HashMap<String, Node>,
    origin: Option<&Arc<Origin>>,
    depth: usize,
) -> Vec<Node> {
    let mut done = Vec::new();
    for mut node in nodes {
        let template = node.args.first().and_then(Value::text).and_then(|name| templates.get(name));
        if depth < 8
            && let Some(template) = template.filter(|_| node.is("use") || node.is("each"))
        {
            let rows: Vec<(Vec<Value>, &Node)> = if node.is("use") {
                vec![(node.args.iter().skip(1).cloned().collect(), &node)]
            } else {
                node.kids.iter().map(|row| (row_args(row), row)).collect()
            };
            for (args, row) in rows {
                let mut inner = names.clone();
                let params = template.args.iter().skip(1).filter_map(Value::text);
                inner.extend(params.map(ToOwned::to_owned).zip(args));
                for prop in template.props.iter().filter(|p| row.prop(&p.name.text).is_none()) {
                    inner.insert(prop.name.text.clone(), replaced(&prop.value, names));
                }
                for prop in &row.props {
                    inner.insert(prop.name.text.clone(), replaced(&prop.value, names));
                }
                let used_at = if node.is("use") { node.line } else { row.head() };
                let template_name = template.args[0].text().unwrap().to_owned();
                let origin = Origin { template: template_name, used_at, outer: origin.cloned() };
                let origin = Arc::new(origin);
                done.extend(splice(
                    template.kids.clone(),
                    &inner,
                    templates,
                    Some(&origin),
                    depth + 1,
                ));
            }
            continue;
        }
        node.origin = origin.cloned();
        node.args = node.args.iter().map(|value| replaced(value, names)).collect();
        for prop in &mut node.props {
            prop.value = replaced(&prop.value, names);
        }
        node.kids = splice(std::mem::take(&mut node.kids), names, templates, origin, depth);
        done.push(node);
    }
    done
}

fn row_args(row: &Node) -> Vec<Value> {
    let first = Value {
        scalar: Scalar::Text(row.name.text.clone()),
        span: row.name.span,
        tag: None,
        spelling: Spelling::Bare,
    };
    std::iter::once(first).chain(row.args.iter().cloned()).collect()
}

fn replaced(value: &Value, names: &Names) -> Value {
    let Some(text) = value.text().filter(|text| text.contains("${")) else { return value.clone() };
    if value.spelling != Spelling::Quoted {
        return value.clone();
    }
    let mut value = value.clone();
    let mut text = text.to_owned();
    for (name, with) in names {
        let hole = format!("${{{name}}}");
        if text == hole {
            value.scalar = with.scalar.clone();
            value.spelling = Spelling::Replaced;
            return value;
        }
        let with = match &with.scalar {
            Scalar::Text(text) => text.clone(),
            Scalar::Whole(number) => number.to_string(),
            _ => continue,
        };
        text = text.replace(&hole, &with);
    }
    value.scalar = Scalar::Text(text);
    value.spelling = Spelling::Replaced;
    value
}

/// One line per place of a diagnostic, in order: what `--format short` and its labels say.
pub fn written(diagnostics: Diagnostics, sources: &Sources) -> String {
    let mut text = String::new();
    for each in diagnostics.sorted() {
        let severity = match each.severity {
            Severity::Error => "",
            Severity::Warning => " (warning)",
            Severity::Advice => " (advice)",
        };
        text.push_str(&format!("{}{severity}: {}\n", each.code, each.message));
        let related = each.related.iter().map(|related| &related.label);
        for label in each.labels.iter().chain(related) {
            let at = sources.position(label.span);
            let name = sources.name(label.span.file);
            let slice = sources.slice(label.span);
            let slice = if each.code.contains("secret") { "…" } else { slice };
            let place = format!("{name}:{}:{}", at.line, at.column);
            text.push_str(&format!("  {place} `{slice}` {}\n", label.text));
        }
        if let Some(help) = each.help {
            text.push_str(&format!("  help: {}\n", help.replace('\n', "\n        ")));
        }
    }
    text
}

/// The files of the homelab example.
pub fn homelab() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for directory in ["tests/homelab", "tests/homelab/apps"] {
        for entry in std::fs::read_dir(directory).expect("the example is there") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|end| end == "kdl") {
                let name = path.strip_prefix("tests/homelab").unwrap().display().to_string();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
