//! Events as bytes on a broker: our envelope, and what others write.
//!
//! Ours is a CloudEvent in structured JSON with the id of the node that published it in the attribute
//! [`NODE`], which belongs to the transport and never reaches the event. [`Format::Plain`] is for services that know no
//! CloudEvents: `{"id", "name", "data", "timestamp", "source", …}`.

mod read;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::{
    read::{Malformed, Reader},
    write::{write, write_fields},
};
use crate::{Event, EventId};

/// The attribute with the id of the node that published an event.
pub const NODE: &str = "eventyardnode";

/// The field that holds a whole event where messages are fields.
pub const CLOUD_EVENT: &str = "cloudevent";

/// How events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A CloudEvent in structured JSON.
    #[default]
    CloudEvents,
    /// `{"id", "name", "data", "timestamp", "source", "correlationId", …}`.
    Plain,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The event.
    pub event: Event,
    /// The node that published it, if it was one of ours.
    pub node: Option<Arc<str>>,
}

/// The id of a message that names none but says when it happened: all that read the same bytes from the same place
/// give it the same.
#[must_use]
pub fn content_id(place: &str, message: &[u8]) -> EventId {
    let space = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, place.as_bytes());
    let id = uuid::Uuid::new_v5(&space, message).hyphenated().to_string();
    EventId::new(id).unwrap_or_else(|_| EventId::generate())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Limits, Timestamp, event::Defaults};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn reader() -> Reader<'static> {
        let defaults = Defaults { source: "events", now: NOW };
        Reader { defaults, limits: Limits { body_bytes: 1000, depth: 4, ..Limits::default() } }
    }

    fn made(_: bool) -> EventId {
        EventId::new("made").unwrap()
    }

    fn event() -> Event {
        let mut event = Event::new("order.paid", "orders", NOW, r#"{"a":1}"#);
        event.correlation_id = Some("c".to_owned());
        event.version = Some(2);
        event
    }

    #[test]
    fn both_formats_survive_the_round_trip_and_carry_the_node_apart() {
        for format in [Format::CloudEvents, Format::Plain] {
            let message = write(&event(), "n-1", format).unwrap();
            let read = reader().read(&message, made).unwrap();
            assert_eq!(read.node.as_deref(), Some("n-1"), "{format:?}");
            let expected = Event { id: read.event.id.clone(), ..event() };
            assert_eq!(read.event, expected, "{format:?}");
        }
    }

    #[test]
    fn fields_survive_the_round_trip_in_both_formats() {
        for format in [Format::CloudEvents, Format::Plain] {
            let fields: Vec<(String, Bytes)> = write_fields(&event(), "n-1", format)
                .unwrap()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            let read = reader().read_fields(&fields, made).unwrap();
            assert_eq!(read.node.as_deref(), Some("n-1"), "{format:?}");
            let expected = Event { id: read.event.id.clone(), ..event() };
            assert_eq!(read.event, expected, "{format:?}");
        }
    }

    #[test]
    fn an_attribute_of_a_user_does_not_pass_for_the_node() {
        let mut event = event();
        event.extensions.insert(NODE.to_owned(), "forged".into());
        for format in [Format::CloudEvents, Format::Plain] {
            let message = write(&event, "n-1", format).unwrap();
            let read = reader().read(&message, made).unwrap();
            assert_eq!(read.node.as_deref(), Some("n-1"));
            assert!(read.event.extensions.is_empty());
        }
    }

    #[test]
    fn data_that_is_not_json_travels_in_either_format() {
        let mut event = event();
        event.data_content_type = Some("image/png".to_owned());
        event.data = Bytes::from_static(&[0, 255]);
        let message = write(&event, "n", Format::Plain).unwrap();
        assert_eq!(reader().read(&message, made).unwrap().event, event);
    }

    #[test]
    fn what_others_write_is_read() {
        let read = reader().read(br#"{"name":"user.login","data":{}}"#, made).unwrap();
        assert_eq!((read.event.kind.as_str(), read.node), ("user.login", None));
        let field = |name: &str, value: &'static str| (name.to_owned(), Bytes::from(value));
        let whole = [field("payload", r#"{"type":"t","data":{"a":1}}"#)];
        assert_eq!(reader().read_fields(&whole, made).unwrap().event.kind, "t");
        let flat = [field("event", "E"), field("orderId", "1")];
        assert_eq!(reader().read_fields(&flat, made).unwrap().event.data, r#"{"orderId":"1"}"#);
    }

    #[test]
    fn what_is_no_event_is_malformed() {
        let check = |message: &str, part: &str| {
            let error = reader().read(message.as_bytes(), made).unwrap_err().to_string();
            assert!(error.contains(part), "{message}: {error}");
        };
        check("ping", "not valid JSON");
        check("7", "not valid JSON");
        check("[]", "expected a map");
        check(r#"{"specversion":"1.0","id":"1"}"#, "source");
        check(r#"{"name":"n","data":[[[[1]]]]}"#, "nested 5 deep");
        check(&format!(r#"{{"name":"n","data":"{}"}}"#, "x".repeat(1000)), "at most 1000");
    }

    #[test]
    fn equal_messages_of_one_place_have_one_id() {
        let id = content_id("events", b"m");
        assert_eq!(id, content_id("events", b"m"));
        assert_ne!(id, content_id("other", b"m"));
        assert_ne!(id, content_id("events", b"n"));
    }
}
