//! Events in JSON: CloudEvents structured mode and batches, and the plain form `{"name", "data"}`.
//!
//! Source: CloudEvents 1.0.2, JSON event format.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, value::RawValue};

use super::{DecodeError, Defaults, Event, decode::Draft};

/// The members of a JSON object, their values not yet read.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The names that the plain form has for attributes, and the attributes.
const PLAIN_NAMES: [(&str, &str); 7] = [
    ("id", "id"),
    ("name", "type"),
    ("source", "source"),
    ("subject", "subject"),
    ("timestamp", "time"),
    ("correlationId", "correlationid"),
    ("causationId", "causationid"),
];

/// Reads one event: a CloudEvent if it has `specversion`, else the plain form.
///
/// # Errors
/// Names the attribute that is missing or wrong.
pub fn from_json(json: &[u8], defaults: Defaults<'_>) -> Result<Event, DecodeError> {
    let members: Members<'_> = parse(json)?;
    if members.contains_key("specversion") {
        cloud_event(&members, defaults)
    } else {
        plain(&members, defaults)
    }
}

/// Reads a JSON array of events, each in either form.
///
/// # Errors
/// Names the event and its attribute that is missing or wrong; then none of the batch is read.
pub fn batch_from_json(json: &[u8], defaults: Defaults<'_>) -> Result<Vec<Event>, DecodeError> {
    let items: Vec<&RawValue> = parse(json)?;
    let read = |(index, item): (usize, &RawValue)| {
        from_json(item.get().as_bytes(), defaults)
            .map_err(|error| DecodeError::InBatch { index, error: Box::new(error) })
    };
    items.into_iter().enumerate().map(read).collect()
}

fn parse<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(json).map_err(|error| DecodeError::NotJson(error.to_string()))
}

fn cloud_event(members: &Members<'_>, defaults: Defaults<'_>) -> Result<Event, DecodeError> {
    let mut draft = Draft::default();
    for (name, raw) in members {
        match name.as_str() {
            "data" if members.contains_key("data_base64") => {
                return Err(DecodeError::invalid("data", "is given together with `data_base64`"));
            }
            "data" => draft.set_data(Bytes::copy_from_slice(raw.get().as_bytes())),
            "data_base64" => draft.set_data(base64(raw)?),
            _ => match value(name, raw)? {
                // A null attribute is an absent one, but without its version nothing is a CloudEvent.
                Value::Null if name != "specversion" => {}
                value => draft.set(name, value)?,
            },
        }
    }
    draft.complete(defaults.now)
}

fn plain(members: &Members<'_>, defaults: Defaults<'_>) -> Result<Event, DecodeError> {
    if !members.contains_key("name") {
        if members.contains_key("type") {
            let problem = "is called `name` in this form; or send a CloudEvent, with `specversion`";
            return Err(DecodeError::invalid("type", problem));
        }
        return Err(DecodeError::Missing("name"));
    }
    let mut draft = Draft::default();
    for (name, raw) in members {
        if name == "data" {
            draft.set_data(Bytes::copy_from_slice(raw.get().as_bytes()));
            continue;
        }
        let Some((_, attribute)) = PLAIN_NAMES.iter().find(|(plain, _)| plain == name) else {
            let known = PLAIN_NAMES.map(|(plain, _)| plain).join(", ");
            return Err(DecodeError::invalid(name, format!("is not known; use data, {known}")));
        };
        match value(name, raw)? {
            Value::Null => {}
            value => draft.set(attribute, value).map_err(|error| rename(error, name))?,
        }
    }
    draft.complete_with(defaults)
}

/// Tells the caller the name that the caller used.
fn rename(error: DecodeError, name: &str) -> DecodeError {
    match error {
        DecodeError::Invalid { problem, .. } => DecodeError::invalid(name, problem),
        other => other,
    }
}

fn value(name: &str, raw: &RawValue) -> Result<Value, DecodeError> {
    serde_json::from_str(raw.get()).map_err(|_| DecodeError::invalid(name, "is nested too deeply"))
}

fn base64(raw: &RawValue) -> Result<Bytes, DecodeError> {
    let invalid = || DecodeError::invalid("data_base64", "is not Base64 text");
    let text: String = serde_json::from_str(raw.get()).map_err(|_| invalid())?;
    BASE64_STANDARD.decode(text).map(Bytes::from).map_err(|_| invalid())
}

/// Writes the CloudEvents JSON format. Data that is not JSON goes into `data_base64`.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", &self.kind)?;
        map.serialize_entry("time", &self.time)?;
        let mut text = |name, value: &Option<String>| match value {
            Some(value) => map.serialize_entry(name, value),
            None => Ok(()),
        };
        text("subject", &self.subject)?;
        text("datacontenttype", &self.data_content_type)?;
        text("dataschema", &self.data_schema)?;
        text("correlationid", &self.correlation_id)?;
        text("causationid", &self.causation_id)?;
        if let Some(version) = self.version {
            map.serialize_entry("dataversion", &version)?;
        }
        for (name, value) in &self.extensions {
            map.serialize_entry(name, value)?;
        }
        if !self.data.is_empty() {
            match self.is_json().then(|| serde_json::from_slice::<&RawValue>(&self.data)) {
                Some(Ok(json)) => map.serialize_entry("data", json)?,
                _ => map.serialize_entry("data_base64", &BASE64_STANDARD.encode(&self.data))?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    const DEFAULTS: Defaults<'_> =
        Defaults { source: "tests", now: Timestamp::from_millis(1_700_000_000_000) };

    #[test]
    fn a_cloud_event_survives_the_round_trip() {
        let json = r#"{"specversion":"1.0","id":"A234-1234-1234","source":"/mycontext","type":"com.example.someevent","time":"2018-04-05T17:31:00.000Z","subject":"s","datacontenttype":"application/json","dataschema":"https://example.com/s","correlationid":"c","causationid":"p","dataversion":3,"comexampleextension1":"value","comexampleothervalue":5,"data":{"appinfoA":"abc","appinfoB":123}}"#;
        let event = from_json(json.as_bytes(), DEFAULTS).unwrap();
        assert_eq!(event.kind, "com.example.someevent");
        assert_eq!(event.data, r#"{"appinfoA":"abc","appinfoB":123}"#);
        assert_eq!((event.correlation_id.as_deref(), event.version), (Some("c"), Some(3)));
        assert_eq!(event.extensions.len(), 2);
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }

    #[test]
    fn data_that_is_not_json_travels_as_base64() {
        let json = r#"{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"image/png","data_base64":"AAEC/w=="}"#;
        let event = from_json(json.as_bytes(), DEFAULTS).unwrap();
        assert_eq!(&event.data[..], [0, 1, 2, 255]);
        assert!(serde_json::to_string(&event).unwrap().contains(r#""data_base64":"AAEC/w==""#));
    }

    #[test]
    fn the_plain_form_is_given_what_it_lacks() {
        let json = br#"{"name":"booking.created","data":{"bookingId":"b1"},"correlationId":"c"}"#;
        let event = from_json(json, DEFAULTS).unwrap();
        assert_eq!((event.kind.as_str(), event.source.as_str()), ("booking.created", "tests"));
        assert_eq!(event.correlation_id.as_deref(), Some("c"));
        assert_eq!(event.time, DEFAULTS.now);
    }

    #[test]
    fn errors_name_the_field() {
        let check = |json: &str, field: Option<&str>| {
            let error = from_json(json.as_bytes(), DEFAULTS).unwrap_err();
            assert_eq!(error.field().as_deref(), field, "{json}: {error}");
        };
        check("", None);
        check("[]", None);
        check("{}", Some("name"));
        check(r#"{"type":"t","data":1}"#, Some("type"));
        check(r#"{"name":7}"#, Some("name"));
        check(r#"{"name":" "}"#, Some("name"));
        check(r#"{"name":"n","datum":1}"#, Some("datum"));
        check(r#"{"name":"n","timestamp":"yesterday"}"#, Some("timestamp"));
        check(r#"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#, Some("specversion"));
        check(r#"{"specversion":null,"id":"1","source":"s","type":"t"}"#, Some("specversion"));
        check(r#"{"specversion":"1.0","source":"s","type":"t"}"#, Some("id"));
        check(r#"{"specversion":"1.0","id":"","source":"s","type":"t"}"#, Some("id"));
        check(r#"{"specversion":"1.0","id":"1","type":"t"}"#, Some("source"));
        check(r#"{"specversion":"1.0","id":"1","source":"s"}"#, Some("type"));
        check(r#"{"specversion":"1.0","id":"1","source":"s","type":"t","Ext":1}"#, Some("Ext"));
        check(r#"{"specversion":"1.0","id":"1","source":"s","type":"t","ext":[]}"#, Some("ext"));
        check(
            r#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":""}"#,
            Some("data"),
        );
    }

    #[test]
    fn a_batch_is_read_whole_or_not_at_all() {
        let batch = br#"[{"name":"a"},{"specversion":"1.0","id":"1","source":"s","type":"b"}]"#;
        let kinds: Vec<_> =
            batch_from_json(batch, DEFAULTS).unwrap().into_iter().map(|e| e.kind).collect();
        assert_eq!(kinds, ["a", "b"]);
        let error = batch_from_json(br#"[{"name":"a"},{"name":""}]"#, DEFAULTS).unwrap_err();
        assert_eq!(error.field().as_deref(), Some("[1].name"));
        assert!(batch_from_json(b"{}", DEFAULTS).is_err());
        assert_eq!(batch_from_json(b"[]", DEFAULTS).unwrap(), []);
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused() {
        assert!(matches!(
            from_json(b"{\"name\":\"\xff\"}", DEFAULTS),
            Err(DecodeError::NotJson(_))
        ));
        let bad_data = b"{\"name\":\"n\",\"data\":\"\xff\"}";
        assert!(matches!(from_json(bad_data, DEFAULTS), Err(DecodeError::NotJson(_))));
    }
}
