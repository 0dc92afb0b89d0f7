//! Flows that make accounts: the forms ask for what an account needs.

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Field, FieldKind, Flow, Purpose, StageKind};
use crate::blueprint::object::Kind;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for flow in &view.blueprint.flows {
        if view.is_broken(Kind::Flow, &flow.slug.value) {
            continue;
        }
        let mut found: Vec<Diagnostic> = all_fields(flow).filter_map(options).collect();
        if flow.purpose == Purpose::Enrollment {
            found.extend(missing_field(flow));
            found.extend(too_early(flow));
        }
        for diagnostic in found {
            view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
        }
    }
}

fn all_fields(flow: &Flow) -> impl Iterator<Item = &Field> {
    flow.stages.iter().flat_map(|stage| match &stage.kind {
        StageKind::Prompt { fields } => fields.as_slice(),
        _ => &[],
    })
}

/// A choice offers something, and nothing else does.
fn options(field: &Field) -> Option<Diagnostic> {
    let name = &field.name.value;
    let is_choice = field.kind == FieldKind::Choice;
    if is_choice != field.options.is_empty() {
        return None;
    }
    Some(match is_choice {
        true => Diagnostic::error(
            "blueprint::choice-without-options",
            format!("the choice `{name}` offers nothing"),
        )
        .at(field.at, "no `option` in it")
        .help(format!(
            "write\n    field {name} type=choice {{ option small \"Small\"; option large \"Large\" }}"
        )),
        false => Diagnostic::error(
            "blueprint::options-without-choice",
            format!("the field `{name}` is no choice and has options"),
        )
        .at(field.at, "`type=choice` offers options")
        .help("write `type=choice`, or leave the options out"),
    })
}

/// An account has a username; one that waits for its address has one to wait for.
fn missing_field(flow: &Flow) -> Vec<Diagnostic> {
    let has = |kind: FieldKind| all_fields(flow).any(|field| field.kind == kind);
    let mut found = Vec::new();
    for stage in &flow.stages {
        let StageKind::UserWrite { inactive_until_verified, .. } = stage.kind else { continue };
        if !has(FieldKind::Username) {
            found.push(
                Diagnostic::error(
                    "blueprint::enrollment-without-username",
                    "an account is made, and nobody is asked for a username",
                )
                .at(stage.at, "makes an account")
                .help("add to a `prompt` before it\n    field username type=username label=\"Username\" required"),
            );
        }
        if inactive_until_verified && !has(FieldKind::Email) {
            found.push(
                Diagnostic::error(
                    "blueprint::enrollment-without-email",
                    "an address is to be verified, and nobody is asked for one",
                )
                .at(stage.at, "waits for an address")
                .help("add to a `prompt` before it\n    field email type=email label=\"E-mail\" required"),
            );
        }
    }
    found
}

/// An account that waits for its address is not there before: nothing can be added to it.
fn too_early(flow: &Flow) -> Option<Diagnostic> {
    let waits = flow.stages.iter().find(|stage| {
        matches!(stage.kind, StageKind::UserWrite { inactive_until_verified: true, .. })
    })?;
    let before =
        flow.stages.iter().take_while(|stage| !matches!(stage.kind, StageKind::EmailVerify { .. }));
    let early = before
        .into_iter()
        .find(|stage| matches!(stage.kind, StageKind::AuthenticatorSetup { .. }))?;
    Some(
        Diagnostic::error(
            "blueprint::setup-before-account",
            "a second factor is set up before there is an account",
        )
        .at(early.at, "comes before `email-verify`")
        .at(waits.at, "the account is made once its address is verified")
        .help("put `authenticator-setup` after `email-verify`"),
    )
}
