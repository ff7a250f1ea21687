//! What the first parameter of a handler can be.

use std::ops;

use eventyard_core::{FailureKind, Job};
use serde::de::DeserializeOwned;

use crate::{Event, JobError};

/// The first parameter of a handler: what the job carries.
pub trait FromJob: Sized + Send {
    /// The event type that it stands for; absent when any job will do.
    #[must_use]
    fn event_type() -> Option<&'static str> {
        None
    }

    /// Reads it from the job.
    ///
    /// # Errors
    /// When the payload has another shape: the job becomes a dead letter that names the field.
    fn from_job(job: &Job) -> Result<Self, JobError>;
}

impl<E: Event> FromJob for E {
    fn event_type() -> Option<&'static str> {
        Some(E::TYPE)
    }

    fn from_job(job: &Job) -> Result<Self, JobError> {
        read(job)
    }
}

impl FromJob for Job {
    fn from_job(job: &Job) -> Result<Self, JobError> {
        Ok(job.clone())
    }
}

/// The payload of any job, read as JSON into a `T`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T> ops::Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Send> FromJob for Json<T> {
    fn from_job(job: &Job) -> Result<Self, JobError> {
        read(job).map(Json)
    }
}

fn read<T: DeserializeOwned>(job: &Job) -> Result<T, JobError> {
    read_json(job.payload.data()).map_err(|problem| {
        JobError::never(FailureKind::Payload, format!("the payload of `{}`: {problem}", job.name))
    })
}

/// Reads JSON, of which nothing is `null`; an error names the field.
pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    let json = if json.is_empty() { b"null" } else { json };
    let mut json = serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| format!("{}: {}", error.path(), error.inner()))
}
