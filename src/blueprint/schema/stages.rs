//! Which flows each stage may stand in.

use std::fmt::Write;

use super::reference::form;
use super::{Kid, Spec};
use crate::blueprint::flow::Purpose;

use Purpose::{Authentication, Consent, Enrollment, Recovery, Setup, StepUp};

const ALL: &[(&str, &[Purpose])] = &[
    ("identification", &[Authentication, Recovery]),
    ("password", &[Authentication, StepUp, Setup]),
    ("authenticator-validate", &[Authentication, Recovery, StepUp, Setup, Consent]),
    ("authenticator-setup", &[Authentication, Enrollment, Recovery, StepUp]),
    ("authenticator-totp", &[Setup]),
    ("authenticator-webauthn", &[Setup]),
    ("recovery-codes", &[Setup]),
    ("authenticator-email", &[Setup]),
    ("authenticator-duo", &[Setup]),
    ("invitation", &[Enrollment]),
    ("prompt", &[Authentication, Enrollment, Recovery, Setup]),
    ("user-write", &[Authentication, Enrollment, Recovery]),
    ("email-verify", &[Authentication, Enrollment, Setup]),
    ("email-link", &[Authentication, Recovery]),
    ("terms", &[Authentication, Enrollment, Recovery, Consent]),
    ("consent", &[Consent]),
    ("deny", &[Authentication, Enrollment, Recovery, Consent, Setup, StepUp]),
    ("login", &[Authentication, Enrollment, Recovery]),
];

/// The flows that a stage may stand in, by its name.
#[must_use]
pub fn purposes(stage: &str) -> &'static [Purpose] {
    ALL.iter().find(|(name, _)| *name == stage).map_or(&[], |(_, purposes)| purposes)
}

/// The stages of a flow as a table: where each stands, what it does and what it holds.
pub(super) fn table(flow: &Spec) -> String {
    let mut text = "| Stage | In flows for | Does | Holds |\n|---|---|---|---|\n".to_owned();
    for stage in flow.kids.iter().map(|kid| kid.spec) {
        let words: Vec<&str> = purposes(stage.name).iter().map(|each| each.word()).collect();
        let holds: Vec<String> = stage.kids.iter().map(held).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            form(stage),
            words.join(", "),
            stage.doc,
            holds.join(", ")
        );
    }
    text + "\nEach holds `if <policy>` and `unless <policy>` as well, repeatable.\n\n"
}

fn held(kid: &Kid) -> String {
    let mark = if kid.needed { " (needed)" } else { "" };
    format!("`{}`{mark}", form(kid.spec).replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::super::lookup;
    use super::*;

    #[test]
    fn every_stage_has_a_place() {
        let flow = lookup(&["flow"]).expect("flow");
        for stage in flow.kids.iter().map(|kid| kid.spec) {
            assert!(!purposes(stage.name).is_empty(), "{}", stage.name);
            assert!(stage.conditional, "{}", stage.name);
        }
        assert_eq!(flow.kids.len(), ALL.len());
    }
}
