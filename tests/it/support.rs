//! What tests share: the harness, no tests.

pub mod certificate;
pub mod duo;
pub mod hook;
pub mod provider;
pub mod server;
pub mod service;
pub mod signer;
pub mod smtp;
pub mod stores;
pub mod understood;
pub mod walk;
