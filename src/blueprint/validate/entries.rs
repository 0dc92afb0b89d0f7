//! The line of a node: arguments, switches, properties, durations.

use super::{Walk, head, listed};
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::schema::{Lasts, Place, Spec, UNITS, Want, entries, wanted};
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::{Node, Prop, Value};

impl Walk<'_> {
    pub(super) fn entries(&mut self, node: &Node, spec: &'static Spec) {
        let sorted = entries(node, spec);
        for (arg, value) in &sorted.args {
            self.value(&Place { node, name: spec.name, want: arg.want, value });
        }
        for value in &sorted.extra {
            self.extra(
                node,
                spec,
                value,
                &sorted.args.iter().map(|(arg, _)| arg.name).collect::<Vec<_>>(),
            );
        }
        self.repeated_switches(node, &sorted.switches);
        let given = |name: &str| sorted.args.iter().any(|(arg, _)| arg.name == name);
        for arg in spec.args.iter().filter(|arg| arg.needed && !given(arg.name)) {
            self.missing_value(node, spec, arg.want.words());
        }
        self.props(node, spec);
        self.duration(node, spec);
    }

    fn missing_value(&mut self, node: &Node, spec: &Spec, words: &str) {
        let diagnostic =
            Diagnostic::error("blueprint::missing-value", format!("`{}` needs {words}", spec.name))
                .at(node.line, "a value is missing")
                .help(format!("for example\n    {}", spec.example));
        self.report(node, diagnostic);
    }

    fn extra(&mut self, node: &Node, spec: &Spec, value: &Value, given: &[&str]) {
        let Some(word) = value.bare_word().filter(|_| takes_words(spec)) else {
            let diagnostic = Diagnostic::error("blueprint::too-many-values", too_many(spec))
                .at(value.span, "one too many");
            return self.report(node, diagnostic);
        };
        let diagnostic = Diagnostic::error(
            "blueprint::unknown-switch",
            format!("`{}` has no switch `{word}`", spec.name),
        );
        let titles =
            spec.args.iter().any(|arg| arg.want == Want::Title && !given.contains(&arg.name));
        let diagnostic = if let Some(near) = nearest(word, spec.switches.iter().copied()) {
            diagnostic.at(value.span, format!("did you mean `{near}`?")).fix(value.span, near)
        } else if titles {
            diagnostic
                .at(value.span, "a title is always in quotes")
                .help(format!("write \"{word}\""))
                .fix(value.span, format!("\"{word}\""))
        } else if spec.kid(word).is_some() {
            diagnostic.at(value.span, format!("write `{word} …` inside the block"))
        } else {
            let all = listed(spec.switches.iter().copied());
            diagnostic
                .at(value.span, "not known here")
                .help(format!("`{}` takes: {all}", spec.name))
        };
        self.report(node, diagnostic);
    }

    fn repeated_switches(&mut self, node: &Node, switches: &[&Value]) {
        for (at, value) in switches.iter().enumerate() {
            let earlier = switches.iter().take(at).find(|each| each.text() == value.text());
            let Some(earlier) = earlier else { continue };
            let diagnostic = Diagnostic::error(
                "blueprint::given-twice",
                format!("`{}` stands twice", value.text().unwrap_or("")),
            )
            .at(value.span, "second one")
            .at(earlier.span, "first one")
            .help("delete one of the two");
            self.report(node, diagnostic);
        }
    }

    fn props(&mut self, node: &Node, spec: &'static Spec) {
        for prop in &node.props {
            match wanted(spec, &prop.name.text) {
                Some(want) => {
                    let name = prop.name.text.as_str();
                    self.value(&Place { node, name, want, value: &prop.value });
                }
                None => self.unknown_prop(node, spec, prop),
            }
        }
        for prop in spec.props.iter().filter(|prop| prop.needed && node.prop(prop.name).is_none()) {
            let diagnostic = Diagnostic::error(
                "blueprint::missing-property",
                format!("`{}` needs `{}=`", spec.name, prop.name),
            )
            .at(head(node), format!("add {}=…", prop.name))
            .help(format!("for example\n    {}", spec.example));
            self.report(node, diagnostic);
        }
    }

    fn unknown_prop(&mut self, node: &Node, spec: &Spec, prop: &Prop) {
        let name = prop.name.text.as_str();
        let diagnostic = Diagnostic::error(
            "blueprint::unknown-property",
            format!("`{}` has no property `{name}`", spec.name),
        );
        let span = prop.name.span;
        let units = UNITS.iter().map(|(unit, _)| *unit).filter(|_| spec.takes_duration());
        let known: Vec<&str> = spec.props.iter().map(|prop| prop.name).chain(units).collect();
        let diagnostic = if spec.switches.contains(&name) {
            diagnostic.at(span, format!("a bare word: write `{name}` alone"))
        } else if spec.kid(name).is_some() {
            diagnostic.at(span, format!("write `{name} …` inside the block"))
        } else if spec.args.iter().any(|arg| arg.name == name) {
            diagnostic
                .at(span, format!("the {name} stands without its name"))
                .help(format!("for example\n    {}", spec.example))
        } else if let Some(near) = nearest(name, known.iter().copied()) {
            diagnostic.at(span, format!("did you mean `{near}`?")).fix(span, near)
        } else if known.is_empty() {
            diagnostic
                .at(span, "not known here")
                .help(format!("`{}` takes no properties", spec.name))
        } else {
            let all = listed(known);
            diagnostic.at(span, "not known here").help(format!("`{}` takes: {all}", spec.name))
        };
        self.report(node, diagnostic);
    }

    fn duration(&mut self, node: &Node, spec: &Spec) {
        let given = node.props.iter().find(|prop| is_unit(&prop.name.text));
        let switch_given = |word: &str| {
            node.args.iter().any(|value| value.bare_word() == Some(word))
                || node.kid(word).is_some()
        };
        let missing = match spec.lasts {
            Lasts::Must => given.is_none().then_some(spec.name),
            Lasts::With(word) => {
                if let Some(prop) = given.filter(|_| !switch_given(word)) {
                    let diagnostic = Diagnostic::error(
                        "blueprint::bare-duration",
                        format!("a duration of `{}` belongs behind `{word}`", spec.name),
                    )
                    .at(prop.name.span.to(prop.value.span), format!("write `{word}` before it"))
                    .fix(prop.name.span, format!("{word} {}", prop.name.text));
                    self.report(node, diagnostic);
                }
                (switch_given(word) && given.is_none()).then_some(word)
            }
            Lasts::No | Lasts::May => None,
        };
        // A unit with a typing error has been reported already.
        let typo = node.props.iter().any(|prop| wanted(spec, &prop.name.text).is_none());
        if let Some(name) = missing.filter(|_| !typo) {
            let diagnostic = Diagnostic::error(
                "blueprint::missing-duration",
                format!("`{name}` needs a duration"),
            )
            .at(node.line, "how long?")
            .help(format!(
                "write for example `{}`; units are seconds=, minutes=, hours=, days= and weeks=",
                spec.example
            ));
            self.report(node, diagnostic);
        }
    }
}

fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|(unit, _)| *unit == name)
}

fn takes_words(spec: &Spec) -> bool {
    !spec.switches.is_empty() || spec.args.iter().any(|arg| arg.want == Want::Title)
}

fn too_many(spec: &Spec) -> String {
    match spec.args.len() {
        0 => format!("`{}` takes no value", spec.name),
        1 => format!("`{}` takes one value", spec.name),
        count => format!("`{}` takes at most {count} values", spec.name),
    }
}
