//! `let`, `template`, `use`, `each`: gone before anything else looks at the tree.

use super::{Spec, Want, any_number, arg, node};

pub static LET: Spec = node(
    "let",
    "Names a constant that `${name}` inserts into quoted text.",
    "let domain \"example.com\"",
)
.args(&[arg("name", Want::Slug), arg("value", Want::Any)]);

pub static TEMPLATE: Spec = node(
    "template",
    "A body with parameters; `use` and `each` put copies of it in their place.",
    "template internal-web slug title port group=users",
)
.args(&[arg("name", Want::Slug), any_number("parameter", Want::Slug)]);

pub static USE: Spec = node(
    "use",
    "Puts the body of a template in its place.",
    "use internal-web sonarr \"Sonarr\" 8989",
)
.args(&[arg("template", Want::Template), any_number("value", Want::Any)]);

pub static EACH: Spec = node(
    "each",
    "Uses a template once per row; the row's name is the first parameter.",
    "each internal-web",
)
.args(&[arg("template", Want::Template)]);
