//! What tests share: the harness, no tests.

pub mod server;
pub mod stores;
