//! The answers to a pipeline of commands, one by one.

use eventyard_core::{Event, TransportError, TransportErrorKind};
use redis::{Pipeline, Value, aio::ConnectionLike};

use crate::connect::{Error, Shared};

/// The most commands that are sent at once: more would only wait in memory.
const CHUNK: usize = 512;

/// Sends the commands; one answer for each, in order. An error of one command is its own answer.
pub(crate) async fn of(
    on: &mut Shared,
    pipeline: &Pipeline,
) -> Result<Vec<Result<(), TransportError>>, TransportError> {
    let commands: Vec<_> = pipeline.cmd_iter().cloned().collect();
    let mut answers = Vec::with_capacity(commands.len());
    for chunk in commands.chunks(CHUNK) {
        let mut pipeline = Pipeline::with_capacity(chunk.len());
        chunk.iter().for_each(|command| {
            pipeline.add_command(command.clone());
        });
        let values =
            on.req_packed_commands(&pipeline, 0, chunk.len()).await.map_err(Error::from)?;
        answers.extend(values.into_iter().map(answer));
    }
    Ok(answers)
}

fn answer(value: Value) -> Result<(), TransportError> {
    value.extract_error().map(drop).map_err(|error| Error::from(error).into())
}

/// An event that is no JSON.
pub(crate) fn unwritable(event: &Event, error: &serde_json::Error) -> TransportError {
    let problem = format!("the event {} cannot be written as JSON: {error}", event.id);
    TransportError::new(TransportErrorKind::Refused, problem)
}

/// Fewer answers than commands.
pub(crate) fn missing() -> TransportError {
    TransportError::new(TransportErrorKind::Unavailable, "redis gave no answer; publish it again")
}
