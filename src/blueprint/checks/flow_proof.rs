//! No login without proof, on every combination of conditions (`security.md` R8 and R9).
//!
//! A condition is a policy that may hold or not; each combination of them leaves a row of
//! stages that run. On every row the account is known before it is proven, and proven before
//! anything is written or a session begins.

use std::collections::BTreeSet;

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Flow, NotConfigured, Purpose, Stage, StageKind};
use crate::blueprint::object::Kind;
use crate::model::factor::Factor;

/// Above this number of policies in one flow only unconditional stages count as proof.
const MOST_CONDITIONS: usize = 10;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    let second_factor =
        view.blueprint.flows.iter().any(|flow| {
            flow.purpose == Purpose::Authentication && flow.stages.iter().any(is_validate)
        });
    for flow in &view.blueprint.flows {
        if view.is_broken(Kind::Flow, &flow.slug.value) {
            continue;
        }
        let mut found = Vec::new();
        login_last(flow, &mut found);
        proven(flow, &mut found);
        early_conditions(view, flow, &mut found);
        if flow.purpose == Purpose::Recovery && second_factor {
            recovery_factor(flow, &mut found);
        }
        if flow.purpose == Purpose::StepUp && !flow.stages.iter().any(is_validate) {
            found.push(no_step_up(flow));
        }
        for diagnostic in found {
            view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
        }
    }
}

fn is_login(stage: &Stage) -> bool {
    matches!(stage.kind, StageKind::Login { .. })
}

fn is_validate(stage: &Stage) -> bool {
    matches!(stage.kind, StageKind::AuthenticatorValidate(_))
}

fn is_conditional(stage: &Stage) -> bool {
    !stage.when.is_empty() || !stage.unless.is_empty()
}

fn login_last(flow: &Flow, found: &mut Vec<Diagnostic>) {
    let Some(first) = flow.stages.iter().position(is_login) else {
        if flow.purpose == Purpose::Authentication {
            found.push(
                Diagnostic::error(
                    "blueprint::no-login",
                    format!("flow `{}` never signs anybody in", flow.slug.value),
                )
                .at(flow.at, "`login` is missing")
                .help("end the flow with `login`"),
            );
        }
        return;
    };
    let Some(login) = flow.stages.get(first) else { return };
    for after in flow.stages.iter().skip(first + 1) {
        if is_login(after) && is_conditional(login) {
            continue;
        }
        found.push(
            Diagnostic::error("blueprint::login-not-last", "nothing runs after `login`")
                .at(after.at, "never reached")
                .at(login.at, "the flow ends here")
                .help("make `login` the last stage"),
        );
    }
}

fn no_step_up(flow: &Flow) -> Diagnostic {
    Diagnostic::error(
        "blueprint::step-up-without-factor",
        format!("flow `{}` asks for no second factor", flow.slug.value),
    )
    .at(flow.at, "`authenticator-validate` is missing")
    .help("add\n    authenticator-validate { device-classes totp webauthn; not-configured-action deny }")
}

/// What has happened on one row of stages so far.
#[derive(Clone, Copy, Default)]
struct Row {
    known: bool,
    proven: bool,
    verified: bool,
    waits_for_mail: bool,
}

fn proven(flow: &Flow, found: &mut Vec<Diagnostic>) {
    let mut told: BTreeSet<(usize, &'static str)> = BTreeSet::new();
    for held in combinations(flow) {
        let mut row = Row {
            // These begin inside a session.
            known: !matches!(flow.purpose, Purpose::Authentication | Purpose::Recovery),
            ..Row::default()
        };
        for (at, stage) in flow.stages.iter().enumerate() {
            if !runs(stage, &held) {
                continue;
            }
            if matches!(stage.kind, StageKind::Deny { .. }) {
                break;
            }
            for diagnostic in complaints(flow, stage, row) {
                if told.insert((at, diagnostic.code)) {
                    found.push(diagnostic);
                }
            }
            step(flow.purpose, stage, &mut row);
            if is_login(stage) {
                break;
            }
        }
    }
}

/// A condition on the person can be judged once it is proven who they are, and not before.
fn early_conditions(view: &View<'_>, flow: &Flow, found: &mut Vec<Diagnostic>) {
    use Purpose::{Authentication, Enrollment, Recovery};
    if !matches!(flow.purpose, Authentication | Enrollment | Recovery) {
        return;
    }
    let mut row = Row::default();
    for stage in &flow.stages {
        let conditions = stage.when.iter().chain(&stage.unless);
        for name in conditions.filter(|name| !row.proven && view.reads_person(name)) {
            let problem = "this condition is about a person whom nobody has proven to be yet";
            found.push(
                Diagnostic::error("blueprint::condition-before-proof", problem)
                    .at(name.span, format!("`{}` reads who somebody is", name.value))
                    .help(format!(
                        "{}; before that a condition may look at `network` and `time`",
                        after_proof(flow.purpose)
                    )),
            );
        }
        step(flow.purpose, stage, &mut row);
    }
}

fn after_proof(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Recovery => "move the stage behind `email-link`",
        Purpose::Enrollment => "move the stage behind `user-write`",
        _ => "move the stage behind `password`",
    }
}

fn complaints(flow: &Flow, stage: &Stage, row: Row) -> Vec<Diagnostic> {
    let sometimes = flow.stages.iter().any(is_conditional);
    let when = if sometimes { " when the conditions of the stages before are not met" } else { "" };
    let mut found = Vec::new();
    let needs_name = matches!(
        stage.kind,
        StageKind::Password { .. }
            | StageKind::EmailLink { .. }
            | StageKind::AuthenticatorValidate(_)
    );
    if needs_name && !row.known {
        found.push(
            Diagnostic::error(
                "blueprint::nobody-identified",
                "this stage does not know whom it asks",
            )
            .at(stage.at, format!("no `identification` before it{when}"))
            .help("put `identification` first"),
        );
    }
    let open = !row.proven && flow.purpose != Purpose::Enrollment;
    if is_login(stage) && !row.proven {
        found.push(
            Diagnostic::error(
                "blueprint::login-without-proof",
                "`login` without proof of who somebody is",
            )
            .at(stage.at, format!("no password, passkey, mail link or source before it{when}"))
            .help(proof_help(flow.purpose)),
        );
    }
    if matches!(stage.kind, StageKind::UserWrite { .. }) && open {
        found.push(
            Diagnostic::error(
                "blueprint::write-without-proof",
                "anybody could change this account",
            )
            .at(stage.at, format!("no proof of who somebody is before it{when}"))
            .help(proof_help(flow.purpose)),
        );
    }
    if matches!(stage.kind, StageKind::EmailVerify { .. }) && open && flow.purpose != Purpose::Setup
    {
        found.push(
            Diagnostic::error(
                "blueprint::verify-without-proof",
                "anybody could give this account their own address",
            )
            .at(stage.at, format!("no proof of who somebody is before it{when}"))
            .help(proof_help(flow.purpose)),
        );
    }
    if is_login(stage) && row.waits_for_mail && !row.verified {
        found.push(
            Diagnostic::error(
                "blueprint::login-unverified",
                "the account is inactive until its address is verified",
            )
            .at(stage.at, "comes before `email-verify`")
            .help("put `email-verify` before `login`"),
        );
    }
    found
}

fn proof_help(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Recovery => "put `email-link` before it",
        Purpose::Enrollment => "put `user-write` before it",
        _ => "put `password` before it, without a condition",
    }
}

fn step(purpose: Purpose, stage: &Stage, row: &mut Row) {
    match &stage.kind {
        StageKind::Identification(asked) => {
            row.known = true;
            // Nobody gets past it but by a source or a passkey.
            row.proven |= !asked.takes_names();
        }
        StageKind::Password { .. } | StageKind::EmailLink { .. } => row.proven = true,
        StageKind::EmailVerify { .. } => row.verified = true,
        StageKind::AuthenticatorValidate(validate) => {
            let passkeys = validate.device_classes.iter().all(|class| *class == Factor::Webauthn);
            let strict = validate.not_configured == NotConfigured::Deny;
            row.proven |= passkeys && strict && !validate.device_classes.is_empty();
        }
        StageKind::UserWrite { inactive_until_verified, .. } => {
            // A new account belongs to whoever has just made it.
            row.proven |= purpose == Purpose::Enrollment;
            row.waits_for_mail |= inactive_until_verified;
        }
        _ => {}
    }
}

/// R9: a lost password must not be a way around the second factor.
fn recovery_factor(flow: &Flow, found: &mut Vec<Diagnostic>) {
    let ends = |stage: &Stage| is_login(stage) || matches!(stage.kind, StageKind::UserWrite { .. });
    for held in combinations(flow) {
        let row = flow.stages.iter().filter(|stage| runs(stage, &held));
        let mut asked = false;
        for stage in row {
            if matches!(stage.kind, StageKind::Deny { .. }) {
                break;
            }
            asked |= is_validate(stage);
            if ends(stage) && !asked {
                found.push(
                    Diagnostic::error(
                        "blueprint::recovery-skips-factor",
                        format!("flow `{}` is a way around the second factor", flow.slug.value),
                    )
                    .at(stage.at, "a mail account alone would be enough")
                    .help(
                        "put before it\n    authenticator-validate { device-classes totp webauthn \
                         recovery-code; not-configured-action skip }",
                    ),
                );
                return;
            }
        }
    }
}

/// Every set of policies that may hold at once; one empty set if there are too many.
fn combinations(flow: &Flow) -> Vec<Option<BTreeSet<&str>>> {
    let names: BTreeSet<&str> = flow
        .stages
        .iter()
        .flat_map(|stage| stage.when.iter().chain(&stage.unless))
        .map(|name| name.value.as_str())
        .collect();
    if names.len() > MOST_CONDITIONS {
        return vec![None];
    }
    (0..1_usize << names.len())
        .map(|bits| {
            let holds = names.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
            Some(holds.map(|(_, name)| *name).collect())
        })
        .collect()
}

/// Whether a stage runs; without a known combination proof is left out and the rest runs.
fn runs(stage: &Stage, held: &Option<BTreeSet<&str>>) -> bool {
    let Some(held) = held else {
        let risky = is_login(stage) || matches!(stage.kind, StageKind::UserWrite { .. });
        return risky || !is_conditional(stage);
    };
    stage.when.iter().all(|name| held.contains(name.value.as_str()))
        && !stage.unless.iter().any(|name| held.contains(name.value.as_str()))
}
