//! The laws of `blueprints.md` 4.6, with blueprints made up at random.

use proptest::prelude::*;

use super::server::{EVERYTHING, Server};
use crate::reconcile::{Confirmations, Outcome, sample};

/// A small household; bits choose what is in it.
#[derive(Clone, Debug)]
struct Home {
    /// For each group: present, nested in the one before.
    groups: [(bool, bool); 3],
    /// For each user: present, disabled, has an address, members of which groups.
    users: [(bool, bool, bool, [bool; 3]); 3],
    /// For each app: present, protected, needs a second factor, for which group.
    apps: [(bool, bool, bool, usize); 3],
}

fn home() -> impl Strategy<Value = Home> {
    let groups = prop::array::uniform3(any::<(bool, bool)>());
    let users =
        prop::array::uniform3((any::<bool>(), any::<bool>(), any::<bool>(), any::<[bool; 3]>()));
    let apps = prop::array::uniform3((any::<bool>(), any::<bool>(), any::<bool>(), 0_usize..3));
    (groups, users, apps).prop_map(|(groups, users, apps)| Home { groups, users, apps })
}

impl Home {
    fn has_group(&self, at: usize) -> bool {
        self.groups.get(at).is_some_and(|(present, _)| *present)
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "group admins { console admin }\n\
             user root { in admins; initial-password (credential)root }\n",
        );
        for (at, (_, nested)) in self.groups.iter().enumerate().filter(|(_, g)| g.0) {
            let inside = *nested && at > 0 && self.has_group(at - 1);
            let inside = if inside { format!(" {{ in g{} }}", at - 1) } else { String::new() };
            text += &format!("group g{at}{inside}\n");
        }
        for (at, (_, disabled, email, members)) in
            self.users.iter().enumerate().filter(|(_, u)| u.0)
        {
            let email =
                if *email { format!(" email=\"u{at}@example.com\"") } else { String::new() };
            let disabled = if *disabled { " disabled" } else { "" };
            let groups = members.iter().enumerate().filter(|(g, is)| **is && self.has_group(*g));
            let groups: Vec<String> = groups.map(|(g, _)| format!("g{g}")).collect();
            let inside = match groups.is_empty() {
                true => String::new(),
                false => format!(" {{ in {} }}", groups.join(" ")),
            };
            text += &format!("user u{at}{disabled}{email}{inside}\n");
        }
        for (at, (_, protect, mfa, group)) in self.apps.iter().enumerate().filter(|(_, a)| a.0) {
            let protect = if *protect { " protect" } else { "" };
            let mfa = if *mfa { "require mfa; " } else { "" };
            let who = match self.has_group(*group) {
                true => format!("group:g{group}"),
                false => "group:admins".to_owned(),
            };
            text += &format!(
                "app a{at}{protect} {{ proxy \"https://a{at}.example.com\"\n\
                 access {{ {mfa}allow {who} }} }}\n"
            );
        }
        text
    }
}

/// What a blueprint owns, without uids and times.
const OWNED: &[&str] = &[
    "SELECT kind, slug, declared_at, protect FROM objects WHERE tombstoned_at IS NULL
        ORDER BY kind, slug",
    "SELECT username, name, email, disabled, attributes FROM users WHERE declared
        ORDER BY username",
    "SELECT username, group_slug FROM memberships JOIN users ON users.id = user_id
        WHERE owner = 'git' ORDER BY username, group_slug",
    "SELECT source_digest, model_digest, sources FROM generations JOIN active
        ON active.generation = generations.number",
];

/// What belongs to run time.
const FOREIGN: &[&str] = &[
    "SELECT id, password_hash, must_change, own_attributes, created_at FROM users ORDER BY id",
    "SELECT * FROM users WHERE id = 'usr_eve'",
    "SELECT * FROM memberships WHERE owner = 'runtime' ORDER BY user_id, group_slug",
    "SELECT * FROM sessions WHERE user_id = 'usr_eve'",
];

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(test)
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_plan_after_applying_is_empty(first in home(), second in home()) {
        run(async {
            let server = Server::new().await;
            for home in [first, second] {
                let text = home.text();
                server.follow(&text).await;
                let rows = server.rows(EVERYTHING);
                let plan = server.plan(&sample::runtime(&text), &Confirmations::default()).await;
                prop_assert_eq!(plan.outcome(), Outcome::Nothing, "{:?}", plan.changes);
                prop_assert!(plan.access.list.is_empty() && plan.people.drift.is_empty());
                // Applying it all the same changes nothing.
                let applied = server.apply(&sample::runtime(&text), &plan).await.expect("applied");
                prop_assert!(!applied.is_new);
                prop_assert_eq!(server.rows(EVERYTHING), rows);
            }
            Ok(())
        })?;
    }

    #[test]
    fn one_after_the_other_equals_the_other(first in home(), second in home()) {
        run(async {
            let (both, alone) = (Server::new().await, Server::new().await);
            both.follow(&first.text()).await;
            both.follow(&second.text()).await;
            alone.follow(&second.text()).await;
            prop_assert_eq!(both.rows(OWNED), alone.rows(OWNED));
            Ok(())
        })?;
    }

    #[test]
    fn what_is_held_changes_no_row(first in home(), second in home()) {
        run(async {
            let server = Server::new().await;
            server.follow(&first.text()).await;
            let after = sample::runtime(&second.text());
            let plan = server.plan(&after, &Confirmations::default()).await;
            if plan.outcome() == Outcome::Held {
                let rows = server.rows(EVERYTHING);
                prop_assert!(server.apply(&after, &plan).await.is_err());
                prop_assert_eq!(server.rows(EVERYTHING), rows);
            }
            Ok(())
        })?;
    }

    #[test]
    fn nothing_that_belongs_to_run_time_changes(first in home(), second in home()) {
        run(async {
            let server = Server::new().await;
            server.follow(&first.text()).await;
            server.tamper(
                "UPDATE users SET password_hash = 'kept', own_attributes = '{\"locale\":[\"de\"]}';
                 INSERT INTO users VALUES ('usr_eve', 'eve', 'eve', 'Eve', NULL, NULL, FALSE, FALSE,
                    '{}', '{}', NULL, 'hers', 1, FALSE, FALSE, 0, NULL);
                 INSERT INTO memberships SELECT id, 'g0', 'runtime' FROM users;
                 INSERT INTO memberships SELECT id, 'g1', 'runtime' FROM users;
                 INSERT INTO sessions VALUES
                    ('ses_1', x'00', 'usr_eve', 0, 0, 9, 9, NULL, 'a', 'b', '{}', '{}');",
            );
            // A group that is declared for the first time begins without members.
            let second = Home {
                groups: [(first.groups[0].0, second.groups[0].1), (first.groups[1].0, second.groups[1].1),
                    second.groups[2]],
                ..second
            };
            let before = server.rows(FOREIGN);
            server.follow(&second.text()).await;
            let mut after = server.rows(FOREIGN);
            // People who are new to the files have rows of their own.
            after.retain(|row| row.contains("usr_eve") || before.contains(row) || row.contains("runtime"));
            prop_assert_eq!(after, before);
            Ok(())
        })?;
    }
}
