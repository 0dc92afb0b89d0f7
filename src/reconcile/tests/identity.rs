use super::{HOME, edit, edited, ops, plan_of, plan_with};
use crate::blueprint::object::Kind;
use crate::reconcile::plan::{Op, Outcome};
use crate::reconcile::stored::{StoredObject, StoredUser};
use crate::reconcile::{Confirmations, sample};

#[test]
fn the_same_files_change_nothing() {
    let plan = edit(&[]);
    assert_eq!(plan.outcome(), Outcome::Nothing);
    assert_eq!(plan.outcome().exit_code(), 0);
    assert!(plan.access.list.is_empty() && plan.people.changes.is_empty());
}

#[test]
fn a_rename_keeps_the_uid() {
    let plan = edit(&[("app wiki {", "app notes formerly=wiki {")]);
    assert_eq!(ops(&plan), [(Op::Rename, "app notes".to_owned())]);
    assert_eq!(plan.changes[0].uid.as_deref(), Some("app_wiki"));
    assert_eq!(plan.outcome(), Outcome::Changes);
    assert!(plan.access.list.is_empty(), "{:?}", plan.access.list);
}

#[test]
fn a_former_name_may_be_dropped_later() {
    let renamed = sample::runtime(&edited(&[("app wiki {", "app notes formerly=wiki {")]));
    let dropped = sample::runtime(&edited(&[("app wiki {", "app notes {")]));
    assert_eq!(plan_of(&renamed, &dropped).outcome(), Outcome::Nothing);
}

#[test]
fn another_name_alone_is_a_removal_and_an_addition_with_advice() {
    let plan = edit(&[("app wiki {", "app notes {")]);
    assert_eq!(
        ops(&plan),
        [(Op::Add, "app notes".to_owned()), (Op::Remove, "app wiki".to_owned())]
    );
    assert!(plan.warnings.iter().any(|text| text.contains("formerly=wiki")), "{:?}", plan.warnings);
}

#[test]
fn a_renamed_group_takes_its_run_time_members_along() {
    let before = sample::runtime(HOME);
    let text =
        edited(&[("group family {", "group kin formerly=family {"), ("in family", "in kin")]);
    let plan = plan_of(&before, &sample::runtime(&text));
    assert_eq!(plan.renamed_groups.get("family").map(String::as_str), Some("kin"));
    assert!(plan.people.changes.is_empty(), "{:?}", plan.people.changes);
    assert!(plan.access.list.is_empty(), "{:?}", plan.access.list);
}

#[test]
fn what_was_removed_comes_back_with_its_uid() {
    let before = sample::runtime(&edited(&[("app wiki {", "app other {")]));
    let after = sample::runtime(HOME);
    let mut stored = sample::stored(&before);
    stored.tombstones.push(StoredObject {
        uid: "app_old".to_owned(),
        kind: Kind::App,
        slug: "wiki".to_owned(),
        declared_at: String::new(),
        protect: false,
    });
    let plan = plan_with(&before, &after, &stored, &Confirmations::default());
    let revived = plan.changes.iter().find(|change| change.op == Op::Revive).expect("revived");
    assert_eq!((revived.slug.as_str(), revived.uid.as_deref()), ("wiki", Some("app_old")));
}

#[test]
fn a_removed_user_comes_back_without_a_question_unless_enabled_since() {
    let before = sample::runtime(&edited(&[("user bob { in family }\n", "")]));
    let after = sample::runtime(HOME);
    let mut stored = sample::stored(&before);
    stored.tombstones.push(StoredObject {
        uid: "usr_bob".to_owned(),
        kind: Kind::User,
        slug: "bob".to_owned(),
        declared_at: String::new(),
        protect: false,
    });
    let bob = StoredUser {
        id: "usr_bob".to_owned(),
        username: "bob".to_owned(),
        disabled: true,
        ..StoredUser::default()
    };
    stored.users.push(bob.clone());
    let plan = plan_with(&before, &after, &stored, &Confirmations::default());
    assert!(ops(&plan).contains(&(Op::Revive, "user bob".to_owned())), "{:?}", ops(&plan));
    assert_eq!(plan.outcome(), Outcome::Changes);

    stored.users.pop();
    stored.users.push(StoredUser { disabled: false, ..bob });
    let plan = plan_with(&before, &after, &stored, &Confirmations::default());
    assert_eq!(super::codes(&plan), ["adoption"]);
}

#[test]
fn a_user_made_at_run_time_is_adopted_only_by_name() {
    let before = sample::runtime(&edited(&[("user bob { in family }\n", "")]));
    let after = sample::runtime(HOME);
    let mut stored = sample::stored(&before);
    stored.users.push(StoredUser {
        id: "usr_made".to_owned(),
        username: "Bob".to_owned(),
        name: "Bob".to_owned(),
        has_password: true,
        ..StoredUser::default()
    });
    let held = plan_with(&before, &after, &stored, &Confirmations::default());
    assert_eq!(held.held[0].confirm, ["--adopt user:bob"]);
    assert_eq!(held.outcome(), Outcome::Held);
    let given = Confirmations::parse(["--adopt user:bob"]).expect("parsed");
    let plan = plan_with(&before, &after, &stored, &given);
    assert_eq!((plan.outcome(), plan.confirmed.len()), (Outcome::Changes, 1));
    assert_eq!(plan.people.changes[0].uid.as_deref(), Some("usr_made"));
}

#[test]
fn a_first_generation_is_not_held() {
    let after = sample::runtime(HOME);
    let plan = crate::reconcile::plan(&crate::reconcile::Question {
        before: None,
        after: &after,
        stored: &crate::reconcile::Stored::default(),
        confirmations: &Confirmations::default(),
        given: &crate::reconcile::plan::Given::default(),
    });
    assert_eq!(plan.outcome(), Outcome::Changes);
    assert_eq!(plan.count(Op::Update), 0);
    assert!(plan.held.is_empty());
}

#[test]
fn drift_is_reported_and_undone_only_where_the_files_say_so() {
    let before = sample::runtime(HOME);
    let mut stored = sample::stored(&before);
    stored.users[1].email = Some("mallory@example.com".to_owned());
    stored.memberships.retain(|each| each.user_id != "usr_bob");
    let plan = plan_with(&before, &sample::runtime(HOME), &stored, &Confirmations::default());
    assert_eq!(plan.people.drift.len(), 2, "{:?}", plan.people.drift);
    assert_eq!(plan.outcome(), Outcome::Nothing);
    let enforcing = HOME.to_owned();
    let settings =
        "settings { external-host \"https://auth.example.com\"; reconcile { drift enforce } }\n";
    let after = sample::runtime_of(&[("home.kdl", &format!("{settings}{enforcing}"))]);
    let plan = plan_with(&before, &after, &stored, &Confirmations::default());
    assert_eq!(plan.people.changes.len(), 2);
    assert!(plan.people.drift.iter().all(|drift| drift.restored));
}
