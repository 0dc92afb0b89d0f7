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

/// A time that may be left out. What stands there and is none is wrong: it is not passed over as if nobody
/// had said it (RFC 7519 §4.1.4).
pub fn optional(token: &Compact<'_>, name: &str) -> Result<Option<Millis>, NoTime> {
    match (token.payload.contains_key(name), moment(token, name)) {
        (true, None) => Err(NoTime),
        (_, moment) => Ok(moment),
    }
}

/// Something stands where a time belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTime;
