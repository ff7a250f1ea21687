//! Instants: `"2026-01-31T09:00:00Z"`, as a text or as TOML's own.

use std::{borrow::Cow, fmt};

use eventyard_core::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use toml::value::Datetime;

/// An instant with its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Instant(Timestamp);

impl Instant {
    pub(crate) const fn get(self) -> Timestamp {
        self.0
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant with its offset, such as 2026-01-31T09:00:00Z")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                let invalid = |_| E::invalid_value(de::Unexpected::Str(text), &self);
                text.parse().map(Instant).map_err(invalid)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Instant, A::Error> {
                let own = Datetime::deserialize(de::value::MapAccessDeserializer::new(map))?;
                self.visit_str(&own.to_string())
            }
        }
        from.deserialize_any(Either)
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An instant with its offset, such as 2026-01-31T09:00:00Z.",
            "type": "string",
            "format": "date-time",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_texts_or_tomls_own() {
        let read = |value: &str| {
            let table: toml::Table = format!("at = {value}").parse().unwrap();
            table["at"].clone().try_into::<Instant>().ok().map(|at| at.get().as_millis())
        };
        assert_eq!(read("'2026-01-31T09:00:00Z'"), Some(1_769_850_000_000));
        assert_eq!(read("2026-01-31T10:00:00+01:00"), Some(1_769_850_000_000));
        for bad in ["'soon'", "2026-01-31", "2026-01-31T10:00:00", "5"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
