use super::{Mode, validate, validate_node};
use crate::blueprint::diagnostic::Diagnostics;
use crate::blueprint::sample;
use crate::blueprint::schema;

/// `line:column code: message | label | help`, one line each.
pub(in crate::blueprint) fn complaints(files: &[(&str, &str)], mode: Mode) -> String {
    let (nodes, sources) = sample::expanded(files);
    let mut out = Diagnostics::default();
    validate(&nodes, &sources, mode, &mut out);
    sample::written(out, &sources)
}

#[test]
fn the_example_of_every_node_is_valid() {
    for (path, spec) in schema::all() {
        if ["let", "template", "use", "each"].contains(&spec.name) {
            continue;
        }
        let (nodes, sources) = sample::expanded(&[("example.kdl", spec.example)]);
        assert_eq!(nodes.len(), 1, "{path:?} {}", spec.name);
        assert_eq!(nodes[0].name.text, spec.name, "{path:?}");
        let mut out = Diagnostics::default();
        validate_node(&nodes[0], spec, &sources, Mode::default(), &mut out);
        assert_eq!(sample::written(out, &sources), "", "{path:?} {}", spec.name);
    }
}

#[test]
fn the_homelab_is_valid() {
    let files = sample::homelab();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(complaints(&files, Mode::default()), "");
}

/// An empty `by=` is part of every rule, and an empty reason none.
#[test]
fn text_that_says_nothing_is_refused_where_it_should_say_something() {
    let text = "app wiki { proxy \"https://wiki.example.com\" { bypass \"/a\" reason=\"\"; }; \
                access { allow everyone; }; }\n\
                test \"t\" { expect allow anonymous \"https://wiki.example.com/\" by=\" \"; }\n\
                traefik { middleware m { headers { request X-Gone \"\"; }; }; }";
    insta::assert_snapshot!(complaints(&[("home.kdl", text)], Mode::default()), @r#"
    blueprint::empty-value: `reason` wants text
      home.kdl:1:66 `""` this is empty
    blueprint::empty-value: `by` wants text
      home.kdl:2:66 `" "` this is empty
    "#);
}
