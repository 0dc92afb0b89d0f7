//! The difference between a blueprint and the store.
