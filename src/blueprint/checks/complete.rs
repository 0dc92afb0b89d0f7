//! What was read is what is written. Validation has complained about everything that the typed
//! blueprint leaves out; if it ever had not, a condition would be lost without a word, so every
//! part that decides who may enter is counted again.

use super::View;
use crate::blueprint::app::{App, Proxy, Reach, Rule};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Flow, Stage};
use crate::blueprint::policy::{Condition, Part};
use crate::blueprint::tree::Node;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    // With errors about, things are missing for reasons that have been told.
    if out.has_errors() {
        return;
    }
    let blueprint = view.blueprint;
    let mut counted = Counted { out };
    for (word, read) in [
        ("group", blueprint.groups.len()),
        ("user", blueprint.users.len()),
        ("service-account", blueprint.service_accounts.len()),
        ("policy", blueprint.policies.len()),
        ("flow", blueprint.flows.len()),
        ("app", blueprint.apps.len()),
        ("source", blueprint.sources.len()),
        ("brand", blueprint.brands.len()),
        ("notify", blueprint.notifies.len()),
        ("persona", blueprint.personas.len()),
        ("test", blueprint.tests.len()),
        ("invariant", blueprint.invariants.len()),
    ] {
        let written: Vec<&Node> = view.all(word).collect();
        if let Some(first) = written.first() {
            counted.same(first, written.len(), read);
        }
    }
    for (node, policy) in view.all("policy").zip(&blueprint.policies) {
        counted.parts(node, &policy.parts);
    }
    for (node, app) in view.all("app").zip(&blueprint.apps) {
        counted.app(node, app);
    }
    for (node, flow) in view.all("flow").zip(&blueprint.flows) {
        counted.flow(node, flow);
    }
    for (node, test) in view.all("test").zip(&blueprint.tests) {
        counted.same(node, node.kids.len(), test.expectations.len());
    }
    if let Some(node) = view.all("server").next() {
        counted.same(node, values(node, "trusted-proxies"), blueprint.server.trusted_proxies.len());
        counted.same(node, values(node, "listen"), blueprint.server.listen.len());
        let envoy = usize::from(blueprint.server.listen_envoy.is_some());
        counted.same(node, values(node, "listen-envoy"), envoy);
    }
}

struct Counted<'a> {
    out: &'a mut Diagnostics,
}

impl Counted<'_> {
    fn same(&mut self, node: &Node, written: usize, read: usize) {
        if written == read {
            return;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::not-understood",
            format!("a part of `{}` could not be read", node.name.text),
        )
        .at(node.head(), "something in here")
        .help("write it as in `doorward reference`; this version cannot say more");
        self.out.push(super::with_origin(diagnostic, node));
    }

    fn parts(&mut self, node: &Node, parts: &[Part]) {
        self.same(node, node.kids.len(), parts.len());
        for (kid, part) in node.kids.iter().zip(parts) {
            match &part.condition {
                Condition::Network(networks) => self.same(kid, kid.args.len(), networks.len()),
                Condition::Group(groups) => self.same(kid, kid.args.len(), groups.len()),
                Condition::Any(inner) | Condition::Not(inner) => self.parts(kid, inner),
                Condition::Mfa { kinds, within } => {
                    let words = usize::from(within.is_some()) + kinds.len();
                    self.same(kid, kid.args.len() + kid.kids.len(), words);
                }
                _ => {}
            }
        }
    }

    fn app(&mut self, node: &Node, app: &App) {
        let is_proxy = |kid: &&Node| kid.is("proxy") || kid.is("proxy-domain");
        let proxies: Vec<&Node> = node.kids.iter().filter(is_proxy).collect();
        self.same(node, proxies.len(), app.proxies.len());
        for (kid, proxy) in proxies.iter().zip(&app.proxies) {
            self.proxy(kid, proxy);
        }
        let Some(access) = node.kid("access") else { return };
        let is_rule = |kid: &&Node| kid.is("allow") || kid.is("deny");
        let rules: Vec<&Node> = access.kids.iter().filter(is_rule).collect();
        self.same(access, rules.len(), app.access.rules.len());
        for (kid, rule) in rules.iter().zip(&app.access.rules) {
            self.rule(kid, rule);
        }
        let requires: Vec<&Node> = access.kids_named("require").collect();
        self.same(access, requires.len(), app.access.requires.len());
        for (kid, require) in requires.iter().zip(&app.access.requires) {
            self.same(
                kid,
                usize::from(!kid.props.is_empty()),
                usize::from(require.within.is_some()),
            );
        }
    }

    fn proxy(&mut self, node: &Node, proxy: &Proxy) {
        self.same(node, values(node, "protect-only"), proxy.protect_only.len());
        let paths = proxy.bypass.iter().map(|bypass| bypass.paths.len()).sum();
        self.same(node, values(node, "bypass"), paths);
        self.same(node, node.kids_named("header").count(), proxy.headers.len());
        self.same(node, usize::from(node.prop("to").is_some()), usize::from(proxy.to.is_some()));
        if let Reach::Domain { hosts, .. } = &proxy.reach {
            self.same(node, values(node, "hosts"), hosts.len());
        }
    }

    fn rule(&mut self, node: &Node, rule: &Rule) {
        let given = |name: &str| usize::from(node.prop(name).is_some());
        self.same(node, node.args.len(), rule.subjects.len());
        self.same(node, given("path"), usize::from(rule.path.is_some()));
        self.same(node, given("method"), usize::from(rule.method.is_some()));
        self.same(node, given("if") + values(node, "if"), rule.when.len());
        self.same(node, given("unless") + values(node, "unless"), rule.unless.len());
    }

    fn flow(&mut self, node: &Node, flow: &Flow) {
        self.same(node, node.kids.len(), flow.stages.len());
        for (kid, stage) in node.kids.iter().zip(&flow.stages) {
            self.stage(kid, stage);
        }
    }

    fn stage(&mut self, node: &Node, stage: &Stage) {
        self.same(node, values(node, "if"), stage.when.len());
        self.same(node, values(node, "unless"), stage.unless.len());
    }
}

/// How many values the children of this name have together.
fn values(node: &Node, kid: &str) -> usize {
    node.kids_named(kid).map(|kid| kid.args.len()).sum()
}
