//! Replaces `let`, `template`, `use` and `each` by what they stand for.
//!
//! It works on the top-level nodes of all files together. What it leaves is a tree in which every
//! node says from which row it came; `use` stays only inside `policy`, where it names a policy.
//! It knows no other vocabulary.

mod call;
mod constants;
mod cycles;
mod templates;
mod unused;
mod variables;

use std::collections::HashSet;
use std::sync::Arc;

use self::call::Call;
use self::constants::Constants;
use self::templates::Templates;
use self::variables::Scope;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::source::Span;
use super::tree::{Node, Origin, Prop};

/// How deep templates may use templates.
pub const MAX_DEPTH: usize = 8;
/// How many nodes and uses of templates a blueprint may have in all.
pub const MAX_NODES: usize = 50_000;

/// Expands the nodes of all files.
pub fn expand(nodes: Vec<Node>, out: &mut Diagnostics) -> Vec<Node> {
    let constants = Constants::collect(&nodes, out);
    let templates = Templates::collect(&nodes, out);
    let mut expander = Expander {
        constants: &constants,
        templates: &templates,
        out,
        told: HashSet::new(),
        cycles: HashSet::new(),
        made: 0,
        full: false,
    };
    let scope = Scope { constants: &constants, bound: None };
    let spot = Spot { place: Place::Top, scope: &scope, uses: &[], origin: None };
    let mut expanded = Vec::with_capacity(nodes.len());
    expander.nodes(&nodes, &spot, &mut expanded);
    let cycles = expander.cycles;
    cycles::report_rest(&templates, &cycles, out);
    if !out.names_withheld() {
        unused::report(&nodes, &constants, &templates, out);
    }
    expanded
}

/// What kind of place a node stands in, as far as `use` is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    App,
    /// `use` names a policy here.
    Policy,
    Elsewhere,
}

/// Everything that holds for the nodes of one block.
struct Spot<'a> {
    place: Place,
    scope: &'a Scope<'a>,
    /// The uses that we are in, the outermost first.
    uses: &'a [Use],
    origin: Option<Arc<Origin>>,
}

/// A template in use.
#[derive(Clone)]
struct Use {
    template: String,
    head: Span,
}

struct Expander<'a> {
    constants: &'a Constants,
    templates: &'a Templates,
    out: &'a mut Diagnostics,
    /// Places in template bodies that were complained of; rows do not repeat it.
    told: HashSet<Span>,
    /// Cycles that were reported, by the names in them.
    cycles: HashSet<Vec<String>>,
    made: usize,
    full: bool,
}

impl Expander<'_> {
    fn nodes(&mut self, nodes: &[Node], spot: &Spot, into: &mut Vec<Node>) {
        for node in nodes {
            if self.full {
                return;
            }
            match (node.name.text.as_str(), spot.place) {
                ("let" | "template", Place::Top) if spot.uses.is_empty() => {}
                ("let" | "template", _) => self.misplaced(node, "belongs at the top level"),
                ("use", Place::Policy) => into.extend(self.plain(node, spot)),
                ("use", Place::Top | Place::App) => self.splice(node, spot, into),
                ("each", Place::Top | Place::App) => self.rows(node, spot, into),
                ("use" | "each", _) => {
                    self.misplaced(
                        node,
                        "works at the top level, in `app` and in templates of these",
                    );
                }
                _ => into.extend(self.plain(node, spot)),
            }
        }
    }

    /// A node that stays, with its variables replaced.
    fn plain(&mut self, node: &Node, spot: &Spot) -> Option<Node> {
        self.made += 1;
        if self.made > MAX_NODES {
            self.too_many(node.head(), spot);
            return None;
        }
        let mut replace = |value| variables::replace(value, spot.scope, &mut self.told, self.out);
        let args = node.args.iter().map(&mut replace).collect();
        let props = node
            .props
            .iter()
            .map(|prop| Prop { name: prop.name.clone(), value: replace(&prop.value) })
            .collect();
        let place = match (node.name.text.as_str(), spot.place) {
            ("app", Place::Top) => Place::App,
            ("policy", _) | (_, Place::Policy) => Place::Policy,
            _ => Place::Elsewhere,
        };
        let inner = Spot { place, origin: spot.origin.clone(), ..*spot };
        let mut kids = Vec::with_capacity(node.kids.len());
        self.nodes(&node.kids, &inner, &mut kids);
        Some(Node {
            name: node.name.clone(),
            args,
            props,
            kids,
            line: node.line,
            span: node.span,
            origin: spot.origin.clone(),
        })
    }

    fn splice(&mut self, node: &Node, spot: &Spot, into: &mut Vec<Node>) {
        let Some(call) = Call::of_use(node) else {
            let help = "write use NAME, with the values of its parameters behind it";
            return self.no_template(node, "`use` wants the name of a template", help);
        };
        if let Some(kid) = node.kids.first() {
            let complaint = Diagnostic::error("blueprint::template-call", "`use` takes no block")
                .at(kid.name.span, "put this beside the `use`");
            self.tell(complaint);
        }
        self.call(&call, spot, into);
    }

    fn rows(&mut self, node: &Node, spot: &Spot, into: &mut Vec<Node>) {
        let name = match node.args.as_slice() {
            [name] if node.props.is_empty() => name.text(),
            _ => None,
        };
        let Some(name) = name else {
            let help = "write each NAME { … }, with one row for each use in the block";
            return self.no_template(node, "`each` wants the name of a template", help);
        };
        let span = node.args.first().map_or(node.name.span, |name| name.span);
        if self.templates.find(name).is_none() {
            return self.unknown_template(name, span);
        }
        for row in &node.kids {
            if let Some(kid) = row.kids.first() {
                let complaint = Diagnostic::error(
                    "blueprint::template-call",
                    "a row takes no block",
                )
                .at(kid.name.span, "give it to the template as a parameter, or write the app out");
                self.tell(complaint);
            }
            self.call(&Call::of_row(name, span, row), spot, into);
        }
    }

    /// Puts the body of a template in the place of a `use` line or row.
    fn call(&mut self, call: &Call, spot: &Spot, into: &mut Vec<Node>) {
        let Some(template) = self.templates.find(&call.template) else {
            return self.unknown_template(&call.template, call.name);
        };
        if spot.uses.iter().any(|earlier| earlier.template == call.template) {
            return self.cycle(call, spot.uses);
        }
        if spot.uses.len() >= MAX_DEPTH {
            return self.too_deep(call);
        }
        self.made += 1;
        if self.made > MAX_NODES {
            return self.too_many(call.head, spot);
        }
        let bound = call.bind(template, spot.scope, &mut self.told, self.out);
        let scope = Scope { constants: self.constants, bound: Some(&bound) };
        let origin = Origin {
            template: call.template.clone(),
            used_at: call.head,
            outer: spot.origin.clone(),
        };
        let mut uses = spot.uses.to_vec();
        uses.push(Use { template: call.template.clone(), head: call.head });
        let inner =
            Spot { place: spot.place, scope: &scope, uses: &uses, origin: Some(Arc::new(origin)) };
        self.nodes(&template.body, &inner, into);
    }

    /// Complains once for each place.
    fn tell(&mut self, complaint: Diagnostic) {
        if self.told.insert(complaint.span()) {
            self.out.push(complaint);
        }
    }

    fn misplaced(&mut self, node: &Node, rule: &str) {
        let name = &node.name.text;
        self.tell(
            Diagnostic::error("blueprint::misplaced", format!("`{name}` does not work here"))
                .at(node.name.span, format!("`{name}` {rule}")),
        );
    }

    fn no_template(&mut self, node: &Node, message: &str, help: &str) {
        self.tell(
            Diagnostic::error("blueprint::template-call", message)
                .at(node.line, "no template is named here")
                .help(help),
        );
    }

    fn unknown_template(&mut self, name: &str, span: Span) {
        if !self.out.names_withheld() {
            let complaint = self.templates.unknown(name, span);
            self.tell(complaint);
        }
    }

    fn cycle(&mut self, call: &Call, uses: &[Use]) {
        let first = uses.iter().position(|each| each.template == call.template).unwrap_or(0);
        let inside = uses.get(first..).unwrap_or_default();
        let names: Vec<&str> = inside.iter().map(|each| each.template.as_str()).collect();
        if self.cycles.insert(cycles::key(&names)) {
            let heads = inside.iter().map(|each| each.head).collect::<Vec<_>>();
            self.out.push(cycles::complaint(&names, call.head, &heads));
        }
    }

    fn too_deep(&mut self, call: &Call) {
        self.tell(
            Diagnostic::error("blueprint::too-large", "templates use templates too deeply")
                .at(call.head, format!("at most {MAX_DEPTH} templates within each other")),
        );
    }

    fn too_many(&mut self, head: Span, spot: &Spot) {
        if std::mem::replace(&mut self.full, true) {
            return;
        }
        let span = spot.uses.first().map_or(head, |outermost| outermost.head);
        self.out.push(
            Diagnostic::error("blueprint::too-large", "this blueprint is too large")
                .at(span, format!("here it grows beyond {MAX_NODES} nodes")),
        );
    }
}

#[cfg(test)]
mod tests;
