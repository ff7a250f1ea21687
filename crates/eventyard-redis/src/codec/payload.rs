//! What a job carries, in its field `data`, and what kind of thing that is, in the field `eyt`.
//!
//! An event is written as the envelope that services on BullMQ use, so that their handlers understand it:
//! `{"eventId", "eventType", "timestamp", "source", "data", …}`. Data that is not JSON is in `dataBase64`.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use eventyard_core::{Event, EventId, Payload, Timestamp, event::MAX_NAME_BYTES};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, value::RawValue};

use super::{
    bytes::{from_json, to_json},
    number,
};

/// Data that is JSON.
const DATA: &str = "d";
/// Data that is not JSON, as a string.
const BYTES: &str = "b";
/// An event in its envelope.
const EVENT: &str = "e";
/// The source of an event that does not say where it comes from.
const DEFAULT_SOURCE: &str = "bullmq";

/// A payload as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// What the field `eyt` begins with.
    pub(crate) kind: &'static str,
    /// The field `data`; JSON.
    pub(crate) data: Bytes,
}

/// Writes a payload.
pub(crate) fn encode(payload: &Payload) -> Encoded {
    match payload {
        Payload::Event(event) => Encoded { kind: EVENT, data: encode_event(event).into() },
        Payload::Data(data) => match to_json(data) {
            std::borrow::Cow::Borrowed(_) => Encoded { kind: DATA, data: data.clone() },
            std::borrow::Cow::Owned(text) => Encoded { kind: BYTES, data: text.into() },
        },
    }
}

/// Reads a payload. Of a job without a kind of ours, data that is an envelope is taken for an event, which happened
/// when the job was `added` if it does not say.
pub(crate) fn decode(kind: Option<&str>, data: Bytes, added: Timestamp) -> Payload {
    let event = |is_ours| {
        let event = read(&data, added, is_ours)?;
        Some(Payload::Event(Arc::new(event)))
    };
    match kind.and_then(|kind| kind.get(..1)) {
        Some(DATA) => Payload::Data(data),
        Some(BYTES) => Payload::Data(from_json(data)),
        Some(EVENT) => event(true).unwrap_or(Payload::Data(data)),
        _ => event(false).unwrap_or(Payload::Data(data)),
    }
}

/// Writes an event as its envelope.
pub(crate) fn encode_event(event: &Event) -> String {
    serde_json::to_string(&Envelope(event)).expect("an event is plain JSON")
}

/// Reads an event that [`encode_event`] wrote.
pub(crate) fn decode_event(envelope: &[u8]) -> Option<Event> {
    read(&Bytes::copy_from_slice(envelope), Timestamp::default(), true)
}

struct Envelope<'a>(&'a Event);

impl Serialize for Envelope<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("eventId", &event.id)?;
        map.serialize_entry("eventType", &event.kind)?;
        map.serialize_entry("timestamp", &event.time)?;
        map.serialize_entry("source", &event.source)?;
        let mut text = |name, value: &Option<String>| match value {
            Some(value) => map.serialize_entry(name, value),
            None => Ok(()),
        };
        text("subject", &event.subject)?;
        text("correlationId", &event.correlation_id)?;
        text("causationId", &event.causation_id)?;
        if let Some(version) = event.version {
            map.serialize_entry("version", &version)?;
        }
        let mut text = |name, value: &Option<String>| match value {
            Some(value) => map.serialize_entry(name, value),
            None => Ok(()),
        };
        text("dataContentType", &event.data_content_type)?;
        text("dataSchema", &event.data_schema)?;
        if !event.extensions.is_empty() {
            map.serialize_entry("extensions", &event.extensions)?;
        }
        match plain(&event.data) {
            Some(json) => map.serialize_entry("data", json)?,
            None if event.data.is_empty() => {}
            None => {
                map.serialize_entry("dataBase64", &BASE64_STANDARD.encode(&event.data))?;
            }
        }
        map.end()
    }
}

/// The bytes as one JSON text, if they are that and nothing more.
fn plain(bytes: &[u8]) -> Option<&RawValue> {
    let json: &RawValue = serde_json::from_str(str::from_utf8(bytes).ok()?).ok()?;
    // White space around it would be lost.
    (json.get().len() == bytes.len()).then_some(json)
}

/// Reads an envelope. What is not ours is taken for one only if it says in our words what happened.
fn read(envelope: &Bytes, added: Timestamp, is_ours: bool) -> Option<Event> {
    let all: BTreeMap<String, &RawValue> = serde_json::from_slice(envelope).ok()?;
    let text = |name| serde_json::from_str::<String>(all.get(name)?.get()).ok();
    let kind = text("eventType").filter(|kind| is_ours || is_name(kind))?;
    let data = match all.get("data") {
        Some(json) => envelope.slice_ref(json.get().as_bytes()),
        None => text("dataBase64")
            .and_then(|base64| BASE64_STANDARD.decode(base64).ok())
            .map(Bytes::from)
            .unwrap_or_default(),
    };
    Some(Event {
        id: EventId::new(text("eventId")?).ok()?,
        kind,
        source: text("source").unwrap_or_else(|| DEFAULT_SOURCE.to_owned()),
        subject: text("subject"),
        time: all.get("timestamp").and_then(|time| instant(time.get())).unwrap_or(added),
        correlation_id: text("correlationId"),
        causation_id: text("causationId"),
        version: all.get("version").and_then(|version| version.get().parse().ok()),
        data_content_type: text("dataContentType"),
        data_schema: text("dataSchema"),
        extensions: all.get("extensions").map(|json| extensions(json.get())).unwrap_or_default(),
        data,
    })
}

/// An instant as text, or as Node's clock has it.
fn instant(json: &str) -> Option<Timestamp> {
    serde_json::from_str(json).ok().or_else(|| number::signed(json).map(Timestamp::from_millis))
}

fn extensions(json: &str) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = serde_json::from_str(json).unwrap_or_default();
    all.retain(|_, value| !value.is_array() && !value.is_object() && !value.is_null());
    all
}

/// Whether a text can be the type of an event.
fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp::from_millis(1_700_000_000_123);

    fn event(data: &[u8]) -> Event {
        let mut event = Event::new("order.placed", "/shop", TIME, data.to_vec());
        event.id = EventId::new("e1").unwrap();
        event
    }

    fn whole() -> Event {
        Event {
            subject: Some(String::new()),
            correlation_id: Some("story".to_owned()),
            causation_id: Some("cause".to_owned()),
            version: Some(u32::MAX),
            data_content_type: Some("application/octet-stream".to_owned()),
            data_schema: Some("https://example.com/s".to_owned()),
            extensions: [
                ("flag".to_owned(), false.into()),
                ("number".to_owned(), i64::MIN.into()),
                ("text".to_owned(), "\u{0}\n".into()),
            ]
            .into(),
            source: "urn:ü".to_owned(),
            ..event(b"\0\xff")
        }
    }

    const ODD: [&[u8]; 11] = [
        b"",
        b" ",
        b"null",
        b"{\"a\": [1.0, 1e3] }",
        b" {}",
        b"{}\n",
        b"\0\xff",
        b"\"data:;base64,AA==\"",
        b"\"\xff\"",
        b"{} {}",
        b"-0.10",
    ];

    #[test]
    fn events_come_back_byte_for_byte() {
        let check = |event: Event| {
            let text = encode_event(&event);
            serde_json::from_str::<Value>(&text).unwrap();
            assert_eq!(decode_event(text.as_bytes()).as_ref(), Some(&event), "{text}");
            let payload = Payload::Event(Arc::new(event));
            let encoded = encode(&payload);
            assert_eq!((encoded.kind, &encoded.data[..]), ("e", text.as_bytes()));
            for kind in ["e", "el"] {
                assert_eq!(decode(Some(kind), encoded.data.clone(), TIME), payload);
            }
        };
        check(whole());
        ODD.into_iter().for_each(|data| check(event(data)));
        check(event(&(0..=255).collect::<Vec<u8>>().repeat(4096)));
        let mut odd = event(b"1");
        odd.kind = " ".to_owned();
        check(odd);
    }

    #[test]
    fn data_comes_back_byte_for_byte() {
        let check = |data: &[u8], kind: &str| {
            let payload = Payload::Data(Bytes::copy_from_slice(data));
            let encoded = encode(&payload);
            assert_eq!(encoded.kind, kind);
            serde_json::from_slice::<Value>(&encoded.data).unwrap();
            let long = format!("{kind}l");
            for kind in [kind, &long] {
                assert_eq!(decode(Some(kind), encoded.data.clone(), TIME), payload);
            }
        };
        for data in ODD {
            check(
                data,
                if plain(data).is_some() && !data.starts_with(b"\"data:") { "d" } else { "b" },
            );
        }
        // Data that looks like an envelope is data.
        check(br#"{"eventId":"a","eventType":"b"}"#, "d");
    }

    #[test]
    fn the_envelope_is_that_of_services_on_bullmq() {
        assert_eq!(
            encode_event(&event(b"{\"id\": 7}")),
            r#"{"eventId":"e1","eventType":"order.placed","timestamp":"2023-11-14T22:13:20.123Z","source":"/shop","data":{"id": 7}}"#
        );
        let text = encode_event(&event(b"\xff"));
        assert!(text.ends_with(r#""source":"/shop","dataBase64":"/w=="}"#), "{text}");
        assert!(encode_event(&event(b"")).ends_with(r#""source":"/shop"}"#));
    }

    #[test]
    fn jobs_of_others_are_events_if_they_say_so() {
        let check = |data: &str, is_event: bool| {
            for kind in [None, Some("n"), Some("nl"), Some(""), Some("ü")] {
                let payload = decode(kind, Bytes::copy_from_slice(data.as_bytes()), TIME);
                assert_eq!(payload.event().is_some(), is_event, "{data}");
                if !is_event {
                    assert_eq!(payload.data(), data);
                }
            }
        };
        check(r#"{"eventId":"a","eventType":"b"}"#, true);
        check(
            r#"{"eventId":"a","eventType":"b","version":"1.0","timestamp":5,"extensions":[]}"#,
            true,
        );
        for data in [
            "{}",
            "",
            "[]",
            "null",
            "\u{0}",
            r#"{"eventId":"a"}"#,
            r#"{"eventType":"a"}"#,
            r#"{"eventId":"","eventType":"b"}"#,
            r#"{"eventId":"a","eventType":" "}"#,
            r#"{"eventId":1,"eventType":"b"}"#,
            r#""data:;base64,AA==""#,
        ] {
            check(data, false);
        }
        let text =
            r#"{"data":{"n": 1},"eventId":"a","eventType":"b.c","userId":5,"correlationId":"s"}"#;
        let payload = decode(None, Bytes::from_static(text.as_bytes()), TIME);
        let event = payload.event().unwrap();
        assert_eq!((&*event.source, event.time), ("bullmq", TIME));
        assert_eq!((&event.data[..], event.correlation()), (&br#"{"n": 1}"#[..], "s"));
    }

    #[test]
    fn an_envelope_that_was_broken_is_data() {
        let data = Bytes::from_static(b"{\"other\":1}");
        assert_eq!(decode(Some("e"), data.clone(), TIME), Payload::Data(data));
    }
}
