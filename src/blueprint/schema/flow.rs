//! `flow` and its stages.

use super::people::EXPIRES;
use super::{
    CelContext, CelWant, Lasts, Spec, Want, arg, many, maybe, must, need, node, once, prop, several,
};
use crate::blueprint::object::Kind;

pub static FLOW: Spec = node(
    "flow",
    "A row of stages that a person goes through.",
    "flow plain for=authentication { identification; password; login }",
)
.args(&[arg("slug", Want::Slug)])
.props(&[
    need(
        "for",
        Want::Word(&[
            "authentication",
            "enrollment",
            "recovery",
            "consent",
            "setup",
            "step-up",
            "logout",
        ]),
    ),
    prop("title", Want::Phrase),
    prop("formerly", Want::Formerly(Kind::Flow)),
])
.kids(&[
    many(&IDENTIFICATION),
    many(&PASSWORD),
    many(&AUTHENTICATOR_VALIDATE),
    many(&AUTHENTICATOR_SETUP),
    many(&AUTHENTICATOR_TOTP),
    many(&AUTHENTICATOR_WEBAUTHN),
    many(&RECOVERY_CODES),
    many(&AUTHENTICATOR_EMAIL),
    many(&AUTHENTICATOR_DUO),
    many(&INVITATION),
    many(&PROMPT),
    many(&USER_WRITE),
    many(&EMAIL_VERIFY),
    many(&EMAIL_LINK),
    many(&TERMS),
    many(&CONSENT),
    many(&DENY),
    many(&LOGIN),
])
.ordered();

static IDENTIFICATION: Spec = node(
    "identification",
    "Asks who somebody is.",
    "identification { accept username email; passkey-autofill }",
)
.switches(&["passkey-autofill"])
.kids(&[once(&ACCEPT), many(&LINK), once(&SOURCES)])
.conditional();
static ACCEPT: Spec = node(
    "accept",
    "What may be typed; `nothing` where everybody comes by a source or a passkey.",
    "accept username email",
)
.args(&[several("name", Want::Word(&["username", "email", "upn", "nothing"]))]);
static LINK: Spec = node("link", "A link to another flow.", "link recovery")
    .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static SOURCES: Spec = node("sources", "Buttons for other providers.", "sources github")
    .args(&[several("source", Want::Ref(Kind::Source))]);

static PASSWORD: Spec =
    node("password", "Asks for the password.", "password { lockout after=10 minutes=15 }")
        .kids(&[once(&LOCKOUT)])
        .conditional();
static LOCKOUT: Spec = node(
    "lockout",
    "Closes the account for a while after so many wrong passwords.",
    "lockout after=10 minutes=15",
)
.props(&[need("after", Want::Whole(3, 1000))])
.lasts(Lasts::Must);

static AUTHENTICATOR_VALIDATE: Spec = node(
    "authenticator-validate",
    "Asks for a second factor.",
    "authenticator-validate { device-classes totp webauthn; not-configured-action configure }",
)
.switches(&["code-in-password"])
.kids(&[
    must(&DEVICE_CLASSES),
    must(&NOT_CONFIGURED_ACTION),
    once(&CONFIGURE_WITH),
    once(&LAST_VALIDATION_THRESHOLD),
])
.conditional();
static DEVICE_CLASSES: Spec = node(
    "device-classes",
    "The kinds of factor that count.",
    "device-classes totp webauthn",
)
.args(&[several("class", Want::Word(&["totp", "webauthn", "recovery-code", "email-code", "duo"]))]);
static NOT_CONFIGURED_ACTION: Spec = node(
    "not-configured-action",
    "What happens to somebody who has no second factor at all.",
    "not-configured-action configure",
)
.args(&[arg("action", Want::Word(&["configure", "skip", "deny"]))]);
static CONFIGURE_WITH: Spec =
    node("configure-with", "The flows that set a factor up.", "configure-with builtin.setup")
        .args(&[several("flow", Want::Ref(Kind::Flow))]);
static LAST_VALIDATION_THRESHOLD: Spec = node(
    "last-validation-threshold",
    "How long a proof on this browser is remembered.",
    "last-validation-threshold days=30",
)
.lasts(Lasts::Must);

static AUTHENTICATOR_SETUP: Spec = node(
    "authenticator-setup",
    "Makes somebody add a second factor.",
    "authenticator-setup { any-of builtin.setup }",
)
.kids(&[must(&ANY_OF)])
.conditional();
static ANY_OF: Spec = node("any-of", "One of these flows.", "any-of builtin.setup")
    .args(&[several("flow", Want::Ref(Kind::Flow))]);

static AUTHENTICATOR_TOTP: Spec = node(
    "authenticator-totp",
    "Adds an app that shows codes.",
    "authenticator-totp { issuer \"Home Lab\"; digits 6 }",
)
.kids(&[once(&ISSUER), once(&DIGITS)])
.conditional();
static ISSUER: Spec = node("issuer", "The name shown in the app.", "issuer \"Home Lab\"")
    .args(&[arg("text", Want::Phrase)]);
static DIGITS: Spec =
    node("digits", "Digits of a code.", "digits 6").args(&[arg("number", Want::Whole(6, 8))]);

static AUTHENTICATOR_WEBAUTHN: Spec = node(
    "authenticator-webauthn",
    "Adds a passkey or a security key.",
    "authenticator-webauthn { user-verification preferred; resident-key required }",
)
.kids(&[once(&USER_VERIFICATION), once(&RESIDENT_KEY), once(&ATTESTATION)])
.conditional();
static USER_VERIFICATION: Spec = node(
    "user-verification",
    "Whether the device checks who holds it.",
    "user-verification preferred",
)
.args(&[arg("rule", WEBAUTHN_RULE)]);
static RESIDENT_KEY: Spec =
    node("resident-key", "Whether the device keeps the key itself.", "resident-key required")
        .args(&[arg("rule", WEBAUTHN_RULE)]);
static ATTESTATION: Spec =
    node("attestation", "Whether the maker of the device is asked for.", "attestation none")
        .args(&[arg("rule", Want::Word(&["none", "direct"]))]);
const WEBAUTHN_RULE: Want = Want::Word(&["required", "preferred", "discouraged"]);

static RECOVERY_CODES: Spec =
    node("recovery-codes", "Makes codes for a lost device.", "recovery-codes { count 10 }")
        .kids(&[once(&COUNT)])
        .conditional();
static COUNT: Spec =
    node("count", "How many codes.", "count 10").args(&[arg("number", Want::Whole(1, 100))]);
static AUTHENTICATOR_EMAIL: Spec =
    node("authenticator-email", "Adds codes by e-mail.", "authenticator-email").conditional();
static AUTHENTICATOR_DUO: Spec =
    node("authenticator-duo", "Adds Duo.", "authenticator-duo").conditional();

static INVITATION: Spec = node("invitation", "Reads an invitation.", "invitation required")
    .switches(&["required"])
    .conditional();
static PROMPT: Spec =
    node("prompt", "A form.", "prompt { field email type=email label=\"E-mail\" required }")
        .kids(&[many(&FIELD)])
        .ordered()
        .conditional();
static FIELD: Spec = node(
    "field",
    "A field of a form; its name is the attribute that it fills.",
    "field email type=email label=\"E-mail\" required",
)
.args(&[arg("name", Want::Key)])
.switches(&["required"])
.props(&[
    need(
        "type",
        Want::Word(&["username", "text", "email", "new-password", "checkbox", "choice", "hidden"]),
    ),
    prop("label", Want::Phrase),
    prop("pattern", Want::Regex),
    prop("default", Want::Cel(CelContext::Header, CelWant::Text)),
])
.kids(&[many(&OPTION)]);
static OPTION: Spec =
    node("option", "What a field of the type `choice` offers.", "option small \"Up to 5 GB\"")
        .args(&[arg("value", Want::Key), maybe("label", Want::Title)]);
static USER_WRITE: Spec = node(
    "user-write",
    "Writes what was filled in.",
    "user-write { in users; inactive-until-verified }",
)
.switches(&["inactive-until-verified"])
.kids(&[once(&super::people::IN)])
.conditional();
static EMAIL_VERIFY: Spec = node(
    "email-verify",
    "Sends a link that proves an address.",
    "email-verify { expires minutes=30 }",
)
.kids(&[once(&EXPIRES)])
.conditional();
static EMAIL_LINK: Spec = node(
    "email-link",
    "Sends a link that proves who somebody is.",
    "email-link { expires minutes=30 }",
)
.kids(&[once(&EXPIRES)])
.conditional();
static TERMS: Spec =
    node("terms", "Shows terms to agree to.", "terms \"assets/terms.md\" version=2")
        .args(&[arg("file", Want::Asset)])
        .props(&[prop("version", Want::Any)])
        .conditional();
static CONSENT: Spec =
    node("consent", "Asks before data is handed to an app.", "consent { remember days=30 }")
        .kids(&[once(&REMEMBER)])
        .conditional();
static REMEMBER: Spec =
    node("remember", "How long the answer is kept.", "remember days=30").lasts(Lasts::Must);
static DENY: Spec = node("deny", "Ends here, with a text.", "deny \"Not from here.\"")
    .args(&[arg("text", Want::Title)])
    .conditional();
static LOGIN: Spec = node("login", "Signs in.", "login { stay-signed-in days=30 }")
    .kids(&[once(&STAY_SIGNED_IN)])
    .conditional();
static STAY_SIGNED_IN: Spec = node(
    "stay-signed-in",
    "How long a session lasts if the box is ticked.",
    "stay-signed-in days=30",
)
.lasts(Lasts::Must);
