//! The difference between a blueprint and the store, and the one transaction that closes it.
//!
//! `plan` is pure: the running generation, the new one and what the store holds in, a printable
//! `Plan` out. `apply` alone writes what blueprints own. Neither knows HTTP, files or the network.

pub mod access_change;
pub mod apply;
pub mod canonical;
pub mod changes;
pub mod confirmation;
pub mod effects;
pub mod fields;
pub mod gather;
pub mod generated;
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

pub use apply::{Applied, ApplyError, Applying, apply, hold};
pub use canonical::{model_digest, model_digest_with};
pub use confirmation::Confirmations;
pub use gather::gather;
pub use held::Reason;
pub use plan::{Outcome, Plan, Question, plan};
pub use stored::Stored;
