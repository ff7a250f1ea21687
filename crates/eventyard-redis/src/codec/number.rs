//! Numbers as BullMQ's clients write them: whole ones, fractions, and large ones in scientific notation.

use std::time::Duration;

/// The number that a text is, if it is finite.
pub(super) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The whole number that a text is: without its fraction, and the largest there is instead of a larger one.
pub(super) fn whole(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| float(text).filter(|number| *number >= 0.0).map(|n| n as u64))
}

/// The same where the number is small.
pub(super) fn small(text: &str) -> Option<u32> {
    whole(text).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// The same where the number may be negative.
pub(super) fn signed(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| float(text).map(|number| number as i64))
}

/// A time in milliseconds.
pub(super) fn millis(text: &str) -> Option<Duration> {
    whole(text).map(Duration::from_millis)
}

/// A time in seconds. What it is off a whole millisecond by less than a thousandth is the noise of binary fractions.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let seconds = float(text).filter(|seconds| *seconds >= 0.0)?;
    let ms = (seconds * 1e3).round();
    if ms < 1e15 && (seconds * 1e3 - ms).abs() < 1e-3 {
        return Some(Duration::from_millis(ms as u64));
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_in_many_forms() {
        let check = |text, expected| assert_eq!(whole(text), expected, "{text}");
        check("0", Some(0));
        check("18446744073709551615", Some(u64::MAX));
        check("1.7e+12", Some(1_700_000_000_000));
        check("1e+14", Some(100_000_000_000_000));
        check("2.9", Some(2));
        check("1e300", Some(u64::MAX));
        check("-1", None);
        check("-0.0", Some(0));
        for none in ["", "null", "true", "NaN", "Infinity", "1e999", "\"5\"", "{}", "five"] {
            check(none, None);
        }
    }

    #[test]
    fn seconds_are_exact_to_the_millisecond() {
        for days in [0_u64, 1, 30, 365, 3650, 36500] {
            for ms in [0, 1, 10, 333, 999] {
                let time = Duration::from_millis(days * 86_400_000 + ms);
                assert_eq!(seconds(&time.as_secs_f64().to_string()), Some(time));
            }
        }
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("1e30"), None);
        assert_eq!(seconds("0.0005"), Some(Duration::from_micros(500)));
    }
}
