//! `policy` and its parts, which also stand in `any` and `not`.

use super::{CelContext, CelWant, Kid, Lasts, Spec, Want, arg, many, need, node, prop, several};
use crate::blueprint::object::Kind;

pub static POLICY: Spec = node(
    "policy",
    "A named condition; all its parts must hold.",
    "policy on-lan { network \"10.0.0.0/8\" }",
)
.args(&[arg("slug", Want::Slug)])
.props(&[prop("formerly", Want::Formerly(Kind::Policy))])
.kids(&PARTS);

/// `if` and `unless`, as children of rules and stages.
pub const CONDITIONS: &[Kid] = &[many(&IF), many(&UNLESS)];

static IF: Spec = node("if", "Only when this policy holds.", "if on-lan")
    .args(&[several("policy", Want::Ref(Kind::Policy))]);

static UNLESS: Spec = node("unless", "Only when this policy does not hold.", "unless on-lan")
    .args(&[several("policy", Want::Ref(Kind::Policy))]);

static PARTS: [Kid; 10] = [
    many(&MFA),
    many(&NETWORK),
    many(&TIME),
    many(&CEL),
    many(&ATTRIBUTE),
    many(&REPUTATION),
    many(&GROUP),
    many(&USE),
    many(&ANY),
    many(&NOT),
];

static MFA: Spec = node(
    "mfa",
    "A second factor was proven; kinds named together are alternatives.",
    "mfa webauthn within hours=12",
)
.switches(&["webauthn", "totp", "within"])
.lasts(Lasts::With("within"));

static NETWORK: Spec = node(
    "network",
    "The client's address lies in one of these networks.",
    "network \"10.0.0.0/8\" \"fd00::/8\"",
)
.args(&[several("network", Want::Network)]);

static TIME: Spec = node(
    "time",
    "The time lies in a weekly window.",
    "time mon-fri from=\"06:30\" to=\"23:00\" tz=\"Europe/Berlin\"",
)
.args(&[several("days", Want::Days)])
.props(&[prop("from", Want::TimeOfDay), prop("to", Want::TimeOfDay), need("tz", Want::Zone)]);

static CEL: Spec = node(
    "cel",
    "An expression over `user`, `request`, `app` and `now` that gives true.",
    "cel \"user.email.endsWith('@example.com')\"",
)
.args(&[arg("expression", Want::Cel(CelContext::Policy, CelWant::Truth))]);

static ATTRIBUTE: Spec = node(
    "attribute",
    "Any value of an attribute equals a text, or matches a regular expression as a whole.",
    "attribute department equals=it",
)
.args(&[arg("key", Want::Key)])
.props(&[prop("equals", Want::Text), prop("matches", Want::Regex)]);

static REPUTATION: Spec = node(
    "reputation",
    "The reputation of the address and the account, whichever is worse, is at least this. Each wrong password or code costs both a point, each hour gives one back, and nobody has more than 0.",
    "reputation min=-5",
)
.props(&[need("min", Want::Whole(-99, 0))]);

static GROUP: Spec = node("group", "Member of one of these groups.", "group admins")
    .args(&[several("group", Want::Ref(Kind::Group))]);

static USE: Spec = node("use", "Another policy holds.", "use on-lan")
    .args(&[arg("policy", Want::Ref(Kind::Policy))]);

static ANY: Spec =
    node("any", "One of these parts holds.", "any { use on-lan; mfa webauthn }").kids(&PARTS);

static NOT: Spec = node("not", "None of these parts holds.", "not { use on-lan }").kids(&PARTS);
