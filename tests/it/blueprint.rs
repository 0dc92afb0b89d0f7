//! Blueprints from text to complaints and to the typed blueprint.

mod homelab;
mod mistakes;
pub mod reading;
