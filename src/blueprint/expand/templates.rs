//! `template name parameter… parameter=default… { body }`.

use super::constants::declared_twice;
use super::variables::is_name;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::{Node, Value, Word};

/// All templates, in the order of the files.
#[derive(Default)]
pub(super) struct Templates {
    list: Vec<Template>,
}

pub(super) struct Template {
    pub name: Word,
    pub parameters: Vec<Parameter>,
    pub body: Vec<Node>,
}

pub(super) struct Parameter {
    pub name: Word,
    pub default: Option<Value>,
}

impl Templates {
    pub fn collect(nodes: &[Node], out: &mut Diagnostics) -> Self {
        let mut templates = Self::default();
        for node in nodes.iter().filter(|node| node.is("template")) {
            let Some(template) = Template::read(node, out) else { continue };
            match templates.find(&template.name.text) {
                Some(first) => {
                    let name = &template.name;
                    let twice = declared_twice("template", &name.text, name.span, first.name.span);
                    out.push(twice);
                }
                None => templates.list.push(template),
            }
        }
        templates
    }

    pub fn find(&self, name: &str) -> Option<&Template> {
        self.list.iter().find(|template| template.name.text == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.list.iter()
    }

    pub fn unknown(&self, name: &str, span: Span) -> Diagnostic {
        let names: Vec<&str> = self.iter().map(|template| template.name.text.as_str()).collect();
        let complaint =
            Diagnostic::error("blueprint::unknown-template", format!("unknown template `{name}`"));
        let near = nearest(name, names.iter().copied()).and_then(|near| self.find(near));
        match near {
            Some(near) => complaint
                .at(span, format!("did you mean `{}`?", near.name.text))
                .related(
                    format!("template `{}` is declared here", near.name.text),
                    near.name.span,
                    "here",
                )
                .fix(span, near.name.text.clone()),
            None if names.is_empty() => {
                complaint.at(span, "no template is declared").help("write template NAME { … }")
            }
            None => complaint
                .at(span, "no template with this name")
                .help(format!("declared: {}", names.join(", "))),
        }
    }
}

impl Template {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let mut words = node.args.iter();
        let Some(name) = words.next().and_then(word) else {
            out.push(
                Diagnostic::error("blueprint::bad-template", "`template` wants a name")
                    .at(node.head(), "a name belongs here")
                    .help("write template NAME PARAMETER… { … }"),
            );
            return None;
        };
        let mut template = Self { name, parameters: Vec::new(), body: node.kids.clone() };
        for value in words {
            match word(value) {
                Some(name) => template.add(name, None, out),
                None => out.push(bad_parameter(value.span)),
            }
        }
        for prop in &node.props {
            template.add(prop.name.clone(), Some(prop.value.clone()), out);
        }
        Some(template)
    }

    fn add(&mut self, name: Word, default: Option<Value>, out: &mut Diagnostics) {
        if !is_name(&name.text) {
            out.push(bad_parameter(name.span));
            return;
        }
        match self.parameter(&name.text) {
            Some(first) => {
                out.push(declared_twice("parameter", &name.text, name.span, first.name.span));
            }
            None => self.parameters.push(Parameter { name, default }),
        }
    }

    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name.text == name)
    }
}

fn word(value: &Value) -> Option<Word> {
    let text = value.text().filter(|text| !text.is_empty())?;
    Some(Word { text: text.to_owned(), span: value.span })
}

fn bad_parameter(span: Span) -> Diagnostic {
    Diagnostic::error("blueprint::bad-template", "this is no name for a parameter")
        .at(span, "names hold letters, digits, `-` and `_`")
}
