//! Plans as people see them, and the laws that they keep.

use super::confirmation::Confirmations;
use super::plan::{Given, Op, Plan, Question, plan};
use super::sample;
use super::stored::Stored;
use crate::runtime::Runtime;

mod access;
mod applied;
mod canonical;
mod held;
mod identity;
mod laws;
mod output;
mod server;

/// A household: an admin, two people, a few apps.
pub const HOME: &str = r#"
server { trusted-proxies "10.0.20.2/32" }
group admins { console admin; membership declared }
group users
group readonly
group family { in users }
user root email="root@example.com" { in admins; initial-password (credential)root }
user alice email="alice@example.com" { in admins users }
user bob { in family }
policy on-lan { network "10.0.0.0/8" }
flow sign-in for=authentication {
    identification
    password
    authenticator-validate {
        device-classes totp
        not-configured-action configure
        last-validation-threshold days=30
        unless on-lan
    }
    login
}
app grafana "Grafana" {
    proxy "https://grafana.example.com" to="http://10.0.20.30:3000"
    access {
        deny group:readonly path="/admin/*"
        allow group:admins group:users group:readonly
    }
}
app vault { protect; proxy "https://vault.example.com"; access { require mfa; allow group:admins } }
app wiki { proxy "https://wiki.example.com"; access { allow group:users } }
persona reader { in family }
test "who may read" { expect allow reader "https://wiki.example.com/" }
invariant "secure" { cel "app.hosts.size() > 0" }
"#;

pub fn plan_of(before: &Runtime, after: &Runtime) -> Plan {
    plan_with(before, after, &sample::stored(before), &Confirmations::default())
}

pub fn plan_with(
    before: &Runtime,
    after: &Runtime,
    stored: &Stored,
    confirmations: &Confirmations,
) -> Plan {
    plan(&Question {
        before: Some(before),
        after,
        stored,
        confirmations,
        given: &Given { roots: "./blueprints".to_owned(), ..Given::default() },
    })
}

/// The plan from `HOME` to `HOME` with texts in it replaced.
pub fn edit(edits: &[(&str, &str)]) -> Plan {
    plan_of(&sample::runtime(HOME), &sample::runtime(&edited(edits)))
}

pub fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(HOME.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the sample");
        text.replace(from, to)
    })
}

pub fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.held.iter().map(|reason| reason.code).collect()
}

pub fn ops(plan: &Plan) -> Vec<(Op, String)> {
    let changes = plan.changes.iter();
    changes.map(|c| (c.op, format!("{} {}", c.kind, c.slug).trim_end().to_owned())).collect()
}
