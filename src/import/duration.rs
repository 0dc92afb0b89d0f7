//! Lengths of time, as Authelia and authentik write them.

use super::kdl::Line;

const DAY: u64 = 86_400;

/// Authelia's: `1h`, `5 minutes`, `1h30m`, or seconds. None if it is none, or no time at all.
pub fn authelia(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds).filter(|seconds| *seconds > 0);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let seconds = number.parse::<u64>().ok()?.checked_mul(authelia_unit(unit)?)?;
        total = total.checked_add(seconds)?;
        rest = next.trim_start().trim_start_matches("and ").trim_start();
    }
    Some(total).filter(|total| *total > 0)
}

fn authelia_unit(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" | "second" | "seconds" => 1,
        "m" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "M" | "month" | "months" => 30 * DAY,
        "y" | "year" | "years" => 365 * DAY,
        _ => return None,
    })
}

/// authentik's: `hours=1;minutes=30`. None if it is none, or no time at all.
pub fn authentik(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    for part in text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty()) {
        let (unit, number) = part.split_once('=')?;
        let unit = authelia_unit(unit.trim()).filter(|_| unit.trim().ends_with('s'))?;
        let seconds = number.trim().parse::<u64>().ok()?.checked_mul(unit)?;
        total = total.checked_add(seconds)?;
    }
    Some(total).filter(|total| *total > 0)
}

/// Adds a length of time in the largest unit that fits.
pub fn lasting(line: Line, seconds: u64) -> Line {
    for (unit, size) in [("days", DAY), ("hours", 3600), ("minutes", 60)] {
        if seconds.is_multiple_of(size) {
            return line.prop_number(unit, seconds / size);
        }
    }
    line.prop_number("seconds", seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_of_authelia() {
        for (text, seconds) in [
            ("300", Some(300)),
            ("5m", Some(300)),
            ("1h30m", Some(5400)),
            ("1 hour and 30 minutes", Some(5400)),
            ("1M", Some(30 * DAY)),
            ("1 day", Some(DAY)),
            ("0", None),
            ("-1", None),
            ("h", None),
            ("5 parsecs", None),
            ("99999999999999999999h", None),
            ("18446744073709551615y", None),
        ] {
            assert_eq!(authelia(text), seconds, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_of_authentik() {
        for (text, seconds) in [
            ("minutes=5", Some(300)),
            ("hours=1;minutes=30", Some(5400)),
            ("seconds=0", None),
            ("days=x", None),
            ("5m", None),
        ] {
            assert_eq!(authentik(text), seconds, "{text}");
        }
    }

    #[test]
    fn the_largest_unit_that_fits_is_written() {
        for (seconds, written) in
            [(90, "seconds=90"), (5400, "minutes=90"), (7200, "hours=2"), (DAY, "days=1")]
        {
            assert_eq!(lasting(Line::new("idle"), seconds).render(), format!("idle {written}\n"));
        }
    }
}
