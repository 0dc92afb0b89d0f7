//! The table as Markdown.
use super::{ROOT, Spec};
/// Describes every node, or those of one name.
#[must_use]
pub fn reference(_name: Option<&str>) -> String {
    let _: &Spec = &ROOT;
    String::new()
}
