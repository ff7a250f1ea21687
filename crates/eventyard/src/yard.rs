//! A running application.

mod jobs;
mod queue_events;
mod queues;

pub use queue_events::{QueueEvents, UnknownKind};

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use eventyard_core::{
    Capabilities, Clock, Commit, Effect, Enqueued, Inspect, QueueName, Receipt, WorkerId, Write,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Catalogue, EnqueuedFlow, Error, Flow, JobRequest, Published, Queue, app::check::Checked,
    bus::Bus, event::IntoEvent, maintenance, schedule, secs, transport, worker::Worker,
};

/// How long a shutdown waits for attempts to notice that they were interrupted.
const INTERRUPT_GRACE: Duration = secs(5);

/// A running application: publishes events, works on jobs, and can be asked about both.
///
/// Cheap to clone. It runs until [`shutdown`](Yard::shutdown), or until every clone is dropped.
#[derive(Clone)]
pub struct Yard {
    bus: Arc<Bus>,
    running: Arc<Running>,
}

/// The tasks of a running application.
struct Running {
    stop: CancellationToken,
    kill: CancellationToken,
    grace: Duration,
    tasks: Mutex<JoinSet<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.kill.cancel();
    }
}

impl Yard {
    pub(crate) fn start(checked: Checked) -> Self {
        let Checked { bus, deps, handlers, keep_events, grace, workers, .. } = checked;
        let (bus, deps) = (Arc::new(bus), Arc::new(deps));
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        for (queue, handlers) in handlers {
            let Some(declared) = bus.queues.get(&queue).map(Arc::clone) else {
                continue;
            };
            let worker = Worker {
                bus: Arc::clone(&bus),
                deps: Arc::clone(&deps),
                handlers: Arc::new(handlers),
                declared,
                id: worker_id(&queue),
                queue,
                stop: stop.clone(),
                kill: kill.clone(),
            };
            tasks.spawn(worker.run());
        }
        for bridge in bus.bridges.iter().filter(|bridge| workers && bridge.receives()) {
            let (bus, bridge) = (Arc::clone(&bus), Arc::clone(bridge));
            tasks.spawn(transport::receive(bus, bridge, stop.clone()));
        }
        tasks.spawn(maintenance::run(Arc::clone(&bus), keep_events, stop.clone()));
        tasks.spawn(schedule::task::run(Arc::clone(&bus), stop.clone()));
        let running = Arc::new(Running { stop, kill, grace, tasks: Mutex::new(tasks) });
        Self { bus, running }
    }

    /// Publishes an event: it is in the log and on its queues, durably, when this returns.
    ///
    /// # Errors
    /// When the event breaks its schema, no route takes it and routes are strict, or the store cannot take it.
    ///
    /// # Cancel safety
    /// Once polled, the event may be published although the future is dropped. Publish it again under the same id:
    /// a repeat changes nothing.
    pub async fn publish(&self, event: impl IntoEvent) -> Result<Published, Error> {
        let event = self.bus.envelope(event)?;
        let mut published = self.bus.publish_all(vec![event]).await?;
        published.pop().ok_or_else(Error::closed)
    }

    /// Publishes several events together: all of them or none.
    ///
    /// # Errors
    /// As for [`publish`](Yard::publish).
    pub async fn publish_all(
        &self,
        events: impl IntoIterator<Item = impl IntoEvent>,
    ) -> Result<Vec<Published>, Error> {
        let events = events.into_iter().map(|e| self.bus.envelope(e)).collect::<Result<_, _>>()?;
        self.bus.publish_all(events).await
    }

    /// Adds a job.
    ///
    /// # Errors
    /// When the queue is not declared, an option is out of range, or the store cannot take it.
    pub async fn enqueue(&self, request: JobRequest) -> Result<Enqueued, Error> {
        let mut enqueued = self.enqueue_all(vec![request]).await?;
        enqueued.pop().ok_or_else(Error::closed)
    }

    /// Adds several jobs together: all of them or none.
    ///
    /// # Errors
    /// As for [`enqueue`](Yard::enqueue).
    pub async fn enqueue_all(&self, requests: Vec<JobRequest>) -> Result<Vec<Enqueued>, Error> {
        self.bus.enqueue_all(requests).await
    }

    /// Adds a job with the jobs that it waits for: all of them or none.
    ///
    /// A job whose id exists is not added, and its children only while it waits for children or is active: adding
    /// a flow again under the same ids changes nothing.
    ///
    /// # Errors
    /// As for [`enqueue`](Yard::enqueue), and when the flow is [too large](crate::flow::MAX_JOBS) or
    /// [too deep](crate::flow::MAX_DEPTH).
    pub async fn enqueue_flow(&self, flow: Flow) -> Result<EnqueuedFlow, Error> {
        self.bus.enqueue_flow(flow).await
    }

    /// Applies a commit as it is: documents, or the steering of jobs.
    ///
    /// # Errors
    /// When the store refuses it or cannot be reached.
    pub async fn commit(&self, commit: Commit) -> Result<Receipt, Error> {
        let Some(settled) = &self.bus.settled else { return self.bus.commit(commit).await };
        let cancelled = commit.writes.iter().filter_map(|write| match write {
            Write::Cancel { job, .. } => Some(job.clone()),
            _ => None,
        });
        let cancelled: Vec<_> = cancelled.collect();
        let receipt = self.bus.commit(commit).await?;
        for job in &cancelled {
            settled.tell(job);
        }
        Ok(receipt)
    }

    /// The read side of the store.
    #[must_use]
    pub fn inspect(&self) -> &Arc<dyn Inspect> {
        &self.bus.inspect
    }

    /// What the store promises.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.bus.store.capabilities()
    }

    /// The application's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.bus.clock
    }

    /// The source of the events that this application publishes.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.bus.source
    }

    /// The catalogue of events.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.bus.catalogue
    }

    /// The declared queues.
    pub fn declared_queues(&self) -> impl Iterator<Item = (&QueueName, &Queue)> {
        self.bus.queues.iter().map(|(name, declared)| (name, &declared.queue))
    }

    /// Shuts down in good order: [stops](Yard::stop) working and closes the store. A second call does nothing.
    pub async fn shutdown(&self) {
        self.stop().await;
        for bridge in &self.bus.bridges {
            bridge.transport().close().await;
        }
        self.bus.store.close().await;
    }

    /// Stops working: claims no more, waits for active jobs up to the application's grace, and gives back the
    /// rest with their attempts uncounted. Publishing and inspecting go on. A second call does nothing.
    pub async fn stop(&self) {
        self.running.stop.cancel();
        let mut tasks =
            std::mem::take(&mut *self.running.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let clock = &self.bus.clock;
        tokio::select! {
            () = drain(&mut tasks) => {}
            () = clock.sleep(self.running.grace) => {
                tracing::warn!("active jobs did not end in time; giving them back");
                self.running.kill.cancel();
                tokio::select! {
                    () = drain(&mut tasks) => {}
                    () = clock.sleep(INTERRUPT_GRACE) => {
                        tracing::error!("some handlers do not stop; their leases will end by themselves");
                    }
                }
            }
        }
    }

    async fn write(&self, write: Write) -> Result<Option<Effect>, Error> {
        Ok(self.commit(Commit::of([write])).await?.pop())
    }

    pub(crate) fn bus(&self) -> &Arc<Bus> {
        &self.bus
    }
}

async fn drain(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task of the application ended badly");
        }
    }
}

/// The name of this process's worker for a queue.
fn worker_id(queue: &QueueName) -> WorkerId {
    let name = format!("{}{}/{queue}", WorkerId::LOCAL, std::process::id());
    WorkerId::new(name)
        .unwrap_or_else(|_| unreachable!("a queue name is a valid part of a worker's"))
}
