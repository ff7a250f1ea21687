//! Events as services without CloudEvents write them: JSON objects and flat fields under many names.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, value::RawValue};

use super::{DecodeError, Defaults, Event, decode::Draft};
use crate::{EventId, Timestamp};

/// The names under which the type is looked for, in this order.
const TYPE: [&str; 5] = ["name", "type", "eventType", "event_type", "event"];
/// The names under which the data is looked for.
const DATA: [&str; 2] = ["data", "payload"];
/// The names that say nothing but the id of the event. `id` does only beside data: in a flat message it may be
/// anything's.
const ID: [&str; 3] = ["eventId", "event_id", "messageId"];
const TIME: [&str; 3] = ["timestamp", "time", "occurredAt"];
/// Other attributes: what they are called, and what they are.
const OTHERS: [(&str, &str); 8] = [
    ("source", "source"),
    ("service", "source"),
    ("subject", "subject"),
    ("correlationId", "correlationid"),
    ("correlation_id", "correlationid"),
    ("causationId", "causationid"),
    ("causation_id", "causationid"),
    ("version", "dataversion"),
];

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads a JSON object that says what happened under one of the names `name`, `type`, `eventType` or `event`.
///
/// The data is its member `data` or `payload`; without either, all members but the type. Of the attributes those that
/// can be used are taken: `id` or `eventId`, `timestamp` (RFC 3339 or milliseconds), `source`, `subject`,
/// `correlationId`, `causationId`, `version`. An event without an id gets the one that `id` makes, which is told
/// whether the message says when it happened.
///
/// # Errors
/// When it is not a JSON object or does not say what happened, or its id cannot be one.
pub fn from_foreign_json(
    json: &[u8],
    defaults: Defaults<'_>,
    id: impl FnOnce(bool) -> EventId,
) -> Result<Event, DecodeError> {
    let members: Members<'_> =
        serde_json::from_slice(json).map_err(|error| DecodeError::NotJson(error.to_string()))?;
    read(&members, defaults, id)
}

/// Reads an event from flat fields, as in an entry of a Redis stream: as [`from_foreign_json`], with every value a
/// string, save that `data` and `payload` may hold JSON.
///
/// # Errors
/// When they do not say what happened, or are not UTF-8.
pub fn from_fields(
    fields: &[(String, Bytes)],
    defaults: Defaults<'_>,
    id: impl FnOnce(bool) -> EventId,
) -> Result<Event, DecodeError> {
    let mut texts = BTreeMap::new();
    for (name, value) in fields {
        texts.insert(name.clone(), field_json(name, value)?);
    }
    let members: Members<'_> = texts.iter().map(|(name, json)| (name.clone(), &**json)).collect();
    read(&members, defaults, id)
}

fn field_json(name: &str, value: &[u8]) -> Result<Box<RawValue>, DecodeError> {
    let text =
        std::str::from_utf8(value).map_err(|_| DecodeError::invalid(name, "is not UTF-8 text"))?;
    if DATA.contains(&name)
        && let Ok(json) = RawValue::from_string(text.to_owned())
    {
        return Ok(json);
    }
    serde_json::value::to_raw_value(text).map_err(|error| DecodeError::NotJson(error.to_string()))
}

fn read(
    members: &Members<'_>,
    defaults: Defaults<'_>,
    id: impl FnOnce(bool) -> EventId,
) -> Result<Event, DecodeError> {
    let find = |names: &[&str]| {
        let present = names.iter().find_map(|name| members.get_key_value(*name));
        present.filter(|(_, raw)| raw.get() != "null")
    };
    let Some((type_name, kind)) = find(&TYPE) else { return Err(DecodeError::Missing("name")) };
    let mut draft = Draft::default();
    draft.set("type", value(kind)).map_err(|error| match error {
        DecodeError::Invalid { problem, .. } => DecodeError::invalid(type_name, problem),
        other => other,
    })?;
    let data = find(&DATA);
    let own_id = find(&ID).or_else(|| data.and_then(|_| find(&["id"])));
    let time = find(&TIME).and_then(|(_, raw)| time(&value(raw)));
    let id = match own_id.map(|(name, raw)| (name, value(raw))) {
        Some((name, Value::String(text))) => read_id(name, &text)?,
        Some((name, Value::Number(number))) => read_id(name, &number.to_string())?,
        _ => id(time.is_some()),
    };
    draft.set("id", Value::String(id.to_string()))?;
    for (name, attribute) in OTHERS {
        // Somebody else's attribute that cannot be ours is no reason to lose the event.
        if let Some((_, raw)) = find(&[name]) {
            let _ = draft.set(attribute, value(raw));
        }
    }
    draft.set_data(match data {
        Some((_, raw)) => Bytes::copy_from_slice(raw.get().as_bytes()),
        None => rest(members, type_name)?,
    });
    let mut event = draft.complete_with(defaults)?;
    event.time = time.unwrap_or(event.time);
    Ok(event)
}

fn read_id(name: &str, text: &str) -> Result<EventId, DecodeError> {
    EventId::new(text).map_err(|error| DecodeError::invalid(name, error.problem))
}

fn value(raw: &RawValue) -> Value {
    // It was read as JSON once; what is nested too deeply for a value is none of the attributes.
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// An instant in RFC 3339, or in milliseconds since 1970 as JavaScript has it.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(millis) => millis.as_i64().map(Timestamp::from_millis),
        Value::String(text) => {
            text.parse().ok().or_else(|| text.parse().ok().map(Timestamp::from_millis))
        }
        _ => None,
    }
}

/// All members but the one that says the type.
fn rest(members: &Members<'_>, type_name: &str) -> Result<Bytes, DecodeError> {
    let rest: BTreeMap<&str, &RawValue> = members
        .iter()
        .filter(|(name, _)| *name != type_name)
        .map(|(name, raw)| (name.as_str(), *raw))
        .collect();
    let json =
        serde_json::to_vec(&rest).map_err(|error| DecodeError::NotJson(error.to_string()))?;
    Ok(json.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const DEFAULTS: Defaults<'_> = Defaults { source: "events", now: NOW };

    fn made(_: bool) -> EventId {
        EventId::new("made").unwrap()
    }

    #[test]
    fn shapes_that_services_use() {
        let check = |json: &str, kind: &str, id: &str, data: &str| {
            let event = from_foreign_json(json.as_bytes(), DEFAULTS, made).unwrap();
            assert_eq!((event.kind.as_str(), event.id.as_str()), (kind, id), "{json}");
            assert_eq!(event.data, data, "{json}");
        };
        check(
            r#"{"id":"e1","name":"user.login","data":{"a":1},"source":"s"}"#,
            "user.login",
            "e1",
            r#"{"a":1}"#,
        );
        check(
            r#"{"eventType":"booking.created","eventId":"e2","timestamp":1,"data":[]}"#,
            "booking.created",
            "e2",
            "[]",
        );
        check(r#"{"type":"t","payload":{"b":2},"id":7}"#, "t", "7", r#"{"b":2}"#);
        check(
            r#"{"event":"ORDER_CREATED","data":null,"id":"o1"}"#,
            "ORDER_CREATED",
            "made",
            r#"{"data":null,"id":"o1"}"#,
        );
        check(
            r#"{"type":"ORDER_SHIPPED","orderId":"456"}"#,
            "ORDER_SHIPPED",
            "made",
            r#"{"orderId":"456"}"#,
        );
        check(r#"{"name":"n","type":"t","data":1}"#, "n", "made", "1");
    }

    #[test]
    fn attributes_are_taken_where_they_can_be() {
        let check = |json: &str, time: i64, source: &str, correlation: Option<&str>| {
            let event = from_foreign_json(json.as_bytes(), DEFAULTS, made).unwrap();
            assert_eq!(event.time.as_millis(), time, "{json}");
            assert_eq!(event.source, source, "{json}");
            assert_eq!(event.correlation_id.as_deref(), correlation, "{json}");
        };
        let now = NOW.as_millis();
        check(
            r#"{"name":"n","timestamp":"1970-01-01T00:00:01Z","source":"web"}"#,
            1000,
            "web",
            None,
        );
        check(r#"{"name":"n","timestamp":1500,"correlationId":"c"}"#, 1500, "events", Some("c"));
        check(r#"{"name":"n","timestamp":"yesterday","correlationId":5}"#, now, "events", None);
        check(r#"{"name":"n","version":"1.0.0","source":""}"#, now, "events", None);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let check = |json: &str, field: Option<&str>| {
            let error = from_foreign_json(json.as_bytes(), DEFAULTS, made).unwrap_err();
            assert_eq!(error.field().as_deref(), field, "{json}: {error}");
        };
        check("hello", None);
        check("[1]", None);
        check("{}", Some("name"));
        check(r#"{"name":null}"#, Some("name"));
        check(r#"{"eventType":7}"#, Some("eventType"));
        check(r#"{"name":"n","eventId":""}"#, Some("eventId"));
    }

    #[test]
    fn an_id_is_made_with_the_knowledge_of_a_time() {
        let told = |json: &str| {
            let mut told = None;
            let id = |has_time| {
                told = Some(has_time);
                made(has_time)
            };
            from_foreign_json(json.as_bytes(), DEFAULTS, id).unwrap();
            told
        };
        assert_eq!(told(r#"{"name":"n","timestamp":1}"#), Some(true));
        assert_eq!(told(r#"{"name":"n"}"#), Some(false));
        assert_eq!(told(r#"{"name":"n","eventId":"e"}"#), None);
    }

    #[test]
    fn flat_fields_are_strings_except_for_data() {
        let fields = |fields: &[(&str, &'static str)]| {
            let fields: Vec<(String, Bytes)> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Bytes::from_static(value.as_bytes())))
                .collect();
            from_fields(&fields, DEFAULTS, made).unwrap()
        };
        let flat = fields(&[("event", "ORDER_CREATED"), ("orderId", "1"), ("total", "9.5")]);
        assert_eq!(flat.kind, "ORDER_CREATED");
        assert_eq!(flat.data, r#"{"orderId":"1","total":"9.5"}"#);
        let nested = fields(&[("type", "t"), ("data", r#"{"a":1}"#), ("timestamp", "5")]);
        assert_eq!((nested.data.as_ref(), nested.time.as_millis()), (&br#"{"a":1}"#[..], 5));
        assert_eq!(fields(&[("type", "t"), ("payload", "plain")]).data, r#""plain""#);
    }
}
