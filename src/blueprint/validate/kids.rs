//! Children: unknown, missing and repeated ones.

use super::{Walk, head, listed};
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::schema::{self, Kid, ROOT, Spec};
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::Node;

/// Words of other systems, and ours for the same thing.
const SYNONYMS: &[(&str, &str)] = &[
    ("application", "app"),
    ("apps", "app"),
    ("provider", "app"),
    ("client", "app"),
    ("service", "app"),
    ("outpost", "proxy"),
    ("stage", "flow"),
    ("binding", "access"),
    ("rules", "access"),
    ("role", "group"),
    ("roles", "group"),
    ("team", "group"),
    ("account", "user"),
    ("person", "user"),
    ("condition", "policy"),
    ("expression", "cel"),
    ("theme", "brand"),
    ("tenant", "brand"),
    ("mail", "email"),
    ("idp", "source"),
    ("federation", "source"),
    ("webhook", "notify"),
    ("variable", "let"),
    ("include", "use"),
    ("config", "settings"),
    ("network-policy", "policy"),
    ("permit", "allow"),
    ("grant", "allow"),
    ("refuse", "deny"),
    ("block", "deny"),
    ("member-of", "in"),
    ("groups", "in"),
    ("upstream", "proxy"),
    ("redirect-url", "redirect-uri"),
    ("redirect_uri", "redirect-uri"),
    ("callback", "redirect-uri"),
];

impl Walk<'_> {
    pub(super) fn kids(&mut self, parent: Option<&Node>, nodes: &[Node], spec: &'static Spec) {
        for node in nodes {
            match spec.kid(&node.name.text) {
                Some(kid) => self.node(node, kid.spec),
                None if is_switch(node, spec) => {}
                None => self.unknown(parent, node, spec),
            }
        }
        for kid in spec.every_kid() {
            self.count(parent, nodes, spec, kid);
        }
    }

    fn count(&mut self, parent: Option<&Node>, nodes: &[Node], spec: &Spec, kid: Kid) {
        let mut found = nodes.iter().filter(|node| node.is(kid.spec.name));
        let Some(first) = found.next() else {
            if let Some(parent) = parent.filter(|_| kid.needed) {
                self.missing(parent, nodes, spec, kid.spec);
            }
            return;
        };
        if kid.many {
            return;
        }
        for again in found {
            self.twice(parent, first, again);
        }
    }

    fn twice(&mut self, parent: Option<&Node>, first: &Node, again: &Node) {
        let name = &again.name.text;
        let diagnostic = match parent {
            None => Diagnostic::error(
                "blueprint::declared-twice",
                format!("`{name}` is declared twice"),
            )
            .at(again.name.span, "second declaration")
            .at(first.name.span, "first declared here")
            .help(format!("`{name}` stands once in all files together: merge the two")),
            Some(parent) => Diagnostic::error(
                "blueprint::given-twice",
                format!("`{name}` stands twice in `{}`", parent.name.text),
            )
            .at(again.name.span, "second one")
            .at(first.name.span, "first one")
            .help("merge the two, or delete one"),
        };
        self.report(again, diagnostic);
    }

    fn missing(&mut self, parent: &Node, nodes: &[Node], spec: &Spec, wanted: &Spec) {
        let meant = |node: &&Node| {
            spec.kid(&node.name.text).is_none()
                && (suggestion(&node.name.text, spec) == Some(wanted.name))
        };
        if nodes.iter().any(|node| meant(&node)) {
            return;
        }
        let diagnostic = if wanted.name == "access" {
            Diagnostic::error("blueprint::no-access", "`app` needs `access`")
                .at(head(parent), "who may use this application?")
                .help(
                    "say it outright, for example\n    access { allow group:users }\n\
                     or `access { allow everyone }` for every signed-in user",
                )
        } else {
            let name = &parent.name.text;
            Diagnostic::error(
                "blueprint::missing-node",
                format!("`{name}` needs `{}`", wanted.name),
            )
            .at(head(parent), format!("`{}` is missing", wanted.name))
            .help(format!("add, for example\n    {}", wanted.example))
        };
        self.report(parent, diagnostic);
    }

    fn unknown(&mut self, parent: Option<&Node>, node: &Node, spec: &'static Spec) {
        let name = node.name.text.as_str();
        let place = match parent {
            Some(parent) => format!("inside `{}`", parent.name.text),
            None => "at the top level".to_owned(),
        };
        let diagnostic =
            Diagnostic::error("blueprint::unknown-node", format!("unknown node `{name}` {place}"));
        let span = node.name.span;
        let diagnostic = if let Some(note) = as_entry(name, spec) {
            diagnostic.at(span, note)
        } else if let Some(near) = suggestion(name, spec) {
            diagnostic.at(span, format!("did you mean `{near}`?")).fix(span, near)
        } else if let Some(elsewhere) = elsewhere(name) {
            diagnostic.at(span, elsewhere)
        } else {
            diagnostic.at(span, "not known here").help(may_hold(parent, spec))
        };
        self.report(node, diagnostic);
    }
}

/// `protect` as a child: no values, no children.
fn is_switch(node: &Node, spec: &Spec) -> bool {
    spec.switches.contains(&node.name.text.as_str())
        && node.args.is_empty()
        && node.props.is_empty()
        && node.kids.is_empty()
}

/// A word that stands on the line of the node, not in its block.
fn as_entry(name: &str, spec: &Spec) -> Option<String> {
    if spec.switches.contains(&name) {
        return Some(format!("`{name}` is a bare word: it takes no value"));
    }
    schema::wanted(spec, name)
        .map(|_| format!("write `{name}=…` on the line of `{}`, not in its block", spec.name))
}

fn suggestion(name: &str, spec: &Spec) -> Option<&'static str> {
    let here: Vec<&'static str> = spec.every_kid().map(|kid| kid.spec.name).collect();
    let fits = |ours: &&'static str| here.contains(ours);
    let synonym = |word: &str| {
        SYNONYMS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours).filter(fits)
    };
    if let Some(ours) = synonym(name) {
        return Some(ours);
    }
    if elsewhere(name).is_some() {
        return None;
    }
    let switches = spec.switches.iter().copied();
    nearest(name, here.iter().copied().chain(switches)).or_else(|| {
        let theirs = SYNONYMS.iter().filter(|(_, ours)| here.contains(ours)).map(|(word, _)| *word);
        nearest(name, theirs).and_then(synonym)
    })
}

/// Where a word that is wrong here would be right.
fn elsewhere(name: &str) -> Option<String> {
    let found = schema::named(name);
    if found.is_empty() {
        return None;
    }
    let mut places: Vec<&str> = Vec::new();
    for (path, _) in &found {
        let place = path.last().copied().unwrap_or("");
        if !places.contains(&place) {
            places.push(place);
        }
    }
    if places.contains(&"") {
        return Some(format!("`{name}` belongs at the top level"));
    }
    places.truncate(3);
    let named: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
    Some(format!("`{name}` belongs inside {}", named.join(" or ")))
}

fn may_hold(parent: Option<&Node>, spec: &'static Spec) -> String {
    let kids: Vec<&str> = spec.every_kid().map(|kid| kid.spec.name).collect();
    let names = listed(kids.into_iter().chain(spec.switches.iter().copied()));
    match parent {
        None if std::ptr::eq(spec, &ROOT) => format!("a blueprint may hold: {names}"),
        _ if names.is_empty() => format!("`{}` holds no nodes", spec.name),
        _ => format!("`{}` may hold: {names}", spec.name),
    }
}
