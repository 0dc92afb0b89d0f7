//! What the targets have in common with the ordinary tests.

use std::sync::LazyLock;

use properties::{ALL, Property};

#[path = "../it/oidc/inside.rs"]
mod inside;
#[path = "../it/oidc/properties.rs"]
mod properties;

static INSIDE: LazyLock<inside::Inside> = LazyLock::new(inside::Inside::new);

/// Sees that a property holds of an input.
pub fn check(name: &str, input: &[u8]) {
    let Property { check, .. } = ALL.iter().find(|it| it.name == name).expect("a property");
    check(&INSIDE, input);
}
