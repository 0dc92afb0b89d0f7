//! Numbers that hosts know people and groups by.

use std::ops::RangeInclusive;

/// What is given out here: above what systems give to themselves, and below what containers take.
pub const GIVEN_OUT: RangeInclusive<i64> = 100_000..=524_287;
/// The numbers below are a system's own, first of all root's.
pub const LOWEST: i64 = 1_000;
