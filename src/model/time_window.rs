//! Weekly windows of time in a zone.
//!
//! What counts is the wall clock of the zone, so a window keeps its hours when clocks change: an hour
//! that comes twice holds twice, one that is left out does not hold. Zones are the built-in ones.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::clock::Millis;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WHOLE_DAY: u16 = 24 * 60;

/// Some days of the week, from one time of day to another. A window that ends before it begins ends
/// on the following day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// From Monday to Sunday: whether a window begins on it.
    days: [bool; 7],
    /// Minutes of the day.
    from: u16,
    to: u16,
    zone: TimeZone,
    zone_name: String,
}

/// Why texts are no window of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeWindowError {
    #[error(
        "`{0}` is not a day: write mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri"
    )]
    Day(String),
    #[error("`{0}` is not a time of day: write hours and minutes, such as 06:30")]
    Time(String),
    #[error("unknown time zone `{}`{}", .0.name, .0.hint())]
    Zone(UnknownZone),
}

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownZone {
    pub name: String,
    /// The zone that was probably meant.
    pub meant: Option<String>,
}

impl UnknownZone {
    fn hint(&self) -> String {
        self.meant.as_ref().map_or(String::new(), |meant| format!(", did you mean `{meant}`?"))
    }
}

impl TimeWindow {
    /// Reads days such as `mon-fri sun` (none means every day), times of day and a zone.
    ///
    /// # Errors
    /// At the first of them that cannot be read.
    pub fn parse(days: &str, from: &str, to: &str, zone: &str) -> Result<Self, TimeWindowError> {
        let days = read_days(days)?;
        let from =
            read_time(from).filter(|from| *from < WHOLE_DAY).ok_or_else(|| bad_time(from))?;
        let to = read_time(to).ok_or_else(|| bad_time(to))?;
        let found = self::zone(zone).map_err(TimeWindowError::Zone)?;
        let zone_name = found.iana_name().unwrap_or(zone).to_owned();
        Ok(Self { days, from, to, zone: found, zone_name })
    }

    /// Whether it is open at `moment`.
    #[must_use]
    pub fn holds(&self, moment: Millis) -> bool {
        let Ok(moment) = Timestamp::from_millisecond(moment.0) else {
            return false;
        };
        let local = self.zone.to_datetime(moment);
        let minute = minutes(local.hour().unsigned_abs(), local.minute().unsigned_abs());
        let today = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let began = |day: usize| self.days.get(day % 7).copied().unwrap_or(false);
        if self.from < self.to {
            return began(today) && (self.from..self.to).contains(&minute);
        }
        let late = began(today) && minute >= self.from;
        let early = began(today + 6) && minute < self.to;
        !self.never_holds() && (late || early)
    }

    /// Whether it ends when it begins.
    #[must_use]
    pub fn never_holds(&self) -> bool {
        self.from == self.to
    }
}

impl fmt::Display for TimeWindow {
    /// As a blueprint writes it, each day named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, _) in DAYS.iter().zip(self.days).filter(|(_, chosen)| *chosen) {
            write!(f, "{name} ")?;
        }
        let [(from, from_minute), (to, to_minute)] =
            [self.from, self.to].map(|time| (time / 60, time % 60));
        write!(f, "{from:02}:{from_minute:02}-{to:02}:{to_minute:02} {}", self.zone_name)
    }
}

/// The zone called `name`, in any case of its letters.
///
/// # Errors
/// If there is none.
pub fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    let zones = TimeZoneDatabase::bundled();
    zones.get(name).map_err(|_| UnknownZone { name: name.to_owned(), meant: nearest(&zones, name) })
}

/// The zone whose name, or whose city, is spelled most alike.
fn nearest(zones: &TimeZoneDatabase, name: &str) -> Option<String> {
    let wanted = name.to_lowercase().replace(' ', "_");
    let limit = (wanted.chars().count() / 4).max(1);
    let distance = |known: &str| {
        let known = known.to_lowercase();
        let city = known.rsplit('/').next().unwrap_or_default();
        strsim::osa_distance(&known, &wanted).min(strsim::osa_distance(city, &wanted))
    };
    zones
        .available()
        .map(|known| (distance(known.as_str()), known.as_str().to_owned()))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known)
}

fn read_days(text: &str) -> Result<[bool; 7], TimeWindowError> {
    let mut days = [text.trim().is_empty(); 7];
    for word in text.split_whitespace() {
        let bad = || TimeWindowError::Day(word.to_owned());
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let number = |name: &str| DAYS.iter().position(|day| *day == name).ok_or_else(bad);
        let (first, last) = (number(first)?, number(last)?);
        let length = (last + 7 - first) % 7;
        for (at, chosen) in days.iter_mut().enumerate() {
            *chosen |= (at + 7 - first) % 7 <= length;
        }
    }
    Ok(days)
}

/// Minutes since midnight; `24:00` is the end of the day.
fn read_time(text: &str) -> Option<u16> {
    let (hours, rest) = text.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u8>().ok().filter(|_| two)
    };
    let (hours, minute) = (number(hours)?, number(rest)?);
    let total = minutes(hours, minute);
    (minute < 60 && total <= WHOLE_DAY).then_some(total)
}

fn minutes(hours: u8, minutes: u8) -> u16 {
    u16::from(hours) * 60 + u16::from(minutes)
}

fn bad_time(text: &str) -> TimeWindowError {
    TimeWindowError::Time(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(days: &str, from: &str, to: &str, zone: &str) -> TimeWindow {
        TimeWindow::parse(days, from, to, zone).expect(days)
    }

    fn at(text: &str) -> Millis {
        Millis(text.parse::<Timestamp>().expect(text).as_millisecond())
    }

    #[test]
    fn a_window_holds_on_its_days_between_its_times() {
        let waking = window("mon-fri", "06:30", "23:00", "Europe/Berlin");
        assert!(waking.holds(at("2026-01-07T05:30:00Z")), "half past six on a Wednesday");
        assert!(!waking.holds(at("2026-01-07T05:29:59Z")));
        assert!(waking.holds(at("2026-01-07T21:59:59Z")));
        assert!(!waking.holds(at("2026-01-07T22:00:00Z")), "the end is outside");
        assert!(!waking.holds(at("2026-01-10T12:00:00Z")), "a Saturday");
        assert!(window("", "00:00", "24:00", "UTC").holds(at("2026-01-10T23:59:59Z")));
    }

    #[test]
    fn a_window_past_midnight_belongs_to_the_day_it_begins_on() {
        let night = window("fri", "22:00", "06:00", "UTC");
        assert!(night.holds(at("2026-01-09T22:00:00Z")), "Friday night");
        assert!(night.holds(at("2026-01-10T05:59:00Z")), "Saturday morning");
        assert!(!night.holds(at("2026-01-10T06:00:00Z")));
        assert!(!night.holds(at("2026-01-09T05:00:00Z")), "Friday morning");
        assert!(window("sun", "22:00", "06:00", "UTC").holds(at("2026-01-12T05:00:00Z")), "Monday");
        assert!(window("fri", "22:00", "00:00", "UTC").holds(at("2026-01-09T23:59:00Z")));
        assert!(!window("fri", "22:00", "00:00", "UTC").holds(at("2026-01-10T00:00:00Z")));
    }

    #[test]
    fn a_change_of_clocks_moves_no_window() {
        let morning = window("", "02:30", "03:30", "Europe/Berlin");
        assert!(!morning.holds(at("2026-03-29T00:59:00Z")), "01:59, before the jump");
        assert!(morning.holds(at("2026-03-29T01:00:00Z")), "03:00, after the jump");
        assert!(!morning.holds(at("2026-03-29T01:30:00Z")));
        assert!(morning.holds(at("2026-10-25T00:30:00Z")), "02:30, first time");
        assert!(!morning.holds(at("2026-10-25T01:00:00Z")), "02:00 again");
        assert!(morning.holds(at("2026-10-25T01:30:00Z")), "02:30, second time");
    }

    #[test]
    fn days_are_words_and_ranges_in_any_mix() {
        let names = |days: &str| window(days, "00:00", "24:00", "UTC").to_string();
        assert_eq!(names("mon wed-thu"), "mon wed thu 00:00-24:00 UTC");
        assert_eq!(names("sat-mon"), "mon sat sun 00:00-24:00 UTC");
        assert_eq!(names(""), "mon tue wed thu fri sat sun 00:00-24:00 UTC");
        assert_eq!(
            window("mon", "01:00", "02:05", "europe/berlin").to_string(),
            "mon 01:00-02:05 Europe/Berlin"
        );
    }

    #[test]
    fn mistakes_are_told_with_their_remedy() {
        let error =
            |days, from, to, zone| TimeWindow::parse(days, from, to, zone).expect_err("an error");
        assert_eq!(
            error("mon-fry", "06:00", "07:00", "UTC"),
            TimeWindowError::Day("mon-fry".to_owned())
        );
        for time in ["6:30", "24:01", "12:60", "noon", "+1:00", "24:00"] {
            assert_eq!(error("mon", time, "07:00", "UTC"), TimeWindowError::Time(time.to_owned()));
        }
        let zone = |name| error("mon", "06:00", "07:00", name).to_string();
        assert_eq!(
            zone("Europe/Berlni"),
            "unknown time zone `Europe/Berlni`, did you mean `Europe/Berlin`?"
        );
        assert_eq!(zone("berlin"), "unknown time zone `berlin`, did you mean `Europe/Berlin`?");
        assert_eq!(zone("Mars/Base"), "unknown time zone `Mars/Base`");
    }

    #[test]
    fn a_window_without_length_never_holds() {
        assert!(window("mon", "06:00", "06:00", "UTC").never_holds());
        assert!(!window("mon", "06:00", "06:00", "UTC").holds(at("2026-01-05T06:00:00Z")));
        assert!(!window("mon", "22:00", "06:00", "UTC").never_holds());
    }

    proptest! {
        #[test]
        fn a_window_and_the_rest_of_the_day_share_out_all_time(
            moment in -2_000_000_000_000_i64..4_000_000_000_000, from in 0_u16..1440, to in 0_u16..1440,
        ) {
            prop_assume!(from != to);
            let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            let one = window("", &time(from), &time(to), "America/New_York");
            let other = window("", &time(to), &time(from), "America/New_York");
            prop_assert!(one.holds(Millis(moment)) != other.holds(Millis(moment)));
        }
    }
}
