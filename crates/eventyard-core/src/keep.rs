//! How long finished jobs and old events stay.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
    ser::SerializeMap,
};

/// How long something finished is kept: until it is older than `age`, or until `count` newer ones
/// exist, whichever comes first.
///
/// In JSON it is BullMQ's `removeOnComplete` and `removeOnFail`: `true` removes at once, `false` keeps for
/// good, a number keeps that many, `{"age": 86400, "count": 1000}` keeps by age **in seconds** and by count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Kept for this long; for good when absent.
    pub age: Option<Duration>,
    /// This many of the newest are kept; all of them when absent.
    pub count: Option<u64>,
}

impl Keep {
    /// Keeps everything.
    pub const FOREVER: Self = Self { age: None, count: None };
    /// Removes at once.
    pub const NOTHING: Self = Self { age: None, count: Some(0) };

    /// Keeps for `age`.
    #[must_use]
    pub const fn age(age: Duration) -> Self {
        Self { age: Some(age), count: None }
    }

    /// Keeps the newest `count`.
    #[must_use]
    pub const fn count(count: u64) -> Self {
        Self { age: None, count: Some(count) }
    }

    /// Also drops what is older than `age`.
    #[must_use]
    pub const fn or_age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// True when nothing is kept at all.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.count == Some(0) || self.age == Some(Duration::ZERO)
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.age, self.count) {
            (None, None) => to.serialize_bool(false),
            (None, Some(0)) => to.serialize_bool(true),
            (None, Some(count)) => to.serialize_u64(count),
            (Some(age), count) => {
                let mut map = to.serialize_map(None)?;
                map.serialize_entry("age", &age.as_secs_f64())?;
                if let Some(count) = count {
                    map.serialize_entry("count", &count)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Wire)
    }
}

/// Reads each of the forms.
struct Wire;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    age: Option<f64>,
    count: Option<u64>,
}

impl<'de> Visitor<'de> for Wire {
    type Value = Keep;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("true (remove at once), false (keep), a count, or {age (seconds), count}")
    }

    fn visit_bool<E: de::Error>(self, removes: bool) -> Result<Keep, E> {
        Ok(if removes { Keep::NOTHING } else { Keep::FOREVER })
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Keep, E> {
        Ok(Keep::count(count))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Keep, E> {
        let unexpected = |_| E::invalid_value(Unexpected::Signed(count), &self);
        let count = count.try_into().map_err(unexpected)?;
        self.visit_u64(count)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Keep, A::Error> {
        let Limits { age, count } = Limits::deserialize(MapAccessDeserializer::new(map))?;
        let age = age.map(Duration::try_from_secs_f64).transpose().map_err(de::Error::custom)?;
        Ok(Keep { age, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_bullmqs() {
        let day = Duration::from_secs(86400);
        for (json, keep) in [
            ("true", Keep::NOTHING),
            ("false", Keep::FOREVER),
            ("1000", Keep::count(1000)),
            (r#"{"age":86400.0}"#, Keep::age(day)),
            (r#"{"age":86400.0,"count":1000}"#, Keep::count(1000).or_age(day)),
        ] {
            assert_eq!(serde_json::from_str::<Keep>(json).unwrap(), keep, "{json}");
            assert_eq!(serde_json::to_string(&keep).unwrap(), json);
        }
        for (bad, reason) in [
            (r#"{"age":-1}"#, "negative"),
            (r#"{"ages":1}"#, "unknown field `ages`, expected `age` or `count`"),
            ("-1", "integer `-1`, expected true (remove at once)"),
            ("null", "expected true (remove at once)"),
            ("\"1d\"", "string \"1d\", expected true (remove at once)"),
        ] {
            let error = serde_json::from_str::<Keep>(bad).unwrap_err().to_string();
            assert!(error.contains(reason), "{bad}: {error}");
        }
    }
}
