//! One attempt of one job: run the handler, and say what is to be committed.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use eventyard_core::{
    Commit, CommitError, FailureKind, Job, Lease, Leased, Settlement, Timestamp, Write,
};
use futures_util::FutureExt;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{
    Context, JobError, Outcome,
    bus::{Bus, Declared},
    decide,
    dep::Deps,
    handler::Handlers,
    secs,
};

/// How long a handler may go on after it was told to stop; then it is dropped where it stands.
const CANCEL_GRACE: Duration = secs(2);

pub(super) struct Attempt {
    pub(super) bus: Arc<Bus>,
    pub(super) deps: Arc<Deps>,
    pub(super) handlers: Arc<Handlers>,
    pub(super) declared: Arc<Declared>,
    pub(super) leased: Arc<Leased>,
    pub(super) cancelled: CancellationToken,
}

/// An attempt that has ended and is to be settled.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) leased: Arc<Leased>,
    /// What the handler wrote, and the settlement.
    pub(super) writes: Vec<Write>,
    pub(super) took: Duration,
}

impl Attempt {
    pub(super) async fn run(self) -> Ended {
        let begun = Instant::now();
        let Leased { job, lease, .. } = &*self.leased;
        tracing::debug!(job = %lease.job, name = %job.name, attempt = lease.attempt, "job started");
        let cx = Context::new(
            Arc::clone(&self.bus),
            Arc::clone(&self.deps),
            Arc::clone(&self.leased),
            self.cancelled.clone(),
        );
        let ending = self.handle(&cx).await;
        let writes = match ending {
            Some(Ok(outcome)) => match cx.take_outbox() {
                Ok(mut writes) => {
                    writes.push(self.settlement(Ok(outcome)));
                    writes
                }
                Err(error) => vec![self.settlement(Err(JobError::from(error)))],
            },
            Some(Err(error)) => vec![self.settlement(Err(error))],
            None => vec![Write::Settle(Settlement::Release)],
        };
        Ended { leased: self.leased, writes, took: begun.elapsed() }
    }

    fn settlement(&self, ending: Result<Outcome, JobError>) -> Write {
        let (job, queue) = (&self.leased.job, &self.declared.queue);
        Write::Settle(decide::settle(job, ending, queue.backoff_fn.as_ref(), self.bus.clock.now()))
    }

    /// Checks an event that did not come through the bus against its schema.
    fn check_foreign(&self, job: &Job) -> Result<(), JobError> {
        match job.payload.event() {
            Some(event) if *event.kind != *job.name => {
                let refuse =
                    |error: crate::Error| JobError::never(FailureKind::Payload, error.to_string());
                self.bus.catalogue.check(event).map_err(refuse)
            }
            _ => Ok(()),
        }
    }

    /// Runs the handler to its end, its timeout or its cancellation; `None` is a cancellation.
    async fn handle(&self, cx: &Context) -> Option<Result<Outcome, JobError>> {
        let job = cx.job();
        let kind = kind(job);
        let Some(run) = self.handlers.find(kind) else {
            let hint = if is_nearly_event(job) {
                "; its data has an `eventType`, but is no event without an `eventId`"
            } else {
                ""
            };
            let message = format!("queue `{}` has no handler for `{kind}`{hint}", job.queue);
            return Some(Err(JobError::retry(message)));
        };
        if let Err(error) = self.check_foreign(job) {
            return Some(Err(error));
        }
        // The handler's own code may run, and panic, when it is called as well as when it is polled.
        let handler = AssertUnwindSafe(async { run(cx.clone()).await }).catch_unwind();
        let clock = &self.bus.clock;
        let timeout = async {
            match job.options.timeout {
                Some(timeout) => {
                    clock.sleep(timeout).await;
                    timeout
                }
                None => std::future::pending().await,
            }
        };
        let cancelled = async {
            self.cancelled.cancelled().await;
            clock.sleep(CANCEL_GRACE).await;
        };
        tokio::select! {
            biased;
            ending = handler => Some(ending.unwrap_or_else(|panic| Err(JobError::panicked(&*panic)))),
            timeout = timeout => {
                self.cancelled.cancel();
                let message = format!("the attempt took longer than its timeout of {timeout:?}");
                Some(Err(JobError::of(FailureKind::Timeout, message)))
            }
            () = cancelled => None,
        }
    }
}

/// What a job is for its handlers: the type of its event, whatever a service that added it by itself has named it.
fn kind(job: &Job) -> &str {
    job.payload.event().map_or(&job.name, |event| &event.kind)
}

/// Whether a job's data names an event, as services in Node send it, and is none.
fn is_nearly_event(job: &Job) -> bool {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "eventType")]
        _kind: String,
    }
    job.payload.event().is_none() && serde_json::from_slice::<Named>(job.payload.data()).is_ok()
}

impl Ended {
    /// A job that is given back without having been started.
    pub(super) fn released(leased: Arc<Leased>) -> Self {
        let writes = vec![Write::Settle(Settlement::Release)];
        Self { leased, writes, took: Duration::ZERO }
    }

    pub(super) fn job(&self) -> &Job {
        &self.leased.job
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.leased.lease
    }

    pub(super) fn commit(&self) -> Commit {
        Commit { lease: Some(self.lease().clone()), writes: self.writes.clone() }
    }

    /// The same attempt, failed because the store refused what its handler wrote.
    pub(super) fn refused(
        mut self,
        error: &CommitError,
        declared: &Declared,
        now: Timestamp,
    ) -> Self {
        let error = JobError::retry(format!("the job's commit was refused: {error}"));
        let backoff_fn = declared.queue.backoff_fn.as_ref();
        self.writes = vec![Write::Settle(decide::settle(self.job(), Err(error), backoff_fn, now))];
        self
    }
}
