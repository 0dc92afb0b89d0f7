//! What tests share: the harness, no tests.

pub mod stores;
