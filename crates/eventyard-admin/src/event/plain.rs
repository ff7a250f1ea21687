//! Descriptions of what a publisher may send.

use utoipa::ToSchema;

use super::view::CloudEvent;
use crate::request::{EventText, Text};

/// An event in the plain form; what is left out is given to it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", example = json!({
    "name": "booking.created", "data": {"bookingId": "b-1", "userId": "u-1", "userEmail": "ada@example.com"}
}))]
#[expect(dead_code, reason = "only describes what the engine reads")]
pub(crate) struct PlainEvent {
    /// What kind of thing happened: its type.
    name: Text,
    /// What is to be said about it.
    #[schema(value_type = Value, required = false)]
    data: Option<serde_json::Value>,
    /// Unique in the log; publishing the same id again changes nothing. A new one when left out.
    id: Option<EventText>,
    /// Who says so; the service's name when left out.
    source: Option<Text>,
    /// What it happened to.
    subject: Option<Text>,
    /// When it happened; now when left out.
    #[schema(format = DateTime)]
    timestamp: Option<String>,
    /// Shared by all events of one story.
    correlation_id: Option<Text>,
    /// The id of the event that this one follows from.
    causation_id: Option<Text>,
}

/// An event in the plain form or as a CloudEvent, or a list of them that is published as a whole or not at all.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only describes what the engine reads")]
pub(crate) enum Events {
    One(Box<AnyEvent>),
    Many(Vec<AnyEvent>),
}

/// An event in the plain form, or a CloudEvent: the one with `specversion`.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only describes what the engine reads")]
pub(crate) enum AnyEvent {
    Plain(PlainEvent),
    CloudEvent(Box<CloudEvent>),
}

#[cfg(test)]
mod tests {
    use eventyard::model::{
        Timestamp,
        event::{Defaults, from_json},
    };
    use utoipa::PartialSchema;

    use super::*;

    /// Every described attribute is one that the engine reads, under just this name.
    #[test]
    fn what_is_described_is_read() {
        let defaults = Defaults { source: "tests", now: Timestamp::default() };
        let check = |schema, mut base: serde_json::Value| {
            let schema = serde_json::to_value(schema).unwrap();
            for (name, property) in schema["properties"].as_object().unwrap() {
                let value = match (name.as_str(), property["format"].as_str()) {
                    ("specversion", _) => "1.0".into(),
                    ("dataversion", _) => 2.into(),
                    (_, Some("date-time")) => "2026-01-31T09:00:00Z".into(),
                    ("data_base64", _) => continue,
                    _ => serde_json::Value::from("text"),
                };
                base[name] = value;
            }
            let event = from_json(base.to_string().as_bytes(), defaults);
            let event = event.unwrap_or_else(|error| panic!("{error}: {base}"));
            assert!(event.extensions.is_empty(), "{:?}", event.extensions);
        };
        check(PlainEvent::schema(), serde_json::json!({}));
        check(CloudEvent::schema(), serde_json::json!({}));
    }
}
