//! Lengths of time as people write them: `"2s"`, `"1m 30s"`, or plain milliseconds.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Every unit with its length in milliseconds, the longest first.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A length of time: `"500ms"`, `"2s"`, `"1h 30m"`, `"7d"`, or a number of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimeSpan(Duration);

impl TimeSpan {
    pub(crate) const fn millis(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }

    pub(crate) const fn secs(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    pub(crate) const fn get(self) -> Duration {
        self.0
    }
}

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a length of time; use a number with a unit (ms, s, m, h, d) such as \"2s\" or \"1h 30m\", \
     or a whole number of milliseconds"
)]
pub(crate) struct InvalidTimeSpan(String);

impl FromStr for TimeSpan {
    type Err = InvalidTimeSpan;

    fn from_str(text: &str) -> Result<Self, InvalidTimeSpan> {
        let invalid = || InvalidTimeSpan(text.to_owned());
        let mut rest = text.trim();
        if let Ok(millis) = rest.parse() {
            return Ok(Self::millis(millis));
        }
        let mut millis: Option<u64> = None;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
            let (number, tail) = rest.split_at(digits);
            let tail = tail.trim_start();
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
            let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*length));
            let sum = part.and_then(|part| millis.unwrap_or(0).checked_add(part));
            millis = Some(sum.ok_or_else(invalid)?);
            rest = tail.trim_start();
        }
        millis.map(Self::millis).ok_or_else(invalid)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = millis;
        let mut gap = "";
        for (unit, length) in UNITS {
            let n = rest / length;
            if n > 0 {
                write!(f, "{gap}{n}{unit}")?;
                gap = " ";
            }
            rest %= length;
        }
        Ok(())
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl de::Visitor<'_> for Either {
            type Value = TimeSpan;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as \"2s\", or a whole number of milliseconds")
            }
            fn visit_u64<E: de::Error>(self, millis: u64) -> Result<TimeSpan, E> {
                Ok(TimeSpan::millis(millis))
            }
            fn visit_i64<E: de::Error>(self, millis: i64) -> Result<TimeSpan, E> {
                let invalid = |_| E::invalid_value(de::Unexpected::Signed(millis), &self);
                u64::try_from(millis).map(TimeSpan::millis).map_err(invalid)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<TimeSpan, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_any(Either)
    }
}

impl JsonSchema for TimeSpan {
    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: \"500ms\", \"2s\", \"1h 30m\", \"7d\", or a number of milliseconds.",
            "type": ["string", "integer"],
            "pattern": r"^\s*(\d+|(\d+\s*(ms|s|m|h|d)\s*)+)$",
            "minimum": 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(text.parse().ok(), millis.map(TimeSpan::millis), "{text:?}");
        };
        check("2s", Some(2000));
        check("500ms", Some(500));
        check("24h", Some(86_400_000));
        check("7d", Some(604_800_000));
        check("1m30s", Some(90_000));
        check(" 1h 30 m ", Some(5_400_000));
        check("0s", Some(0));
        check("1500", Some(1500));
        for bad in ["", " ", "s", "2 weeks", "1.5s", "-2s", "2s 3", "99999999999999999d"] {
            check(bad, None);
        }
    }

    #[test]
    fn spans_are_written_as_they_are_read() {
        for text in ["0s", "1ms", "2s", "1m 30s", "1d", "7d", "1h 1ms"] {
            assert_eq!(text.parse::<TimeSpan>().unwrap().to_string(), text);
        }
    }
}
