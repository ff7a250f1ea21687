//! Typed events.

use eventyard_core::{Event as Envelope, EventId, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// A type whose values say what happened. Derive it:
///
/// ```
/// # use eventyard::Event;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Event, Serialize, Deserialize)]
/// #[event("invoice.issued", version = 2)]
/// struct InvoiceIssued { invoice_id: String }
///
/// assert_eq!(InvoiceIssued::TYPE, "invoice.issued");
/// ```
///
/// With `#[event("…", schema)]` the type's [`JsonSchema`](schemars::JsonSchema) is checked at the door.
pub trait Event: Serialize + DeserializeOwned + Send + 'static {
    /// The event's type: words in lower case, separated by dots.
    const TYPE: &'static str;
    /// The version of the shape of its data.
    const VERSION: u32 = 1;

    /// The JSON Schema that its data must meet.
    #[must_use]
    fn schema() -> Option<serde_json::Value> {
        None
    }
}

/// What an event is given when it is published.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Its source.
    pub source: &'a str,
    /// Its time.
    pub now: Timestamp,
}

/// Something that can be published: a typed [`Event`], or an [`Envelope`] as it is.
pub trait IntoEvent {
    /// The envelope.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    fn into_event(self, stamp: Stamp<'_>) -> Result<Envelope, Error>;
}

impl IntoEvent for Envelope {
    fn into_event(self, _: Stamp<'_>) -> Result<Envelope, Error> {
        Ok(self)
    }
}

impl<E: Event> IntoEvent for E {
    fn into_event(self, stamp: Stamp<'_>) -> Result<Envelope, Error> {
        let data = serde_json::to_vec(&self)
            .map_err(|source| Error::Encode { what: format!("the event `{}`", E::TYPE), source })?;
        let mut event = Envelope::new(E::TYPE, stamp.source, stamp.now, data);
        event.version = (E::VERSION != 1).then_some(E::VERSION);
        Ok(event)
    }
}

/// A typed event with attributes of its own: an id that makes publishing idempotent, a subject.
#[derive(Debug, Clone)]
pub struct WithAttributes<E> {
    event: E,
    id: Option<EventId>,
    subject: Option<String>,
    correlation_id: Option<String>,
}

impl<E: Event> WithAttributes<E> {
    /// Wraps `event`.
    #[must_use]
    pub fn new(event: E) -> Self {
        Self { event, id: None, subject: None, correlation_id: None }
    }

    /// Sets the event's id: publishing the same id again changes nothing.
    #[must_use]
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets what the event happened to.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the correlation that the event belongs to.
    #[must_use]
    pub fn correlation_id(mut self, correlation_id: impl Into<String>) -> Self {
        self.correlation_id = Some(correlation_id.into());
        self
    }
}

impl<E: Event> IntoEvent for WithAttributes<E> {
    fn into_event(self, stamp: Stamp<'_>) -> Result<Envelope, Error> {
        let mut event = self.event.into_event(stamp)?;
        if let Some(id) = self.id {
            event.id = id;
        }
        event.subject = self.subject;
        event.correlation_id = self.correlation_id;
        Ok(event)
    }
}
