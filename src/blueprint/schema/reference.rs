//! The table as Markdown: what `doorward reference` prints and the site shows.

use std::fmt::Write;

use super::flow::FLOW;
use super::policy::CONDITIONS;
use super::{Arg, Lasts, PropSpec, ROOT, Spec, Want, named, stages};

/// What holds when a blueprint says nothing.
const DEFAULTS: [(&str, &str); 19] = [
    ("`server { listen }`", "`\"127.0.0.1:9000\"`"),
    (
        "`server { listen-envoy }`",
        "none: Envoy's `ext_authz` is answered nowhere, and the other listeners refuse its path",
    ),
    ("`server { metrics }`", "none: no metrics and no `/healthz/config`"),
    (
        "`server { state }`",
        "`\"sqlite://./state/doorward.db\"`; under `--dev` it is `./state/dev.db`, whatever is written",
    ),
    ("`server { master-key }`", "`master.key` beside the state, made at the first start"),
    ("`server { trusted-proxies }`", "none: decision endpoints answer 403"),
    ("`session { idle }`", "`hours=12`"),
    ("`session { absolute }`", "`days=14`; `stay-signed-in` replaces both for that session"),
    ("`default-token-lifetime`", "`minutes=60`"),
    ("`password`", "`min-length 12; min-score 3`"),
    ("`reconcile { tests }`", "`gate`"),
    ("`reconcile { prune-guard }`", "`percent=20 count=3`"),
    ("`reconcile { keep-tombstones }`", "`days=30`"),
    ("`reconcile { drift }`", "`report`"),
    ("`identity-headers`", "`remote`"),
    ("`preflight`", "`deny`"),
    ("`membership`", "`runtime`; `declared` for a group with `console admin`"),
    ("`authorization`, `oidc { consent }`", "no question is asked"),
    ("`expect`", "`from=\"203.0.113.1\" at=\"2026-01-07T12:00:00Z\"`, reputation 0, no factor"),
];

/// Describes every node, or those of one name; empty if there is none of that name.
#[must_use]
pub fn reference(name: Option<&str>) -> String {
    let mut text = String::new();
    match name {
        Some(name) => {
            for (path, spec) in named(name) {
                describe(&mut text, &path, spec, 2);
            }
        }
        None => {
            text.push_str(
                "# Blueprint reference\n\nGenerated: `doorward reference` prints this page, and edits to it are \
                 lost.\n\n",
            );
            for kid in ROOT.kids {
                section(&mut text, &[], kid.spec, 2);
            }
            for kid in CONDITIONS {
                describe(&mut text, &["a rule or a stage"], kid.spec, 2);
            }
            defaults(&mut text);
        }
    }
    text
}

fn section(text: &mut String, path: &[&'static str], spec: &'static Spec, level: usize) {
    describe(text, path, spec, level);
    let inner: Vec<&'static str> = path.iter().copied().chain([spec.name]).collect();
    for kid in spec.kids {
        let in_itself = !spec.kids.is_empty() && std::ptr::eq(spec.kids, kid.spec.kids);
        if in_itself {
            describe(text, &inner, kid.spec, 3);
        } else {
            section(text, &inner, kid.spec, 3);
        }
    }
}

fn describe(text: &mut String, path: &[&str], spec: &Spec, level: usize) {
    let place = if path.is_empty() { "the top level".to_owned() } else { path.join(" › ") };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{} `{}`\n\n{} Stands at: {place}.\n\n```text\n{}\n```\n\n",
        "#".repeat(level),
        spec.name,
        spec.doc,
        form(spec)
    );
    let words = enumerations(spec);
    if !words.is_empty() {
        let _ = writeln!(text, "{words}");
    }
    let kids: Vec<String> = spec
        .every_kid()
        .map(|kid| {
            let mark = match (kid.needed, kid.many) {
                (true, _) => " (needed)",
                (_, true) => " (repeatable)",
                _ => "",
            };
            format!("`{}`{mark}", kid.spec.name)
        })
        .collect();
    if !kids.is_empty() {
        let order = if spec.ordered { " The order matters." } else { "" };
        let _ = write!(text, "Holds {}.{order}\n\n", kids.join(", "));
    }
    if spec.name == FLOW.name && path.is_empty() {
        text.push_str(&stages::table(spec));
    }
    let _ = write!(text, "```kdl\n{}\n```\n\n", spec.example);
}

/// The line of a node, in the notation of manuals.
#[must_use]
pub fn form(spec: &Spec) -> String {
    let mut words = vec![spec.name.to_owned()];
    words.extend(spec.args.iter().map(arg_form));
    words.extend(spec.switches.iter().map(|switch| format!("[{switch}]")));
    words.extend(spec.props.iter().map(prop_form));
    match spec.lasts {
        Lasts::No => {}
        Lasts::Must => words.push("DURATION".to_owned()),
        Lasts::May | Lasts::With(_) => words.push("[DURATION]".to_owned()),
    }
    words.join(" ")
}

fn arg_form(arg: &Arg) -> String {
    let more = if arg.many { "…" } else { "" };
    if arg.needed { format!("<{}>{more}", arg.name) } else { format!("[{}]{more}", arg.name) }
}

fn prop_form(prop: &PropSpec) -> String {
    if prop.needed { format!("{}=…", prop.name) } else { format!("[{}=…]", prop.name) }
}

fn enumerations(spec: &Spec) -> String {
    let mut text = String::new();
    let args = spec.args.iter().map(|arg| (format!("<{}>", arg.name), arg.want));
    let props = spec.props.iter().map(|prop| (format!("{}=", prop.name), prop.want));
    for (name, want) in args.chain(props) {
        let _ = match want {
            Want::Word(words) => writeln!(text, "- `{name}` is one of {}", words.join(", ")),
            Want::Whole(least, most) if most < i64::MAX => {
                writeln!(text, "- `{name}` is a whole number from {least} to {most}")
            }
            Want::Phrase => writeln!(text, "- `{name}` is text, not empty"),
            _ => writeln!(text, "- `{name}` is {}", want.words()),
        };
    }
    if spec.takes_duration() {
        text.push_str(
            "- DURATION is any of seconds=, minutes=, hours=, days=, weeks=; they add up\n",
        );
    }
    text
}

fn defaults(text: &mut String) {
    text.push_str("## Defaults\n\n| Node | If not written |\n|---|---|\n");
    for (node, value) in DEFAULTS {
        let _ = writeln!(text, "| {node} | {value} |");
    }
}

#[cfg(test)]
mod tests {
    use super::reference;
    use crate::blueprint::schema::{all, lookup};

    #[test]
    fn every_node_is_in_the_reference() {
        let text = reference(None);
        for (path, spec) in all() {
            assert!(text.contains(spec.doc) && text.contains(spec.example), "{path:?}");
        }
        assert!(text.contains("| `session { idle }` | `hours=12` |"));
    }

    #[test]
    fn one_name_is_described_in_all_its_places() {
        let text = reference(Some("ldap"));
        assert!(text.contains("Stands at: the top level."));
        assert!(text.contains("Stands at: app."));
        assert_eq!(reference(Some("aplication")), "");
    }

    #[test]
    fn a_line_shows_what_may_be_left_out() {
        let app = lookup(&["app"]).map(super::form);
        assert_eq!(
            app.as_deref(),
            Some("app <slug> [title] [hidden] [protect] [category=…] [icon=…] [formerly=…]")
        );
        let allow = lookup(&["app", "access", "allow"]).map(super::form);
        assert_eq!(
            allow.as_deref(),
            Some("allow <subject>… [path=…] [method=…] [if=…] [unless=…]")
        );
        assert!(lookup(&["app", "alow"]).is_none());
    }
}
