//! `flow`: stages in order.

use std::time::Duration;

use super::source::{Name, Span, Spanned};

#[derive(Clone, Debug)]
pub struct Flow {
    pub slug: Name,
    pub purpose: Purpose,
    pub title: Option<String>,
    pub formerly: Option<Name>,
    pub stages: Vec<Stage>,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    Authentication,
    Enrollment,
    Recovery,
    Consent,
    Setup,
    StepUp,
    Logout,
}

/// One stage; it runs if all of `when` hold and none of `unless`.
#[derive(Clone, Debug)]
pub struct Stage {
    pub kind: StageKind,
    pub when: Vec<Name>,
    pub unless: Vec<Name>,
    pub at: Span,
}

/// What a stage asks for. Only the first two and `Login` and `Deny` are served yet.
#[derive(Clone, Debug)]
pub enum StageKind {
    Identification(Identification),
    Password {
        lockout: Option<Lockout>,
    },
    AuthenticatorValidate(AuthenticatorValidate),
    AuthenticatorSetup {
        any_of: Vec<Name>,
    },
    AuthenticatorTotp {
        issuer: Option<String>,
        digits: Option<u32>,
    },
    AuthenticatorWebauthn {
        user_verification: Option<String>,
        resident_key: Option<String>,
        attestation: Option<String>,
    },
    RecoveryCodes {
        count: Option<u32>,
    },
    AuthenticatorEmail,
    AuthenticatorDuo,
    Invitation {
        required: bool,
    },
    Prompt {
        fields: Vec<Field>,
    },
    UserWrite {
        groups: Vec<Name>,
        inactive_until_verified: bool,
    },
    EmailVerify {
        expires: Option<Duration>,
    },
    EmailLink {
        expires: Option<Duration>,
    },
    Terms {
        file: Spanned<String>,
        version: Option<String>,
    },
    Consent {
        remember: Option<Duration>,
    },
    Deny {
        text: String,
    },
    Login {
        stay_signed_in: Option<Duration>,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Identification {
    pub accept: Vec<Accept>,
    pub passkey_autofill: bool,
    pub links: Vec<Name>,
    pub sources: Vec<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    Username,
    Email,
    Upn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    pub after: u32,
    pub lasts: Duration,
}

#[derive(Clone, Debug)]
pub struct AuthenticatorValidate {
    pub device_classes: Vec<crate::model::factor::Factor>,
    pub not_configured: NotConfigured,
    pub configure_with: Vec<Name>,
    pub last_validation_threshold: Option<Duration>,
    pub code_in_password: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConfigured {
    Configure,
    Skip,
    Deny,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: Name,
    pub kind: FieldKind,
    pub label: Option<String>,
    pub pattern: Option<Spanned<String>>,
    pub required: bool,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Username,
    Text,
    Email,
    NewPassword,
    Checkbox,
    Choice,
    Hidden,
}
