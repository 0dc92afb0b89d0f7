//! Saying a thing that repeats: at once, and then ever more seldom.
//!
//! What repeats may be a stranger's choice, so memory is bounded: past a number of things, all
//! others are one thing. It knows nothing of what is said, and no log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Millis;

const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// A thing that did not repeat for so long after it might have been said again is forgotten.
const FORGOTTEN: Duration = LONGEST_WAIT;
const MOST: usize = 64;

/// What was said, and when it may be said again.
#[derive(Debug, Default)]
pub struct Repeats {
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    things: HashMap<String, Turn>,
    others: Turn,
}

/// When a thing may be said again, and how long it waits after that.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    due: Millis,
    wait: Duration,
}

/// Whether to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    It,
    /// It, as one of many that are not told apart.
    ItForMany,
    Nothing,
}

impl Turn {
    /// Whether it may be said now; then its next wait is twice as long.
    fn comes(&mut self, now: Millis) -> bool {
        if now < self.due {
            return false;
        }
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        self.due = now.plus(self.wait);
        true
    }
}

impl Repeats {
    /// Whether a thing is to be said now.
    pub fn say(&self, thing: &str, now: Millis) -> Say {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.things.len() >= MOST && !said.things.contains_key(thing) {
            said.things.retain(|_, turn| now < turn.due.plus(FORGOTTEN));
        }
        if said.things.len() >= MOST && !said.things.contains_key(thing) {
            return if said.others.comes(now) { Say::ItForMany } else { Say::Nothing };
        }
        let turn = said.things.entry(thing.to_owned()).or_default();
        if turn.comes(now) { Say::It } else { Say::Nothing }
    }

    /// Forgets what is over, so that it is said at once when it comes back.
    pub fn keep_only(&self, things: &[String]) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.things.retain(|thing, _| things.contains(thing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: i64) -> Millis {
        Millis(1_000_000 + count * 60_000)
    }

    #[test]
    fn the_wait_doubles() {
        let repeats = Repeats::default();
        let said = |minute: &i64| repeats.say("a", minutes(*minute)) == Say::It;
        let when: Vec<i64> = (0..20).filter(said).collect();
        assert_eq!(when, [0, 1, 3, 7, 15]);
        assert_eq!(repeats.say("b", minutes(19)), Say::It);
    }

    #[test]
    fn it_is_said_once_a_day_however_often_it_was() {
        let repeats = Repeats::default();
        let day = 24 * 60;
        for minute in 0..10 * day {
            repeats.say("a", minutes(minute));
        }
        let said = |minute: &i64| repeats.say("a", minutes(*minute)) == Say::It;
        assert_eq!((10 * day..13 * day).filter(said).count(), 3);
    }

    #[test]
    fn more_things_than_can_be_told_apart_are_one() {
        let repeats = Repeats::default();
        let say = |number: usize| repeats.say(&format!("h{number}"), minutes(0));
        let answers: Vec<Say> = (0..10_000).map(say).collect();
        assert_eq!(answers.iter().filter(|say| **say == Say::It).count(), MOST);
        assert_eq!(answers.iter().filter(|say| **say == Say::ItForMany).count(), 1);
        assert_eq!(repeats.said.lock().expect("them").things.len(), MOST);
        assert_eq!(repeats.say("h9999", minutes(1)), Say::ItForMany);
        assert_eq!(repeats.say("new", minutes(2 * 24 * 60)), Say::It, "old ones are forgotten");
    }

    #[test]
    fn what_is_over_is_said_at_once_when_it_comes_back() {
        let repeats = Repeats::default();
        assert_eq!(repeats.say("a", minutes(0)), Say::It);
        repeats.keep_only(&["a".to_owned()]);
        assert_eq!(repeats.say("a", minutes(0)), Say::Nothing);
        repeats.keep_only(&[]);
        assert_eq!(repeats.say("a", minutes(0)), Say::It);
    }
}
