//! `group`, `user`, `service-account`.

use super::{Lasts, PropSpec, Spec, Want, arg, many, maybe, node, once, prop, several};
use crate::blueprint::object::Kind;

pub static GROUP: Spec = node(
    "group",
    "A group of people; rules name it as `group:NAME`.",
    "group family \"Family\" { in users }",
)
.args(&[arg("slug", Want::Slug), maybe("title", Want::Title)])
.switches(&["protect"])
.props(&[prop("formerly", Want::Formerly(Kind::Group))])
.kids(&[once(&IN), once(&CONSOLE), once(&MEMBERSHIP), many(&ATTRIBUTE)]);

pub static USER: Spec = node(
    "user",
    "A declared person.",
    "user alice \"Alice Example\" email=\"alice@example.com\" { in users }",
)
.args(&[arg("name", Want::UserName), maybe("title", Want::Title)])
.switches(&["protect", "disabled"])
.props(&[prop("email", Want::Email), FORMERLY_USER])
.kids(&[once(&IN), many(&ATTRIBUTE), once(&INITIAL_PASSWORD)]);

pub static SERVICE_ACCOUNT: Spec = node(
    "service-account",
    "An account for a program, with tokens in place of a password.",
    "service-account gitea-ci \"Gitea runner\" { token api { expires days=365 } }",
)
.args(&[arg("name", Want::UserName), maybe("title", Want::Title)])
.switches(&["protect"])
.props(&[prop("formerly", Want::Formerly(Kind::ServiceAccount))])
.kids(&[once(&IN), many(&ATTRIBUTE), many(&TOKEN)]);

pub static IN: Spec = node("in", "The groups that this one belongs to.", "in users")
    .args(&[several("group", Want::Ref(Kind::Group))]);

pub static ATTRIBUTE: Spec =
    node("attribute", "A fact with one value or more.", "attribute department it")
        .args(&[arg("key", Want::Key), several("value", Want::Text)]);

pub static EXPIRES: Spec =
    node("expires", "How long it stays good.", "expires days=365").lasts(Lasts::Must);

static CONSOLE: Spec =
    node("console", "What members may do in the admin console.", "console viewer")
        .args(&[arg("role", Want::Word(&["admin", "viewer", "none"]))]);

static MEMBERSHIP: Spec = node(
    "membership",
    "Whether the files alone say who is a member (`declared`), or the console as well.",
    "membership declared",
)
.args(&[arg("owner", Want::Word(&["declared", "runtime"]))]);

static INITIAL_PASSWORD: Spec = node(
    "initial-password",
    "The first password, set once and never again; as `(argon2id)\"…\"` the hash of one that its person has already.",
    "initial-password (credential)bootstrap-admin-password",
)
.args(&[arg("secret", Want::FirstPassword)]);

static TOKEN: Spec = node("token", "A token that this account may have.", "token ldap-bind")
    .args(&[arg("purpose", Want::Word(&["api", "ldap-bind", "scim"]))])
    .props(&[prop("rotate", Want::Whole(0, i64::MAX))])
    .kids(&[once(&EXPIRES)]);

const FORMERLY_USER: PropSpec = prop("formerly", Want::Formerly(Kind::User));
