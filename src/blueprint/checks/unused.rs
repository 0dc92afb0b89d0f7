//! Policies, flows and sources that nothing names.

use std::collections::BTreeSet;

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::schema::{ROOT, Want, visit};
use crate::blueprint::source::Name;
use crate::blueprint::validate::text_of;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    let policies: Vec<&Name> = view.blueprint.policies.iter().map(|policy| &policy.slug).collect();
    report(view, Kind::Policy, &policies, "no rule, stage or policy names it", out);
    let flows: Vec<&Name> = view.blueprint.flows.iter().map(|flow| &flow.slug).collect();
    report(view, Kind::Flow, &flows, "no app, flow or `default-flows` names it", out);
    let sources: Vec<&Name> = view.blueprint.sources.iter().map(|source| &source.slug).collect();
    report(view, Kind::Source, &sources, "no `identification` names it in `sources`", out);
}

fn report(view: &View<'_>, kind: Kind, names: &[&Name], why: &str, out: &mut Diagnostics) {
    let used = mentioned(view, kind);
    for name in names.iter().filter(|name| !used.contains(&name.value)) {
        let word = kind.word();
        let diagnostic = Diagnostic::advice(
            "blueprint::unused",
            format!("{word} `{}` is never used", name.value),
        )
        .at(name.span, why);
        view.report(out, kind, &name.value, diagnostic);
    }
}

fn mentioned(view: &View<'_>, kind: Kind) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    visit(view.nodes, &ROOT, &mut |place| {
        if place.want == Want::Ref(kind) {
            used.extend(text_of(place.value).map(|text| text.into_owned()));
        }
    });
    used
}
