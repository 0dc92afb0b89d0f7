//! Random walks through generated flows: whatever a visitor answers, nobody is signed in without what
//! each stage that runs asks for (`security.md` 18, R8 and R9).

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::progress::{First, Progress};
use super::stages::{Agreed, Flows, Known, Next, Wanted, next};
use crate::access::condition::{ConditionError, Truth};
use crate::blueprint::flow::{
    AuthenticatorValidate, Flow, Identification, NotConfigured, Purpose, Stage, StageKind,
};
use crate::blueprint::source::{Name, Span, Spanned};
use crate::clock::Millis;
use crate::factor::held::Held;
use crate::model::factor::Factor;
use crate::store;

fn name(text: &str) -> Name {
    Spanned::new(text.to_owned(), Span::default())
}

fn kinds() -> impl Strategy<Value = StageKind> {
    let validate = (0..3_u8, proptest::sample::subsequence(Factor::ALL.to_vec(), 1..4)).prop_map(
        |(action, device_classes)| {
            StageKind::AuthenticatorValidate(AuthenticatorValidate {
                device_classes,
                not_configured: match action {
                    0 => NotConfigured::Skip,
                    1 => NotConfigured::Deny,
                    _ => NotConfigured::Configure,
                },
                configure_with: Vec::new(),
                last_validation_threshold: None,
                code_in_password: false,
            })
        },
    );
    prop_oneof![
        2 => Just(StageKind::Identification(Identification::default())),
        2 => Just(StageKind::Password { lockout: None }),
        4 => validate,
        1 => Just(StageKind::EmailLink { expires: None }),
        2 => Just(StageKind::Terms { file: name("terms.txt"), version: Some("1".to_owned()) }),
        1 => Just(StageKind::Prompt { fields: Vec::new() }),
        1 => Just(StageKind::EmailVerify { expires: None }),
        1 => Just(StageKind::Deny { text: "No.".to_owned() }),
        1 => Just(StageKind::AuthenticatorDuo),
    ]
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let condition = prop_oneof![
        4 => Just(None),
        1 => Just(Some("true")),
        1 => Just(Some("false")),
        1 => Just(Some("error")),
    ];
    let stage = (kinds(), condition, any::<bool>()).prop_map(|(kind, condition, unless)| {
        let names: Vec<Name> = condition.into_iter().map(name).collect();
        let (when, unless) = if unless { (Vec::new(), names) } else { (names, Vec::new()) };
        Stage { kind, when, unless, at: Span::default() }
    });
    let always = |kind| Stage { kind, when: Vec::new(), unless: Vec::new(), at: Span::default() };
    (any::<bool>(), proptest::collection::vec(stage, 0..6)).prop_map(move |(ordinary, between)| {
        let mut stages = Vec::new();
        if ordinary {
            stages.push(always(StageKind::Identification(Identification::default())));
            stages.push(always(StageKind::Password { lockout: None }));
        }
        stages.extend(between);
        stages.push(always(StageKind::Login { stay_signed_in: None }));
        stages
    })
}

fn holds(policy: &Name) -> Truth {
    match policy.value.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConditionError { place: "p.kdl:1".into(), reason: "unknown".into() }),
    }
}

/// Whether a stage has to be gone through: an error in its condition is no way around it.
fn must_run(stage: &Stage) -> bool {
    let wanted = stage.when.iter().all(|name| name.value != "false");
    wanted && stage.unless.iter().all(|name| name.value != "true")
}

fn held(factors: &[Factor]) -> Held {
    let factor = |(at, kind): (usize, &Factor)| store::Factor {
        id: format!("fac_{at}"),
        user_id: "usr_1".to_owned(),
        kind: *kind,
        name: String::new(),
        credential: None,
        sealed: Vec::new(),
        counter: 0,
        created_at: Millis(0),
        used_at: None,
    };
    let rows = factors.iter().filter(|kind| **kind != Factor::RecoveryCode);
    Held {
        factors: rows.enumerate().map(factor).collect(),
        recovery_codes: u64::from(factors.contains(&Factor::RecoveryCode)),
    }
}

/// How many walks ended signed in: a test of walks that all end early would say nothing.
static SIGNED_IN: AtomicUsize = AtomicUsize::new(0);

#[test]
fn nobody_is_signed_in_without_what_each_stage_asks_for() {
    walk();
    let signed_in = SIGNED_IN.load(Ordering::Relaxed);
    assert!(signed_in > 500, "only {signed_in} walks got to the end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    fn walk(
        stages in stages(),
        factors in proptest::sample::subsequence(Factor::ALL.to_vec(), 0..3),
        answers in proptest::collection::vec(0..10_u8, 40),
    ) {
        let slug = name("f");
        let purpose = Purpose::Authentication;
        let flow = Flow { slug, purpose, title: None, formerly: None, stages, at: Span::default() };
        let (all, held, remembered) = (HashMap::new(), held(&factors), BTreeMap::new());
        let agreed = Agreed::default();
        let known = Known {
            holds: &holds,
            held: &held,
            remembered: &remembered,
            agreed: &agreed,
            wanted: Wanted::SignIn,
            now: Millis(1000),
        };
        let mut progress = Progress::default();
        for answer in answers {
            // Three of ten answers are empty or wrong: the same step is asked for again.
            let right = answer > 2;
            match next(Flows { outer: &flow, all: &all }, &mut progress, &known) {
                Next::AskName(_) if right => {
                    progress.login = Some("alice".to_owned());
                    progress.user_id = Some("usr_1".to_owned());
                }
                Next::AskPassword { .. } if right => {
                    progress.first = Some(First { at: Millis(1), password_set_at: Some(Millis(1)) });
                }
                Next::AskFactor { classes, .. } if right => {
                    for class in &classes {
                        prop_assert!(held.has(*class), "asked for what the account does not hold");
                    }
                    let class = classes[usize::from(answer) % classes.len()];
                    progress.prove(class, None, Millis(2));
                }
                Next::MailLink { .. } if right => {
                    progress.by_link = true;
                    let first = First { at: Millis(1), password_set_at: Some(Millis(1)) };
                    progress.first = progress.first.or(Some(first));
                    progress.advance();
                }
                Next::AskTerms { terms } if right => progress.agreed.push(terms),
                Next::Prompt { .. } if right => {
                    progress.filled.email = Some("new@example.com".to_owned());
                    progress.advance();
                }
                Next::VerifyAddress { address, .. } => {
                    prop_assert!(progress.is_proven(), "an address for an account that nobody proved");
                    if right {
                        progress.verified = Some(address);
                    }
                }
                Next::SignIn { .. } => {
                    SIGNED_IN.fetch_add(1, Ordering::Relaxed);
                    prop_assert!(progress.user_id.is_some() && progress.first.is_some());
                    for stage in flow.stages.iter().filter(|stage| must_run(stage)) {
                        match &stage.kind {
                            StageKind::AuthenticatorValidate(validate) if !held.is_empty() => {
                                let proven = |class| progress.proven.contains_key(class);
                                prop_assert!(validate.device_classes.iter().any(proven));
                            }
                            StageKind::AuthenticatorValidate(validate) => {
                                prop_assert_eq!(validate.not_configured, NotConfigured::Skip);
                            }
                            StageKind::Terms { .. } => prop_assert!(!progress.agreed.is_empty()),
                            StageKind::Deny { .. } => {
                                prop_assert!(false, "a refusal was passed");
                            }
                            StageKind::AuthenticatorDuo => prop_assert!(held.has(Factor::Duo)),
                            _ => {}
                        }
                    }
                    return Ok(());
                }
                Next::Refuse { .. } | Next::Stuck { .. }
                | Next::Lacks { .. } | Next::ChooseSetUp { .. } => return Ok(()),
                _ => {}
            }
        }
    }
}
