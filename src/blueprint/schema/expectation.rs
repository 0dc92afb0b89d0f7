//! `persona`, `test`, `invariant`.

use super::people::{ATTRIBUTE, IN};
use super::{CelContext, CelWant, Spec, Want, arg, many, must, node, once, prop};

pub static PERSONA: Spec = node(
    "persona",
    "An invented identity for tests.",
    "persona alice { in admins; mfa webauthn { minutes 5 } }",
)
.args(&[arg("name", Want::UserName)])
.kids(&[once(&IN), once(&MFA), many(&ATTRIBUTE)]);

static MFA: Spec = node(
    "mfa",
    "The second factor that was proven, and how long ago.",
    "mfa webauthn { minutes 5 }",
)
.args(&[arg("factor", Want::Word(&["none", "totp", "webauthn"]))])
.kids(&[once(&MINUTES)]);
static MINUTES: Spec = node("minutes", "How many minutes ago.", "minutes 5")
    .args(&[arg("number", Want::Whole(0, 10_000_000))]);

pub static TEST: Spec = node(
    "test",
    "Expectations that must hold before files are used.",
    "test \"who reaches Grafana\" { expect allow alice \"https://grafana.example.com/\" }",
)
.args(&[arg("title", Want::Title)])
.kids(&[many(&EXPECT)]);

static EXPECT: Spec = node(
    "expect",
    "What must come of one request; `by=` is a part of the rule that must decide it, as written.",
    "expect deny alice \"https://pihole.example.com/admin\" from=\"203.0.113.9\"",
)
.args(&[
    arg("outcome", Want::Word(&["allow", "deny", "login", "step-up", "claim"])),
    arg("who", Want::Who),
    arg("target", Want::Target),
])
.props(&[
    prop("from", Want::Ip),
    prop("at", Want::Moment),
    prop("method", Want::Method),
    prop("name", Want::Key),
    prop("value", Want::Text),
    prop("by", Want::Phrase),
])
.kids(&[once(&MFA)]);

pub static INVARIANT: Spec = node(
    "invariant",
    "What must hold for every app.",
    "invariant \"admin apps need a second factor\" { cel \"app.category != 'Admin' || 'mfa' in app.requires\" }",
)
.args(&[arg("title", Want::Title)])
.kids(&[must(&CEL)]);
static CEL: Spec = node(
    "cel",
    "An expression over `app` that gives true.",
    "cel \"app.category != 'Admin' || 'mfa' in app.requires\"",
)
.args(&[arg("expression", Want::Cel(CelContext::Invariant, CelWant::Truth))]);
