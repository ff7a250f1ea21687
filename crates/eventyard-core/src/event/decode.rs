//! What all ways of reading an event share: defaults, errors, and the filling in of attributes.

use bytes::Bytes;
use serde_json::Value;

use super::{Event, MAX_NAME_BYTES};
use crate::{EventId, InvalidId, Timestamp};

/// What an event is given that does not say it itself.
#[derive(Debug, Clone, Copy)]
pub struct Defaults<'a> {
    /// The source of an event in the plain form.
    pub source: &'a str,
    /// The time of an event that names none.
    pub now: Timestamp,
}

/// An event could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The text is not JSON.
    #[error("the body is not valid JSON: {0}")]
    NotJson(String),
    /// A required attribute is missing.
    #[error("the attribute `{0}` is missing")]
    Missing(&'static str),
    /// An attribute has a wrong value.
    #[error("the attribute `{field}` {problem}")]
    Invalid {
        /// The attribute.
        field: String,
        /// What is wrong, and what is allowed.
        problem: String,
    },
    /// One event of a batch could not be read.
    #[error("event {index} of the batch: {error}")]
    InBatch {
        /// Its place; the first is 0.
        index: usize,
        /// Why.
        error: Box<DecodeError>,
    },
}

impl DecodeError {
    pub(super) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), problem: problem.into() }
    }

    /// The attribute at fault, with its place in a batch: `type`, `[3].id`.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        match self {
            Self::NotJson(_) => None,
            Self::Missing(field) => Some((*field).to_owned()),
            Self::Invalid { field, .. } => Some(field.clone()),
            Self::InBatch { index, error } => Some(match error.field() {
                Some(field) => format!("[{index}].{field}"),
                None => format!("[{index}]"),
            }),
        }
    }
}

/// An event whose attributes are still coming in.
#[derive(Debug, Default)]
pub(super) struct Draft {
    id: Option<EventId>,
    kind: Option<String>,
    source: Option<String>,
    time: Option<Timestamp>,
    rest: Option<Event>,
}

impl Draft {
    fn rest(&mut self) -> &mut Event {
        self.rest.get_or_insert_with(|| Event::new("", "", Timestamp::default(), Bytes::new()))
    }

    /// Takes one attribute by its CloudEvents name.
    pub(super) fn set(&mut self, name: &str, value: Value) -> Result<(), DecodeError> {
        match name {
            "specversion" => match text(name, value)?.as_str() {
                "1.0" => {}
                other => {
                    return Err(DecodeError::invalid(
                        name,
                        format!("is `{other}`; only 1.0 is read"),
                    ));
                }
            },
            "id" => self.id = Some(id(name, text(name, value)?)?),
            "type" => self.kind = Some(name_text(name, value)?),
            "source" => self.source = Some(name_text(name, value)?),
            "time" => self.time = Some(time(name, &text(name, value)?)?),
            "subject" => self.rest().subject = Some(name_text(name, value)?),
            "datacontenttype" => self.rest().data_content_type = Some(text(name, value)?),
            "dataschema" => self.rest().data_schema = Some(text(name, value)?),
            "correlationid" => self.rest().correlation_id = Some(name_text(name, value)?),
            "causationid" => self.rest().causation_id = Some(name_text(name, value)?),
            "dataversion" => self.rest().version = Some(version(name, &value)?),
            _ => {
                check_extension(name, &value)?;
                self.rest().extensions.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    pub(super) fn set_data(&mut self, data: Bytes) {
        self.rest().data = data;
    }

    /// The event, if `id`, `source` and `type` are there.
    pub(super) fn complete(self, now: Timestamp) -> Result<Event, DecodeError> {
        let id = self.id.ok_or(DecodeError::Missing("id"))?;
        let source = self.source.ok_or(DecodeError::Missing("source"))?;
        let kind = self.kind.ok_or(DecodeError::Missing("type"))?;
        let mut event = self.rest.unwrap_or_else(|| Event::new("", "", now, Bytes::new()));
        (event.id, event.kind, event.source) = (id, kind, source);
        event.time = self.time.unwrap_or(now);
        Ok(event)
    }

    /// The event, with an id and a source given to it if it has none.
    pub(super) fn complete_with(mut self, defaults: Defaults<'_>) -> Result<Event, DecodeError> {
        self.id.get_or_insert_with(EventId::generate);
        self.source.get_or_insert_with(|| defaults.source.to_owned());
        self.complete(defaults.now)
    }
}

fn text(name: &str, value: Value) -> Result<String, DecodeError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(DecodeError::invalid(name, "is not a string")),
    }
}

fn name_text(name: &str, value: Value) -> Result<String, DecodeError> {
    let text = text(name, value)?;
    if text.trim().is_empty() {
        return Err(DecodeError::invalid(name, "is empty"));
    }
    if text.len() > MAX_NAME_BYTES {
        let problem = format!("has {} bytes; at most {MAX_NAME_BYTES} are allowed", text.len());
        return Err(DecodeError::invalid(name, problem));
    }
    if text.chars().any(char::is_control) {
        return Err(DecodeError::invalid(name, "holds a control character"));
    }
    Ok(text)
}

fn id(name: &str, text: String) -> Result<EventId, DecodeError> {
    EventId::new(text).map_err(|InvalidId { problem, .. }| DecodeError::invalid(name, problem))
}

fn time(name: &str, text: &str) -> Result<Timestamp, DecodeError> {
    text.parse().map_err(|_| {
        DecodeError::invalid(name, format!("is `{text}`; use RFC 3339, as in 2026-01-31T09:00:00Z"))
    })
}

fn version(name: &str, value: &Value) -> Result<u32, DecodeError> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number
        .and_then(|n| u32::try_from(n).ok())
        .ok_or_else(|| DecodeError::invalid(name, "is not a whole number from 0 to 4294967295"))
}

fn check_extension(name: &str, value: &Value) -> Result<(), DecodeError> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Err(DecodeError::invalid(
            name,
            "is not an attribute name; extensions use lower-case letters and digits only",
        ));
    }
    match value {
        Value::String(_) | Value::Bool(_) => Ok(()),
        Value::Number(number) if number.is_i64() => Ok(()),
        _ => Err(DecodeError::invalid(name, "is not a string, a whole number or a boolean")),
    }
}
