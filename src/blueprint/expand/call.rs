//! A `use` line or a row of `each`, and the values it gives to the parameters.

use std::collections::{HashMap, HashSet};

use super::templates::{Parameter, Template};
use super::variables::{Scope, replace};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::{Node, Prop, Scalar, Spelling, Value};

/// One use of a template.
pub(super) struct Call {
    pub template: String,
    /// Where the template is named.
    pub name: Span,
    /// What a person would point at: name and first value.
    pub head: Span,
    values: Vec<Value>,
    props: Vec<Prop>,
}

impl Call {
    pub fn of_use(node: &Node) -> Option<Self> {
        let (name, values) = node.args.split_first()?;
        Some(Self {
            template: name.text()?.to_owned(),
            name: name.span,
            head: node.head(),
            values: values.to_vec(),
            props: node.props.clone(),
        })
    }

    /// The name of the row is its first value.
    pub fn of_row(template: &str, name: Span, row: &Node) -> Self {
        let slug = Value {
            scalar: Scalar::Text(row.name.text.clone()),
            span: row.name.span,
            tag: None,
            spelling: Spelling::Bare,
        };
        Self {
            template: template.to_owned(),
            name,
            head: row.head(),
            values: std::iter::once(slug).chain(row.args.iter().cloned()).collect(),
            props: row.props.clone(),
        }
    }

    /// The parameters of the template with their values. What is missing gets a stand-in, so that
    /// the names in the body are still declared.
    pub fn bind(
        &self,
        template: &Template,
        scope: &Scope,
        told: &mut HashSet<Span>,
        out: &mut Diagnostics,
    ) -> HashMap<String, Value> {
        let outer = Scope { constants: scope.constants, bound: None };
        let mut bound: HashMap<String, Value> = HashMap::new();
        for (parameter, value) in template.parameters.iter().zip(&self.values) {
            bound.insert(parameter.name.text.clone(), replace(value, scope, told, out));
        }
        let mut complaints = self.too_many(template).into_iter().collect::<Vec<_>>();
        for prop in &self.props {
            match template.parameter(&prop.name.text) {
                None => complaints.push(self.unknown_parameter(template, prop)),
                Some(parameter) if bound.contains_key(&parameter.name.text) => {
                    complaints.push(self.given_twice(template, prop));
                }
                Some(_) => {
                    let value = replace(&prop.value, scope, told, out);
                    bound.insert(prop.name.text.clone(), value);
                }
            }
        }
        for parameter in &template.parameters {
            if bound.contains_key(&parameter.name.text) {
                continue;
            }
            let value = match &parameter.default {
                Some(default) => replace(default, &outer, told, out),
                None => {
                    complaints.push(self.missing(template, parameter));
                    stand_in(parameter)
                }
            };
            bound.insert(parameter.name.text.clone(), value);
        }
        if !complaints.is_empty() && told.insert(self.head) {
            out.extend(complaints);
        }
        bound
    }

    fn too_many(&self, template: &Template) -> Option<Diagnostic> {
        let extra = self.values.get(template.parameters.len())?;
        let takes = template.parameters.len();
        let name = &template.name.text;
        let message = match takes {
            0 => format!("template `{name}` takes no values"),
            1 => format!("template `{name}` takes one value"),
            _ => format!("template `{name}` takes at most {takes} values"),
        };
        Some(complaint(template, message, extra.span, "one too many"))
    }

    fn unknown_parameter(&self, template: &Template, prop: &Prop) -> Diagnostic {
        let (name, unknown) = (&template.name.text, &prop.name.text);
        let message = format!("template `{name}` has no parameter `{unknown}`");
        let complaint = complaint(template, message, prop.name.span, "unknown parameter");
        let names: Vec<&str> =
            template.parameters.iter().map(|each| each.name.text.as_str()).collect();
        match nearest(unknown, names.iter().copied()) {
            Some(near) => {
                complaint.help(format!("did you mean `{near}`?")).fix(prop.name.span, near)
            }
            None if names.is_empty() => complaint.help("it has no parameters"),
            None => complaint.help(format!("it has: {}", names.join(", "))),
        }
    }

    fn given_twice(&self, template: &Template, prop: &Prop) -> Diagnostic {
        let at = template.parameters.iter().position(|each| each.name.text == prop.name.text);
        let first = at.and_then(|at| self.values.get(at)).map_or(self.head, |value| value.span);
        Diagnostic::error(
            "blueprint::template-call",
            format!("parameter `{}` is given twice", prop.name.text),
        )
        .at(prop.name.span, "by name")
        .at(first, "and by its place")
    }

    fn missing(&self, template: &Template, parameter: &Parameter) -> Diagnostic {
        let (name, wanted) = (&template.name.text, &parameter.name.text);
        let message = format!("template `{name}` needs `{wanted}`");
        complaint(template, message, self.head, &format!("add {wanted}=..."))
    }
}

fn complaint(template: &Template, message: String, span: Span, label: &str) -> Diagnostic {
    Diagnostic::error("blueprint::template-call", message)
        .at(span, label)
        .at(template.name.span, "declared here")
}

/// Something that passes as a number, as a word and as a part of a host name.
fn stand_in(parameter: &Parameter) -> Value {
    Value {
        scalar: Scalar::Whole(1),
        span: parameter.name.span,
        tag: None,
        spelling: Spelling::Replaced,
    }
}
