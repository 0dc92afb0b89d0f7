//! Sign-in as a row of stages with one dispatcher.
//!
//! A flow in progress is a small value in the store: which flow of which generation, how far, and
//! what was proven. No step leads to another by itself: each comes back to `stages::next`. It knows
//! no HTTP and no page.

/// Counting failures, shared by every way in.
pub mod attempts;
/// Passwords that are known from breaches.
pub mod breached;
/// Password hashes, made and verified on a bounded pool.
pub mod hashing;
/// Invitations are made here.
pub mod invitations;
/// A new password: what it must be, and setting it.
pub mod new_password;
/// Stages that make and change accounts.
pub mod people;
/// How far a flow in progress has come.
pub mod progress;
/// How accounts and addresses behaved of late.
pub mod reputation;
/// When a second factor is asked for, and when one is set up first.
mod second_factor;
/// The stages in order: what comes next.
pub mod stages;
/// Random walks through generated flows.
#[cfg(test)]
mod walks;
