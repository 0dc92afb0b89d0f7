//! What the targets have in common with the ordinary tests.

use std::sync::LazyLock;

use properties::{ALL, Property};

#[path = "../it/oidc/inside.rs"]
mod inside;
#[path = "../it/oidc/properties.rs"]
mod properties;

/// It is never dropped: whoever runs a target removes the directory for its state.
static INSIDE: LazyLock<inside::Inside> = LazyLock::new(|| {
    let name = format!("doorward-inside-{}", std::process::id());
    inside::Inside::new(std::env::temp_dir().join(name))
});

/// Sees that a property holds of an input.
pub fn check(name: &str, input: &[u8]) {
    let Property { check, .. } = ALL.iter().find(|it| it.name == name).expect("a property");
    check(&INSIDE, input);
}
