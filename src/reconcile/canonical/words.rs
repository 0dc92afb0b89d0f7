//! What the canonical form has to know of the vocabulary: which words are switches, where the
//! order of values means nothing, what stands for itself, and defaults.

use crate::blueprint::tree::Value;

/// Switches by node, with the number of arguments that stand before them.
const SWITCHES: &[(&str, usize, &[&str])] = &[
    ("app", 1, &["hidden", "protect"]),
    ("group", 1, &["protect"]),
    ("user", 1, &["protect", "disabled"]),
    ("service-account", 1, &["protect"]),
    ("oidc", 0, &["public"]),
    ("identification", 0, &["passkey-autofill"]),
    ("authenticator-validate", 0, &["code-in-password"]),
    ("invitation", 0, &["required"]),
    ("field", 1, &["required"]),
    ("user-write", 0, &["inactive-until-verified"]),
];

/// Nodes whose arguments are a set from the position given.
const SETS: &[(&str, usize)] = &[
    ("accept", 0),
    ("allow", 0),
    ("any-of", 0),
    ("attribute", 1),
    ("bypass", 0),
    ("client-auth", 0),
    ("deny", 0),
    ("device-classes", 0),
    ("entrypoints", 0),
    ("events", 0),
    ("for-domain", 0),
    ("grants", 0),
    ("group", 0),
    ("hosts", 0),
    ("if", 0),
    ("in", 0),
    ("ip-allow", 0),
    ("mfa", 0),
    ("network", 0),
    ("protect-only", 0),
    ("runtime-objects", 0),
    ("scopes", 0),
    ("search", 0),
    ("sync", 0),
    ("trusted-proxies", 0),
    ("unless", 0),
];

/// Nodes of which several may stand, told apart by their first argument.
const KEYED: &[&str] = &["attribute", "header", "claim", "middleware"];

/// Nodes that are shown whole, on one line.
const WHOLE: &[&str] = &["require", "field", "expect", "token", "any", "not", "time", "mfa"];

/// Nodes of one name whose arguments add up.
const JOINED: &[&str] = &["in", "if", "unless"];

/// Nodes of one name whose order matters: the portal leads to the first address.
const RANKED: &[&str] = &["proxy", "proxy-domain", "field"];

/// What holds where nothing is said.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("group", "console", "none"),
    ("group", "membership", "runtime"),
    ("settings", "default-token-lifetime", "minutes=60"),
    ("settings", "session.idle", "hours=12"),
    ("settings", "session.absolute", "days=14"),
    ("settings", "password.min-length", "12"),
    ("settings", "password.min-score", "3"),
    ("settings", "reconcile.tests", "gate"),
    ("settings", "reconcile.prune-guard", "count=3 percent=20"),
    ("settings", "reconcile.keep-tombstones", "days=30"),
    ("settings", "reconcile.drift", "report"),
    ("server", "listen", "\"127.0.0.1:9000\""),
];

/// The units in which durations are written, and their seconds.
pub const UNITS: [(&str, u64); 5] =
    [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400), ("weeks", 604_800)];

/// Whether the argument at `position` of a node is a switch.
pub fn is_switch_argument(node: &str, position: usize, value: &Value) -> bool {
    SWITCHES.iter().any(|(name, before, words)| {
        *name == node
            && position >= *before
            && value.bare_word().is_some_and(|word| words.contains(&word))
    })
}

/// Whether an empty child of this name is a switch of its parent.
pub fn is_switch(parent: &str, child: &str) -> bool {
    SWITCHES.iter().any(|(name, _, words)| *name == parent && words.contains(&child))
}

/// From which position on the order of a node's arguments means nothing.
pub fn set_from(node: &str) -> Option<usize> {
    SETS.iter().find(|(name, _)| *name == node).map(|(_, from)| *from)
}

pub fn is_keyed(node: &str) -> bool {
    KEYED.contains(&node)
}

pub fn is_whole(node: &str) -> bool {
    WHOLE.contains(&node)
}

pub fn is_joined(node: &str) -> bool {
    JOINED.contains(&node)
}

pub fn is_ranked(node: &str) -> bool {
    RANKED.contains(&node)
}

/// The lines that hold for a node of this kind where nothing is said.
pub fn defaults(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    DEFAULTS
        .iter()
        .filter(move |(known, _, _)| *known == kind)
        .map(|(_, path, text)| (*path, *text))
}

/// Whether a value in this place is a secret: `position` is an argument's, `None` for a property.
pub fn is_secret(node: &str, property: Option<&str>, value: &Value) -> bool {
    match property {
        Some(name) => matches!(name, "password" | "token"),
        None => match node {
            "client-secret" | "secret-key" | "initial-password" | "master-key" => true,
            // `token api` of a service account names a purpose; elsewhere a token is a secret.
            "token" => !matches!(value.bare_word(), Some("api" | "ldap-bind" | "scim")),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::schema;
    use crate::blueprint::source::Span;
    use crate::blueprint::tree::{Scalar, Spelling};

    /// Nodes whose bare words are shown in the order of the line, as in `mfa webauthn within`.
    const SPOKEN: [&str; 2] = ["mfa", "require"];

    #[test]
    fn every_switch_of_the_language_is_known() {
        for (_, spec) in schema::all() {
            for word in spec.switches.iter().filter(|_| !SPOKEN.contains(&spec.name)) {
                assert!(is_switch(spec.name, word), "{} {word}", spec.name);
            }
        }
    }

    #[test]
    fn every_switch_known_is_one_of_the_language() {
        for (node, _, words) in SWITCHES {
            let specs = schema::named(node);
            for word in *words {
                assert!(
                    specs.iter().any(|(_, spec)| spec.switches.contains(word)),
                    "{node} {word}"
                );
            }
        }
    }

    #[test]
    fn every_secret_of_the_language_is_masked() {
        let literal = Value {
            scalar: Scalar::Text("hunter2".to_owned()),
            span: Span::default(),
            tag: None,
            spelling: Spelling::Quoted,
        };
        for (_, spec) in schema::all() {
            if spec.args.iter().any(|arg| arg.want.is_secret()) {
                assert!(is_secret(spec.name, None, &literal), "{}", spec.name);
            }
            for prop in spec.props.iter().filter(|prop| prop.want.is_secret()) {
                assert!(is_secret(spec.name, Some(prop.name), &literal), "{}", spec.name);
            }
        }
    }

    #[test]
    fn every_named_table_entry_is_a_node_of_the_language() {
        let tables = SETS.iter().map(|(name, _)| name).chain(KEYED).chain(WHOLE).chain(JOINED);
        for name in tables.chain(RANKED) {
            assert!(!schema::named(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn ordered_nodes_are_those_with_steps_or_ranks() {
        let ordered = schema::all().into_iter().filter(|(_, spec)| spec.ordered);
        let mut names: Vec<&str> = ordered.map(|(_, spec)| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        // The arguments of `middlewares` are no set, and the fields of `prompt` are ranked.
        assert_eq!(names, ["access", "flow", "middlewares", "prompt"]);
    }
}
