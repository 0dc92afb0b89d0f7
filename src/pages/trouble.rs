//! What goes wrong on a page that is not the visitor's fault.

use crate::factor::FactorError;
use crate::flow::hashing::HashError;
use crate::ids::NoRandomness;
use crate::mail::post::PostError;
use crate::session::SessionError;
use crate::store::StoreError;

/// Why a step could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Factor(#[from] FactorError),
    #[error("a task came to no end: {0}")]
    Task(#[from] tokio::task::JoinError),
}
