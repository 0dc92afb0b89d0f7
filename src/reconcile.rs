//! The difference between a blueprint and the store, and the one transaction that closes it.
//!
//! `plan` is pure: the running generation, the new one and what the store holds in, a printable
//! `Plan` out. `apply` alone writes what blueprints own. Neither knows HTTP, files or the network.

pub mod access_change;
pub mod canonical;
pub mod confirmation;
pub mod effects;
pub mod fields;
pub mod held;
pub mod identity;
pub mod json;
pub mod people;
pub mod plan;
pub mod power;
pub mod render;
pub mod stored;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use canonical::{model_digest, model_digest_with};
pub use confirmation::Confirmations;
pub use held::Reason;
pub use plan::{Outcome, Plan, Question, plan};
pub use stored::Stored;
