//! The bus: turns events and job requests into commits, by the routes and the queues' defaults.

mod flow;
mod settled;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use eventyard_core::{
    Clock, Commit, CommitError, Effect, Enqueued, Event as Envelope, EventId, Inspect, JobId,
    JobOptions, NewJob, Payload, QueueName, Receipt, Store, Write,
};

pub(crate) use settled::Settled;

use crate::{
    Catalogue, Error, FieldError, JobRequest, Queue, Routes,
    event::{IntoEvent, Stamp},
    meter::Meter,
    schedule::bell::Bell,
    transport,
};

/// The queue for events that have a handler but no route.
pub const DEFAULT_QUEUE: &str = "domain-events";
/// The longest job name, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// What publishing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The event's id.
    pub event: EventId,
    /// True when the log had the event already, and nothing was changed.
    pub duplicate: bool,
    /// The jobs made of it; none when no route takes it.
    pub jobs: Vec<Enqueued>,
}

impl Published {
    /// True when no route takes the event: it is in the log only.
    #[must_use]
    pub fn is_unrouted(&self) -> bool {
        self.jobs.is_empty()
    }
}

/// A queue as the running application knows it.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) queue: Queue,
    pub(crate) defaults: Arc<JobOptions>,
}

/// What every part of a running application shares.
pub(crate) struct Bus {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) inspect: Arc<dyn Inspect>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) source: String,
    pub(crate) queues: BTreeMap<QueueName, Arc<Declared>>,
    pub(crate) routes: Routes,
    pub(crate) strict: bool,
    pub(crate) catalogue: Catalogue,
    /// The event types that have a handler on [`DEFAULT_QUEUE`].
    pub(crate) default_types: HashSet<String>,
    /// In a synchronous application, who waits for which job to be settled.
    pub(crate) settled: Option<Settled>,
    /// Which schedules this process has changed.
    pub(crate) schedules: Bell,
    /// The transports that it is joined to.
    pub(crate) bridges: Vec<Arc<transport::Running>>,
    /// What the queues did lately.
    pub(crate) meter: Meter,
}

impl Bus {
    pub(crate) async fn publish_all(&self, events: Vec<Envelope>) -> Result<Vec<Published>, Error> {
        let writes =
            events.into_iter().map(|e| self.write_event(e)).collect::<Result<Vec<_>, _>>()?;
        let receipt = self.commit_and_wait(Commit::of(writes)).await?;
        Ok(receipt.into_iter().filter_map(published).inspect(tell).collect())
    }

    pub(crate) async fn enqueue_all(
        &self,
        requests: Vec<JobRequest>,
    ) -> Result<Vec<Enqueued>, Error> {
        let writes =
            requests.into_iter().map(|r| self.write_job(r)).collect::<Result<Vec<_>, _>>()?;
        let receipt = self.commit_and_wait(Commit::of(writes)).await?;
        let enqueued = |effect| match effect {
            Effect::Enqueued(enqueued) => Some(enqueued),
            _ => None,
        };
        Ok(receipt.into_iter().filter_map(enqueued).collect())
    }

    /// Applies one commit.
    pub(crate) async fn commit(&self, commit: Commit) -> Result<Receipt, Error> {
        let mut answers = self.store.commit(vec![commit]).await?;
        let answer: Option<Result<Receipt, CommitError>> = answers.pop();
        let receipt = answer.ok_or_else(Error::no_answer)??;
        self.meter.added(&receipt, self.clock.now());
        Ok(receipt)
    }

    /// Applies one commit; in a synchronous application, waits until its jobs have been tried.
    async fn commit_and_wait(&self, commit: Commit) -> Result<Receipt, Error> {
        let Some(settled) = &self.settled else {
            return self.commit(commit).await;
        };
        let waiting = settled.expect(&commit, self.clock.now());
        let receipt = self.commit(commit).await?;
        // Without an answer none counts as paused: what was added is added.
        let queues = self.inspect.queues().await.unwrap_or_default().into_iter();
        let paused = queues.filter(|(_, queue)| queue.paused).map(|(name, _)| name).collect();
        waiting.wait_for(&receipt, &paused).await;
        Ok(receipt)
    }

    /// The envelope of something that is published.
    pub(crate) fn envelope(&self, event: impl IntoEvent) -> Result<Envelope, Error> {
        event.into_event(Stamp { source: &self.source, now: self.clock.now() })
    }

    /// The write that publishes an event: checked against its schema, with a job for each queue that takes it.
    pub(crate) fn write_event(&self, event: Envelope) -> Result<Write, Error> {
        self.write_event_from(event, None)
    }

    /// The same for an event that came over a transport, over which it does not go back.
    pub(crate) fn write_event_from(
        &self,
        event: Envelope,
        from: Option<&str>,
    ) -> Result<Write, Error> {
        self.catalogue.check(&event)?;
        let mut queues = self.routes.queues_for(&event);
        if queues.is_empty() && self.default_types.contains(&event.kind) {
            queues.extend(QueueName::new(DEFAULT_QUEUE));
        }
        let others = self.bridges.iter().filter(|bridge| Some(bridge.name()) != from);
        queues.extend(others.filter_map(|bridge| bridge.outbox_for(&event)).cloned());
        if queues.is_empty() && self.strict {
            return Err(Error::Unrouted { kind: event.kind });
        }
        let event = Arc::new(event);
        let name: Arc<str> = event.kind.as_str().into();
        let job = |queue| {
            let declared = self.declared(&queue)?;
            Ok(NewJob {
                queue,
                id: JobId::from(event.id.clone()),
                name: Arc::clone(&name),
                payload: Payload::Event(Arc::clone(&event)),
                options: Arc::clone(&declared.defaults),
                awaits_children: false,
            })
        };
        let jobs = queues.into_iter().map(job).collect::<Result<_, Error>>()?;
        Ok(Write::Publish { event, jobs })
    }

    /// The write that adds a job, with its options checked and completed.
    pub(crate) fn write_job(&self, request: JobRequest) -> Result<Write, Error> {
        self.new_job(request).map(Write::Enqueue)
    }

    fn new_job(&self, request: JobRequest) -> Result<NewJob, Error> {
        let (queue, declared) = self
            .queues
            .get_key_value(request.queue.as_str())
            .ok_or_else(|| Error::NoSuchQueue(request.queue.clone()))?;
        check_name(&request.name).map_err(Error::InvalidJob)?;
        let defaults = &declared.defaults;
        let options = if request.options == JobOptions::default() {
            Arc::clone(defaults)
        } else {
            let options = request.options.or(defaults);
            options.validate().map_err(|error| {
                let field = format!("opts.{}", error.field);
                Error::InvalidJob(FieldError { field, problem: error.problem })
            })?;
            Arc::new(options)
        };
        Ok(NewJob {
            queue: queue.clone(),
            id: options.job_id.clone().unwrap_or_else(JobId::generate),
            name: request.name.into(),
            payload: Payload::Data(request.data),
            options,
            awaits_children: false,
        })
    }

    pub(crate) fn declared(&self, queue: &QueueName) -> Result<&Arc<Declared>, Error> {
        self.queues.get(queue).ok_or_else(|| Error::NoSuchQueue(queue.to_string()))
    }
}

/// Checks the name of a job.
pub(crate) fn check_name(name: &str) -> Result<(), FieldError> {
    let problem = if name.trim().is_empty() {
        "is empty; it selects the handler".to_owned()
    } else if name.len() > MAX_NAME_BYTES {
        format!("has {} bytes; at most {MAX_NAME_BYTES} are allowed", name.len())
    } else {
        return Ok(());
    };
    Err(FieldError { field: "name".to_owned(), problem })
}

fn published(effect: Effect) -> Option<Published> {
    match effect {
        Effect::Published { event, duplicate, jobs } => Some(Published { event, duplicate, jobs }),
        _ => None,
    }
}

fn tell(published: &Published) {
    let Published { event, duplicate, jobs } = published;
    let queues = jobs.iter().map(|job| job.queue.as_str()).collect::<Vec<_>>();
    tracing::debug!(event = %event, ?queues, duplicate, "event published");
}
