//! What a case works on, and the steps it takes.

use std::{any::Any, pin::Pin, sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Clock, Commit, CommitError, Effect, Inspect, JobKey, JobState, Keep, Lease, Leased,
    Maintenance, ManualClock, NewJob, PageAsk, QueueName, Receipt, Settlement, Store, StoreError,
    Timestamp, Upkeep, WorkerId, Write,
    inspect::{Child, Counts, JobStatus, KeyStatus},
};
use futures_util::FutureExt;

use crate::given::{failure, key, queue_name};

/// How long the claims of the suite lease jobs for.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// What the suite's calls of `maintain` ask for, unless a case says otherwise.
pub(crate) const UPKEEP: Upkeep =
    Upkeep { limit: 10_000, max_crashes: 3, keep_events: Keep::FOREVER };

/// A claim that waits.
pub(crate) type Waiting = Pin<Box<dyn Future<Output = Result<Vec<Leased>, StoreError>> + Send>>;

/// An empty store on virtual time, for one case.
pub struct Fixture {
    /// The store's write side.
    pub store: Arc<dyn Store>,
    /// Its read side.
    pub inspect: Arc<dyn Inspect>,
    /// The clock that the store lives by.
    pub clock: Arc<ManualClock>,
    // The last field: dropped after the store.
    guard: Box<dyn Any + Send + Sync>,
}

/// A clock for a fixture, that stands at an instant like any other.
#[must_use]
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_123)))
}

impl Fixture {
    /// A fixture of an empty store that lives by `clock`.
    #[must_use]
    pub fn new(store: impl Store + Inspect, clock: Arc<ManualClock>) -> Self {
        let store = Arc::new(store);
        Self { store: store.clone(), inspect: store, clock, guard: Box::new(()) }
    }

    /// A fixture of a store whose two sides are different values.
    #[must_use]
    pub fn of(store: Arc<dyn Store>, inspect: Arc<dyn Inspect>, clock: Arc<ManualClock>) -> Self {
        Self { store, inspect, clock, guard: Box::new(()) }
    }

    /// Keeps `guard`, such as a temporary directory, for as long as the store.
    #[must_use]
    pub fn holding(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Box::new((self.guard, guard));
        self
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock on.
    pub(crate) fn advance(&self, d: Duration) {
        self.clock.advance(d);
    }

    /// Moves the clock on and makes the store notice.
    pub(crate) async fn pass(&self, d: Duration) {
        self.advance(d);
        self.maintain(UPKEEP).await;
    }

    /// Applies one commit.
    pub(crate) async fn try_commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let mut answers = self.store.commit(vec![commit]).await.unwrap();
        assert_eq!(answers.len(), 1, "one commit, one answer");
        answers.remove(0)
    }

    /// Applies writes that depend on no lease and must not be refused.
    pub(crate) async fn commit(&self, writes: impl IntoIterator<Item = Write>) -> Receipt {
        let answer = self.try_commit(Commit::of(writes)).await;
        answer.expect("the commit is not refused")
    }

    /// Applies writes that depend on no lease and must be refused.
    pub(crate) async fn refused(&self, writes: impl IntoIterator<Item = Write>) -> CommitError {
        let answer = self.try_commit(Commit::of(writes)).await;
        answer.expect_err("the commit is refused")
    }

    /// Applies one write that must not be refused.
    pub(crate) async fn write(&self, write: Write) -> Effect {
        self.commit([write]).await.remove(0)
    }

    /// Adds jobs that are new, in one commit.
    pub(crate) async fn enqueue(&self, jobs: impl IntoIterator<Item = NewJob>) {
        for effect in self.commit(jobs.into_iter().map(Write::Enqueue)).await {
            let is_new = matches!(&effect, Effect::Enqueued(job) if !job.duplicate);
            assert!(is_new, "a new job is enqueued: {effect:?}");
        }
    }

    /// A claim of up to `max` jobs.
    pub(crate) fn ask(&self, queue: &str, max: usize, wait: Duration) -> Claim {
        Claim {
            queue: queue_name(queue),
            max,
            lease_for: LEASE,
            worker: WorkerId::new("w").unwrap(),
            wait,
        }
    }

    /// Claims up to `max` jobs without waiting.
    pub(crate) async fn claim(&self, queue: &str, max: usize) -> Vec<Leased> {
        let ask = self.ask(queue, max, Duration::ZERO);
        self.store.claim(ask).await.unwrap()
    }

    /// Claims a job that must be there.
    pub(crate) async fn claim_one(&self, queue: &str) -> Leased {
        let mut leased = self.claim(queue, 1).await;
        assert_eq!(leased.len(), 1, "queue {queue} has a runnable job");
        leased.remove(0)
    }

    /// The ids of up to `max` jobs, claimed without waiting.
    pub(crate) async fn claim_ids(&self, queue: &str, max: usize) -> Vec<String> {
        let leased = self.claim(queue, max).await;
        leased.iter().map(|l| l.job.id.to_string()).collect()
    }

    /// Begins a claim that finds nothing and waits for one job.
    pub(crate) fn wait(&self, queue: &str, wait: Duration) -> Waiting {
        let store = self.store.clone();
        let ask = self.ask(queue, 1, wait);
        let mut waiting: Waiting = Box::pin(async move { store.claim(ask).await });
        let early = waiting.as_mut().now_or_never();
        assert!(early.is_none(), "the claim waits: {early:?}");
        waiting
    }

    /// Settles an attempt whose lease holds.
    pub(crate) async fn settle(&self, lease: &Lease, settlement: Settlement) {
        let answer = self.try_settle(lease, settlement).await;
        assert_eq!(answer, Ok(vec![Effect::Done]), "{lease:?}");
    }

    /// Settles an attempt.
    pub(crate) async fn try_settle(
        &self,
        lease: &Lease,
        settlement: Settlement,
    ) -> Result<Receipt, CommitError> {
        let commit = Commit::under(lease.clone(), [Write::Settle(settlement)]);
        self.try_commit(commit).await
    }

    /// Applies writes under a lease that holds.
    pub(crate) async fn write_under(
        &self,
        lease: &Lease,
        writes: impl IntoIterator<Item = Write>,
    ) -> Receipt {
        let answer = self.try_commit(Commit::under(lease.clone(), writes)).await;
        answer.expect("the lease holds and the commit is not refused")
    }

    /// Makes the store do its upkeep once.
    pub(crate) async fn maintain(&self, upkeep: Upkeep) -> Maintenance {
        self.store.maintain(upkeep).await.unwrap()
    }

    /// A job that exists.
    pub(crate) async fn status(&self, queue: &str, id: &str) -> JobStatus {
        let status = self.inspect.job(&key(queue, id)).await.unwrap();
        status.unwrap_or_else(|| panic!("job {queue}/{id} exists"))
    }

    /// The state of a job, if it exists.
    pub(crate) async fn state(&self, queue: &str, id: &str) -> Option<JobState> {
        let status = self.inspect.job(&key(queue, id)).await.unwrap();
        status.map(|status| status.state)
    }

    /// The ids of the jobs of a queue in a state, as listed in small pages.
    pub(crate) async fn listed(&self, queue: &str, state: JobState) -> Vec<String> {
        let jobs = self.walk(Some(&queue_name(queue)), state).await;
        jobs.iter().map(|status| status.job.id.to_string()).collect()
    }

    /// The jobs in a state, as listed in small pages.
    pub(crate) async fn walk(&self, queue: Option<&QueueName>, state: JobState) -> Vec<JobStatus> {
        let (mut all, mut ask) = (Vec::new(), PageAsk::first(3));
        loop {
            let page = self.inspect.jobs(queue, state, ask.clone()).await.unwrap();
            assert!(page.items.len() <= 3, "a page holds what was asked for");
            all.extend(page.items);
            if page.next.is_none() {
                return all;
            }
            ask.cursor = page.next;
        }
    }

    /// The children of a job, as listed in small pages.
    pub(crate) async fn children(&self, job: &JobKey) -> Vec<Child> {
        let (mut all, mut ask) = (Vec::new(), PageAsk::first(2));
        loop {
            let page = self.inspect.children(job, ask.clone()).await.unwrap();
            assert!(page.items.len() <= 2, "a page holds what was asked for");
            all.extend(page.items);
            if page.next.is_none() {
                return all;
            }
            ask.cursor = page.next;
        }
    }

    /// The keys of a queue, as listed in small pages.
    pub(crate) async fn keys(&self, queue: &QueueName) -> Vec<KeyStatus> {
        let (mut all, mut ask) = (Vec::new(), PageAsk::first(2));
        loop {
            let page = self.inspect.keys(queue, ask.clone()).await.unwrap();
            assert!(page.items.len() <= 2, "a page holds what was asked for");
            all.extend(page.items);
            if page.next.is_none() {
                return all;
            }
            ask.cursor = page.next;
        }
    }

    /// The counts of a queue; zeros when it is not known.
    pub(crate) async fn counts(&self, queue: &str) -> Counts {
        let queues = self.inspect.queues().await.unwrap();
        queues.get(queue).map(|status| status.counts).unwrap_or_default()
    }

    /// Whether a queue is known and paused.
    pub(crate) async fn paused(&self, queue: &str) -> Option<bool> {
        let queues = self.inspect.queues().await.unwrap();
        queues.get(queue).map(|status| status.paused)
    }

    /// Completes a job and keeps it.
    pub(crate) async fn complete(&self, lease: &Lease, keep: Keep) {
        self.settle(lease, Settlement::Complete { result: None, keep }).await;
    }

    /// Fails a job for good and keeps it.
    pub(crate) async fn fail(&self, lease: &Lease) {
        let keep = Keep::FOREVER;
        self.settle(lease, Settlement::Fail { failure: failure("for good"), keep }).await;
    }

    /// Claims a job that must be the next, and completes it with a result.
    pub(crate) async fn run(&self, queue: &str, id: &str, result: &str) {
        let leased = self.claim_one(queue).await;
        assert_eq!(leased.job.id.as_str(), id, "the next job of {queue}");
        let result = Some(result.to_owned().into());
        self.settle(&leased.lease, Settlement::Complete { result, keep: Keep::FOREVER }).await;
    }

    /// Makes sure of a job's key under which nothing is kept.
    pub(crate) async fn assert_gone(&self, job: &JobKey) {
        assert_eq!(self.inspect.job(job).await.unwrap(), None, "{job} is gone");
        assert_eq!(self.inspect.attempts(job).await.unwrap(), [], "attempts of {job}");
        assert_eq!(self.inspect.logs(job).await.unwrap(), [], "log of {job}");
        assert_eq!(self.inspect.steps(job).await.unwrap(), [], "steps of {job}");
        let queues = self.inspect.queues_of(&job.id).await.unwrap();
        assert!(!queues.contains(&job.queue), "{job} is on no list of queues");
    }
}
