//! Events in rows of the event log, and inside of a job that carries an event that the log does not have.

use std::collections::BTreeMap;

use bytes::Bytes;
use eventyard_core::{Event, EventId, Timestamp};
use rusqlite::{Row, types::ValueRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::corrupt_row;

/// The attributes of an event that have no column.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_schema: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<String, Value>,
}

impl Attributes {
    /// The attributes of `event` as JSON; absent when there are none.
    pub(crate) fn text(event: &Event) -> Option<String> {
        let attributes = Self::of(event);
        (attributes != Self::default()).then(|| json(&attributes))
    }

    fn of(event: &Event) -> Self {
        Self {
            subject: event.subject.clone(),
            causation_id: event.causation_id.clone(),
            version: event.version,
            data_content_type: event.data_content_type.clone(),
            data_schema: event.data_schema.clone(),
            extensions: event.extensions.clone(),
        }
    }

    fn give_to(self, event: &mut Event) {
        event.subject = self.subject;
        event.causation_id = self.causation_id;
        event.version = self.version;
        event.data_content_type = self.data_content_type;
        event.data_schema = self.data_schema;
        event.extensions = self.extensions;
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("attributes are plain numbers and text")
}

/// The event in a row whose columns from `first` on are time, id, kind, source, correlation, attributes, data.
pub(crate) fn event_in_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Event> {
    let id: Box<str> = row.get(first + 1)?;
    let mut event = Event {
        id: EventId::new(id).map_err(|_| corrupt_row("the id of an event"))?,
        kind: row.get(first + 2)?,
        source: row.get(first + 3)?,
        subject: None,
        time: Timestamp::from_millis(row.get(first)?),
        correlation_id: row.get(first + 4)?,
        causation_id: None,
        version: None,
        data_content_type: None,
        data_schema: None,
        extensions: BTreeMap::new(),
        data: Bytes::copy_from_slice(row.get_ref(first + 6)?.as_blob()?),
    };
    if let ValueRef::Text(text) = row.get_ref(first + 5)? {
        serde_json::from_slice::<Attributes>(text)
            .map_err(|_| corrupt_row("the attributes of an event"))?
            .give_to(&mut event);
    }
    Ok(event)
}

/// An event's head, before its data, in the payload of a job.
#[derive(Serialize, Deserialize)]
struct Head {
    id: EventId,
    kind: String,
    source: String,
    time: i64,
    correlation: Option<String>,
    attributes: Attributes,
}

/// The event as one piece of bytes: the length of the head in four bytes, the head in JSON, the data as it is.
pub(crate) fn framed(event: &Event) -> Vec<u8> {
    let head = json(&Head {
        id: event.id.clone(),
        kind: event.kind.clone(),
        source: event.source.clone(),
        time: event.time.as_millis(),
        correlation: event.correlation_id.clone(),
        attributes: Attributes::of(event),
    });
    let length = u32::try_from(head.len()).expect("an event's attributes are limited in size");
    [&length.to_le_bytes(), head.as_bytes(), &event.data].concat()
}

/// The event that was [`framed`].
pub(crate) fn unframed(bytes: &[u8]) -> rusqlite::Result<Event> {
    let read = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (head, data) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        let time = Timestamp::from_millis(head.time);
        let mut event = Event::new(head.kind, head.source, time, Bytes::copy_from_slice(data));
        event.id = head.id;
        event.correlation_id = head.correlation;
        head.attributes.give_to(&mut event);
        Some(event)
    };
    read().ok_or_else(|| corrupt_row("the event that a job carries"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framed_event_survives_the_round_trip() {
        let mut event = Event::new("k", "s", Timestamp::from_millis(5), vec![0, 1, 255]);
        assert_eq!(unframed(&framed(&event)).unwrap(), event);
        event.subject = Some("é".into());
        event.version = Some(7);
        event.extensions.insert("a".into(), Value::from(5));
        assert_eq!(unframed(&framed(&event)).unwrap(), event);
        assert!(unframed(&framed(&event)[..20]).is_err());
    }
}
