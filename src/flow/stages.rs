//! The stages in order: what comes next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::progress::Progress;
use crate::access::condition::Truth;
use crate::blueprint::flow::{Field, Flow, Identification, Lockout, Purpose, Stage, StageKind};
use crate::blueprint::source::{Name, Span};
use crate::clock::Millis;
use crate::factor::held::Held;
use crate::model::factor::Factor;
use crate::store::{ProofTimes, Terms};

/// What to do next.
#[derive(Debug)]
pub enum Next<'a> {
    AskName(&'a Identification),
    AskPassword {
        lockout: Option<Lockout>,
    },
    AskNewPassword,
    /// A proof with one of these, which the account holds.
    AskFactor {
        classes: Vec<Factor>,
        /// How long the browser may remember it.
        remembered: Option<Duration>,
    },
    /// One of these flows has to be chosen and gone through.
    ChooseSetUp {
        flows: Vec<&'a Flow>,
    },
    SetUpTotp {
        issuer: Option<&'a str>,
        digits: Option<u32>,
    },
    SetUpPasskey {
        verification: Option<&'a str>,
        resident: Option<&'a str>,
        attestation: Option<&'a str>,
    },
    ShowRecoveryCodes {
        count: Option<u32>,
    },
    /// The account's address becomes a factor.
    SetUpEmail,
    /// Duo becomes a factor.
    SetUpDuo,
    /// An invitation, which the flow does not have.
    AskInvitation,
    Prompt {
        fields: &'a [Field],
    },
    /// A link is mailed, and whoever has it goes on.
    MailLink {
        lasts: Duration,
    },
    /// A link is mailed to the address that was filled in, and opened in this browser.
    VerifyAddress {
        lasts: Duration,
        address: String,
    },
    /// Terms to be agreed to.
    AskTerms {
        terms: Terms,
    },
    /// The app is not told anything before its person lets it.
    AskConsent {
        remember: Option<Duration>,
    },
    /// What was filled in is written: an account is made, or changed.
    Write {
        groups: &'a [Name],
    },
    /// The account has factors, and none of these.
    Lacks {
        classes: Vec<Factor>,
    },
    /// A `deny` stage, or one that comes to the same.
    Refuse {
        text: &'a str,
    },
    SignIn {
        stay: Option<Duration>,
    },
    /// A flow inside a session has come to its end.
    Done,
    /// The flow cannot go on: nothing was proven, a condition failed, or no `login` stands in it.
    Stuck {
        at: Span,
        reason: String,
    },
}

/// The flow that goes on, and those that may run inside it.
#[derive(Clone, Copy, Debug)]
pub struct Flows<'a> {
    pub outer: &'a Flow,
    pub all: &'a HashMap<String, Arc<Flow>>,
}

/// What is known besides what the person did in this flow.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// Judges a policy by name.
    pub holds: &'k dyn Fn(&Name) -> Truth,
    /// What the account holds. Nothing, as long as nobody is named.
    pub held: &'k Held,
    /// What this browser remembers of this person.
    pub remembered: &'k ProofTimes,
    /// What the person agreed to before.
    pub agreed: &'k Agreed,
    /// What a step-up is wanted for.
    pub wanted: Wanted<'k>,
    pub now: Millis,
}

/// What a person agreed to before this flow.
#[derive(Clone, Debug, Default)]
pub struct Agreed {
    /// The app that the flow leads to may know what it is told.
    pub consent: bool,
    pub terms: Vec<Terms>,
}

/// What a proof is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'k> {
    /// To sign in: the flow alone says what is enough.
    SignIn,
    /// A rule asks for one of these, or for any if none is named.
    Factor(&'k [Factor]),
    /// The person is about to change something: whatever they have, and at least the password.
    Presence,
}

/// Walks on from where the flow stands until a person or the caller has something to do.
pub fn next<'a>(flows: Flows<'a>, progress: &mut Progress, known: &Known<'_>) -> Next<'a> {
    if known.wanted == Wanted::Presence && known.held.is_empty() {
        return match progress.first {
            Some(_) => Next::Done,
            None => Next::AskPassword { lockout: None },
        };
    }
    ask_again(flows, progress, known);
    loop {
        let (flow, at) = match flows.place(progress) {
            Some(place) => place,
            None => return stuck(flows.outer.at, "a flow inside this one is gone"),
        };
        let Some(stage) = flow.stages.get(at) else {
            match progress.leave() {
                Some(inside) => progress.done.push(inside.flow),
                None => return end(flow, progress, known.wanted),
            }
            continue;
        };
        match runs(stage, known.holds) {
            Ok(true) => {}
            Ok(false) => {
                progress.advance();
                continue;
            }
            Err(reason) => return Next::Stuck { at: stage.at, reason },
        }
        match (Ask { flows, stage, known }).ask(progress) {
            Asked::Done => progress.advance(),
            Asked::Entered => {}
            Asked::Next(next) => return next,
        }
    }
}

/// Goes back to a proof that was passed and is not enough any more: the account may have got a
/// factor since it was skipped (`security.md` R9).
fn ask_again<'a>(flows: Flows<'a>, progress: &mut Progress, known: &Known<'_>) {
    let passed = flows.outer.stages.iter().take(progress.stage).enumerate();
    for (at, stage) in passed {
        let StageKind::AuthenticatorValidate(validate) = &stage.kind else { continue };
        if runs(stage, known.holds) == Ok(false) {
            continue;
        }
        let ask = Ask { flows, stage, known };
        if !matches!(ask.validate(validate, &mut progress.clone()), Asked::Done) {
            progress.go_back(at);
            return;
        }
    }
}

impl<'a> Flows<'a> {
    /// Where the person is.
    fn place(&self, progress: &Progress) -> Option<(&'a Flow, usize)> {
        match progress.inside.last() {
            Some(inside) => Some((self.all.get(&inside.flow)?, inside.stage)),
            None => Some((self.outer, progress.stage)),
        }
    }
}

/// The end of a flow without `login`.
fn end<'a>(flow: &'a Flow, progress: &Progress, wanted: Wanted<'_>) -> Next<'a> {
    let is_enough = match wanted {
        Wanted::Factor([]) => !progress.proven.is_empty(),
        Wanted::Factor(kinds) => progress.proven.keys().any(|factor| kinds.contains(factor)),
        Wanted::SignIn | Wanted::Presence => progress.is_proven(),
    };
    match flow.purpose {
        Purpose::Setup | Purpose::Consent => Next::Done,
        Purpose::StepUp if is_enough => Next::Done,
        Purpose::StepUp => stuck(flow.at, "the flow ends without the proof that is asked for"),
        _ => stuck(flow.at, "the flow ends without a `login` stage"),
    }
}

pub(super) fn stuck<'a>(at: Span, reason: &str) -> Next<'a> {
    Next::Stuck { at, reason: reason.to_owned() }
}

/// What a stage comes to.
pub(super) enum Asked<'a> {
    /// It has nothing to ask, or no more.
    Done,
    /// It led into another flow, or back from one.
    Entered,
    Next(Next<'a>),
}

/// A stage that runs.
pub(super) struct Ask<'a, 'k> {
    pub(super) flows: Flows<'a>,
    pub(super) stage: &'a Stage,
    pub(super) known: &'k Known<'k>,
}

impl<'a> Ask<'a, '_> {
    fn ask(&self, progress: &mut Progress) -> Asked<'a> {
        let next = match &self.stage.kind {
            StageKind::Identification(asked) if progress.is_named() && came_by(asked, progress) => {
                return Asked::Done;
            }
            StageKind::Identification(identification) => Next::AskName(identification),
            StageKind::Password { .. } if progress.first.is_some() => return Asked::Done,
            StageKind::Password { lockout } => self.password(progress, *lockout),
            StageKind::AuthenticatorValidate(validate) => return self.validate(validate, progress),
            StageKind::AuthenticatorSetup { any_of } => return self.set_up_any(any_of, progress),
            StageKind::AuthenticatorTotp { issuer, digits } => {
                let next = Next::SetUpTotp { issuer: issuer.as_deref(), digits: *digits };
                return self.set_up(progress, next);
            }
            StageKind::AuthenticatorWebauthn { user_verification, resident_key, attestation } => {
                let next = Next::SetUpPasskey {
                    verification: user_verification.as_deref(),
                    resident: resident_key.as_deref(),
                    attestation: attestation.as_deref(),
                };
                return self.set_up(progress, next);
            }
            StageKind::AuthenticatorEmail if self.known.held.has(Factor::EmailCode) => {
                return Asked::Done;
            }
            StageKind::AuthenticatorEmail => return self.set_up(progress, Next::SetUpEmail),
            StageKind::AuthenticatorDuo if self.known.held.has(Factor::Duo) => {
                return Asked::Done;
            }
            StageKind::AuthenticatorDuo => return self.set_up(progress, Next::SetUpDuo),
            StageKind::RecoveryCodes { .. } if self.known.held.recovery_codes > 0 => {
                return Asked::Done;
            }
            StageKind::RecoveryCodes { count } => {
                return self.set_up(progress, Next::ShowRecoveryCodes { count: *count });
            }
            StageKind::Invitation { required } => return self.invitation(*required, progress),
            StageKind::Prompt { fields } => Next::Prompt { fields },
            StageKind::UserWrite { groups, inactive_until_verified } => {
                return self.write(groups, *inactive_until_verified, progress);
            }
            StageKind::EmailVerify { expires } => return self.verify(*expires, progress),
            StageKind::EmailLink { expires } => return self.link(*expires, progress),
            StageKind::Terms { file, version } => {
                let version = version.clone().unwrap_or_default();
                let terms = Terms { file: file.value.clone(), version };
                if progress.agreed.contains(&terms) || self.known.agreed.terms.contains(&terms) {
                    return Asked::Done;
                }
                Next::AskTerms { terms }
            }
            StageKind::Consent { .. } if self.known.agreed.consent => return Asked::Done,
            StageKind::Consent { remember } => Next::AskConsent { remember: *remember },
            StageKind::Deny { text } => Next::Refuse { text },
            StageKind::Login { stay_signed_in } => self.login(progress, *stay_signed_in),
        };
        Asked::Next(next)
    }

    fn password(&self, progress: &Progress, lockout: Option<Lockout>) -> Next<'a> {
        if !progress.is_named() {
            return stuck(self.stage.at, "`password` stands before `identification`");
        }
        Next::AskPassword { lockout }
    }

    /// Nobody is signed in without proof, whatever was skipped (`security.md` R8).
    fn login(&self, progress: &Progress, stay: Option<Duration>) -> Next<'a> {
        if progress.first.is_none() || progress.user_id.is_none() {
            return stuck(self.stage.at, "`login` was reached without a proof");
        }
        if progress.must_change { Next::AskNewPassword } else { Next::SignIn { stay } }
    }

    /// A factor is added by whoever proved one, or to an account that has none (R9). If it got one
    /// meanwhile, the flow around this one asks for it.
    fn set_up(&self, progress: &mut Progress, next: Next<'a>) -> Asked<'a> {
        if may_add(self.known.held, progress) {
            return Asked::Next(next);
        }
        match progress.leave() {
            Some(_) => Asked::Entered,
            None => {
                let reason = "a factor was to be set up by somebody who proved none";
                Asked::Next(stuck(self.stage.at, reason))
            }
        }
    }
}

/// Whether whoever is named may be named here: where nothing is typed, only by a source of the stage's, or
/// by a passkey that it offers.
fn came_by(asked: &Identification, progress: &Progress) -> bool {
    let vouched = |source: &Name| {
        progress.asserted.as_ref().is_some_and(|asserted| asserted.source == source.value)
    };
    let by_passkey = asked.passkey_autofill && progress.proven.contains_key(&Factor::Webauthn);
    asked.takes_names() || by_passkey || asked.sources.iter().any(vouched)
}

/// Whether this flow may add a factor to the account.
#[must_use]
pub fn may_add(held: &Held, progress: &Progress) -> bool {
    !progress.proven.is_empty() || (held.is_empty() && progress.first.is_some())
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::access::condition::ConditionError;
    use crate::blueprint::flow::Purpose;
    use crate::blueprint::source::Spanned;
    use crate::flow::progress::First;

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
        let all = HashMap::new();
        let flows = Flows { outer: flow, all: &all };
        format!("{:?}", next(flows, progress, &known(&Held::default(), &BTreeMap::new())))
    }

    static NOTHING: Agreed = Agreed { consent: false, terms: Vec::new() };

    fn known<'k>(held: &'k Held, remembered: &'k ProofTimes) -> Known<'k> {
        let wanted = Wanted::SignIn;
        let (agreed, now) = (&NOTHING, Millis(0));
        Known { holds: &holds, held, remembered, agreed, wanted, now }
    }

    fn proof() -> Option<First> {
        Some(First { at: Millis(1), password_set_at: Some(Millis(1)) })
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
        progress.first = proof();
        assert!(step(&flow, &mut progress).starts_with("SignIn"));
    }

    /// `security.md` R9: links to a new password go to the address, so nobody gives one to an account
    /// that they have not proven to be.
    #[test]
    fn an_address_is_verified_for_whoever_has_proven_to_be_the_account() {
        let mut flow = flow(vec![stage(StageKind::EmailVerify { expires: None }, &[])]);
        let mut progress = Progress {
            login: Some("alice".into()),
            user_id: Some("usr_1".into()),
            ..Progress::default()
        };
        progress.filled.email = Some("mallory@example.com".into());
        for purpose in [Purpose::Authentication, Purpose::Setup] {
            flow.purpose = purpose;
            progress.first = None;
            assert!(step(&flow, &mut progress.clone()).starts_with("Stuck"), "{purpose:?}");
            progress.first = proof();
            assert!(step(&flow, &mut progress.clone()).starts_with("VerifyAddress"));
        }
    }

    #[test]
    fn a_password_that_must_change_comes_before_the_sign_in() {
        let (flow, mut progress) = (usual(), Progress::default());
        progress.login = Some("alice".into());
        progress.user_id = Some("usr_1".into());
        (progress.first, progress.must_change) = (proof(), true);
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
                            first: proof().filter(|_| password),
                            ..Progress::default()
                        };
                        let (all, held) = (HashMap::new(), Held::default());
                        let none = BTreeMap::new();
                        let known = known(&held, &none);
                        let flows = Flows { outer: &flow, all: &all };
                        let next = next(flows, &mut progress, &known);
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
        progress.first = proof();
        assert!(step(&flow, &mut progress).starts_with("Stuck"));
    }
}
