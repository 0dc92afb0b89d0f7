//! Times as tokens hold them: seconds since 1970 (RFC 7519 §2).

use crate::clock::Millis;
use crate::jose::Compact;

#[must_use]
pub fn seconds(moment: Millis) -> i64 {
    moment.0.div_euclid(1000)
}

/// A time of a token's.
pub fn moment(token: &Compact<'_>, name: &str) -> Option<Millis> {
    token.seconds(name).map(|at| Millis(at.saturating_mul(1000)))
}
