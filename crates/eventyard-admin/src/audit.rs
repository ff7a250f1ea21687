//! The audit trail: who did what to jobs, queues and schedules, when, and why.
//!
//! An entry is a document of the collection `audit`, written in the commit of what was done. What takes several commits is
//! written down before the first, and completed after the last.

mod entry;
mod forget;
mod list;

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use eventyard::{
    Error, Yard,
    model::{Commit, Receipt, Write},
};
use percent_encoding::percent_decode;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::{PartialSchema, openapi::Required};

pub use entry::Deed;
pub use forget::forget_audit;
pub(crate) use list::routes;

use crate::Caller;

/// The header in which a caller says why, percent-encoded where it is not ASCII.
pub(crate) const REASON: &str = "eventyard-reason";
/// The longest reason, in characters; the rest is cut.
const MAX_REASON: usize = 256;

/// Who acts, and why: taken from a request, written with what is done.
#[derive(Debug, Clone)]
pub struct Actor {
    caller: Caller,
    /// Absent when the request does not carry the header at all.
    why: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_else(Caller::anyone);
        let why = parts.headers.get(REASON).map(|why| readable(why.as_bytes()));
        Ok(Self { caller, why })
    }
}

/// One line, of a length that can be shown.
fn readable(bytes: &[u8]) -> String {
    let text = percent_decode(bytes).decode_utf8_lossy();
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(MAX_REASON).collect::<String>().trim().to_owned()
}

impl Actor {
    /// Applies `writes` and the entry about them, together or not at all.
    ///
    /// # Errors
    /// As for [`Yard::commit`].
    pub async fn commit(
        &self,
        yard: &Yard,
        deed: Deed,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<Receipt, Error> {
        let entry = self.entry(yard, deed);
        let writes = writes.into_iter().chain([entry.write()?]);
        yard.commit(Commit::of(writes)).await
    }

    /// Writes an entry about something that is done already.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn record(&self, yard: &Yard, deed: Deed) -> Result<(), Error> {
        self.commit(yard, deed, []).await.map(drop)
    }

    /// The same, for what is only worth an entry when a person says why: publishing and adding jobs is what services do
    /// all the time.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn record_if_asked(&self, yard: &Yard, deed: Deed) -> Result<(), Error> {
        if self.why.is_none() {
            return Ok(());
        }
        self.record(yard, deed).await
    }

    /// Writes down what is about to be done; [complete](Begun::end) it afterwards.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn begin(&self, yard: &Yard, deed: Deed) -> Result<Begun, Error> {
        let entry = self.entry(yard, deed);
        yard.commit(Commit::of([entry.write()?])).await?;
        Ok(Begun(entry))
    }

    fn entry(&self, yard: &Yard, deed: Deed) -> entry::Entry {
        let why = self.why.clone().filter(|why| !why.is_empty());
        entry::Entry::new(yard.clock().now(), &self.caller, why, deed)
    }

    /// The name of who acts.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.caller.name
    }
}

/// An entry about something that is under way.
#[derive(Debug, Clone)]
pub struct Begun(entry::Entry);

impl Begun {
    /// Adds how many it was about in the end. What was done stays done when that cannot be written.
    pub async fn end(mut self, yard: &Yard, count: u64) {
        self.0.count(count);
        let written = match self.0.write() {
            Ok(write) => yard.commit(Commit::of([write])).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::error!(%error, entry = self.0.key(), "an entry of the audit trail stays without its count");
        }
    }
}

/// The operations that write an entry, by their ids.
const AUDITED: [&str; 24] = [
    "addFlow",
    "addJobs",
    "cancelJob",
    "changeJob",
    "cleanQueues",
    "drainQueue",
    "limitQueue",
    "obliterateQueue",
    "pauseKey",
    "pauseQueue",
    "pauseSchedule",
    "promoteJob",
    "publishEvents",
    "removeFailed",
    "removeJob",
    "removeSchedule",
    "resumeKey",
    "resumeQueue",
    "resumeSchedule",
    "retryAllFailed",
    "retryFailed",
    "retryJob",
    "runSchedule",
    "setSchedule",
];

/// The header in which one says why, for the operations that ask.
pub(crate) fn parameter(operation: &str) -> Option<Parameter> {
    let description = "Why, for a person who reads the audit trail. Percent-encoded where it is not ASCII; after 256 \
                       characters it is cut.";
    AUDITED.contains(&operation).then(|| {
        ParameterBuilder::new()
            .name("Eventyard-Reason")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(<String as PartialSchema>::schema()))
            .build()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_one_line() {
        for (given, read) in [
            ("wrong%20amount", "wrong amount"),
            ("caf%C3%A9", "café"),
            ("a%0Ab", "a b"),
            ("  ", ""),
            ("100%", "100%"),
        ] {
            assert_eq!(readable(given.as_bytes()), read);
        }
        assert_eq!(readable("x".repeat(300).as_bytes()).len(), MAX_REASON);
    }
}
