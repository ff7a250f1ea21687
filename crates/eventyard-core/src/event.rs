//! Events: what happened.

mod binary;
mod decode;
mod foreign;
mod json;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

pub use binary::from_headers;
pub use decode::{DecodeError, Defaults};
pub use foreign::{from_fields, from_foreign_json};
pub use json::{batch_from_json, from_json};

use crate::{EventId, Timestamp};

/// The longest event type or source, in bytes.
pub const MAX_NAME_BYTES: usize = 1024;
/// The media type of one event in JSON.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The media type of a batch of events in JSON.
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// What happened: a CloudEvents 1.0 event.
///
/// The reserved attributes are fields; the ones that users add are kept apart in
/// [`extensions`](Event::extensions), so that neither can overwrite the other. In JSON the correlation is
/// the attribute `correlationid`, the causation `causationid` and the version `dataversion`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique in the log; publishing the same id again changes nothing.
    pub id: EventId,
    /// What kind of thing happened, such as `booking.created`; CloudEvents calls it `type`.
    pub kind: String,
    /// Who says so.
    pub source: String,
    /// What it happened to.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Timestamp,
    /// Shared by all events of one story.
    pub correlation_id: Option<String>,
    /// The id of the event whose handler published this one.
    pub causation_id: Option<String>,
    /// The version of the shape of the data; 1 when absent.
    pub version: Option<u32>,
    /// The media type of the data; JSON when absent.
    pub data_content_type: Option<String>,
    /// Where the schema of the data is.
    pub data_schema: Option<String>,
    /// The attributes that users add: strings, whole numbers and booleans.
    pub extensions: BTreeMap<String, Value>,
    /// The data, as it came in; empty when there is none.
    pub data: Bytes,
}

impl Event {
    /// An event of type `kind` with a new id.
    #[must_use]
    pub fn new(
        kind: impl Into<String>,
        source: impl Into<String>,
        time: Timestamp,
        data: impl Into<Bytes>,
    ) -> Self {
        Self {
            id: EventId::generate(),
            kind: kind.into(),
            source: source.into(),
            subject: None,
            time,
            correlation_id: None,
            causation_id: None,
            version: None,
            data_content_type: None,
            data_schema: None,
            extensions: BTreeMap::new(),
            data: data.into(),
        }
    }

    /// Whether the data is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.data_content_type.as_deref().is_none_or(is_json_media_type)
    }

    /// The correlation of what follows from this event: its own, or else its id.
    #[must_use]
    pub fn correlation(&self) -> &str {
        self.correlation_id.as_deref().unwrap_or(self.id.as_str())
    }
}

/// Whether a media type is `application/json`, `text/json` or ends in `+json`, parameters aside.
#[must_use]
pub fn is_json_media_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let (_, subtype) = essence.split_once('/').unwrap_or_default();
    subtype.eq_ignore_ascii_case("json") || subtype.to_ascii_lowercase().ends_with("+json")
}
