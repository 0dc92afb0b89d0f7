//! Flows: stages where they belong, flows used for what they are for.

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Field, FieldKind, Flow, Purpose, Stage, StageKind};
use crate::blueprint::names::builtin_flow;
use crate::blueprint::object::Kind;
use crate::blueprint::people::ConsoleRole;
use crate::blueprint::schema;
use crate::blueprint::source::Name;
use crate::model::factor::Factor;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for flow in &view.blueprint.flows {
        stages(view, flow, out);
        fields(view, flow, out);
        console_groups(view, flow, out);
        if flow.purpose == Purpose::Setup {
            set_up(view, flow, out);
        }
    }
    console_groups_of_sources(view, out);
    passkey_autofill(view, out);
    purposes(view, out);
    duo(view, out);
}

/// Nobody can be sent to Duo without an account there.
fn duo(view: &View<'_>, out: &mut Diagnostics) {
    if view.blueprint.settings.duo.is_some() {
        return;
    }
    for flow in &view.blueprint.flows {
        let asks = |stage: &&Stage| match &stage.kind {
            StageKind::AuthenticatorDuo => true,
            StageKind::AuthenticatorValidate(each) => each.device_classes.contains(&Factor::Duo),
            _ => false,
        };
        if let Some(stage) = flow.stages.iter().find(asks) {
            let slug = &flow.slug.value;
            let diagnostic =
                Diagnostic::error("blueprint::duo-without-account", format!("flow `{slug}` asks Duo"))
                    .at(stage.at, "no `duo` stands in `settings`")
                    .help("add `duo api-host=… integration-key=… { secret-key (credential)duo }` to `settings`");
            tell(view, flow, diagnostic, out);
        }
    }
}

fn tell(view: &View<'_>, flow: &Flow, diagnostic: Diagnostic, out: &mut Diagnostics) {
    if !view.is_broken(Kind::Flow, &flow.slug.value) {
        view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
    }
}

/// A flow for setup adds a factor or replaces the address; what else is filled in goes nowhere.
fn set_up(view: &View<'_>, flow: &Flow, out: &mut Diagnostics) {
    let prompts = flow.stages.iter().filter_map(|stage| match &stage.kind {
        StageKind::Prompt { fields } => Some(fields),
        _ => None,
    });
    let fields: Vec<&Field> = prompts.flatten().collect();
    let asks_address = fields.iter().any(|field| field.kind == FieldKind::Email);
    let sets_up = |stage: &Stage| match stage.kind {
        StageKind::EmailVerify { .. } => asks_address,
        _ => adds_factor(&stage.kind),
    };
    if !flow.stages.iter().any(sets_up) {
        let diagnostic = Diagnostic::error(
            "blueprint::setup-without-factor",
            format!("flow `{}` sets nothing up", flow.slug.value),
        )
        .at(flow.at, "no stage adds a second factor, or asks for an address and verifies it")
        .help("add for example `authenticator-totp` or `authenticator-webauthn`");
        tell(view, flow, diagnostic, out);
    }
    for field in fields.iter().filter(|field| field.kind != FieldKind::Email) {
        let diagnostic = Diagnostic::error(
            "blueprint::field-goes-nowhere",
            format!("nothing keeps what is filled in as `{}`", field.name.value),
        )
        .at(field.name.span, "a flow for setup asks for an address alone")
        .help("leave the field out, or make it `type=email`");
        tell(view, flow, diagnostic, out);
    }
}

fn adds_factor(kind: &StageKind) -> bool {
    matches!(
        kind,
        StageKind::AuthenticatorTotp { .. }
            | StageKind::AuthenticatorWebauthn { .. }
            | StageKind::RecoveryCodes { .. }
            | StageKind::AuthenticatorEmail
            | StageKind::AuthenticatorDuo
    )
}

fn stages(view: &View<'_>, flow: &Flow, out: &mut Diagnostics) {
    for stage in &flow.stages {
        let word = view.sources.slice(stage.at).split_whitespace().next().unwrap_or("stage");
        if schema::purposes(word).contains(&flow.purpose) {
            continue;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::stage-out-of-place",
            format!("`{word}` has no place in a flow for {}", flow.purpose.word()),
        )
        .at(stage.at, format!("flow `{}` is for {}", flow.slug.value, flow.purpose.word()))
        .help("`doorward reference flow` shows the stages of each purpose");
        tell(view, flow, diagnostic, out);
    }
}

fn fields(view: &View<'_>, flow: &Flow, out: &mut Diagnostics) {
    for stage in &flow.stages {
        let StageKind::Prompt { fields } = &stage.kind else { continue };
        for (at, field) in fields.iter().enumerate() {
            let Some(earlier) =
                fields.iter().take(at).find(|each| each.name.value == field.name.value)
            else {
                continue;
            };
            let diagnostic = Diagnostic::error(
                "blueprint::given-twice",
                format!("field `{}` stands twice", field.name.value),
            )
            .at(field.name.span, "second one")
            .at(earlier.name.span, "first one")
            .help("give each field a name of its own");
            tell(view, flow, diagnostic, out);
        }
    }
}

/// Whom a flow or a source brings in is in no group of the console (`security.md` R11).
fn console_groups(view: &View<'_>, flow: &Flow, out: &mut Diagnostics) {
    for stage in &flow.stages {
        let StageKind::UserWrite { groups, .. } = &stage.kind else { continue };
        for diagnostic in groups.iter().filter_map(|group| console_group(view, group)) {
            tell(view, flow, diagnostic, out);
        }
    }
}

fn console_groups_of_sources(view: &View<'_>, out: &mut Diagnostics) {
    for source in &view.blueprint.sources {
        for group in source.groups.iter().flat_map(|grant| &grant.groups) {
            if let Some(diagnostic) = console_group(view, group) {
                view.report(out, Kind::Source, &source.slug.value, diagnostic);
            }
        }
    }
}

fn console_group(view: &View<'_>, name: &Name) -> Option<Diagnostic> {
    let all = view.with_ancestors(&name.value);
    let console = view.blueprint.groups.iter().find(|group| {
        group.console != ConsoleRole::None && all.contains(group.slug.value.as_str())
    })?;
    Some(
        Diagnostic::error(
            "blueprint::console-group-given",
            format!("group `{}` opens the admin console", name.value),
        )
        .at(name.span, "nobody may put themselves in here")
        .at(console.at, "has a `console` role")
        .help("put people into this group in the files"),
    )
}

/// Passkeys offered before a name is typed must be kept by the device.
fn passkey_autofill(view: &View<'_>, out: &mut Diagnostics) {
    let autofill = view.blueprint.flows.iter().flat_map(|flow| &flow.stages).find(
        |stage| matches!(&stage.kind, StageKind::Identification(each) if each.passkey_autofill),
    );
    let Some(autofill) = autofill else { return };
    for flow in &view.blueprint.flows {
        for stage in &flow.stages {
            let StageKind::AuthenticatorWebauthn { resident_key, .. } = &stage.kind else {
                continue;
            };
            if resident_key.as_deref() == Some("required") {
                continue;
            }
            let diagnostic = Diagnostic::warning(
                "blueprint::passkey-not-resident",
                "keys from here may not be offered by `passkey-autofill`",
            )
            .at(stage.at, "add `resident-key required`")
            .at(autofill.at, "`passkey-autofill` is here");
            tell(view, flow, diagnostic, out);
        }
    }
}

fn purposes(view: &View<'_>, out: &mut Diagnostics) {
    use Purpose::{Authentication, Consent, Enrollment, Recovery, Setup, StepUp};
    let blueprint = view.blueprint;
    let mut uses: Vec<(&Name, &[Purpose])> = Vec::new();
    let flows = &blueprint.settings.default_flows;
    for (name, purpose) in [
        (&flows.authentication, [Authentication].as_slice()),
        (&flows.enrollment, &[Enrollment]),
        (&flows.recovery, &[Recovery]),
        (&flows.consent, &[Consent]),
        (&flows.setup, &[Setup]),
        (&flows.step_up, &[StepUp]),
    ] {
        uses.extend(name.iter().map(|name| (name, purpose)));
    }
    for app in &blueprint.apps {
        uses.extend(app.authentication.iter().map(|name| (name, [Authentication].as_slice())));
        uses.extend(app.authorization.iter().map(|name| (name, [Consent].as_slice())));
        let consent = app.oidc.iter().filter_map(|oidc| oidc.consent.as_ref());
        uses.extend(consent.map(|name| (name, [Consent].as_slice())));
        let bind = app.ldap.iter().filter_map(|ldap| ldap.flow.as_ref());
        uses.extend(bind.map(|name| (name, [Authentication].as_slice())));
    }
    let enroll = blueprint.sources.iter().filter_map(|source| source.enroll.as_ref());
    uses.extend(enroll.map(|name| (name, [Enrollment].as_slice())));
    for stage in blueprint.flows.iter().flat_map(|flow| &flow.stages) {
        match &stage.kind {
            StageKind::Identification(each) => {
                uses.extend(
                    each.links.iter().map(|name| (name, [Enrollment, Recovery].as_slice())),
                );
            }
            StageKind::AuthenticatorValidate(each) => {
                uses.extend(each.configure_with.iter().map(|name| (name, [Setup].as_slice())));
            }
            StageKind::AuthenticatorSetup { any_of } => {
                uses.extend(any_of.iter().map(|name| (name, [Setup].as_slice())));
            }
            _ => {}
        }
    }
    for (name, wanted) in uses {
        out.extend(wrong_purpose(view, name, wanted));
    }
}

fn wrong_purpose(view: &View<'_>, name: &Name, wanted: &[Purpose]) -> Option<Diagnostic> {
    let flow = view.blueprint.flows.iter().find(|flow| flow.slug.value == name.value);
    let purpose = flow.map(|flow| flow.purpose).or_else(|| builtin_flow(&name.value))?;
    if wanted.contains(&purpose) {
        return None;
    }
    let words: Vec<&str> = wanted.iter().map(|purpose| purpose.word()).collect();
    let words = words.join(" or ");
    let diagnostic = Diagnostic::error(
        "blueprint::wrong-purpose",
        format!("flow `{}` is for {}, not for {words}", name.value, purpose.word()),
    )
    .at(name.span, format!("a flow for {words} belongs here"));
    Some(match flow {
        Some(flow) => diagnostic.at(flow.at, "declared here"),
        None => diagnostic,
    })
}
