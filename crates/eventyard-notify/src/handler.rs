//! The handlers: what is done with an event on each queue.

mod email;
mod notify;
mod push;
mod ticket;

use eventyard::{JobError, model::Job};
use serde_json::{Map, Value};

pub(crate) use email::email;
pub(crate) use notify::notify;
pub(crate) use push::{SEND, send};
pub(crate) use ticket::ticket;

/// The data of a job as it came, with fields that its type does not know.
fn data(job: &Job) -> Result<Map<String, Value>, JobError> {
    serde_json::from_slice(job.payload.data()).map_err(|error| {
        JobError::dead_letter(format!("the payload of `{}` is not an object: {error}", job.name))
    })
}
