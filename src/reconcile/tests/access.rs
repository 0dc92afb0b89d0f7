use super::{edit, edited, plan_of};
use crate::reconcile::plan::Plan;
use crate::reconcile::sample;

/// The lines that people see.
fn lines(plan: &Plan) -> Vec<String> {
    let shown = plan.access.list.iter().filter(|change| !change.implied);
    let lines = shown.map(|change| {
        let class: Vec<String> =
            change.class.facts().iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!(
            "{} {} {} → {}{}",
            change.subject,
            change.app,
            change.old,
            change.new,
            class.concat()
        )
    });
    lines.collect()
}

#[test]
fn leaving_a_group_shows_every_app_that_is_lost() {
    let plan = edit(&[("in admins users", "in users")]);
    assert_eq!(lines(&plan), ["user:alice vault allow → deny"]);
}

#[test]
fn a_rule_is_judged_for_the_paths_that_rules_name() {
    let plan = edit(&[("deny group:readonly path", "deny group:readonly user:bob path")]);
    assert_eq!(lines(&plan), ["user:bob grafana allow → deny path=/admin/*"]);
}

#[test]
fn a_new_requirement_shows_for_those_without_a_second_factor() {
    let plan =
        edit(&[("wiki.example.com\"; access {", "wiki.example.com\"; access { require mfa;")]);
    let told = lines(&plan);
    assert!(told.contains(&"user:bob wiki allow → step-up mfa=none".to_owned()), "{told:?}");
    assert!(told.iter().all(|line| line.ends_with("mfa=none")), "{told:?}");
}

#[test]
fn a_network_is_a_class_of_its_own() {
    let plan = edit(&[("allow group:users }", "allow group:users unless=on-lan }")]);
    let told = lines(&plan);
    assert!(told.contains(&"user:bob wiki allow → deny from=10.0.0.0/8".to_owned()), "{told:?}");
    assert!(told.iter().all(|line| line.ends_with("from=10.0.0.0/8")), "{told:?}");
}

#[test]
fn removing_an_app_shows_who_had_it_and_not_who_had_not() {
    let vault = super::HOME.lines().find(|line| line.starts_with("app vault")).expect("vault");
    let plan = edit(&[(vault, "")]);
    assert_eq!(lines(&plan), ["user:alice vault allow → absent", "user:root vault allow → absent"]);
    let implied = plan.access.list.iter().filter(|change| change.implied);
    assert_eq!(implied.map(|change| change.subject.as_str()).collect::<Vec<_>>(), ["group:admins"]);
}

#[test]
fn a_group_without_declared_members_has_its_own_line() {
    let plan = edit(&[("allow group:users }", "allow group:users group:readonly }")]);
    assert_eq!(lines(&plan), ["group:readonly wiki deny → allow"]);
}

#[test]
fn a_bypass_shows_what_strangers_gain() {
    let plan = edit(&[(
        "proxy \"https://wiki.example.com\";",
        "proxy \"https://wiki.example.com\" { bypass \"/public/*\" };",
    )]);
    assert_eq!(lines(&plan), ["anonymous wiki login → allow path=/public/*"]);
}

#[test]
fn the_line_that_decides_is_named() {
    let plan = edit(&[("allow group:users }", "allow group:users group:readonly }")]);
    let by = plan.access.list[0].by.as_deref().expect("a rule");
    let line = 1 + super::HOME.lines().position(|line| line.starts_with("app wiki")).expect("wiki");
    assert_eq!(by, format!("home.kdl:{}", line + 1));
}

#[test]
fn nothing_but_titles_changes_no_access() {
    let before = sample::runtime(super::HOME);
    let after = sample::runtime(&edited(&[("\"Grafana\"", "\"Graphs\"")]));
    assert!(plan_of(&before, &after).access.list.is_empty());
}

#[test]
fn networks_that_no_rule_tells_apart_are_one_class() {
    let wide = ("\"10.0.0.0/8\"", "\"10.0.0.0/8\" \"192.168.0.0/16\"");
    let rule = ("allow group:users }", "allow group:users unless=on-lan }");
    let before = sample::runtime(&edited(&[wide]));
    let after = sample::runtime(&edited(&[wide, rule]));
    let told = lines(&plan_of(&before, &after));
    let bob: Vec<&String> = told.iter().filter(|line| line.starts_with("user:bob")).collect();
    assert_eq!(bob, ["user:bob wiki allow → deny from=10.0.0.0/8"]);
    // A network that is left out is one of its own.
    let narrow =
        plan_of(&sample::runtime(&edited(&[wide, rule])), &sample::runtime(&edited(&[rule])));
    let told = lines(&narrow);
    assert!(
        told.contains(&"user:bob wiki deny → allow from=192.168.0.0/16".to_owned()),
        "{told:?}"
    );
}
