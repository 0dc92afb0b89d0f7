//! The stages in order: what comes next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::condition::Truth;
use crate::blueprint::flow::{Flow, Identification, Lockout, Stage, StageKind};
use crate::blueprint::source::{Name, Span};
use crate::clock::Millis;

/// How far a flow in progress has come. This is what the store keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The stage to look at next.
    pub stage: usize,
    /// The name as it was typed.
    pub login: Option<String>,
    /// The account of that name, if there is one. No page may show whether there is.
    pub user_id: Option<String>,
    /// The password of that account was given: the one that was set at this moment.
    pub password: Option<Millis>,
    /// The account must set a new password before it is signed in.
    pub must_change: bool,
}

/// What to do next.
#[derive(Debug)]
pub enum Next<'a> {
    AskName(&'a Identification),
    AskPassword {
        lockout: Option<Lockout>,
    },
    AskNewPassword,
    /// A `deny` stage.
    Refuse {
        text: &'a str,
    },
    /// A stage that this version knows but does not serve.
    NotServed {
        stage: &'a Stage,
    },
    SignIn {
        stay: Option<Duration>,
    },
    /// The flow cannot go on: nothing was proven, a condition failed, or no `login` stands in it.
    Stuck {
        at: Span,
        reason: String,
    },
}

/// Walks on from where the flow stands until a person or the caller has something to do.
///
/// `holds` judges a policy by name. `skip` is asked about stages that are not served: only a
/// development server lets them pass.
pub fn next<'a>(
    flow: &'a Flow,
    progress: &mut Progress,
    holds: &dyn Fn(&Name) -> Truth,
    skip: &dyn Fn(&Stage) -> bool,
) -> Next<'a> {
    while let Some(stage) = flow.stages.get(progress.stage) {
        match runs(stage, holds) {
            Ok(true) => {}
            Ok(false) => {
                progress.stage += 1;
                continue;
            }
            Err(reason) => return Next::Stuck { at: stage.at, reason },
        }
        if let Some(next) = ask(stage, progress, skip) {
            return next;
        }
        progress.stage += 1;
    }
    Next::Stuck { at: flow.at, reason: "the flow ends without a `login` stage".to_owned() }
}

/// What a stage that runs has to ask; `None` if it is done.
fn ask<'a>(
    stage: &'a Stage,
    progress: &Progress,
    skip: &dyn Fn(&Stage) -> bool,
) -> Option<Next<'a>> {
    let stuck = |reason: &str| Some(Next::Stuck { at: stage.at, reason: reason.to_owned() });
    match &stage.kind {
        StageKind::Identification(identification) => {
            progress.login.is_none().then_some(Next::AskName(identification))
        }
        StageKind::Password { .. } if progress.login.is_none() => {
            stuck("`password` stands before `identification`")
        }
        StageKind::Password { lockout } => {
            progress.password.is_none().then_some(Next::AskPassword { lockout: *lockout })
        }
        StageKind::Deny { text } => Some(Next::Refuse { text }),
        // Nobody is signed in without proof, whatever was skipped (`security.md` R8).
        StageKind::Login { .. } if progress.password.is_none() || progress.user_id.is_none() => {
            stuck("`login` was reached without a proof")
        }
        StageKind::Login { .. } if progress.must_change => Some(Next::AskNewPassword),
        StageKind::Login { stay_signed_in } => Some(Next::SignIn { stay: *stay_signed_in }),
        _ if skip(stage) => None,
        _ => Some(Next::NotServed { stage }),
    }
}

/// Whether a stage runs. An error in a condition runs proofs and refusals, and stops whatever
/// gives (`security.md` R8).
fn runs(stage: &Stage, holds: &dyn Fn(&Name) -> Truth) -> Result<bool, String> {
    let wanted = stage.when.iter().map(|name| (name, true));
    let unwanted = stage.unless.iter().map(|name| (name, false));
    let mut trouble = None;
    for (name, value) in wanted.chain(unwanted) {
        match holds(name) {
            Ok(found) if found == value => {}
            Ok(_) => return Ok(false),
            Err(error) => trouble = trouble.or(Some(error.to_string())),
        }
    }
    match (trouble, &stage.kind) {
        (None, _) => Ok(true),
        (Some(reason), StageKind::Login { .. } | StageKind::UserWrite { .. }) => Err(reason),
        (Some(_), _) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::condition::ConditionError;
    use crate::blueprint::flow::Purpose;
    use crate::blueprint::source::Spanned;

    fn name(text: &str) -> Name {
        Spanned::new(text.to_owned(), Span::default())
    }

    fn stage(kind: StageKind, when: &[&str]) -> Stage {
        let when = when.iter().map(|text| name(text)).collect();
        Stage { kind, when, unless: Vec::new(), at: Span::default() }
    }

    fn flow(stages: Vec<Stage>) -> Flow {
        let slug = name("f");
        let purpose = Purpose::Authentication;
        Flow { slug, purpose, title: None, formerly: None, stages, at: Span::default() }
    }

    fn holds(policy: &Name) -> Truth {
        match policy.value.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ConditionError { place: "p.kdl:1".into(), reason: "unknown".into() }),
        }
    }

    fn step(flow: &Flow, progress: &mut Progress) -> String {
        format!("{:?}", next(flow, progress, &holds, &|_| false))
    }

    fn usual() -> Flow {
        flow(vec![
            stage(StageKind::Identification(Identification::default()), &[]),
            stage(StageKind::Password { lockout: None }, &[]),
            stage(StageKind::Login { stay_signed_in: None }, &[]),
        ])
    }

    #[test]
    fn name_then_password_then_in() {
        let (flow, mut progress) = (usual(), Progress::default());
        assert!(step(&flow, &mut progress).starts_with("AskName"));
        progress.login = Some("alice".into());
        progress.user_id = Some("usr_1".into());
        assert!(step(&flow, &mut progress).starts_with("AskPassword"));
        progress.password = Some(Millis(1));
        assert!(step(&flow, &mut progress).starts_with("SignIn"));
    }

    #[test]
    fn a_password_that_must_change_comes_before_the_sign_in() {
        let (flow, mut progress) = (usual(), Progress::default());
        progress.login = Some("alice".into());
        progress.user_id = Some("usr_1".into());
        (progress.password, progress.must_change) = (Some(Millis(1)), true);
        assert!(step(&flow, &mut progress).starts_with("AskNewPassword"));
    }

    /// `security.md` R8 and 18: over all combinations of stages, conditions and progress, no
    /// sign-in without a proof.
    #[test]
    fn no_row_of_stages_signs_in_without_proof() {
        let kinds = || {
            vec![
                StageKind::Identification(Identification::default()),
                StageKind::Password { lockout: None },
                StageKind::Login { stay_signed_in: None },
                StageKind::AuthenticatorDuo,
            ]
        };
        let mut reached = 0;
        for first in kinds() {
            for second in kinds() {
                for conditions in
                    [["true", "false"], ["error", "true"], ["false", "error"], ["true", "true"]]
                {
                    let flow = flow(vec![
                        stage(first.clone(), &conditions[..1]),
                        stage(second.clone(), &conditions[1..]),
                        stage(StageKind::Login { stay_signed_in: None }, &[]),
                    ]);
                    for (password, user) in
                        [(false, false), (true, false), (false, true), (true, true)]
                    {
                        let mut progress = Progress {
                            login: Some("x".into()),
                            user_id: user.then(|| "usr_1".into()),
                            password: password.then_some(Millis(1)),
                            ..Progress::default()
                        };
                        let next = next(&flow, &mut progress, &holds, &|_| true);
                        if matches!(next, Next::SignIn { .. }) {
                            assert!(password && user);
                            reached += 1;
                        }
                    }
                }
            }
        }
        assert!(reached > 0);
    }

    /// `security.md` R8: an error runs a proof and stops a sign-in.
    #[test]
    fn an_error_in_a_condition_never_skips_a_proof() {
        let flow = flow(vec![
            stage(StageKind::Identification(Identification::default()), &[]),
            stage(StageKind::Password { lockout: None }, &["error"]),
            stage(StageKind::Login { stay_signed_in: None }, &["error"]),
        ]);
        let mut progress =
            Progress { login: Some("x".into()), user_id: Some("u".into()), ..Default::default() };
        assert!(step(&flow, &mut progress).starts_with("AskPassword"));
        progress.password = Some(Millis(1));
        assert!(step(&flow, &mut progress).starts_with("Stuck"));
    }

    #[test]
    fn a_stage_that_is_not_served_ends_the_sign_in() {
        let flow = flow(vec![
            stage(StageKind::AuthenticatorDuo, &[]),
            stage(StageKind::Login { stay_signed_in: None }, &[]),
        ]);
        assert!(step(&flow, &mut Progress::default()).starts_with("NotServed"));
    }

    #[test]
    fn progress_survives_the_store() {
        let progress = Progress { stage: 2, login: Some("ä".into()), ..Default::default() };
        let stored = serde_json::to_value(&progress).expect("JSON");
        assert_eq!(serde_json::from_value::<Progress>(stored).expect("progress"), progress);
        assert!(serde_json::from_str::<Progress>("{\"stage\":0,\"admin\":true}").is_err());
    }
}
