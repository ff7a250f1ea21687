//! Writing events, as CloudEvents or plainly.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{CLOUD_EVENT, Format, NODE};
use crate::{Event, EventId};

/// Writes an event that `node` publishes.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn write(event: &Event, node: &str, format: Format) -> Result<Vec<u8>, serde_json::Error> {
    // Data that is not JSON has no place in the plain form.
    match format {
        Format::Plain if event.is_json() => serde_json::to_vec(&Plain::of(event, node)?),
        _ => write_cloud_event(event, node),
    }
}

fn write_cloud_event(event: &Event, node: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = if event.extensions.contains_key(NODE) {
        let mut event = event.clone();
        event.extensions.remove(NODE);
        serde_json::to_vec(&event)?
    } else {
        serde_json::to_vec(event)?
    };
    // The envelope is an object that is never empty.
    json.pop();
    json.extend_from_slice(format!(",\"{NODE}\":").as_bytes());
    serde_json::to_writer(&mut json, node)?;
    json.push(b'}');
    Ok(json)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plain<'a> {
    id: &'a EventId,
    name: &'a str,
    /// An event without data has an empty object here: without `data` its attributes would be taken for it.
    data: &'a RawValue,
    timestamp: crate::Timestamp,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(rename = "eventyardnode")]
    node: &'a str,
}

impl<'a> Plain<'a> {
    fn of(event: &'a Event, node: &'a str) -> Result<Self, serde_json::Error> {
        let data: &[u8] = if event.data.is_empty() { b"{}" } else { &event.data };
        let data = serde_json::from_slice(data)?;
        Ok(Self {
            id: &event.id,
            name: &event.kind,
            data,
            timestamp: event.time,
            source: &event.source,
            subject: event.subject.as_deref(),
            correlation_id: event.correlation_id.as_deref(),
            causation_id: event.causation_id.as_deref(),
            version: event.version,
            node,
        })
    }
}

/// Writes an event that `node` publishes as fields: its type as `event`, and the whole as `cloudevent`; in the plain
/// form each attribute in a field of its own, and the data as JSON in `data`.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn write_fields(
    event: &Event,
    node: &str,
    format: Format,
) -> Result<Vec<(&'static str, Vec<u8>)>, serde_json::Error> {
    if format == Format::CloudEvents || !event.is_json() {
        let whole = write_cloud_event(event, node)?;
        return Ok(vec![("event", event.kind.clone().into_bytes()), (CLOUD_EVENT, whole)]);
    }
    let plain = Plain::of(event, node)?;
    let mut fields = vec![
        ("event", plain.name.into()),
        ("eventId", plain.id.to_string().into_bytes()),
        ("data", plain.data.get().into()),
        ("timestamp", plain.timestamp.to_string().into_bytes()),
        ("source", plain.source.into()),
        (NODE, plain.node.into()),
    ];
    let others = [
        ("subject", plain.subject),
        ("correlationId", plain.correlation_id),
        ("causationId", plain.causation_id),
    ];
    fields.extend(others.into_iter().filter_map(|(name, value)| Some((name, value?.into()))));
    if let Some(version) = plain.version {
        fields.push(("version", version.to_string().into_bytes()));
    }
    Ok(fields)
}
