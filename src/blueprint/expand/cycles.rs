//! Templates that use themselves, directly or through others.

use std::collections::HashSet;

use super::templates::{Template, Templates};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;

/// Longer chains of templates are refused for their length already.
const LONGEST: usize = 64;

/// What identifies a cycle, wherever one enters it.
pub(super) fn key(names: &[&str]) -> Vec<String> {
    let mut key: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    key.sort_unstable();
    key
}

/// `names` are the templates in the order of their use, `closing` is the use that leads back to
/// the first of them and `heads` are the uses before.
pub(super) fn complaint(names: &[&str], closing: Span, heads: &[Span]) -> Diagnostic {
    let mut path = names.join(" → ");
    if let Some(first) = names.first() {
        path.push_str(&format!(" → {first}"));
    }
    let complaint = Diagnostic::error("blueprint::cycle", format!("template cycle: {path}"))
        .at(closing, "closes the cycle")
        .help("templates may use templates, but never themselves");
    heads.iter().fold(complaint, |complaint, head| complaint.at(*head, "through here"))
}

/// Cycles among templates that nothing uses.
pub(super) fn report_rest(
    templates: &Templates,
    known: &HashSet<Vec<String>>,
    out: &mut Diagnostics,
) {
    let mut search = Search { templates, told: known.clone(), done: HashSet::new(), out };
    for template in templates.iter() {
        search.visit(template, &mut Vec::new());
    }
}

struct Search<'a> {
    templates: &'a Templates,
    told: HashSet<Vec<String>>,
    done: HashSet<&'a str>,
    out: &'a mut Diagnostics,
}

impl<'a> Search<'a> {
    /// `path` holds the templates that lead here and the use that leaves each of them.
    fn visit(&mut self, template: &'a Template, path: &mut Vec<(&'a str, Span)>) {
        let name = template.name.text.as_str();
        if self.done.contains(name) || path.len() > LONGEST {
            return;
        }
        let mut uses = Vec::new();
        references(&template.body, &mut uses);
        for (target, head) in uses {
            path.push((name, head));
            match path.iter().position(|(earlier, _)| *earlier == target) {
                Some(first) => self.tell(path.get(first..).unwrap_or_default()),
                None => {
                    if let Some(next) = self.templates.find(target) {
                        self.visit(next, path);
                    }
                }
            }
            path.pop();
        }
        self.done.insert(name);
    }

    fn tell(&mut self, cycle: &[(&str, Span)]) {
        let names: Vec<&str> = cycle.iter().map(|(name, _)| *name).collect();
        let Some(((_, closing), before)) = cycle.split_last() else { return };
        if self.told.insert(key(&names)) {
            let heads: Vec<Span> = before.iter().map(|(_, head)| *head).collect();
            self.out.push(complaint(&names, *closing, &heads));
        }
    }
}

/// Every template that `nodes` use, with the line that does. `use` in a policy is none.
pub(super) fn references<'a>(nodes: &'a [Node], into: &mut Vec<(&'a str, Span)>) {
    for node in nodes {
        if node.is("use") || node.is("each") {
            let name = node.args.first().and_then(|name| name.text());
            into.extend(name.map(|name| (name, node.head())));
        } else if !node.is("policy") {
            references(&node.kids, into);
        }
    }
}
