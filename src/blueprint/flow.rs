//! `flow`: stages in order.

use std::time::Duration;

use super::decode;
use super::source::{Name, Span, Spanned};
use super::tree::Node;
use crate::model::factor::Factor;

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

/// What a stage asks for.
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
    /// No name is typed: people come by a source or a passkey.
    Nothing,
}

impl Identification {
    /// Whether a name can be typed.
    #[must_use]
    pub fn takes_names(&self) -> bool {
        !self.accept.contains(&Accept::Nothing)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    pub after: u32,
    pub lasts: Duration,
}

#[derive(Clone, Debug)]
pub struct AuthenticatorValidate {
    pub device_classes: Vec<Factor>,
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
    /// An expression that gives what stands in the field to begin with.
    pub default: Option<Spanned<String>>,
    pub required: bool,
    /// What a choice offers: values and what they are called.
    pub options: Vec<(String, String)>,
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

impl Purpose {
    /// The word in blueprints.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Enrollment => "enrollment",
            Self::Recovery => "recovery",
            Self::Consent => "consent",
            Self::Setup => "setup",
            Self::StepUp => "step-up",
            Self::Logout => "logout",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Authentication,
            Self::Enrollment,
            Self::Recovery,
            Self::Consent,
            Self::Setup,
            Self::StepUp,
            Self::Logout,
        ]
        .into_iter()
        .find(|purpose| purpose.word() == word)
    }
}

impl Flow {
    /// Whether every installation has it.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.slug.value.starts_with("builtin.")
    }

    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            slug: decode::name(node)?,
            purpose: Purpose::from_word(&decode::prop_text(node, "for")?)?,
            title: decode::prop_text(node, "title"),
            formerly: decode::prop_name(node, "formerly"),
            stages: node.kids.iter().filter_map(stage).collect(),
            at: node.head(),
        })
    }
}

fn stage(node: &Node) -> Option<Stage> {
    Some(Stage {
        kind: stage_kind(node)?,
        when: decode::policies(node, "if"),
        unless: decode::policies(node, "unless"),
        at: node.line,
    })
}

fn stage_kind(node: &Node) -> Option<StageKind> {
    Some(match node.name.text.as_str() {
        "identification" => StageKind::Identification(identification(node)),
        "password" => StageKind::Password { lockout: node.kid("lockout").and_then(lockout) },
        "authenticator-validate" => StageKind::AuthenticatorValidate(validate(node)?),
        "authenticator-setup" => {
            StageKind::AuthenticatorSetup { any_of: decode::kid_words(node, "any-of") }
        }
        "authenticator-totp" => StageKind::AuthenticatorTotp {
            issuer: decode::kid_text(node, "issuer"),
            digits: decode::kid_number(node, "digits"),
        },
        "authenticator-webauthn" => StageKind::AuthenticatorWebauthn {
            user_verification: decode::kid_text(node, "user-verification"),
            resident_key: decode::kid_text(node, "resident-key"),
            attestation: decode::kid_text(node, "attestation"),
        },
        "recovery-codes" => StageKind::RecoveryCodes { count: decode::kid_number(node, "count") },
        "authenticator-email" => StageKind::AuthenticatorEmail,
        "authenticator-duo" => StageKind::AuthenticatorDuo,
        "invitation" => StageKind::Invitation { required: decode::has(node, 0, "required") },
        "prompt" => {
            StageKind::Prompt { fields: node.kids_named("field").filter_map(field).collect() }
        }
        "user-write" => StageKind::UserWrite {
            groups: decode::kid_words(node, "in"),
            inactive_until_verified: decode::has(node, 0, "inactive-until-verified"),
        },
        "email-verify" => StageKind::EmailVerify { expires: decode::kid_duration(node, "expires") },
        "email-link" => StageKind::EmailLink { expires: decode::kid_duration(node, "expires") },
        "terms" => StageKind::Terms { file: decode::name(node)?, version: version(node) },
        "consent" => StageKind::Consent { remember: decode::kid_duration(node, "remember") },
        "deny" => StageKind::Deny { text: decode::name(node)?.value },
        "login" => {
            StageKind::Login { stay_signed_in: decode::kid_duration(node, "stay-signed-in") }
        }
        _ => return None,
    })
}

fn identification(node: &Node) -> Identification {
    let accept = |word: Name| match word.value.as_str() {
        "username" => Some(Accept::Username),
        "email" => Some(Accept::Email),
        "upn" => Some(Accept::Upn),
        "nothing" => Some(Accept::Nothing),
        _ => None,
    };
    let mut accepted: Vec<Accept> =
        decode::kid_words(node, "accept").into_iter().filter_map(accept).collect();
    if accepted.is_empty() {
        accepted.push(Accept::Username);
    }
    Identification {
        accept: accepted,
        passkey_autofill: decode::has(node, 0, "passkey-autofill"),
        links: decode::kid_words(node, "link"),
        sources: decode::kid_words(node, "sources"),
    }
}

fn lockout(node: &Node) -> Option<Lockout> {
    Some(Lockout { after: decode::prop_number(node, "after")?, lasts: decode::duration(node)? })
}

fn validate(node: &Node) -> Option<AuthenticatorValidate> {
    let classes = decode::kid_words(node, "device-classes");
    Some(AuthenticatorValidate {
        device_classes: classes.iter().filter_map(|word| Factor::from_word(&word.value)).collect(),
        not_configured: match decode::kid_text(node, "not-configured-action").as_deref() {
            Some("configure") => NotConfigured::Configure,
            Some("skip") => NotConfigured::Skip,
            Some("deny") => NotConfigured::Deny,
            _ => return None,
        },
        configure_with: decode::kid_words(node, "configure-with"),
        last_validation_threshold: decode::kid_duration(node, "last-validation-threshold"),
        code_in_password: decode::has(node, 0, "code-in-password"),
    })
}

fn field(node: &Node) -> Option<Field> {
    Some(Field {
        name: decode::name(node)?,
        kind: match decode::prop_text(node, "type")?.as_str() {
            "username" => FieldKind::Username,
            "text" => FieldKind::Text,
            "email" => FieldKind::Email,
            "new-password" => FieldKind::NewPassword,
            "checkbox" => FieldKind::Checkbox,
            "choice" => FieldKind::Choice,
            "hidden" => FieldKind::Hidden,
            _ => return None,
        },
        label: decode::prop_text(node, "label"),
        pattern: decode::prop_name(node, "pattern"),
        default: decode::prop_name(node, "default"),
        required: decode::has(node, 1, "required"),
        options: node.kids_named("option").filter_map(option).collect(),
        at: node.line,
    })
}

fn option(node: &Node) -> Option<(String, String)> {
    let value = decode::name(node)?.value;
    let label = decode::title(node).unwrap_or_else(|| value.clone());
    Some((value, label))
}

fn version(node: &Node) -> Option<String> {
    let value = node.prop("version")?;
    decode::spanned(value)
        .map(|text| text.value)
        .or_else(|| value.whole().map(|number| number.to_string()))
}
