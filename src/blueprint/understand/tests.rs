use super::understand;
use crate::blueprint::diagnostic::Diagnostics;
use crate::blueprint::sample;
use crate::blueprint::validate::Mode;

fn said(text: &str) -> String {
    let settings = "settings { external-host \"https://auth.example.com\" }";
    let (nodes, sources) = sample::expanded(&[("base.kdl", settings), ("case.kdl", text)]);
    let mut out = Diagnostics::default();
    let blueprint = understand(&nodes, &sources, Mode::default(), &mut out);
    assert_eq!(blueprint.is_none(), out.has_errors(), "a blueprint exactly without errors");
    sample::written(out, &sources)
}

#[test]
fn a_mistake_in_a_template_is_told_once_with_the_row_that_used_it() {
    let text = "template web slug {
    app \"${slug}\" { launch-url \"https://x.example.com/\"; access { allow group:familly } }
}
each web {
    sonarr
    radarr
}";
    assert_eq!(
        said(text),
        "blueprint::unknown-group: unknown group `familly`
  case.kdl:2:79 `familly` no group with this name
  case.kdl:5:5 `sonarr` in this expansion of template `web`
  help: no group is declared\n"
    );
}

#[test]
fn advice_is_kept_for_files_without_errors() {
    assert!(said("policy p { mfa }").contains("policy `p` is never used"));
    assert!(!said("policy p { mfa }\npolcy q { mfa }").contains("never used"));
}

#[test]
fn without_settings_there_is_no_blueprint() {
    let (nodes, sources) = sample::expanded(&[("one.kdl", "group users \"Users\"")]);
    let mut out = Diagnostics::default();
    assert!(understand(&nodes, &sources, Mode::default(), &mut out).is_none());
    assert!(sample::written(out, &sources).starts_with("blueprint::no-settings"));
}

#[test]
fn an_incomplete_tree_gives_no_blueprint() {
    let text = "settings { external-host \"https://auth.example.com\" }";
    let (nodes, sources) = sample::expanded(&[("one.kdl", text)]);
    let mut out = Diagnostics::default();
    assert!(understand(&nodes, &sources, Mode::default(), &mut out).is_some());
    let incomplete = Mode { incomplete: true, ..Mode::default() };
    assert!(understand(&nodes, &sources, incomplete, &mut out).is_none());
}
