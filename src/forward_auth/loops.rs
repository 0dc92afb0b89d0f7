//! Counting rounds, so that a wrong set-up ends in a page and not in a circle; and saying a thing
//! that repeats once in a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;

const ROUNDS: usize = 3;
const WINDOW: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(60);
/// More pairs than this are forgotten at once: they are a help, not a guard.
const MOST: usize = 10_000;

/// Recent rounds per sign-in and app, and recent reports per kind.
#[derive(Debug, Default)]
pub struct Loops {
    rounds: Mutex<HashMap<(String, String), Vec<Millis>>>,
    reports: Mutex<HashMap<&'static str, Millis>>,
}

impl Loops {
    /// Notes one more hand-over and says whether there were too many of late.
    pub fn goes_round(&self, session: &str, app: &str, now: Millis) -> bool {
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        if rounds.len() > MOST {
            rounds.retain(|_, times| times.iter().any(|at| now.since(*at) < WINDOW));
            if rounds.len() > MOST {
                rounds.clear();
            }
        }
        let times = rounds.entry((session.to_owned(), app.to_owned())).or_default();
        times.retain(|at| now.since(*at) < WINDOW);
        times.push(now);
        times.len() > ROUNDS
    }

    /// Whether a kind of thing may be reported: once a minute.
    pub fn may_report(&self, kind: &'static str, now: Millis) -> bool {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let due = reports.get(kind).is_none_or(|last| now.since(*last) >= QUIET);
        if due {
            reports.insert(kind, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_round_within_ten_seconds_is_one_too_many() {
        let loops = Loops::default();
        let at = |seconds: i64| Millis(seconds * 1000);
        for second in 0..3 {
            assert!(!loops.goes_round("s", "a", at(second)));
        }
        assert!(loops.goes_round("s", "a", at(3)));
        assert!(!loops.goes_round("s", "b", at(3)));
        assert!(!loops.goes_round("s", "a", at(60)));
    }

    #[test]
    fn a_report_is_made_once_a_minute() {
        let loops = Loops::default();
        assert!(loops.may_report("x", Millis(0)));
        assert!(!loops.may_report("x", Millis(59_000)));
        assert!(loops.may_report("x", Millis(60_000)));
    }
}
