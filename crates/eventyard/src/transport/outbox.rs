//! Going out: jobs that publish their event to the broker.

use std::{sync::Arc, time::Duration};

use eventyard_core::{Event as Envelope, Job, Payload, Transport, TransportError};

use super::Bridge;
use crate::{BatchItem, JobError, Outcome, handler::BatchHandler, secs};

/// How long an event waits when the broker is away. Its attempts are not counted: it leaves when the broker is back.
const WAIT: Duration = secs(1);

/// Publishes the events of jobs.
#[derive(Clone)]
pub(super) struct Outbox {
    name: Arc<str>,
    transport: Arc<dyn Transport>,
}

impl Outbox {
    /// The handler of a bridge's queue.
    pub(super) fn handler(bridge: &Bridge) -> impl BatchHandler<(Job,), Load = Job> + use<> {
        let outbox =
            Self { name: bridge.name.as_str().into(), transport: Arc::clone(&bridge.transport) };
        move |batch: Vec<BatchItem<Job>>| {
            let outbox = outbox.clone();
            async move { outbox.send(batch).await }
        }
    }

    async fn send(&self, batch: Vec<BatchItem<Job>>) -> Vec<Result<Outcome, JobError>> {
        let events: Vec<Option<Arc<Envelope>>> =
            batch.iter().map(|item| event_of(&item.load)).collect();
        let to_send: Vec<Arc<Envelope>> = events.iter().flatten().cloned().collect();
        let mut answers = match self.transport.publish(&to_send).await {
            Ok(answers) => answers.into_iter(),
            Err(error) => {
                to_send.iter().map(|_| Err(error.share())).collect::<Vec<_>>().into_iter()
            }
        };
        let ending = |event: Option<Arc<Envelope>>| match event {
            None => Err(JobError::dead_letter("it carries no event; only events go out")),
            Some(_) => match answers.next() {
                Some(Ok(())) => Ok(Outcome::Done(None)),
                Some(Err(error)) => self.not_sent(&error),
                None => Ok(Outcome::Snooze(WAIT)),
            },
        };
        events.into_iter().map(ending).collect()
    }

    fn not_sent(&self, error: &TransportError) -> Result<Outcome, JobError> {
        tracing::warn!(transport = %self.name, %error, "an event was not sent");
        match error.is_retryable() {
            true => Ok(Outcome::Snooze(WAIT)),
            false => Err(JobError::retry(error)),
        }
    }
}

fn event_of(job: &Job) -> Option<Arc<Envelope>> {
    match &job.payload {
        Payload::Event(event) => Some(Arc::clone(event)),
        Payload::Data(_) => None,
    }
}
