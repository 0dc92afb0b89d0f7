use proptest::prelude::*;

use super::{HOME, edit, edited};
use crate::reconcile::plan::Outcome;
use crate::reconcile::sample;

fn fields(edits: &[(&str, &str)]) -> Vec<String> {
    let plan = edit(edits);
    let of = |text: Option<&String>| text.cloned().unwrap_or_else(|| "–".to_owned());
    let changes = plan.changes.iter().flat_map(|change| {
        change.fields.iter().map(move |f| {
            let (old, new) = (of(f.old.as_ref()), of(f.new.as_ref()));
            format!("{} {} {}: {old} → {new}", change.kind, change.slug, f.path)
        })
    });
    changes.collect()
}

#[test]
fn spelling_comments_and_order_change_nothing() {
    for edits in [
        &[("in admins users", "in \"users\" \"admins\"")][..],
        &[("days=30", "hours=720")],
        &[("app vault { protect; ", "app vault protect { ")],
        &[("group users\n", "// everybody\ngroup users { console none }\n")],
        &[("group:admins group:users group:readonly", "group:users group:admins group:readonly")],
        &[("unless on-lan", "unless \"on-lan\"")],
    ] {
        let plan = edit(edits);
        assert_eq!(plan.outcome(), Outcome::Nothing, "{edits:?}: {:?}", plan.changes);
    }
}

#[test]
fn a_field_is_shown_with_what_it_was_and_is() {
    assert_eq!(fields(&[("in admins users", "in users")]), ["user alice in: admins users → users"]);
    assert_eq!(
        fields(&[("days=30", "days=7")]),
        ["flow sign-in [3].last-validation-threshold: days=30 → days=7"]
    );
    assert_eq!(
        fields(&[("group:admins group:users group:readonly", "group:admins group:readonly")]),
        ["app grafana access[2]: allow group:admins group:users group:readonly → \
         allow group:admins group:readonly"]
    );
    assert_eq!(fields(&[("app wiki {", "app wiki hidden {")]), ["app wiki hidden: – → yes"]);
}

#[test]
fn a_rule_in_between_does_not_shift_the_others() {
    let inserted = (
        "        allow group:admins group:users",
        "        deny user:bob\n        allow group:admins group:users",
    );
    assert_eq!(fields(&[inserted]), ["app grafana access[2]: – → deny user:bob"]);
}

#[test]
fn the_order_of_rules_is_a_change() {
    let rules = |first: &str, second: &str| {
        let denied =
            format!("access {{ deny user:bob path=\"{first}\"; deny user:bob path=\"{second}\";");
        sample::runtime(&edited(&[(
            "access { allow group:users }",
            &format!("{denied} allow group:users }}"),
        )]))
    };
    let plan = super::plan_of(&rules("/a", "/b"), &rules("/b", "/a"));
    assert_eq!(plan.outcome(), Outcome::Changes);
    assert!(plan.access.list.is_empty());
}

/// Diagnostics bar, rule 6.
#[test]
fn a_secret_written_out_is_never_shown() {
    let changed = fields(&[("(credential)root", "\"hunter2-hunter2\"")]);
    assert_eq!(changed, ["user root initial-password: (credential)root → \"…\""]);
    let before = sample::runtime(&edited(&[("(credential)root", "\"hunter2-hunter2\"")]));
    let after = sample::runtime(&edited(&[("(credential)root", "\"hunter3-hunter3\"")]));
    let plan = super::plan_of(&before, &after);
    let told = format!("{:?}", plan.changes);
    assert!(told.contains("(changed)") && !told.contains("hunter"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_and_their_order_mean_nothing(order in Just(nodes()).prop_shuffle(), cuts in 1_usize..5) {
        let whole = sample::runtime(HOME);
        let size = order.len().div_ceil(cuts);
        let texts: Vec<(String, String)> = order
            .chunks(size)
            .enumerate()
            .map(|(number, part)| (format!("{number}.kdl"), part.join("\n")))
            .collect();
        let mut files: Vec<(&str, &str)> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        files.push(("settings.kdl", sample::SETTINGS));
        let split = sample::runtime_of(&files);
        prop_assert_eq!(&whole.model_digest, &split.model_digest);
        let plan = super::plan_of(&whole, &split);
        prop_assert_eq!(plan.outcome(), Outcome::Nothing);
        prop_assert!(plan.access.list.is_empty());
    }
}

/// The top-level nodes of the sample as texts.
fn nodes() -> Vec<String> {
    let mut nodes: Vec<String> = Vec::new();
    for line in HOME.lines().filter(|line| !line.trim().is_empty()) {
        match nodes.last_mut() {
            Some(open) if line.starts_with([' ', '}']) => *open += &format!("\n{line}"),
            _ => nodes.push(line.to_owned()),
        }
    }
    nodes
}
