//! When a second factor is asked for, and when one is set up first (`security.md` R9).
//!
//! An account that holds any factor is never let past by `skip`, and never given a new one by
//! `configure`: only what it holds proves who it is.

use super::progress::Progress;
use super::stages::{Ask, Asked, Next, Wanted, may_add, stuck};
use crate::blueprint::flow::{AuthenticatorValidate, Flow, NotConfigured, StageKind};
use crate::blueprint::source::Name;
use crate::factor::held::Held;
use crate::model::factor::Factor;

/// The flows that set a factor up where a stage names none.
const BUILT_IN: [&str; 2] = ["builtin.setup", "builtin.passkey"];

const NOT_TAKEN: &str = "This app asks for a proof that cannot be given here. \
    The person who runs this place can help.";

const REFUSAL: &str = "This account has no second factor, and signing in here needs one. \
    The person who runs this place can help.";

impl<'a> Ask<'a, '_> {
    /// `authenticator-validate`.
    pub(super) fn validate(
        &self,
        validate: &'a AuthenticatorValidate,
        progress: &mut Progress,
    ) -> Asked<'a> {
        if self.known.wanted == Wanted::SignIn && !progress.is_proven() {
            let reason = "`authenticator-validate` was reached without a first proof";
            return Asked::Next(stuck(self.stage.at, reason));
        }
        let classes = self.classes(validate);
        if classes.is_empty() {
            return Asked::Next(Next::Refuse { text: NOT_TAKEN });
        }
        if progress.proven.keys().any(|factor| classes.contains(factor)) {
            return Asked::Done;
        }
        if self.is_remembered(validate, &classes) {
            return Asked::Done;
        }
        let held = self.known.held;
        let usable: Vec<Factor> =
            classes.iter().copied().filter(|class| is_usable(*class, held, progress)).collect();
        if !usable.is_empty() {
            let remembered = validate.last_validation_threshold;
            return Asked::Next(Next::AskFactor { classes: usable, remembered });
        }
        if !held.is_empty() {
            return Asked::Next(Next::Lacks { classes });
        }
        match validate.not_configured {
            NotConfigured::Skip if self.known.wanted == Wanted::SignIn => Asked::Done,
            NotConfigured::Skip | NotConfigured::Deny => {
                Asked::Next(Next::Refuse { text: REFUSAL })
            }
            NotConfigured::Configure => self.choose(&validate.configure_with, &classes, progress),
        }
    }

    /// `authenticator-setup`.
    pub(super) fn set_up_any(&self, any_of: &'a [Name], progress: &mut Progress) -> Asked<'a> {
        if !progress.proven.is_empty() || !self.known.held.is_empty() {
            return Asked::Done;
        }
        self.choose(any_of, &[], progress)
    }

    /// The classes that are enough: those of the stage, as far as they are what a rule asks for.
    fn classes(&self, validate: &AuthenticatorValidate) -> Vec<Factor> {
        let mut classes = validate.device_classes.clone();
        if let Wanted::Factor(kinds) = self.known.wanted
            && !kinds.is_empty()
        {
            classes.retain(|class| kinds.contains(class));
        }
        classes
    }

    /// Whether this browser remembers a proof that is fresh enough. A rule that asks for a proof
    /// has seen what is remembered, and it was not enough.
    fn is_remembered(&self, validate: &AuthenticatorValidate, classes: &[Factor]) -> bool {
        let Some(limit) = validate.last_validation_threshold else { return false };
        let now = self.known.now;
        self.known.wanted == Wanted::SignIn
            && self.known.remembered.iter().any(|(factor, at)| {
                classes.contains(factor) && *at <= now && now.since(*at) <= limit
            })
    }

    /// Leads into a flow that sets up one of `classes`, or of any if there are none. The first
    /// factor of an account is added by whoever gave its password in this flow.
    fn choose(&self, names: &'a [Name], classes: &[Factor], progress: &mut Progress) -> Asked<'a> {
        if !may_add(self.known.held, progress) {
            return Asked::Next(Next::AskPassword { lockout: None });
        }
        let mut flows = self.set_ups(names);
        flows.retain(|flow| {
            let slug = &flow.slug.value;
            !progress.has_entered(slug) && (classes.is_empty() || sets_up(flow, classes))
        });
        match flows.as_slice() {
            [] => Asked::Next(stuck(self.stage.at, "no flow here sets up what is asked for")),
            [only] => {
                progress.enter(&only.slug.value);
                Asked::Entered
            }
            _ => Asked::Next(Next::ChooseSetUp { flows }),
        }
    }

    fn set_ups(&self, names: &'a [Name]) -> Vec<&'a Flow> {
        let find = |name: &str| self.flows.all.get(name).map(AsRef::as_ref);
        match names {
            [] => BUILT_IN.iter().filter_map(|name| find(name)).collect(),
            _ => names.iter().filter_map(|name| find(&name.value)).collect(),
        }
    }
}

/// Whether a class can prove anything here. A code by mail is no second proof for whoever came by a
/// mailed link.
fn is_usable(class: Factor, held: &Held, progress: &Progress) -> bool {
    held.has(class) && !(class == Factor::EmailCode && progress.by_link)
}

/// Whether a flow sets up a factor of one of these classes.
fn sets_up(flow: &Flow, classes: &[Factor]) -> bool {
    flow.stages.iter().any(|stage| {
        let class = match stage.kind {
            StageKind::AuthenticatorTotp { .. } => Factor::Totp,
            StageKind::AuthenticatorWebauthn { .. } => Factor::Webauthn,
            StageKind::AuthenticatorEmail => Factor::EmailCode,
            StageKind::AuthenticatorDuo => Factor::Duo,
            StageKind::RecoveryCodes { .. } => Factor::RecoveryCode,
            _ => return false,
        };
        classes.contains(&class)
    })
}
