//! What leaves: jobs on the queue of messages, and events that go to rooms, become frames for all nodes.

use std::sync::Arc;

use eventyard::{
    BatchItem, BatchOptions, Dep, Eventyard, JobError, Queue,
    model::{Backoff, Job, Keep, Payload},
    secs,
};
use tokio::sync::Mutex;

use crate::{
    client_event::{ProjectUpdated, SimulationStarted},
    frame::Frame,
    message::{Message, QUEUE},
    relay::{Relay, RelayError},
    route::{self, Route},
};

/// The most messages that leave together.
const BATCH: usize = 256;

/// The queue that messages leave by: tried for some eight minutes, and removed once they have left.
#[must_use]
pub fn default_queue() -> Queue {
    Queue::new(QUEUE)
        .attempts(12)
        .backoff(Backoff::exponential(std::time::Duration::from_millis(250)))
        .keep_completed(Keep::NOTHING)
        .concurrency(BATCH)
        .timeout(secs(30))
}

/// The way out.
pub(crate) struct Outgoing {
    relay: Arc<dyn Relay>,
    routes: Vec<Route>,
    /// One batch after the other, so that they leave in the order in which they came.
    turn: Mutex<()>,
}

impl Outgoing {
    pub(crate) fn new(relay: Arc<dyn Relay>, routes: Vec<Route>) -> Self {
        Self { relay, routes, turn: Mutex::default() }
    }

    /// Tells all nodes.
    pub(crate) async fn send(&self, frames: Vec<Frame>) -> Result<(), RelayError> {
        let frames = frames.iter().map(Frame::encode).collect::<Result<Vec<_>, _>>();
        let frames =
            frames.map_err(|error| RelayError::new("cannot carry a message").caused_by(error))?;
        let _turn = self.turn.lock().await;
        self.relay.publish(frames).await
    }

    /// The frames that a job becomes.
    fn frames(&self, job: &Job) -> Result<Vec<Frame>, JobError> {
        match &job.payload {
            Payload::Data(data) => {
                let message: Message = serde_json::from_slice(data).map_err(|error| {
                    JobError::dead_letter(format!("the job is no message to clients: {error}"))
                })?;
                message.check().map_err(|error| {
                    JobError::dead_letter(format!("`{}` {}", error.field, error.problem))
                })?;
                Ok(vec![Frame::message(job.id.as_str(), message)])
            }
            Payload::Event(event) => {
                let (messages, problems) = route::messages(&self.routes, event);
                for problem in problems {
                    tracing::warn!(event = %event.id, kind = event.kind, problem, "an event goes to no room");
                }
                let frame = |(n, message)| Frame::message(format!("{}/{n}", event.id), message);
                Ok(messages.into_iter().enumerate().map(frame).collect())
            }
        }
    }

    /// What an application needs for messages to leave: everything but the queue itself.
    pub(crate) fn install(self: Arc<Self>, mut app: Eventyard) -> Eventyard {
        for route in &self.routes {
            app = app.route(route.pattern.as_str(), QUEUE);
        }
        let options = BatchOptions { max: BATCH, wait: std::time::Duration::ZERO };
        app.event::<ProjectUpdated>()
            .event::<SimulationStarted>()
            .provide_arc(self)
            .handle_batch(QUEUE, options, forward)
    }
}

/// Tells all nodes what a batch of jobs says; each job is done when its message has left.
async fn forward(batch: Vec<BatchItem<Job>>, outgoing: Dep<Outgoing>) -> Vec<Result<(), JobError>> {
    let mut frames = Vec::new();
    let mut endings = Vec::with_capacity(batch.len());
    for item in &batch {
        endings.push(outgoing.frames(&item.load).map(|more| frames.extend(more)));
    }
    if !frames.is_empty()
        && let Err(error) = outgoing.send(frames).await
    {
        let failed = JobError::from(error);
        for ending in endings.iter_mut().filter(|ending| ending.is_ok()) {
            *ending = Err(failed.clone());
        }
    }
    endings
}
