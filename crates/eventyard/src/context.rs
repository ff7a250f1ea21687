//! What a handler can see and do besides its event.

mod children;
mod steps;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventyard_core::{
    Clock, Commit, GroupKey, Inspect, Job, Lease, Leased, Write, document::MAX_DOCUMENT_BYTES,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::steps::Steps;
pub(crate) use self::steps::check_result;
use crate::{Dep, Error, FieldError, JobRequest, bus::Bus, dep::Deps, event::IntoEvent};

/// The attempt that a handler is working on.
///
/// What is published, enqueued and written through it leaves with the job's own commit: all of it, if the
/// handler succeeds, and nothing, if it fails. What a [step](Self::step) returned is saved at once. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    bus: Arc<Bus>,
    deps: Arc<Deps>,
    leased: Arc<Leased>,
    cancelled: CancellationToken,
    outbox: Mutex<Outbox>,
    steps: Steps,
}

/// What leaves with the job's commit.
#[derive(Default)]
struct Outbox {
    writes: Vec<Write>,
    /// The first thing that could not be written: it fails the attempt.
    error: Option<Error>,
}

impl Context {
    pub(crate) fn new(
        bus: Arc<Bus>,
        deps: Arc<Deps>,
        leased: Arc<Leased>,
        cancelled: CancellationToken,
    ) -> Self {
        let (outbox, steps) = (Mutex::default(), Steps::default());
        Self { inner: Arc::new(Inner { bus, deps, leased, cancelled, outbox, steps }) }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.inner.leased.job
    }

    /// What the job has in common with others of its queue, if it was given a key.
    #[must_use]
    pub fn key(&self) -> Option<&GroupKey> {
        self.job().options.key.as_ref()
    }

    /// The number of this attempt; the first is 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.lease().attempt
    }

    /// Whether this is the last attempt that the job has.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.attempt() >= self.job().options.max_attempts()
    }

    /// The lease: its token fences writes to other systems.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.inner.leased.lease
    }

    /// Is cancelled when the lease is lost, the job is cancelled or the application stops: the attempt
    /// can finish nothing any more and should end. A handler that goes on is dropped 2 s later, where it awaits.
    #[must_use]
    pub fn cancelled(&self) -> &CancellationToken {
        &self.inner.cancelled
    }

    /// The application's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.bus.clock
    }

    /// The read side of the store.
    #[must_use]
    pub fn inspect(&self) -> &Arc<dyn Inspect> {
        &self.inner.bus.inspect
    }

    /// Publishes an event with this job's commit, as a consequence of the event that the job was made from.
    ///
    /// An event that breaks its schema or that no route takes (when routes are strict) fails the attempt.
    pub fn publish(&self, event: impl IntoEvent) {
        let bus = &self.inner.bus;
        let write = bus.envelope(event).and_then(|mut event| {
            if let Some(cause) = self.job().payload.event() {
                event.correlation_id.get_or_insert_with(|| cause.correlation().to_owned());
                event.causation_id.get_or_insert_with(|| cause.id.to_string());
            }
            bus.write_event(event)
        });
        self.push(write);
    }

    /// Adds a job with this job's commit. A request that cannot be used fails the attempt.
    pub fn enqueue(&self, request: JobRequest) {
        self.push(self.inner.bus.write_job(request));
    }

    /// Writes a document with this job's commit. With `expected`, the document must have that version
    /// then (0: must not exist), or the attempt fails.
    pub fn put_document(
        &self,
        collection: &str,
        key: &str,
        value: &impl Serialize,
        expected: Option<u64>,
    ) {
        let what = || format!("the document {collection}/{key}");
        let write = serde_json::to_vec(value)
            .map_err(|source| Error::Encode { what: what(), source })
            .and_then(|value| {
                if value.len() > MAX_DOCUMENT_BYTES {
                    let problem = format!(
                        "has {} bytes; at most {MAX_DOCUMENT_BYTES} are allowed",
                        value.len()
                    );
                    return Err(Error::InvalidJob(FieldError { field: what(), problem }));
                }
                let (collection, key) = (collection.to_owned(), key.to_owned());
                Ok(Write::Put { collection, key, value: value.into(), expected })
            });
        self.push(write);
    }

    /// Removes a document with this job's commit.
    pub fn delete_document(&self, collection: &str, key: &str) {
        self.push(Ok(Write::Delete { collection: collection.to_owned(), key: key.to_owned() }));
    }

    /// Replaces the job's data with this job's commit: the attempt after a snooze, or after its children, gets it.
    pub fn update_data(&self, data: &impl Serialize) {
        let what = || format!("the data of job `{}`", self.job().name);
        let data =
            serde_json::to_vec(data).map_err(|source| Error::Encode { what: what(), source });
        self.push(data.map(|data| Write::Update { job: self.job().key(), data: data.into() }));
    }

    /// Says how far the job is, at once.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, the lease is lost, or the store cannot be reached.
    pub async fn progress(&self, progress: &(impl Serialize + Sync)) -> Result<(), Error> {
        let json = serde_json::to_vec(progress)
            .map_err(|source| Error::Encode { what: "the progress".to_owned(), source })?;
        self.write_now(Write::Progress(json.into())).await
    }

    /// Adds a line to the job's log, at once.
    ///
    /// # Errors
    /// When the lease is lost or the store cannot be reached.
    pub async fn log(&self, line: impl Into<String>) -> Result<(), Error> {
        self.write_now(Write::Log(line.into())).await
    }

    async fn write_now(&self, write: Write) -> Result<(), Error> {
        self.inner.bus.commit(Commit::under(self.lease().clone(), [write])).await.map(drop)
    }

    pub(crate) fn dep<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Dep<T>> {
        self.inner.deps.get()
    }

    /// What leaves with the job's commit, or the first thing that could not be written.
    pub(crate) fn take_outbox(&self) -> Result<Vec<Write>, Error> {
        let outbox = std::mem::take(&mut *self.outbox());
        outbox.error.map_or(Ok(outbox.writes), Err)
    }

    fn push(&self, write: Result<Write, Error>) {
        self.push_all(write.map(|write| vec![write]));
    }

    fn push_all(&self, writes: Result<Vec<Write>, Error>) {
        let mut outbox = self.outbox();
        match writes {
            Ok(writes) => outbox.writes.extend(writes),
            Err(error) => {
                outbox.error.get_or_insert(error);
            }
        }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.inner.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("lease", self.lease()).finish_non_exhaustive()
    }
}
