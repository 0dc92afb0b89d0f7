//! Constants and templates that nothing refers to.

use std::collections::HashSet;

use super::constants::Constants;
use super::cycles::references;
use super::templates::Templates;
use super::variables::parts;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::tree::{Node, Spelling, Value};

pub(super) fn report(
    nodes: &[Node],
    constants: &Constants,
    templates: &Templates,
    out: &mut Diagnostics,
) {
    let mut used = Vec::new();
    references(nodes, &mut used);
    let used: HashSet<&str> = used.into_iter().map(|(name, _)| name).collect();
    for template in templates.iter().filter(|template| !used.contains(template.name.text.as_str()))
    {
        let name = &template.name;
        out.push(
            Diagnostic::advice(
                "blueprint::unused",
                format!("template `{}` is never used", name.text),
            )
            .at(name.span, "no `use` and no `each` names it"),
        );
    }
    let mut variables = HashSet::new();
    for node in nodes {
        collect(node, &mut variables);
    }
    for (name, span) in constants.iter().filter(|(name, _)| !variables.contains(name)) {
        out.push(
            Diagnostic::advice("blueprint::unused", format!("constant `{name}` is never used"))
                .at(span, format!("no string holds ${{{name}}}")),
        );
    }
}

fn collect<'a>(node: &'a Node, names: &mut HashSet<&'a str>) {
    let values = node.args.iter().chain(node.props.iter().map(|prop| &prop.value));
    for text in values.filter(|value| value.spelling == Spelling::Quoted).filter_map(Value::text) {
        names.extend(parts(text).filter_map(|part| part.name));
    }
    for kid in &node.kids {
        collect(kid, names);
    }
}
