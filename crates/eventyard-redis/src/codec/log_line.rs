//! The rows of a job's log: a line with the instant at which it was written, or the line alone if Node wrote it.

use eventyard_core::{Timestamp, inspect::LogLine};

/// The row of a line.
pub(crate) fn encode(at: Timestamp, line: &str) -> String {
    format!("{at} {line}")
}

/// The line of a row; one without an instant was written at `fallback`.
pub(crate) fn decode(row: &[u8], fallback: Timestamp) -> LogLine {
    let row = String::from_utf8_lossy(row);
    let parts = row.split_once(' ').and_then(|(at, line)| Some((at.parse().ok()?, line)));
    let (at, line) = parts.unwrap_or((fallback, &row));
    LogLine { at, line: line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);
    const FALLBACK: Timestamp = Timestamp::from_millis(5);

    #[test]
    fn lines_survive() {
        for line in ["", " ", "a", "a b\nc", "2026-01-01T00:00:00Z x", "\u{0}", "é", " a "] {
            let row = encode(AT, line);
            let expected = LogLine { at: AT, line: line.to_owned() };
            assert_eq!(decode(row.as_bytes(), FALLBACK), expected, "{row:?}");
        }
    }

    #[test]
    fn rows_of_others_are_lines() {
        let check = |row: &[u8], line: &str| {
            let expected = LogLine { at: FALLBACK, line: line.to_owned() };
            assert_eq!(decode(row, FALLBACK), expected);
        };
        check(b"", "");
        check(b"one two", "one two");
        check(b"2026-01-01 one", "2026-01-01 one");
        check(b"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        check(b"\xff", "\u{fffd}");
    }
}
