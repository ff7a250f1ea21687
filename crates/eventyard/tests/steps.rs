//! Durable steps, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use eventyard::{
    Backoff, Context, Dep, Error, Event, Eventyard, JobError, JobRequest, Json, Outcome, Queue,
    Yard,
    model::{
        Capabilities, Claim, Clock, Commit, CommitError, FailureKind, Feed, JobId, JobKey,
        JobState, Lease, LeaseToken, Leased, Maintenance, MemoryStore, QueueName, Receipt, Renewal,
        StepName, Store, StoreError, StoreErrorKind, Upkeep, WorkerId, Write,
        inspect::{JobStatus, SavedStep},
    },
    secs,
    testing::{TestYard, VirtualClock},
};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

#[derive(Event, Serialize, Deserialize)]
#[event("order.paid")]
struct OrderPaid {
    charge: String,
}

/// What ran, in order, and how often a step is still to fail.
#[derive(Default)]
struct World {
    ran: Mutex<Vec<String>>,
    failures: Mutex<Vec<(&'static str, u32)>>,
}

impl World {
    fn failing(failures: impl IntoIterator<Item = (&'static str, u32)>) -> Arc<Self> {
        Arc::new(Self { failures: Mutex::new(failures.into_iter().collect()), ..Self::default() })
    }

    /// Does something; it fails as often as it is to.
    fn act(&self, what: &str) -> io::Result<String> {
        self.ran.lock().unwrap().push(what.to_owned());
        let mut failures = self.failures.lock().unwrap();
        if let Some((_, left)) = failures.iter_mut().find(|(name, left)| *name == what && *left > 0)
        {
            *left -= 1;
            return Err(io::Error::other(format!("{what} is out of order")));
        }
        Ok(format!("{what} done"))
    }

    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut self.ran.lock().unwrap())
    }
}

/// Three steps, an event at the end, and a result that tells what the steps returned.
async fn sell(_: Json<u64>, world: Dep<World>, cx: Context) -> Result<Outcome, JobError> {
    let reserved = cx.step("reserve", async || world.act("reserve")).await?;
    let charged = cx.step("charge", async || world.act("charge")).await?;
    let booked = cx.step("book", async || world.act("book")).await?;
    cx.publish(OrderPaid { charge: charged.clone() });
    Outcome::done(&[reserved, charged, booked])
}

fn app(world: &Arc<World>, attempts: u32) -> TestYard {
    Eventyard::in_memory()
        .queue(Queue::new("q").attempts(attempts).backoff(Backoff::fixed(secs(10))).lease(secs(30)))
        .handle("q", sell)
        .queue(Queue::new("log"))
        .route("order.paid", "log")
        .handle("log", async |_: OrderPaid| Ok::<(), JobError>(()))
        .provide_arc(Arc::clone(world))
        .test()
}

fn key() -> JobKey {
    JobKey { queue: QueueName::new("q").unwrap(), id: JobId::new("j").unwrap() }
}

async fn add(t: &TestYard) {
    let job = JobRequest::new("q", "sell").id(JobId::new("j").unwrap()).data(&0_u64).unwrap();
    t.enqueue(job).await.unwrap();
    t.run_until_idle().await;
}

async fn status(t: &TestYard) -> JobStatus {
    t.inspect().job(&key()).await.unwrap().unwrap()
}

async fn saved(t: &TestYard) -> Vec<SavedStep> {
    t.inspect().steps(&key()).await.unwrap()
}

/// The names of the saved steps.
async fn names(t: &TestYard) -> Vec<String> {
    saved(t).await.iter().map(|step| step.name.to_string()).collect()
}

#[tokio::test]
async fn a_step_that_is_done_does_not_run_again() {
    let world = World::failing([("charge", 2)]);
    let t = app(&world, 5);
    add(&t).await;
    assert_eq!(world.ran(), ["reserve", "charge"]);
    assert_eq!(names(&t).await, ["reserve"], "saved though the attempt failed, and at once");
    assert_eq!(saved(&t).await[0].saved_at, status(&t).await.job.created_at);
    t.advance(secs(10)).await;
    assert_eq!(world.ran(), ["charge"]);
    assert_eq!(
        t.inspect().attempts(&key()).await.unwrap()[1].failure.message,
        "charge is out of order"
    );
    t.advance(secs(10)).await;
    assert_eq!(world.ran(), ["charge", "book"]);
    let status = status(&t).await;
    assert_eq!((status.state, status.job.attempts_made), (JobState::Completed, 3));
    let result: Vec<String> = serde_json::from_slice(&status.result.unwrap()).unwrap();
    assert_eq!(result, ["reserve done", "charge done", "book done"]);
    assert_eq!(names(&t).await, ["reserve", "charge", "book"]);
    let paid = t.jobs::<OrderPaid>(JobState::Completed);
    assert_eq!(
        paid.len(),
        1,
        "what is published leaves with the commit of the attempt that ends well"
    );
}

#[tokio::test]
async fn a_dead_letter_that_is_retried_goes_on_where_it_failed() {
    let world = World::failing([("book", 2)]);
    let t = app(&world, 1);
    add(&t).await;
    assert_eq!(world.ran(), ["reserve", "charge", "book"]);
    for ran in [&["book"], &["book"]] {
        assert_eq!(status(&t).await.state, JobState::Failed);
        t.retry(key()).await.unwrap();
        t.run_until_idle().await;
        assert_eq!(world.ran(), ran);
    }
    assert_eq!(status(&t).await.state, JobState::Completed);
}

#[tokio::test]
async fn asking_twice_is_no_second_run_and_side_by_side_neither() {
    async fn ask(_: Json<u64>, world: Dep<World>, cx: Context) -> Result<Outcome, JobError> {
        let slow = async || {
            tokio::time::sleep(secs(1)).await;
            world.act("a")
        };
        let (first, second) = tokio::join!(cx.step("a", slow), cx.step("a", slow));
        let third: String = cx.step("a", async || Err(JobError::retry("it ran"))).await?;
        let nested: String =
            cx.step("outer", async || cx.step("inner", async || world.act("b")).await).await?;
        Outcome::done(&[first?, second?, third, nested])
    }
    let world = World::failing([("a", 1)]);
    let t = Eventyard::in_memory()
        .queue(Queue::new("q").attempts(2).backoff(Backoff::fixed(secs(1))))
        .handle("q", ask)
        .provide_arc(Arc::clone(&world))
        .test();
    add(&t).await;
    t.advance(secs(9)).await;
    assert_eq!(world.ran(), ["a", "a", "b"], "one of the two failed, and the other ran then");
    let result: Vec<String> = serde_json::from_slice(&status(&t).await.result.unwrap()).unwrap();
    assert_eq!(result, ["a done", "a done", "a done", "b done"]);
    assert_eq!(names(&t).await, ["a", "inner", "outer"]);
}

#[tokio::test]
async fn steps_outlast_snoozes() {
    async fn wait(_: Json<u64>, world: Dep<World>, cx: Context) -> Result<Outcome, JobError> {
        let started: u64 = cx
            .step("started", async || {
                world.act("start")?;
                Ok::<_, JobError>(cx.clock().now().as_millis().unsigned_abs())
            })
            .await?;
        let since = cx.clock().now().as_millis().unsigned_abs() - started;
        if since < 60_000 {
            return Ok(Outcome::Snooze(secs(20)));
        }
        Outcome::done(&since)
    }
    let world = World::failing([]);
    let t = Eventyard::in_memory()
        .queue(Queue::new("q"))
        .handle("q", wait)
        .provide_arc(Arc::clone(&world))
        .test();
    add(&t).await;
    t.advance(secs(60)).await;
    assert_eq!(world.ran(), ["start"]);
    assert_eq!(status(&t).await.result.unwrap(), "60000");
}

#[tokio::test]
async fn what_cannot_be_a_step_is_told_and_not_tried_again() {
    async fn run(Json(which): Json<u64>, world: Dep<World>, cx: Context) -> Result<(), JobError> {
        let long = "n".repeat(129);
        match which {
            0 => cx.step("", async || world.act("it").map(drop)).await,
            1 => cx.step(&long, async || world.act("it").map(drop)).await,
            2 => {
                let large = async || world.act("it").map(|_| "x".repeat(1024 * 1024));
                cx.step("large", large).await.map(drop)
            }
            3 => {
                let odd =
                    async || world.act("it").map(|_| [(vec![0_u8], 1_u8)].into_iter().collect());
                cx.step("odd", odd).await.map(|_: std::collections::BTreeMap<Vec<u8>, u8>| ())
            }
            _ => {
                for n in 0..=1000 {
                    cx.step(&format!("s{n}"), async || Ok::<_, JobError>(n)).await?;
                }
                Ok(())
            }
        }
    }
    let check = async |which: u64, ran: usize, told: &str| {
        let world = World::failing([]);
        let t = Eventyard::in_memory()
            .queue(Queue::new("q").attempts(3).backoff(Backoff::fixed(Duration::ZERO)))
            .handle("q", run)
            .provide_arc(Arc::clone(&world))
            .test();
        let job = JobRequest::new("q", "sell").id(key().id).data(&which).unwrap();
        t.enqueue(job).await.unwrap();
        t.run_until_idle().await;
        t.advance(secs(1)).await;
        let failure = status(&t).await.failure.unwrap();
        assert_eq!((failure.kind, &*failure.message), (FailureKind::Rejected, told));
        assert_eq!(world.ran().len(), ran, "{told}");
    };
    check(0, 0, "the step's `name` is empty; give it at least one character").await;
    check(1, 0, "the step's `name` has 129 bytes; at most 128 are allowed").await;
    check(
        2,
        1,
        "step `large`: the step's `result` has 1048578 bytes; at most 1048576 are allowed: keep what is large elsewhere, and return where it is",
    )
    .await;
    check(3, 1, "step `odd`: its result cannot be written as JSON").await;
    check(
        4,
        0,
        "step `s1000`: job q/j has 1000 steps, the most that are allowed; make its steps larger, or split it into several jobs",
    )
    .await;
}

#[tokio::test]
async fn a_result_of_another_shape_names_its_step() {
    /// The second version of this handler takes the result for something else than the first did.
    async fn versions(_: Json<u64>, world: Dep<World>, cx: Context) -> Result<(), JobError> {
        if cx.attempt() == 1 {
            cx.step("weigh", async || world.act("weigh")).await?;
            return Err(JobError::retry("not yet"));
        }
        let grams: u64 = cx.step("weigh", async || Ok::<_, JobError>(250)).await?;
        Outcome::done(&grams).map(drop)
    }
    let world = World::failing([]);
    let t = Eventyard::in_memory()
        .queue(Queue::new("q").attempts(9).backoff(Backoff::fixed(Duration::ZERO)))
        .handle("q", versions)
        .provide_arc(Arc::clone(&world))
        .test();
    add(&t).await;
    t.advance(secs(1)).await;
    assert_eq!(world.ran(), ["weigh"]);
    let failure = status(&t).await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Payload);
    let told =
        "the saved result of step `weigh`: .: invalid type: string \"weigh done\", expected u64";
    assert!(failure.message.starts_with(told), "{}", failure.message);
}

#[tokio::test]
async fn who_takes_a_job_over_goes_on_where_the_other_stopped() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::pause());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let world = World::failing([]);
    let queue = || Queue::new("q").attempts(2);
    let front = Eventyard::on(Arc::clone(&store), Arc::clone(&clock)).queue(queue());
    let front = front.start().await.unwrap();
    let job = JobRequest::new("q", "sell").id(key().id).data(&0_u64).unwrap();
    front.enqueue(job).await.unwrap();
    let worker = WorkerId::new("outside").unwrap();
    let leased = front.claim(key().queue, 1, secs(30), worker, secs(0)).await.unwrap();
    let token = leased[0].lease.token;
    let save = async |name: &str| {
        front.save_step(token, StepName::new(name).unwrap(), "\"by hand\"".into()).await
    };
    save("reserve").await.unwrap();
    assert_eq!(front.saved_steps(token).await.unwrap().len(), 1);

    let back = Eventyard::on(store, Arc::clone(&clock))
        .queue(queue())
        .handle("q", sell)
        .provide_arc(Arc::clone(&world))
        .start()
        .await
        .unwrap();
    clock.sleep(secs(29)).await;
    assert_eq!(world.ran(), [""; 0], "the lease holds");
    clock.sleep(secs(9)).await;
    assert_eq!(world.ran(), ["charge", "book"]);
    let status = back.inspect().job(&key()).await.unwrap().unwrap();
    let result: Vec<String> = serde_json::from_slice(&status.result.unwrap()).unwrap();
    assert_eq!(result, ["by hand", "charge done", "book done"]);
    assert!(matches!(save("late").await, Err(Error::NoSuchLease(_))));
    assert!(matches!(front.saved_steps(token).await, Err(Error::NoSuchLease(_))));
    back.stop().await;
    front.stop().await;
}

/// What the handler was told, and the application, so that a step can cancel its own job.
#[derive(Default)]
struct Told {
    yard: OnceLock<Yard>,
    error: Mutex<Option<JobError>>,
}

#[tokio::test]
async fn who_lost_the_job_saves_nothing_more() {
    async fn lose(_: Json<u64>, told: Dep<Told>, cx: Context) -> Result<(), JobError> {
        cx.step("kept", async || Ok::<_, JobError>(1)).await?;
        let lost = cx.step("lost", async || {
            let yard = told.yard.get().unwrap();
            yard.cancel(cx.job().key(), "not wanted").await?;
            Ok::<_, JobError>(2)
        });
        let error = lost.await.unwrap_err();
        told.error.lock().unwrap().replace(error.clone());
        Err(error)
    }
    let told = Arc::new(Told::default());
    let t = Eventyard::in_memory()
        .queue(Queue::new("q"))
        .handle("q", lose)
        .provide_arc(Arc::clone(&told))
        .test();
    let _ = told.yard.set((*t).clone());
    add(&t).await;
    let error = told.error.lock().unwrap().take().unwrap();
    let expected = "attempt 1 of job q/j no longer holds its lease; another worker may have it";
    assert_eq!(error.failure().message, expected);
    assert_eq!(names(&t).await, ["kept"]);
    assert_eq!(status(&t).await.failure.unwrap().message, "not wanted");
}

/// A store that cannot take a step for some time, though it does all else.
struct Away {
    store: MemoryStore,
    times: AtomicU32,
}

#[async_trait]
impl Store for Away {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
    async fn commit(
        &self,
        commits: Vec<Commit>,
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        let is_step = |write: &Write| matches!(write, Write::Step { .. });
        if commits.iter().flat_map(|commit| &commit.writes).any(is_step)
            && self.times.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
        {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the store is away"));
        }
        self.store.commit(commits).await
    }
    async fn claim(&self, claim: Claim) -> Result<Vec<Leased>, StoreError> {
        self.store.claim(claim).await
    }
    async fn renew(&self, leases: Vec<Lease>, d: Duration) -> Result<Vec<Renewal>, StoreError> {
        self.store.renew(leases, d).await
    }
    async fn maintain(&self, upkeep: Upkeep) -> Result<Maintenance, StoreError> {
        self.store.maintain(upkeep).await
    }
    fn feed(&self) -> &Feed {
        self.store.feed()
    }
    fn cancellations(&self) -> broadcast::Receiver<LeaseToken> {
        self.store.cancellations()
    }
    async fn close(&self) {
        self.store.close().await;
    }
}

#[tokio::test]
async fn what_was_done_is_saved_when_the_store_is_back() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::pause());
    let memory = MemoryStore::new(Arc::clone(&clock));
    let inspect = Arc::new(memory.clone());
    let store = Arc::new(Away { store: memory, times: AtomicU32::new(5) });
    let world = World::failing([]);
    let yard = Eventyard::on_parts(store, inspect, Arc::clone(&clock))
        .queue(Queue::new("q").attempts(1))
        .handle("q", sell)
        .provide_arc(Arc::clone(&world))
        .start()
        .await
        .unwrap();
    let job = JobRequest::new("q", "sell").id(key().id).data(&0_u64).unwrap();
    yard.enqueue(job).await.unwrap();
    clock.sleep(secs(1)).await;
    assert_eq!(world.ran(), ["reserve"], "it goes on when what was done is saved");
    clock.sleep(secs(9)).await;
    assert_eq!(world.ran(), ["charge", "book"]);
    let status = yard.inspect().job(&key()).await.unwrap().unwrap();
    assert_eq!((status.state, status.job.attempts_made), (JobState::Completed, 1));
    yard.stop().await;
}
